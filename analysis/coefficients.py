"""Coefficients of agreement, from ratings as plain sequences.

Ratings come as raters × units; None or NaN is a rating that did not come. Where a coefficient is not
defined it is null: constant ratings agree fully, and no coefficient can say whether by chance.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import stats

from analysis.resampled import Floats, Level, RaterRows, agreements, alphas, coded, gwet_acs, iccs, is_gap, kappas
from runs.errors import InputError


@dataclass(frozen=True)
class Icc:
    """Intraclass correlations, two-way random effects, absolute agreement (Shrout & Fleiss 1979)."""

    single: float | None
    """ICC(2,1): of one rater's scores; at most 1, null where all scores are equal or too few."""
    average: float | None
    """ICC(2,k): of the mean over these raters."""
    n_units: int
    """Units that every rater rated; the others are left out."""
    n_raters: int


@dataclass(frozen=True)
class RankCorrelation:
    """How far two raters put the same units in the same order; −1 to 1, null where one of them is constant."""

    tau_b: float | None
    """Kendall's τ-b (corrected for ties)."""
    tau_p: float | None
    """Two-sided p of τ-b by its normal approximation, variance corrected for ties."""
    tau_p_exact: float | None
    """The exact two-sided p; null where there are ties."""
    spearman: float | None
    n_units: int
    """Units that both rated."""


def raw_agreement(ratings: RaterRows) -> float | None:
    """Return the share of agreeing pairs of ratings, averaged over units with two or more; null if there are none."""
    data = coded(ratings)
    return _number(agreements(data, data.once))


def krippendorff_alpha(ratings: RaterRows, level: Level = "nominal") -> float | None:
    """Return Krippendorff's α (2011, *Computing Krippendorff's alpha-reliability*) of raters × units.

    1 is perfect, 0 is what chance gives, below 0 is worse than that; null if no unit has two ratings or all are equal.

    Raises:
        InputError: ratings are texts and `level` is not nominal.
    """
    _ordered_values(ratings, level)
    data = coded(ratings)
    return _number(alphas(data, data.once, level))


def gwet_ac(ratings: RaterRows, level: Level = "nominal", categories: Sequence[Any] | None = None) -> float | None:
    """Return Gwet's AC1 (nominal) or AC2 (the other levels) of raters × units (Gwet 2014, *Handbook of IRR*, ch. 5).

    Unlike α and κ it stays near the raw agreement where nearly all ratings are one value. Weights by level: identity,
    Gwet's ordinal weights, quadratic, ratio. `categories` is the whole scale (default: the values that occur).
    At most 1; null if no unit has two ratings or all are equal.

    Raises:
        InputError: ratings are texts and `level` is not nominal.
    """
    _ordered_values(ratings, level)
    data = coded(ratings, categories=categories)
    return None if data.constant else _number(gwet_acs(data, data.once, level))


def cohen_kappa(
    first: Sequence[Any],
    second: Sequence[Any],
    labels: Sequence[Any],
    weights: Literal["quadratic", "linear", "none"] = "quadratic",
) -> float | None:
    """Return Cohen's κ of two raters over the units that both rated.

    `labels` is the whole scale in order: weights go by position, so a level that nobody gave still counts as
    a step. At most 1, 0 is chance; null if nothing is rated by both or both are constant and equal.

    Raises:
        InputError: a rating is not among `labels`.
    """
    position = {label: place for place, label in enumerate(labels)}
    rows = [[None if is_gap(rating) else position.get(rating, -1) for rating in row] for row in (first, second)]
    if any(-1 in row for row in rows):
        raise InputError(f"ratings: a rating is not among the labels {list(labels)}; name the whole scale.")
    data = coded(rows, categories=range(len(labels)))
    return _number(kappas(data, data.once, power={"quadratic": 2, "linear": 1, "none": 0}[weights]))


def icc(ratings: RaterRows) -> Icc:
    """Return ICC(2,1) and ICC(2,k) over the units that every rater rated (Shrout & Fleiss 1979)."""
    data = coded(ratings)
    single, average = iccs(data, data.once)
    complete = int((data.codes >= 0).all(axis=0).sum())
    return Icc(_number(single), _number(average), complete, len(data.codes))


def rank_correlation(first: Sequence[Any], second: Sequence[Any]) -> RankCorrelation:
    """Return Kendall's τ-b with its p-values, and Spearman's ρ, over the units that both rated."""
    both = [(float(x), float(y)) for x, y in zip(first, second, strict=True) if not (is_gap(x) or is_gap(y))]
    x, y = np.array(both, dtype=np.float64).reshape(-1, 2).T
    if len(both) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return RankCorrelation(None, None, None, None, len(both))
    normal = stats.kendalltau(x, y, method="asymptotic")
    untied = np.unique(x).size == np.unique(y).size == x.size
    exact = float(stats.kendalltau(x, y, method="exact").pvalue) if untied else None
    spearman = float(stats.spearmanr(x, y).statistic)
    return RankCorrelation(float(normal.statistic), float(normal.pvalue), exact, spearman, len(both))


def _ordered_values(ratings: RaterRows, level: Level) -> None:
    if level != "nominal" and any(isinstance(rating, str) for row in ratings for rating in row):
        raise InputError(
            f"ratings are texts, but the level is {level!r}; use 'nominal', or give the levels as numbers."
        )


def _number(values: Floats) -> float | None:
    value = float(values[0])
    return None if math.isnan(value) else value
