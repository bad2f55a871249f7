"""What is missing is data: how much, where, why, and what it could do to a difference."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.cells import Booleans, Cells, Floats, Integers
from analysis.pairs import Pairs, pair
from analysis.permutation import is_rare, permuted_p
from analysis.signflip import sign_flip
from runs.frames import CAME

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

PERMUTATIONS = 1_999
"""Of labels, for the attrition of rarely missing scores."""


def missing_counts(scores: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Count the scores that came and, per reason, those that did not: per criterion, judge and country."""
    group = ("criterion", "judge", "country")
    reason = pl.when(CAME).then(None).otherwise(pl.col("missing").fill_null("unknown")).alias("reason")
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
        p_attrition: sign-flip test of equal rates; 1 where nothing is missing. Where little is missing and the
            comparator is several countries, the label permutation's.
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


def missingness(cells: Cells, keep: Booleans, focal: int, references: Integers, *, seed: int = 1) -> Missingness:
    """Return what is missing from a contrast; see `Missingness` for what each number means."""
    arms = np.append(focal, references)
    mean, came, absent = cells.mean[:, arms], cells.came[:, arms], cells.absent[:, arms]

    def paired(values: Floats) -> Pairs:
        return pair(values, cells.blocks, keep, 0, np.arange(1, arms.size))

    if not absent[keep].any():
        difference = _mean(paired(mean))
        return Missingness() if difference is None else Missingness(0.0, 0.0, 1.0, difference, difference)
    planned = came + absent
    rate = np.where(planned > 0, absent / np.maximum(planned, 1), np.nan)
    rates = paired(rate)
    if rates.focal.size == 0:
        return Missingness()
    p = sign_flip(rates.difference).p
    if arms.size > 2 and is_rare(rates):
        others = np.arange(1, arms.size)
        permuted = permuted_p(rate[None], cells.blocks, keep, 0, others, seed=seed, permutations=PERMUTATIONS)
        p = p if permuted is None else permuted[1]
    shares = (float(rates.focal.mean()), float(rates.reference.mean()), p)
    if cells.bounds is None:
        return Missingness(*shares)
    total = np.where(came > 0, mean, 0.0) * came
    low, high = cells.bounds
    all_low, all_high = (
        np.where(planned > 0, (total + absent * end) / np.maximum(planned, 1), np.nan) for end in (low, high)
    )

    def with_focal(column: Floats, others: Floats) -> float | None:
        return _mean(paired(np.column_stack([column[:, 0], others[:, 1:]])))

    worst, best = with_focal(all_low, all_high), with_focal(all_high, all_low)
    tipping = None
    if absent[keep, 0].any():
        # The comparator stays as observed: only the focal country's missing scores are filled.
        tipping = _crossing(with_focal(all_low, mean), with_focal(all_high, mean), low, high)
    return Missingness(*shares, worst, best, tipping)


def _mean(pairs: Pairs) -> float | None:
    return float(pairs.difference.mean()) if pairs.focal.size else None


def _crossing(at_low: float | None, at_high: float | None, low: float, high: float) -> float | None:
    """Return where a line through (low, at_low) and (high, at_high) crosses zero between the two, if it does."""
    if at_low is None or at_high is None or at_low > 0 or at_high < 0 or at_low == at_high:
        return None
    return low + (high - low) * -at_low / (at_high - at_low)
