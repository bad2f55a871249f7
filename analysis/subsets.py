"""The joint distribution of Σ_A D and |A| over all subsets A of the questions: what the sign-flip test is made of."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

EXACT_STATES = 2**17
"""Largest table of sums × sizes: some 3 ms for 60 questions."""
MOST_STATES = 2**19
GRID_STATES = 2**16
GRID_ROWS = 20
"""Grid rows per question that keep the rounding of an interval's ends below 2 % of a standard error."""
MOST_QUESTIONS = 2000
"""Beyond, the mass of a single subset is no longer a number."""
ENUMERATED = 16
"""Up to this many questions all subsets are listed when their differences have no common denominator."""
RANDOM_FLIPS = 99_999
"""So many that the smallest p, 2/100,000, still passes Holm over 600 cells."""
TIE = 1e-9
"""In integer steps: what floating point may add to a sum that equals its bound."""


class Subsets(Protocol):
    """The distribution of (Σ_A D, |A|) over subsets A, in integer steps of D."""

    def mirrored(self) -> "Subsets":
        """Return the distribution for the differences with their signs changed."""

    def tail(self, delta: float) -> float:
        """Return the mass of {A: Σ_A (D - delta) ≤ 0}; never 0, for the empty set is always in it."""

    def atom(self) -> float:
        """Return the mass of {A: Σ_A D = 0}, the flips that tie with the observed sum."""

    def limit(self, mass: float) -> float | None:
        """Return the smallest delta whose tail exceeds `mass`; null if every delta's does."""


def subsets(steps: Floats, seed: int) -> Subsets:
    """Return the joint distribution of sums and sizes by the first affordable way: exact, on a grid, or drawn."""
    n = steps.size
    states = max(GRID_STATES, GRID_ROWS * n * n)
    exact = max(EXACT_STATES, min(states, MOST_STATES))
    if (n + 1) * (float(np.abs(steps).sum()) + 1) <= exact and n <= MOST_QUESTIONS:
        return _Grid.of(steps, 1.0)
    if n <= ENUMERATED:
        return _enumerated(steps)
    if states <= MOST_STATES:
        width, _ = coarser(steps, states / (n + 1) - n)
        return _Grid.of(np.rint(steps / width), width)
    return _drawn(steps, seed)


def coarser(steps: Floats, rows: float) -> tuple[float, float]:
    """Return the width of a grid of at most about `rows` sums, in integer steps, and the sum of all rounding on it.

    Of many widths the one with the least rounding is taken: complete questions then mostly lie on the grid, for their
    differences have the number of countries as denominator.
    """
    widest = float(np.abs(steps).sum()) / rows * 2
    widths = np.unique(np.concatenate([np.linspace(widest / 2, widest, 100), _divisors(steps, widest)]))
    rounding = np.abs(steps - widths[:, None] * np.rint(steps / widths[:, None])).sum(axis=1)
    best = int(rounding.argmin())
    return float(widths[best]), float(rounding[best])


def _divisors(steps: Floats, widest: float) -> Floats:
    """Return widths up to `widest`, and not much finer, that divide the commonest step evenly."""
    sizes, counts = np.unique(np.abs(steps[steps != 0]), return_counts=True)
    common = float(np.gcd.reduce(sizes[counts >= np.median(counts)].astype(np.int64)))
    divided: Floats = common / np.arange(max(1, math.ceil(common / widest)), math.floor(2 * common / widest) + 1)
    return divided


def mass_of_sums(whole: Floats, *, sizes: bool) -> tuple[Floats, int]:
    """Return the mass of subsets by sum (rows) and size (columns; a single one without `sizes`), and the first sum.

    The state is (sum, size) in one flat index. Questions with a negative difference start inside the subset, so that
    every step moves up. Small differences go first: the occupied part of the table then stays short.
    """
    moved = whole if sizes else whole[whole != 0]
    n = moved.size
    columns = n + 1 if sizes else 1
    rows = int(np.abs(moved).sum()) + 1
    negative = moved < 0
    start = int(negative.sum()) if sizes else 0
    mass, grown = np.zeros(rows * columns + 2 * n), np.zeros(rows * columns + 2 * n)
    mass[start] = math.ldexp(1.0, -min(n, 1000))
    end = start + 1
    shifts = (np.abs(moved) * columns + (np.where(negative, -1, 1) if sizes else 0)).astype(np.int64)
    for shift in shifts[np.argsort(np.abs(moved), kind="stable")].tolist():
        grown[:shift] = mass[:shift]
        np.add(mass[shift : end + shift], mass[:end], out=grown[shift : end + shift])
        mass, grown = grown, mass
        end += shift
    table = mass[: rows * columns].reshape(rows, columns) * math.ldexp(1.0, min(n, 1000) - n)
    return table, int(moved[negative].sum())


