"""The significance table: from scores to one row per criterion, judge and comparator."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
import polars as pl

from analysis.cells import Cells
from analysis.families import benjamini_hochberg, holm, max_t
from analysis.interaction import judge_interaction
from analysis.panel import HUMAN, PANEL, judged
from analysis.plan import Planned, plan
from analysis.rows import Computed, Settings, compute, compute_distance
from analysis.settings import OTHERS, Analysis
from analysis.verdict import finding, sentence, standing, tested_p
from rubrics import Criterion, Scale
from runs.errors import InputError, nearest

CONTRASTS = pl.Schema(
    {
        # what is compared
        "criterion": pl.String,
        "category": pl.String,  # the category whose rate this is; null if not nominal, or the criterion as a whole
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
        # mean over questions of focal minus reference; null without questions. For a nominal criterion as a whole
        # (category null) the total variation distance, 0 to 1
        "difference": pl.Float64,
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
        # Newcombe's interval: paired where every question mean is 0 or 1, of independent rates where events are rare
        "risk_low": pl.Float64,
        "risk_high": pl.Float64,
        # does it differ
        "test": pl.String,
        "p": pl.Float64,  # two-sided, never 0; null without questions
        "p_min": pl.Float64,  # the smallest p this many non-zero differences allow
        "family": pl.String,  # confirmatory or exploratory
        # labels permuted within questions; only for rates against several countries where events are rare, and there
        # the adjusted values rest on it
        "p_permutation": pl.Float64,
        "p_holm": pl.Float64,  # within the judge's confirmatory rows; null for exploratory ones
        "q_bh": pl.Float64,  # within the judge's exploratory rows; null for confirmatory ones
        "p_max_t": pl.Float64,  # confirmatory rows, if the study asks for it
        # is it exceptional (pooled comparators only, else null)
        "placebo_rank": pl.Int64,  # 1: no country differs more from the rest
        "placebo_n": pl.Int64,  # countries, focal included
        "p_placebo": pl.Float64,
        "p_placebo_min": pl.Float64,
        "crawford_howell_p": pl.Float64,
        # is it equivalent
        "margin": pl.Float64,
        "p_tost": pl.Float64,  # sign-flips; Newcombe's interval inverted where there is one
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
JUDGE_PERMUTATIONS = 1_999
_COMPARED = ("criterion", "category", "topic", "sensitive", "language", "stance", "focal", "reference")


def contrasts(
    scores: pl.DataFrame | pl.LazyFrame,
    criteria: Sequence[Criterion],
    *,
    focal: str,
    references: str | Sequence[str] = OTHERS,
    analysis: Analysis | None = None,
    exploratory: bool = True,
) -> pl.DataFrame:
    """Test how the focal country differs, on every criterion, under every judge.

    Args:
        scores: a frame of schema `runs.frames.SCORES`.
        criteria: the rubric's criteria; tables follow their order.
        focal: country under test.
        references: "others" (all other countries), one country, or several; they are pooled, and each is an
            exploratory row of its own.
        analysis: declared contrasts, levels, margins, splits; all at their defaults if left out.
        exploratory: whether to return the exploratory rows too; the confirmatory ones are the same without them.

    Returns:
        A frame of schema `CONTRASTS`; the same scores give the same bytes, in whatever order their rows come.

    Raises:
        InputError: a name does not occur in the scores.
    """
    analysis = analysis or Analysis()
    tables = judged(scores, criteria, analysis.panel)
    if not tables:
        raise InputError("scores: there is no row; expected one per score that the design calls for.")
    settings = Settings(analysis.alpha, _margins(analysis.margin, criteria), analysis.mid_p, analysis.seed)
    planned = plan(tables[0].blocks, tables[0].countries, focal, references, analysis)
    planned = [row for row in planned if exploratory or row.confirmatory]
    _check_names(planned, tables)
    computed = [entry for own in _by_criterion(tables) for entry in _rows(own, planned, settings)]
    _adjust(computed, analysis)
    _compare_judges(computed, settings)
    _flag_diluted(computed, tables)
    for entry in computed:
        _conclude(entry.row, settings)
    return pl.DataFrame([entry.row for entry in computed], schema=CONTRASTS, orient="row")


def _by_criterion(tables: Sequence[Cells]) -> list[list[Cells]]:
    """Return the tables of each criterion and judge together: one, or one per category."""
    grouped: dict[tuple[str, str], list[Cells]] = {}
    for table in tables:
        grouped.setdefault((table.criterion.id, table.judge), []).append(table)
    return list(grouped.values())


def _rows(own: Sequence[Cells], planned: Sequence[Planned], settings: Settings) -> list[Computed]:
    """Return the rows of one criterion and judge, each comparison once: as declared if it was declared."""
    criterion, judge = own[0].criterion, own[0].judge
    wanted: dict[tuple[object, ...], Planned] = {}
    for row in planned:
        if row.criterion in (None, criterion.id) and row.judge in (None, judge):
            wanted.setdefault(row.what, row)
    rows: list[Computed] = []
    if criterion.scale is Scale.NOMINAL:
        whole = [row for row in wanted.values() if not row.is_difference and (row.is_pooled or row.confirmatory)]
        rows.extend(compute_distance(own, row, settings) for row in whole)
    rows.extend(compute(table, row, settings) for table in own for row in wanted.values())
    return [replace(entry, row=dict.fromkeys(CONTRASTS) | entry.row) for entry in rows]


def _adjust(computed: Sequence[Computed], analysis: Analysis) -> None:
    """Fill in the adjusted p-values: one family per judge, so that adding a judge does not change another's table."""
    for judge in dict.fromkeys(entry.row["judge"] for entry in computed):
        for family, adjust, column in (("confirmatory", holm, "p_holm"), ("exploratory", benjamini_hochberg, "q_bh")):
            members = [e for e in computed if e.row["judge"] == judge and e.row["family"] == family]
            _fill(members, column, adjust([tested_p(entry.row) for entry in members]))
            if family == "confirmatory" and members and analysis.max_t:
                differences = np.stack([entry.differences for entry in members])
                _fill(members, "p_max_t", max_t(differences, seed=analysis.seed))


