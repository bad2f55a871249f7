"""What is missing is data: how much, where, why, and what it could do to a difference."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.cells import Booleans, Cells, Floats, Integers
from analysis.pairs import pair
from analysis.signflip import sign_flip

MISSING = pl.Schema(
    {
        "criterion": pl.String,
        "judge": pl.String,
        "country": pl.String,
        "reason": pl.String,  # Status or FailureKind; null: the rows of scores that came
        "rows": pl.Int64,
        "share": pl.Float64,  # of all rows that the design calls for in this criterion, judge and country; 0 to 1
    }
)


def missing_counts(scores: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Count the scores that came and, per reason, those that did not: per criterion, judge and country."""
    group = ("criterion", "judge", "country")
    came = pl.col("score").is_not_null() | pl.col("label").is_not_null()
    reason = pl.when(came).then(None).otherwise(pl.col("missing").fill_null("unknown")).alias("reason")
    return (
        scores.lazy()
        .select(*group, reason)
        .group_by(*group, "reason")
        .agg(pl.len().cast(pl.Int64).alias("rows"))
        .with_columns((pl.col("rows") / pl.col("rows").sum().over(group)).alias("share"))
        .sort(*group, "reason", nulls_last=False)
        .select(MISSING.names())
        .collect()
    )


@dataclass(frozen=True)
class Missingness:
    """What missing scores say about a contrast, and could do to it; n questions of the design.

    Attributes:
        rate_focal: mean share of scores missing per question, focal country; null without design.
        rate_reference: the same for the comparator.
        p_attrition: sign-flip test of equal rates; 1 where nothing is missing.
        bound_low: the difference if all missing focal scores were the lowest and all missing reference scores the
            highest there can be; null if the scale has no ends.
        bound_high: the opposite.
        tipping_point: the score at which, were all missing focal scores equal to it, the difference would be zero;
            null if nothing is missing in the focal country, or no score on the scale would do it.
    """

    rate_focal: float | None = None
    rate_reference: float | None = None
    p_attrition: float | None = None
    bound_low: float | None = None
    bound_high: float | None = None
    tipping_point: float | None = None


def missingness(cells: Cells, keep: Booleans, focal: int, references: Integers) -> Missingness:
    """Return what is missing from a contrast; see `Missingness` for what each number means."""
    absent = cells.absent
    if not absent[keep].any():
        pairs = pair(cells.mean, cells.blocks, keep, focal, references)
        if pairs.focal.size == 0:
            return Missingness()
        difference = float(pairs.difference.mean())
        return Missingness(0.0, 0.0, 1.0, difference, difference, None)
    called_for = cells.came + absent
    rate = np.where(called_for > 0, absent / np.maximum(called_for, 1), np.nan)
    rates = pair(rate, cells.blocks, keep, focal, references)
    if rates.focal.size == 0:
        return Missingness()
    low, high = _bounds(cells, keep, focal, references)
    return Missingness(
        float(rates.focal.mean()),
        float(rates.reference.mean()),
        sign_flip(rates.difference).p,
        low,
        high,
        _tipping_point(cells, keep, focal, references),
    )


def _filled(cells: Cells, values: Floats) -> Floats:
    """Return the cell means with every missing score replaced by its column's value."""
    absent = cells.absent
    called_for = cells.came + absent
    total = np.where(cells.came > 0, np.nan_to_num(cells.mean) * cells.came, 0.0) + absent * values
    return np.where(called_for > 0, total / np.maximum(called_for, 1), np.nan)


def _bounds(cells: Cells, keep: Booleans, focal: int, references: Integers) -> tuple[float | None, float | None]:
    if cells.bounds is None:
        return None, None
    found = []
    for own, others in (cells.bounds, cells.bounds[::-1]):
        values = np.full(len(cells.countries), others)
        values[focal] = own
        found.append(float(pair(_filled(cells, values), cells.blocks, keep, focal, references).difference.mean()))
    return found[0], found[1]


def _tipping_point(cells: Cells, keep: Booleans, focal: int, references: Integers) -> float | None:
    """Solve for zero: the difference is linear in the value of the missing focal scores."""
    if cells.bounds is None or not cells.absent[keep, focal].any():
        return None
    at = []
    for value in cells.bounds:
        mean = cells.mean.copy()
        mean[:, focal] = _filled(cells, np.full(len(cells.countries), value))[:, focal]
        pairs = pair(mean, cells.blocks, keep, focal, references)
        if pairs.focal.size == 0:
            return None
        at.append(float(pairs.difference.mean()))
    if at[0] > 0 or at[1] < 0 or at[0] == at[1]:
        return None
    low, high = cells.bounds
    return low + (high - low) * -at[0] / (at[1] - at[0])