@dataclass(frozen=True)
class _Grid:
    """Mass over sums × sizes as a table.

    Attributes:
        mass: shape (sums, n + 1); column j holds subsets of size j.
        cumulated: the same, summed over the sums up to each row.
        first: the sum of the table's first row, in grid steps.
        width: of a grid step, in integer steps of D.
        span: bounds of all subset means, in grid steps.
    """

    mass: Floats
    cumulated: Floats
    first: int
    width: float
    span: tuple[float, float]

    @classmethod
    def of(cls, whole: Floats, width: float) -> "_Grid":
        """Build the table for whole differences."""
        mass, first = mass_of_sums(whole, sizes=True)
        return cls(mass, mass.cumsum(axis=0), first, width, (float(whole.min()) - 1, float(whole.max()) + 1))

    def mirrored(self) -> "_Grid":
        """Return the table for the differences with their signs changed."""
        # Summed anew from its own end: small tails as differences of large sums would lose their digits.
        mass = self.mass[::-1]
        last = self.first + len(mass) - 1
        return _Grid(mass, mass.cumsum(axis=0), -last, self.width, (-self.span[1], -self.span[0]))

    def tail(self, delta: float) -> float:
        """Return the mass of {A: Σ_A (D - delta) ≤ 0}."""
        return float(self._tails(self._rows(np.array([delta / self.width])))[0])

    def atom(self) -> float:
        """Return the mass of {A: Σ_A D = 0}."""
        return float(self.mass[-self.first].sum())

    def limit(self, mass: float) -> float | None:
        """Return the smallest delta whose tail exceeds `mass`: bracket it, then look at what lies in the bracket."""
        if float(self.cumulated[-self.first, 0]) > mass:
            return None
        low, high = self.span
        while True:
            deltas: Floats = np.linspace(low, high, 33)
            rows = self._rows(deltas)
            tails = self._tails(rows)
            first = int(np.argmax(tails > mass))
            low, high = float(deltas[first - 1]), float(deltas[first])
            if (rows[first] - rows[first - 1]).sum() <= 512 or high - low < 1e-9:
                break
        before, upto = rows[first - 1], rows[first]
        count = upto - before
        sizes = np.repeat(np.arange(before.size), count)
        inside = np.arange(sizes.size) + np.repeat(before + 1 - (count.cumsum() - count), count)
        means = (inside + self.first) / sizes
        order = np.argsort(means, kind="stable")
        reached = tails[first - 1] + np.cumsum(self.mass[inside, sizes][order])
        position = min(int(np.searchsorted(reached, mass, side="right")), means.size - 1)
        return float(means[order[position]]) * self.width

    def _rows(self, deltas: Floats) -> Integers:
        """Return, per delta and size, the last row whose sum counts; -1 if none does."""
        sizes = np.arange(self.cumulated.shape[1])
        rows = (np.floor(deltas[:, None] * sizes + TIE) - self.first).astype(np.int64)
        inside: Integers = np.minimum(np.maximum(rows, -1), len(self.cumulated) - 1)
        return inside

    def _tails(self, rows: Integers) -> Floats:
        columns = np.arange(self.cumulated.shape[1])
        found: Floats = (self.cumulated[rows, columns] * (rows >= 0)).sum(axis=1)
        return found


@dataclass(frozen=True)
class _Listing:
    """Subset means one by one, each of the same mass, sorted; `empty` is the mass of the empty set."""

    means: Floats
    weight: float
    empty: float

    def mirrored(self) -> "_Listing":
        """Return the listing for the differences with their signs changed."""
        return _Listing(-self.means[::-1], self.weight, self.empty)

    def tail(self, delta: float) -> float:
        """Return the mass of {A: Σ_A (D - delta) ≤ 0}."""
        return self.empty + self.weight * int(np.searchsorted(self.means, delta + TIE, side="right"))

    def atom(self) -> float:
        """Return the mass of {A: Σ_A D = 0}."""
        low, high = np.searchsorted(self.means, [-TIE, TIE])
        return self.empty + self.weight * int(high - low)

    def limit(self, mass: float) -> float | None:
        """Return the smallest delta whose tail exceeds `mass`."""
        if self.empty > mass:
            return None
        return float(self.means[min(math.floor((mass - self.empty) / self.weight), self.means.size - 1)])


def _enumerated(steps: Floats) -> _Listing:
    """List all 2^n subsets."""
    sums, sizes = np.zeros(1), np.zeros(1)
    for step in steps:
        sums, sizes = np.concatenate([sums, sums + step]), np.concatenate([sizes, sizes + 1])
    weight = math.ldexp(1.0, -steps.size)
    return _Listing(np.sort(sums[1:] / sizes[1:]), weight, weight)


def _drawn(steps: Floats, seed: int) -> _Listing:
    """Draw random subsets; the observed data, which flip nothing, count as one more (never p = 0)."""
    generator = np.random.default_rng(seed)
    means, chunk = [], max(1, 2**24 // steps.size)
    for start in range(0, RANDOM_FLIPS, chunk):
        count = min(chunk, RANDOM_FLIPS - start)
        inside = generator.integers(0, 2, size=(count, steps.size), dtype=np.int8).astype(np.float64)
        sizes = inside.sum(axis=1)
        # A drawn empty set flips nothing either; with this many questions none is ever drawn.
        means.append(inside @ steps / np.maximum(sizes, 1))
    weight = 1 / (RANDOM_FLIPS + 1)
    return _Listing(np.sort(np.concatenate(means)), weight, weight)