def _fill(members: Sequence[Computed], column: str, values: Sequence[float | None]) -> None:
    for entry, value in zip(members, values, strict=True):
        entry.row[column] = value


def _compare_judges(computed: Sequence[Computed], settings: Settings) -> None:
    """Fill in, for confirmatory rows, whether their difference depends on the judge."""
    same: dict[tuple[Any, ...], list[Computed]] = {}
    for entry in computed:
        if entry.row["family"] == "confirmatory":
            same.setdefault(tuple(entry.row[name] for name in _COMPARED), []).append(entry)
    for members in same.values():
        judges = [e for e in members if e.row["judge"] != PANEL and not e.row["judge"].startswith(HUMAN)]
        if len(judges) > 1:
            differences = np.stack([entry.differences for entry in judges])
            found = judge_interaction(differences, permutations=JUDGE_PERMUTATIONS, seed=settings.seed)
            _fill(members, "judge_interaction_p", [found.p] * len(members))


def _flag_diluted(computed: Sequence[Computed], tables: Sequence[Cells]) -> None:
    """Flag the panel's rows on criteria that some member scores the same throughout, whose vote pulls them to zero."""
    varies: dict[str, dict[str, bool]] = {}
    for table in tables:
        if table.judge != PANEL and not table.judge.startswith(HUMAN) and table.came.any():
            judges = varies.setdefault(table.criterion.id, {})
            spread = np.nanmax(table.mean) - np.nanmin(table.mean)
            judges[table.judge] = judges.get(table.judge, False) or bool(spread > 0)
    diluted = {name for name, judges in varies.items() if any(judges.values()) and not all(judges.values())}
    for entry in computed:
        if entry.row["judge"] == PANEL and entry.row["criterion"] in diluted:
            entry.row["flags"].append("diluted")


def _conclude(row: dict[str, Any], settings: Settings) -> None:
    row["seed"], row["version"] = settings.seed, VERSION
    row["finding"] = str(finding(row, settings.alpha))
    row["flags"] = " ".join(row["flags"])
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
