"""How scores move when only one thing about the text changes: the country's name (a placebo), or answer for thinking.

Under a placebo the answers are the same, so what moves is the judge's own view of the country. The same questions, the
same epochs: everything is paired by question, and tested by the same sign-flip as a contrast.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.aligned import question_differences, question_means
from analysis.cells import Cells, Floats, cells
from analysis.families import benjamini_hochberg
from analysis.signflip import sign_flip
from rubrics import Criterion

MOVED = pl.Schema(
    {
        "criterion": pl.String,
        "category": pl.String,  # the category whose rate this is; null unless the scale is nominal
        "judge": pl.String,
        "country": pl.String,  # whose scores moved; "focal - others": the contrast itself
        "n_questions": pl.Int64,  # with a score on both sides
        "mean_before": pl.Float64,  # the contrast's difference in its own row; null without questions, and so on
        "mean_after": pl.Float64,
        "moved": pl.Float64,  # mean over questions of after minus before
        "ci_low": pl.Float64,  # the test inverted, at 95 %
        "ci_high": pl.Float64,
        "p": pl.Float64,  # exact sign-flip on questions
        "q_bh": pl.Float64,  # over all rows of one judge
    }
)
CONTRAST = "focal - others"
"""What the row is called that says how the contrast itself moved."""


@dataclass(frozen=True)
class Change:
    """Two ways of showing the same responses to a judge, by the settings of their scorings."""

    title: str
    on: str
    """`answer` or `reasoning`: what is shown."""
    placebo: str | None
    before: str = "answer"
    """What is shown, as it is, on the other side."""


CHANGES = {
    "mask": Change("The same answers without the country's name: what moved is the judge's", "answer", "mask"),
    "swap": Change("The same answers under another country's name: what moved is the judge's", "answer", "swap"),
    "reasoning": Change("The thinking in the answer's place", "reasoning", None),
    "reasoning_mask": Change("The same thinking without the country's name", "reasoning", "mask", "reasoning"),
    "reasoning_swap": Change("The same thinking under another country's name", "reasoning", "swap", "reasoning"),
}
"""What is compared, by name."""


def moved(before: pl.DataFrame, after: pl.DataFrame, criteria: Sequence[Criterion], *, focal: str) -> pl.DataFrame:
    """Compare two scorings of the same responses.

    Args:
        before: schema `runs.frames.SCORES`: the texts as they are.
        after: the same under a placebo, or the thinking in the answer's place.
        criteria: the criteria of both.
        focal: the country under test.

    Returns:
        A frame of schema `MOVED`: for each criterion and judge that both have, the contrast and then every country.

    Raises:
        InputError: the focal country has no scores.
    """
    later = {(table.criterion.id, table.category, table.judge): table for table in cells(after, criteria)}
    # Both come from one design, so both have the same countries.
    rows = [
        row
        for table in cells(before, criteria)
        if (other := later.get((table.criterion.id, table.category, table.judge))) is not None
        for row in _rows(table, other, focal)
    ]
    frame = pl.DataFrame([dict.fromkeys(MOVED) | row for row in rows], schema=MOVED, orient="row")
    adjusted = [
        part.with_columns(q_bh=pl.Series(benjamini_hochberg(part["p"].to_list()), dtype=pl.Float64))
        for part in frame.partition_by("judge", maintain_order=True)
    ]
    return pl.concat(adjusted) if adjusted else frame


def _rows(before: Cells, after: Cells, focal: str) -> Iterator[dict[str, object]]:
    named = {"criterion": before.criterion.id, "category": before.category, "judge": before.judge}
    contrast = [_by_question(table, question_differences(table, focal)) for table in (before, after)]
    yield {**named, "country": CONTRAST, **_tested(contrast[0], contrast[1])}
    for country in before.countries:
        means = [_by_question(table, question_means(table)[:, table.column(country)]) for table in (before, after)]
        yield {**named, "country": country, **_tested(means[0], means[1])}


def _by_question(table: Cells, values: Floats) -> dict[str, float]:
    """Return the values that are there, by question; the two scorings may lack different ones."""
    return {q: float(v) for q, v in zip(table.blocks.questions, values, strict=True) if not np.isnan(v)}


def _tested(before: dict[str, float], after: dict[str, float]) -> dict[str, object]:
    common = [question for question in before if question in after]
    if not common:
        return {"n_questions": 0}
    old, new = (np.array([side[question] for question in common]) for side in (before, after))
    found = sign_flip(new - old)
    interval = found.interval()
    return {
        "n_questions": found.n,
        "mean_before": float(old.mean()),
        "mean_after": float(new.mean()),
        "moved": found.mean,
        "ci_low": interval.low,
        "ci_high": interval.high,
        "p": found.p,
    }
