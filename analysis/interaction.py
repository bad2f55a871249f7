"""Does the contrast depend on who judges? A permutation test of judge × country.

"One judge finds it significant, the other does not" is no test: judges who are alike come out so in a third of studies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analysis.aligned import question_differences
from analysis.cells import Booleans, Floats, cells
from analysis.panel import HUMAN
from rubrics import Criterion

PERMUTATIONS = 9_999
CHUNK = 2_000_000
"""Random keys held at a time (permutations × questions × judges)."""

INTERACTION = pl.Schema(
    {
        "criterion": pl.String,
        "category": pl.String,  # nominal criteria only: the category whose rate is compared
        "n_judges": pl.Int64,
        "n_questions": pl.Int64,  # questions on which at least two judges have a difference
        "statistic": pl.Float64,  # null with fewer than two judges or questions
        "p": pl.Float64,  # 1 where the judges never differ; null with `statistic`
        "p_min": pl.Float64,  # the smallest p that this many permutations allow
        "lowest_judge": pl.String,  # whose differences lie furthest below the judges' mean
        "highest_judge": pl.String,
        "spread": pl.Float64,  # how far these two are apart, in the criterion's units; null with one judge
    }
)


@dataclass(frozen=True)
class Interaction:
    """The test of "the judges see the same difference between the countries"."""

    statistic: float | None
    """Σ over judges of the squared sum of their departures from the question's mean judge; null: nothing to test."""
    p: float | None
    """Add-one permutation p, in (0, 1]."""
    p_min: float
    deviations: tuple[float | None, ...]
    """Per judge: mean departure from the judges' mean, over the questions it shares with another; null: it has none."""
    n_judges: int
    """Judges who share a question with another."""
    n_questions: int


def judge_interaction(
    differences: Sequence[Sequence[Any]] | Floats, *, permutations: int = PERMUTATIONS, seed: int = 0
) -> Interaction:
    """Test whether judges differ in the focal-minus-reference differences D of `differences` (judges × questions).

    Under the null hypothesis the judges of one question are interchangeable, so their labels are permuted within each
    question; the statistic is Σ_j (Σ_q D_jq)², with D centred on the question's mean over its judges (which changes
    nothing where all judges have all questions). None and NaN are missing; a missing judge stays missing.
    """
    d = np.array([[np.nan if value is None else value for value in row] for row in differences], dtype=np.float64).T
    d = d[(~np.isnan(d)).sum(axis=1) > 1]
    present = ~np.isnan(d)
    shared = present.sum(axis=0)
    centred = np.where(present, d, 0.0)
    centred = np.where(present, centred - centred.sum(axis=1, keepdims=True) / present.sum(axis=1, keepdims=True), 0.0)
    sums = centred.sum(axis=0)
    mean = tuple(float(total / n) if n else None for total, n in zip(sums, shared, strict=True))
    n_judges, n_questions, p_min = int((shared > 0).sum()), len(d), 1 / (permutations + 1)
    if n_judges < 2 or n_questions < 2:
        return Interaction(None, None, p_min, mean, n_judges, n_questions)
    statistic = float((sums**2).sum())
    # In a tie nothing but rounding differs, and a tie counts.
    bar = statistic - 1e-9 * max(float((centred**2).sum()), 1e-300)
    reached = int((_permuted(centred, present, permutations, seed) >= bar).sum())
    return Interaction(statistic, (1 + reached) / (permutations + 1), p_min, mean, n_judges, n_questions)


def judge_interactions(
    scores: pl.DataFrame,
    criteria: Sequence[Criterion],
    focal: str,
    references: Sequence[str] | None = None,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> pl.DataFrame:
    """Return the test for every criterion (schema `INTERACTION`), focal against the mean of `references` (all others).

    `scores` has the schema `runs.frames.SCORES`. Humans are left out: how far judges are from them is for agreement
    and prediction-powered inference to say.

    Raises:
        InputError: a country has no scores.
    """
    tables = [table for table in cells(scores, criteria) if not table.judge.startswith(HUMAN)]
    rows = []
    for criterion, category in dict.fromkeys((table.criterion.id, table.category) for table in tables):
        own = [table for table in tables if (table.criterion.id, table.category) == (criterion, category)]
        differences = [question_differences(table, focal, references) for table in own]
        found = judge_interaction(np.stack(differences), permutations=permutations, seed=seed)
        judges = [table.judge for table in own]
        rows.append({"criterion": criterion, "category": category, **_shown(found, judges)})
    return pl.DataFrame(rows, schema=INTERACTION, orient="row")


def _shown(found: Interaction, judges: Sequence[str]) -> dict[str, object]:
    """Return the columns of one test, with the judges that stand furthest apart."""
    tested = {name: getattr(found, name) for name in ("n_judges", "n_questions", "statistic", "p", "p_min")}
    ordered = sorted((mean, judge) for mean, judge in zip(found.deviations, judges, strict=True) if mean is not None)
    if len(ordered) < 2:
        return tested
    (low, first), (high, last) = ordered[0], ordered[-1]
    return {**tested, "lowest_judge": first, "highest_judge": last, "spread": high - low}


def _permuted(centred: Floats, present: Booleans, permutations: int, seed: int) -> Floats:
    """Return the statistic of each permutation of the judges present within each question."""
    rng = np.random.default_rng(seed)
    # The i-th judge present takes the value of a random other one; those missing keep their zeros behind them.
    place = (
        np.where(present, np.cumsum(present, axis=1), np.cumsum(~present, axis=1) + present.sum(axis=1)[:, None]) - 1
    )
    rows = np.arange(len(centred))[:, None]
    found = []
    chunk = max(1, CHUNK // centred.size)
    for start in range(0, permutations, chunk):
        keys = rng.random((min(chunk, permutations - start), *centred.shape))
        keys[:, ~present] = 2.0
        drawn = centred[rows, np.argsort(keys, axis=2)]
        sums = (drawn if present.all() else np.take_along_axis(drawn, place[None], axis=2)).sum(axis=1)
        found.append((sums**2).sum(axis=1))
    return np.concatenate(found)
