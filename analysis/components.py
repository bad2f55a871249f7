"""Where scores vary: between questions, by question × country, between epochs, between a judge's repeats."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.aligned import question_means, values_of
from analysis.cells import Cells, Floats, cells
from rubrics import Criterion, Scale

COMPONENTS = pl.Schema(
    {
        "criterion": pl.String,
        "category": pl.String,  # nominal criteria only
        "judge": pl.String,
        "n_questions": pl.Int64,
        "n_countries": pl.Int64,
        "question": pl.Float64,  # variances, in squared units of the criterion
        "question_country": pl.Float64,
        "epoch": pl.Float64,  # null: one epoch, so it is inside question_country
        "repeat": pl.Float64,  # null: one repeat, so it is inside epoch (or question_country)
    }
)


@dataclass(frozen=True)
class Components:
    """Variances of a score, in squared units of the criterion; at least 0."""

    question_country: float
    """σ²_qc: what is particular to one question about one country."""
    epoch: float | None = None
    """σ²_e: between answers to the same item; null: not told apart from `question_country`."""
    repeat: float | None = None
    """σ²_j: between one judge's verdicts on the same answer; null: not told apart from `epoch`."""
    question: float = 0.0
    """σ²_q: between questions, which a paired difference does not feel."""


# Shares of the scale's width. On five points with 12 references and 3 epochs: an sd of differences of 0.62.
_ASSUMED_POINTS = (0.10, 0.175, 0.075)
_ASSUMED_RATE = (0.15, 0.25, 0.10)


def assumed(criterion: Criterion) -> Components:
    """Return the components to reckon with before there is a pilot: an assumption, of ordinary size, no estimate.

    Standard deviations of question × country, epoch and repeat: 0.4, 0.7 and 0.3 points on a five-point scale (and in
    proportion on others); 15, 25 and 10 percentage points for rates.
    """
    rate = criterion.scale in (Scale.BINARY, Scale.NOMINAL)
    low, high = criterion.lowest, criterion.highest
    width = 1.0 if rate or low is None or high is None else high - low
    question_country, epoch, repeat = ((share * width) ** 2 for share in (_ASSUMED_RATE if rate else _ASSUMED_POINTS))
    return Components(question_country, epoch, repeat)


def variance_components(scores: pl.DataFrame, criteria: Sequence[Criterion]) -> pl.DataFrame:
    """Return the components of each criterion and judge from a pilot (schema `COMPONENTS`), by the method of moments.

    `scores` has the schema `runs.frames.SCORES`. Country differences, the focal one's included, are taken out first.
    Tables with fewer than two questions or countries in common have no row.
    """
    rows = []
    for table in cells(scores, criteria):
        found = estimate(values_of(scores, table), table)
        if found is not None:
            there = ~np.isnan(question_means(table))
            names = {"criterion": table.criterion.id, "category": table.category, "judge": table.judge}
            counts = {"n_questions": int(there.any(axis=1).sum()), "n_countries": int(there.any(axis=0).sum())}
            rows.append({**names, **counts, **vars(found)})
    return pl.DataFrame(rows, schema=COMPONENTS, orient="row")


def estimate(values: pl.DataFrame, table: Cells) -> Components | None:
    """Return the components of the rows `values` behind `table`; null without two questions and countries in common.

    Expected mean squares of the nested layout repeats in epochs in question × country; a negative estimate is 0.
    """
    item = ["question_id", "country", "language"]
    summary = (pl.col("value").mean(), pl.col("value").var().alias("within"), pl.len().alias("n"))
    answers = values.group_by(*item, "epoch").agg(*summary)
    items = answers.group_by(item).agg(*summary)
    repeat, spread = _pooled(answers), _pooled(items)
    judged = (repeat or 0.0) * _mean(1 / answers["n"])
    epoch = None if spread is None else max(spread - judged, 0.0)
    means = question_means(table)
    residual = _interaction(means)
    if residual is None:
        return None
    answered = items.group_by("question_id", "country").agg(((1 / pl.col("n")).sum() / pl.len() ** 2).alias("share"))
    noise = ((epoch or 0.0) + judged) * _mean(answered["share"])
    per_question = np.array([row[~np.isnan(row)].mean() for row in means if not np.isnan(row).all()])
    asked = float((~np.isnan(means)).sum() / per_question.size)
    question = max(float(per_question.var(ddof=1)) - residual / asked, 0.0)
    return Components(max(residual - noise, 0.0), epoch, repeat, question)


def _pooled(groups: pl.DataFrame) -> float | None:
    """Return the variance within groups, weighted by n − 1; null if no group has two."""
    several = groups.filter(pl.col("n") > 1)
    if not len(several):
        return None
    return float(np.average(several["within"].to_numpy(), weights=several["n"].to_numpy() - 1))


def _mean(values: pl.Series) -> float:
    return float(values.to_numpy().mean()) if len(values) else 0.0


def _interaction(means: Floats) -> float | None:
    """Return the mean square left of questions × countries once both main effects are out; null with no df."""
    there = ~np.isnan(means)
    keep = there.sum(axis=1) > 1
    there, means = there[keep], means[keep]
    means, there = means[:, there.any(axis=0)], there[:, there.any(axis=0)]
    df = int(there.sum()) - sum(means.shape) + 1
    if min(means.shape) < 2 or df < 1:
        return None
    rest = np.where(there, means, 0.0)
    for _ in range(200):  # one round is exact where no cell is missing
        before = rest
        rest = np.where(there, rest - rest.sum(axis=1, keepdims=True) / there.sum(axis=1, keepdims=True), 0.0)
        rest = np.where(there, rest - rest.sum(axis=0) / there.sum(axis=0), 0.0)
        if np.abs(rest - before).max() < 1e-12:
            break
    return float((rest**2).sum() / df)
