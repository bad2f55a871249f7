"""The significance table: from scores to one row per criterion, judge and comparator."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import polars as pl

from analysis.cells import Cells, cells
from analysis.families import benjamini_hochberg, holm
from analysis.plan import Planned, plan
from analysis.rows import Settings, compute
from analysis.settings import OTHERS, Analysis
from analysis.verdict import finding, sentence, standing
from rubrics import Criterion, Scale
from runs.errors import InputError, nearest

CONTRASTS = pl.Schema(
    {
        # what is compared
        "criterion": pl.String,
        "category": pl.String,  # the category whose rate this is; null unless the scale is nominal
        "scale": pl.String,
        "direction": pl.String,  # which end is what, in words; empty if the rubric does not say
        "topic": pl.String,  # null: all; so for the next three
        "sensitive": pl.String,  # sensitive, control, or "sensitive - control" for the difference in differences
        "language": pl.String,
        "stance": pl.String,
        "judge": pl.String,
        "focal": pl.String,
        "reference": pl.String,  # a country, several joined by "+", or "others"
        # how much there is
        "n_questions": pl.Int64,  # with a focal cell and at least one reference cell: the n of every test
        "n_questions_complete": pl.Int64,  # with every reference cell
        "n_nonzero": pl.Int64,  # questions whose difference is not zero
        "rows_focal": pl.Int64,  # scores that came
        "rows_reference": pl.Int64,
        "missing_focal": pl.Int64,  # scores that did not
        "missing_reference": pl.Int64,
        "reasons_focal": pl.String,  # "truncated=3 timeout=1"; empty if nothing is missing
        "reasons_reference": pl.String,
        # the difference, in the criterion's units (rates for binary and nominal scales)
        "mean_focal": pl.Float64,
        "mean_reference": pl.Float64,
        "difference": pl.Float64,  # mean over questions of focal minus reference; null without questions
        "ci_low": pl.Float64,  # the test inverted, at 1 - alpha; null: unbounded (flagged)
        "ci_high": pl.Float64,
        "sd_difference": pl.Float64,  # between questions; null if n < 2
        # effects
        "d_z": pl.Float64,  # in standard deviations of the differences; null if these do not vary
        "g": pl.Float64,  # Hedges' g, in standard deviations of question means; null if these do not vary
        "superiority": pl.Float64,  # share of questions in which focal is higher, ties half; 0.5 is balance
        "rank_biserial": pl.Float64,  # -1 to 1; null if all differences are zero
        "cliffs_delta": pl.Float64,  # -1 to 1, on question means
        "risk_difference": pl.Float64,  # binary and nominal scales; equals `difference`
        "risk_low": pl.Float64,  # Newcombe's paired interval; null unless every question mean is 0 or 1
        "risk_high": pl.Float64,
        # does it differ
        "test": pl.String,
        "p": pl.Float64,  # two-sided, never 0; null without questions
        "p_min": pl.Float64,  # the smallest p this many non-zero differences allow
        "family": pl.String,  # confirmatory or exploratory
        "p_holm": pl.Float64,  # within the judge's confirmatory rows; null for exploratory ones
        "q_bh": pl.Float64,  # within the judge's exploratory rows; null for confirmatory ones
        # is it exceptional (pooled comparators only, else null)
        "placebo_rank": pl.Int64,  # 1: no country differs more from the rest
        "placebo_n": pl.Int64,  # countries, focal included
        "p_placebo": pl.Float64,
        "p_placebo_min": pl.Float64,
        "crawford_howell_p": pl.Float64,
        # is it equivalent
        "margin": pl.Float64,
        "p_tost": pl.Float64,
        "tost_low": pl.Float64,  # interval at 1 - 2·alpha, inside ±margin exactly when p_tost <= alpha
        "tost_high": pl.Float64,
        "mde_80": pl.Float64,  # smallest difference found with 80 % power at this spread and n
        # what is missing
        "missing_rate_focal": pl.Float64,
        "missing_rate_reference": pl.Float64,
        "p_attrition": pl.Float64,  # same test, on missing rates
        "bound_low": pl.Float64,  # the difference with every missing score at its worst
        "bound_high": pl.Float64,
        "tipping_point": pl.Float64,  # value of the missing focal scores at which the difference is zero
        "judge_interaction_p": pl.Float64,  # does the difference depend on the judge; null with one judge
        # in words
        "finding": pl.String,  # verdict.Finding
        "standing": pl.String,  # verdict.Standing; null unless pooled
        "sentence": pl.String,
        "flags": pl.String,  # words separated by spaces; empty if there is nothing to say
        "seed": pl.Int64,
        "version": pl.String,
    }
)
"""The significance table."""

VERSION = version("evenhand")


def contrasts(
    scores: pl.DataFrame | pl.LazyFrame,
    criteria: Sequence[Criterion],
    *,
    focal: str,
    references: str | Sequence[str] = OTHERS,
    analysis: Analysis | None = None,
) -> pl.DataFrame:
    """Test how the focal country differs, on every criterion, under every judge.

    Args:
        scores: a frame of schema `runs.frames.SCORES`.
        criteria: the rubric's criteria; tables follow their order.
        focal: country under test.
        references: "others" (all other countries), one country, or several; they are pooled, and each is an
            exploratory row of its own.
        analysis: declared contrasts, levels, margins, splits; all at their defaults if left out.

    Returns:
        A frame of schema `CONTRASTS`; the same scores give the same bytes, in whatever order their rows come.

    Raises:
        InputError: a name does not occur in the scores.
    """
    analysis = analysis or Analysis()
    tables = cells(scores, criteria)
    if not tables:
        raise InputError("scores: there is no row; expected one per score that the design calls for.")
    settings = Settings(analysis.alpha, _margins(analysis.margin, criteria), analysis.mid_p, analysis.seed)
    planned = plan(tables[0].blocks, tables[0].countries, focal, references, analysis)
    _check_names(planned, tables)
    rows = [row for table in tables for row in _rows(table, planned, settings)]
    _adjust(rows)
    for row in rows:
        _conclude(row, settings)
    return pl.DataFrame(rows, schema=CONTRASTS, orient="row")


def _rows(table: Cells, planned: Sequence[Planned], settings: Settings) -> list[dict[str, Any]]:
    """Return the rows of one table, each comparison once: as declared if it was declared."""
    rows, done = [], set()
    for wanted in planned:
        concerns = wanted.criterion in (None, table.criterion.id) and wanted.judge in (None, table.judge)
        if concerns and wanted.what not in done:
            done.add(wanted.what)
            rows.append(dict.fromkeys(CONTRASTS) | compute(table, wanted, settings))
    return rows


def _adjust(rows: Sequence[dict[str, Any]]) -> None:
    """Fill in the adjusted p-values: one family per judge, so that adding a judge does not change another's table."""
    for judge in {row["judge"]: None for row in rows}:
        for family, adjust, column in (("confirmatory", holm, "p_holm"), ("exploratory", benjamini_hochberg, "q_bh")):
            members = [row for row in rows if row["judge"] == judge and row["family"] == family]
            for row, value in zip(members, adjust([row["p"] for row in members]), strict=True):
                row[column] = value


