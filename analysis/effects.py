"""How large a difference is, in units that can be compared between scales and studies."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from analysis.cells import Floats

Numbers = Sequence[float] | Floats


@dataclass(frozen=True)
class RiskDifference:
    """A difference of two rates with its interval, all within [-1, 1]."""

    difference: float
    low: float
    high: float


def d_z(difference: Numbers) -> float | None:
    """Return the mean difference in standard deviations of the differences; null if they do not vary or n < 2."""
    difference = np.asarray(difference, dtype=np.float64)
    spread = float(difference.std(ddof=1)) if difference.size > 1 else 0.0
    return float(difference.mean()) / spread if spread > 1e-12 else None


def d_paired(mean_difference: float, sd_difference: float, correlation: float) -> float:
    """Return Cohen's d of paired means in standard deviations of the scores (Borenstein et al. 2009, ch. 4).

    The standard deviation within is sd_difference / √(2(1 - correlation)), so `sd_difference` > 0, `correlation` < 1.
    """
    return mean_difference / (sd_difference / math.sqrt(2 * (1 - correlation)))


def d_independent(means: tuple[float, float], sds: tuple[float, float], ns: tuple[int, int]) -> float:
    """Return Cohen's d of two independent groups, in pooled standard deviations (Borenstein et al. 2009, ch. 4)."""
    pooled = math.sqrt(((ns[0] - 1) * sds[0] ** 2 + (ns[1] - 1) * sds[1] ** 2) / (sum(ns) - 2))
    return (means[0] - means[1]) / pooled


def hedges(d: float, df: int) -> float:
    """Return Hedges' g, d with its small-sample bias taken out by J = 1 - 3 / (4·df - 1)."""
    return d * (1 - 3 / (4 * df - 1))


def hedges_g(focal: Numbers, reference: Numbers) -> float | None:
    """Return Hedges' g of paired question means, in standard deviations of the question means.

    Null if n < 2 or the question means do not vary. The variance within, sd_D² / 2(1 - r), is the mean of both arms'
    variances when these are equal; that mean is taken here, for it is there also when r is 1 or an arm is constant.
    """
    focal, reference = np.asarray(focal, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    n = focal.size
    if n < 2:
        return None
    within = math.sqrt((float(focal.var(ddof=1)) + float(reference.var(ddof=1))) / 2)
    return hedges(float((focal - reference).mean()) / within, n - 1) if within > 1e-12 else None


def superiority(difference: Numbers) -> float:
    """Return the share of questions in which the focal country scores higher, ties as half; 0.5 is balance."""
    difference = np.asarray(difference, dtype=np.float64)
    return float(np.mean((difference > 0) + 0.5 * (difference == 0)))


def rank_biserial(difference: Numbers) -> float | None:
    """Return the matched-pairs rank-biserial correlation, -1 to 1 (Kerby 2014), zeros dropped; null if all are."""
    difference = np.asarray(difference, dtype=np.float64)
    moved = difference[difference != 0]
    if moved.size == 0:
        return None
    sizes = np.round(np.abs(moved), 9)
    ordered = np.sort(sizes)
    ranks = np.searchsorted(ordered, sizes, side="left") + np.searchsorted(ordered, sizes, side="right") + 1
    return float((ranks * np.sign(moved)).sum() / ranks.sum())


def cliffs_delta(focal: Numbers, reference: Numbers) -> float:
    """Return P(focal > reference) - P(focal < reference) over all pairs of question means, in [-1, 1]."""
    focal, reference = np.asarray(focal, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    ordered = np.sort(reference)
    below = np.searchsorted(ordered, focal - 1e-9, side="left")
    above = ordered.size - np.searchsorted(ordered, focal + 1e-9, side="right")
    return float((below.sum() - above.sum()) / (focal.size * ordered.size))


def newcombe_paired(table: Sequence[Sequence[int]], level: float = 0.95) -> RiskDifference:
    """Return the paired risk difference with Newcombe's square-and-add interval (1998, Stat Med 17:2635, method 10).

    Args:
        table: counts of questions [[both, focal only], [reference only, neither]].
        level: of the interval.
    """
    (a, b), (c, d) = table
    n = a + b + c + d
    first, second = (a + b) / n, (a + c) / n
    low_1, high_1 = wilson(a + b, n, level)
    low_2, high_2 = wilson(a + c, n, level)
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    excess = a * d - b * c
    phi = 0.0 if margins == 0 else (max(excess - n / 2, 0) if excess > 0 else excess) / math.sqrt(margins)
    down, up = first - low_1, high_2 - second
    left = math.sqrt(max(0.0, down**2 - 2 * phi * down * up + up**2))
    down, up = second - low_2, high_1 - first
    right = math.sqrt(max(0.0, down**2 - 2 * phi * down * up + up**2))
    return RiskDifference(first - second, first - second - left, first - second + right)


def newcombe_independent(counts: tuple[float, float], ns: tuple[int, int], level: float = 0.95) -> RiskDifference:
    """Return the difference of two independent rates with Newcombe's interval (1998, Stat Med 17:873, method 10)."""
    first, second = counts[0] / ns[0], counts[1] / ns[1]
    low_1, high_1 = wilson(counts[0], ns[0], level)
    low_2, high_2 = wilson(counts[1], ns[1], level)
    difference = first - second
    left, right = math.hypot(first - low_1, high_2 - second), math.hypot(high_1 - first, second - low_2)
    return RiskDifference(difference, difference - left, difference + right)


def equivalence_p(interval: Callable[[float], RiskDifference], margin: float) -> float:
    """Return the p of two one-sided tests: the least α whose interval of level 1 - 2α lies inside ±margin.

    Args:
        interval: of a level.
        margin: in the unit of the difference, > 0.

    Returns:
        In (0, 0.5), or 1 where the difference itself is not inside.
    """

    def outside(alpha: float) -> float:
        found = interval(1 - 2 * alpha)
        return max(found.high, -found.low) - margin

    if outside(0.5) >= 0:
        return 1.0
    return 1e-12 if outside(1e-12) < 0 else float(optimize.brentq(outside, 1e-12, 0.5))


def wilson(count: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval (1927) of a rate."""
    z = float(special.ndtri((1 + level) / 2))
    centre = (count + z * z / 2) / (n + z * z)
    half = z * math.sqrt(count * (n - count) / n + z * z / 4) / (n + z * z)
    return centre - half, centre + half


def mde_80(sd: float, n: int, alpha: float = 0.05) -> float | None:
    """Return the smallest difference found with 80 % power: (t.975 + t.80) · sd / √n, df = n - 1; null if n < 2."""
    if n < 2:
        return None
    return float((special.stdtrit(n - 1, 1 - alpha / 2) + special.stdtrit(n - 1, 0.8)) * sd / math.sqrt(n))
