"""Does the conclusion survive? The verdicts again with one judge, repeat, country, question or topic left out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import polars as pl

from analysis.contrasts import contrasts
from analysis.panel import HUMAN, PANEL
from analysis.settings import OTHERS, Analysis, Contrast
from analysis.verdict import adjusted_p
from rubrics import Criterion

_KEY = ("criterion", "category", "topic", "sensitive", "language", "stance", "judge", "focal", "reference")

SURVIVAL = pl.Schema(
    {
        **dict.fromkeys(_KEY, pl.String),
        "left_out": pl.String,  # judge, repeat, country, question or topic
        "name": pl.String,  # which one
        "finding": pl.String,  # with everything
        "finding_without": pl.String,
        "standing": pl.String,
        "standing_without": pl.String,
        "difference": pl.Float64,
        "difference_without": pl.Float64,
        "p_adjusted": pl.Float64,
        "p_adjusted_without": pl.Float64,
        "flips": pl.Boolean,  # another finding
        "standing_flips": pl.Boolean,  # another standing; null where either has none
    }
)

SUMMARY = pl.Schema(
    {
        **dict.fromkeys(_KEY, pl.String),
        "left_out": pl.String,
        "n_tried": pl.Int64,
        "n_flips": pl.Int64,  # of the finding
        "flipped_by": pl.String,  # names, apart by spaces; empty if the finding survives every one
        "n_standing_flips": pl.Int64,
        "difference_low": pl.Float64,  # smallest and largest difference met
        "difference_high": pl.Float64,
    }
)


class LeftOut(StrEnum):
    """What is left out, one at a time."""

    JUDGE = "judge"
    """From the panel; with one judge left that judge stands for it."""
    REPEAT = "repeat"
    """A repeat of every judge that has more than one."""
    COUNTRY = "country"
    """A reference country, where more than one is left."""
    QUESTION = "question"
    TOPIC = "topic"


@dataclass(frozen=True)
class _Case:
    """The study with one thing left out."""

    kind: LeftOut
    name: str
    scores: pl.DataFrame
    panel: str | None = None
    """The one judge left of a panel of two."""
    untouched: frozenset[str] = frozenset()
    """Judges whose scores are all still there."""


def leave_one_out(
    scores: pl.DataFrame,
    criteria: Sequence[Criterion],
    *,
    focal: str,
    references: str | Sequence[str] = OTHERS,
    analysis: Analysis | None = None,
    leave: Sequence[LeftOut] = tuple(LeftOut),
    progress: Callable[[int, int], None] | None = None,
) -> pl.DataFrame:
    """Return every confirmatory verdict again with each thing left out (schema `SURVIVAL`).

    The arguments are those of `contrasts`, whose declared rows are computed anew each time; `progress` is told how many
    of how many are done. A contrast that is about the very thing left out, or is not touched by it, has no row for it.

    Raises:
        InputError: a name does not occur in the scores.
    """
    analysis = analysis or Analysis()

    def declared(scores: pl.DataFrame, references: str | Sequence[str], analysis: Analysis) -> pl.DataFrame:
        return contrasts(scores, criteria, focal=focal, references=references, analysis=analysis, exploratory=False)

    whole = _verdicts(declared(scores, references, analysis))
    cases = [case for kind in leave for case in _cases(LeftOut(kind), scores, focal, references, analysis)]
    rows: list[dict[str, Any]] = []
    for done, case in enumerate(cases, start=1):
        narrowed = _narrowed(analysis, case, focal)
        others = _without(references, case)
        if narrowed is not None and others:
            rows.extend(_compared(whole, _verdicts(declared(case.scores, others, narrowed)), case))
        if progress is not None:
            progress(done, len(cases))
    return pl.DataFrame(rows, schema=SURVIVAL, orient="row")


def survival(left_out: pl.DataFrame) -> pl.DataFrame:
    """Return one row per verdict and kind of thing left out (schema `SUMMARY`), from what `leave_one_out` gave."""
    return (
        left_out.group_by(*_KEY, "left_out", maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("n_tried"),
            pl.col("flips").sum().cast(pl.Int64).alias("n_flips"),
            pl.col("name").filter("flips").str.join(" ").alias("flipped_by"),
            pl.col("standing_flips").sum().cast(pl.Int64).alias("n_standing_flips"),
            pl.col("difference_without").min().alias("difference_low"),
            pl.col("difference_without").max().alias("difference_high"),
        )
        .cast(SUMMARY)
    )


def _verdicts(table: pl.DataFrame) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return the rows by what they compare."""
    return {tuple(row[name] for name in _KEY): row for row in table.iter_rows(named=True)}


