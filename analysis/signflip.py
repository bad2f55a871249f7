"""The paired sign-flip test on question differences, and the interval got by inverting it.

Under the null hypothesis that a question's difference is symmetric about δ, every pattern of signs of D - δ is as
likely as the one observed. With A the set of flipped questions, the flipped sum is at least the observed one exactly
when Σ_A (D - δ) ≤ 0. So one object answers everything: the joint distribution of Σ_A D and |A| over subsets A (the
subset means of Hartigan 1969, JASA 64:1303). The p-value is its mass at δ = 0, a confidence limit is a quantile of
Σ_A D / |A|, an equivalence test is its mass at the margins; they agree with each other by construction.

Differences of means of whole scores are whole numbers of some step, and dynamic programming over these is exact. Where
the step is too small for that (missing cells give every question its own denominator), the p-value comes from the sums
alone, exactly or with the rounding counted against the finding, and the interval from a saddlepoint approximation; an
end is then put on the side of zero where the p-value says it is. With hundreds of questions p may be the
saddlepoint's too. Nothing is random.
"""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.subsets import ENUMERATED, MOST_QUESTIONS, TIE, Saddlepoint, Subsets, coarser, mass_up_to, subsets
from runs.errors import InputError

Floats = NDArray[np.float64]

EXACT_SUMS = 2**17
"""Largest table of sums alone."""
MOST_WORK = 2**25
"""Most additions that go into a p-value: some 30 ms."""
SMALLEST = float(np.finfo(np.float64).tiny)
"""What a p-value is that floating point would call zero."""
LARGEST_SLACK = 0.01
"""Of the flipped sum's standard deviation: the most that rounding may cost a bounded p-value."""


class Method(StrEnum):
    """How the flips were counted: the value of the table's `test` column."""

    EXACT = "sign-flip (exact)"
    BOUNDED = "sign-flip (upper bound)"
    SADDLEPOINT = "sign-flip (saddlepoint)"


@dataclass(frozen=True)
class Interval:
    """A confidence interval for the mean difference; a null end is unbounded (too few questions for the level)."""

    level: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class SignFlip:
    """The test of one set of question differences.

    Attributes:
        n: questions.
        nonzero: questions whose difference is not zero; the others cannot move the p-value.
        mean: mean difference, in the unit of the differences.
        p: two-sided p-value of mean 0, in (0, 1].
        p_mid: the same, counting half of the flips that tie with the data (Lancaster 1961); less conservative.
        p_min: the smallest p that data with this many non-zero differences could give.
        method: how the flips were counted.
    """

    n: int
    nonzero: int
    mean: float
    p: float
    p_mid: float
    p_min: float
    method: Method
    _steps: Floats = field(repr=False)
    _step: float = field(repr=False)
    """Of the whole numbers in `_steps`, in the unit of the differences."""

    def interval(self, level: float = 0.95) -> Interval:
        """Return every mean that the two-sided test at 1 - level does not reject."""
        if self.nonzero == 0:
            return Interval(level, 0.0, 0.0)
        alpha = (1 - level) * (1 + 1e-9)
        low, high = self._below.limit(alpha / 2), self._above.limit(alpha / 2)
        return Interval(
            level,
            # Zero added, so that an end of zero has no sign.
            None if low is None else self._end(low * self._step, self.mean, alpha) + 0.0,
            None if high is None else -self._end(high * self._step, -self.mean, alpha) + 0.0,
        )

    def p_equivalence(self, margin: float) -> float:
        """Return the larger one-sided p of "mean ≤ -margin" and "mean ≥ margin" (two one-sided tests).

        It is at most α exactly when the interval of level 1 - 2α lies inside (-margin, margin), unless all are tied.
        """
        return max(self._below.tail(-margin / self._step), self._above.tail(-margin / self._step), SMALLEST)

    @cached_property
    def _below(self) -> Subsets:
        return subsets(self._steps)

    @cached_property
    def _above(self) -> Subsets:
        return self._below.mirrored()

    def _end(self, end: float, mean: float, alpha: float) -> float:
        """Return a lower end on the side of zero where p says it is; an exact end is there already."""
        if mean > 0 and self.p <= alpha:
            # A positive end is a subset mean, and none is nearer to zero than this.
            return max(end, self._step / self.n)
        return min(end, 0.0)