def _conclude(row: dict[str, Any], settings: Settings) -> None:
    row["flags"] = " ".join(row["flags"])
    row["seed"], row["version"] = settings.seed, VERSION
    row["finding"] = str(finding(row, settings.alpha))
    place = standing(row, settings.alpha)
    row["standing"] = None if place is None else str(place)
    row["sentence"] = sentence(row, 1 - settings.alpha)


def _margins(margin: float | Mapping[str, float] | None, criteria: Sequence[Criterion]) -> dict[str, float]:
    """Return the margin per criterion; one number is in points, so it does not concern rates."""
    if margin is None:
        return {}
    if not isinstance(margin, Mapping):
        points = [c.id for c in criteria if c.scale in (Scale.ORDINAL, Scale.NUMERIC)]
        margin = dict.fromkeys(points, margin)
    for name in margin:
        known = [criterion.id for criterion in criteria]
        if name not in known:
            raise InputError(f"margin for criterion {name!r}, which is not in the rubric; {nearest(name, known)}")
    return dict(margin)


def _check_names(planned: Sequence[Planned], tables: Sequence[Cells]) -> None:
    for what in ("criterion", "judge"):
        known = sorted({table.criterion.id if what == "criterion" else table.judge for table in tables})
        for row in planned:
            name = getattr(row, what)
            if name is not None and name not in known:
                raise InputError(f"contrast {what} {name!r} has no scores; {nearest(name, known)}")