def _cases(
    kind: LeftOut, scores: pl.DataFrame, focal: str, references: str | Sequence[str], analysis: Analysis
) -> Iterator[_Case]:
    if kind is LeftOut.JUDGE:
        members = _values(scores.filter(~pl.col("judge").str.starts_with(HUMAN)), "judge")
        if analysis.panel != "none" and len(members) > 1:
            for name in members:
                left = [member for member in members if member != name]
                yield _Case(kind, name, scores.filter(pl.col("judge") != name), left[0] if len(left) == 1 else None)
    elif kind is LeftOut.REPEAT:
        repeated = scores.group_by("judge").agg(pl.col("repeat").n_unique()).filter(pl.col("repeat") > 1)["judge"]
        again = pl.col("judge").is_in(repeated.to_list())
        once = frozenset(scores["judge"].unique()) - set(repeated)
        for name in _values(scores.filter(again), "repeat"):
            yield _Case(kind, str(name), scores.filter(~(again & (pl.col("repeat") == name))), untouched=once)
    else:
        column = kind.value
        scores = scores.with_columns(question=pl.coalesce("variant_of", "question_id"))
        names = [name for name in _values(scores, column) if name != focal or kind is not LeftOut.COUNTRY]
        if kind is LeftOut.COUNTRY and references != OTHERS:
            names = [name for name in names if name in ([references] if isinstance(references, str) else references)]
        for name in names if len(names) > 1 else []:
            yield _Case(kind, name, scores.filter(pl.col(column).ne_missing(name)).drop("question"))


def _narrowed(analysis: Analysis, case: _Case, focal: str) -> Analysis | None:
    """Return the analysis with the declared contrasts that can still be computed; null if there is none left."""
    if analysis.contrasts is None:
        return analysis
    there = {name: set(_values(case.scores, name)) for name in ("criterion", "topic", "language", "stance", "judge")}
    countries = set(_values(case.scores, "country")) - {focal}
    if analysis.panel != "none" and len([judge for judge in there["judge"] if not judge.startswith(HUMAN)]) > 1:
        there["judge"].add(PANEL)

    def possible(contrast: Contrast) -> bool:
        named = {contrast.reference} if isinstance(contrast.reference, str) else set(contrast.reference)
        narrowed = {name: getattr(contrast, name) for name in there}
        return (
            bool(named)
            and named - {OTHERS} <= countries
            and all(value is None or value in there[name] for name, value in narrowed.items())
        )

    def shrunk(contrast: Contrast) -> Contrast:
        if case.kind is not LeftOut.COUNTRY or isinstance(contrast.reference, str):
            return contrast
        return contrast.model_copy(update={"reference": _without(contrast.reference, case)})

    kept = tuple(contrast for contrast in map(shrunk, analysis.contrasts) if possible(contrast))
    return analysis.model_copy(update={"contrasts": kept}) if any(c.confirmatory for c in kept) else None


def _without(references: str | Sequence[str], case: _Case) -> str | tuple[str, ...]:
    """Return the pool without the country left out; empty if it was the only one."""
    if references == OTHERS:
        return OTHERS
    pool = (references,) if isinstance(references, str) else tuple(references)
    return tuple(name for name in pool if case.kind is not LeftOut.COUNTRY or name != case.name)


def _compared(
    whole: dict[tuple[Any, ...], dict[str, Any]], again: dict[tuple[Any, ...], dict[str, Any]], case: _Case
) -> Iterator[dict[str, Any]]:
    """Yield each verdict beside the one without, where leaving the thing out can have changed it."""
    for key, row in whole.items():
        names = dict(zip(_KEY, key, strict=True))
        if names["judge"] in case.untouched:
            continue
        if case.kind is LeftOut.JUDGE:
            if names["judge"] != PANEL:
                continue
            names["judge"] = case.panel or PANEL
        if case.kind is LeftOut.COUNTRY:
            names["reference"] = "+".join(name for name in names["reference"].split("+") if name != case.name)
        without = again.get(tuple(names.values()))
        if without is None:
            continue
        yield {
            **dict(zip(_KEY, key, strict=True)),
            "left_out": case.kind.value,
            "name": case.name,
            "finding": row["finding"],
            "finding_without": without["finding"],
            "standing": row["standing"],
            "standing_without": without["standing"],
            "difference": row["difference"],
            "difference_without": without["difference"],
            "p_adjusted": adjusted_p(row),
            "p_adjusted_without": adjusted_p(without),
            "flips": row["finding"] != without["finding"],
            "standing_flips": row["standing"] != without["standing"]
            if row["standing"] and without["standing"]
            else None,
        }


def _values(scores: pl.DataFrame, column: str) -> list[Any]:
    return scores[column].drop_nulls().unique().sort().to_list()