def sign_flip(differences: ArrayLike, *, resolution: float = 1e-9) -> SignFlip:
    """Test whether the mean of paired `differences` (one per question) is zero.

    Args:
        differences: shape (n,), finite, n ≥ 1.
        resolution: differences closer to zero than this are ties, in their own unit.

    Raises:
        InputError: there are no differences, or one of them is not finite.
    """
    d = np.asarray(differences, dtype=np.float64).ravel()
    if d.size == 0 or not np.isfinite(d).all():
        raise InputError(f"differences: {d.size} values, expected at least one and all finite; leave missing ones out.")
    d = np.where(np.abs(d) < resolution, 0.0, d)
    nonzero = int(np.count_nonzero(d))
    steps, step = to_integers(d)
    tied = nonzero == 0 or steps.sum() == 0
    counted = _Counted(0.5, 0.0, Method.EXACT) if tied else _counted(steps if steps.sum() > 0 else -steps)
    return SignFlip(
        n=d.size,
        nonzero=nonzero,
        mean=float(d.mean()),
        p=min(1.0, max(2 * counted.tail, SMALLEST)),
        p_mid=min(1.0, max(2 * counted.tail - counted.atom, SMALLEST)),
        p_min=min(1.0, max(math.ldexp(2.0, -nonzero), SMALLEST)),
        method=counted.method,
        _steps=steps,
        _step=step,
    )


def to_integers(differences: Floats) -> tuple[Floats, float]:
    """Return whole numbers without a common divisor, and the step that makes them the differences again.

    Means of integers have a small common denominator; differences that have none are rounded to 2^-30 of the largest.
    """
    largest = float(np.abs(differences).max())
    if largest == 0:
        return np.zeros_like(differences), 1.0
    denominator = _common_denominator(differences)
    # Differences that are all far below 1 are near whole numbers too: to zeros.
    step = largest / 2**30 if denominator is None or denominator * largest < 0.5 else 1 / denominator
    whole = np.rint(differences / step)
    divisor = int(np.gcd.reduce(np.abs(whole).astype(np.int64)))
    return whole / divisor, step * divisor


def _common_denominator(values: Floats, largest: int = 10**8) -> int | None:
    """Return the least number that makes all `values` whole, or null if there is none up to `largest`."""
    denominator = 1
    while denominator <= largest:
        scaled = values * denominator
        off = np.abs(scaled - np.rint(scaled))
        worst = int(off.argmax())
        if off[worst] < 1e-7:
            return denominator
        factor = _smallest_factor(float(scaled[worst]), 100) or _smallest_factor(float(scaled[worst]), 10_000)
        if factor is None:
            return None
        denominator *= factor
    return None


def _smallest_factor(value: float, largest: int) -> int | None:
    """Return the smallest factor up to `largest` that makes `value` whole."""
    multiples = value * np.arange(2, largest + 1)
    whole = np.flatnonzero(np.abs(multiples - np.rint(multiples)) < 1e-7)
    return int(whole[0]) + 2 if whole.size else None


@dataclass(frozen=True)
class _Counted:
    """The mass of {A: Σ_A D ≤ 0} and of {A: Σ_A D = 0}, for a positive sum of D, and how it was counted."""

    tail: float
    atom: float
    method: Method


def _counted(steps: Floats) -> _Counted:
    """Count the flips of differences with a positive sum by the first affordable way."""
    reach = float(np.abs(steps).sum())
    moved = int(np.count_nonzero(steps))
    most_sums = MOST_WORK / moved if moved <= MOST_QUESTIONS else 0
    if reach <= min(EXACT_SUMS, most_sums):
        mass = mass_up_to(steps, 0)
        return _Counted(float(mass.sum()), float(mass[-1]), Method.EXACT)
    if steps.size <= ENUMERATED:
        listed = subsets(steps)
        return _Counted(listed.tail(0.0), listed.atom(), Method.EXACT)
    rows = 100 * steps.size**1.5
    width, slack = coarser(steps, rows)
    if slack <= LARGEST_SLACK * math.sqrt(float((steps**2).sum())) and rows <= most_sums:
        mass = mass_up_to(np.rint(steps / width), math.floor(slack / width + TIE))
        return _Counted(float(mass.sum()), 0.0, Method.BOUNDED)
    return _Counted(Saddlepoint(steps).tail(0.0), 0.0, Method.SADDLEPOINT)
