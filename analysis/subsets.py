"""The joint distribution of Σ_A D and |A| over all subsets A of the questions: what the sign-flip test is made of."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mass = NDArray[np.floating[Any]]
"""In single precision where sums are rounded anyway."""

EXACT_STATES = 2**16
"""Tables of sums × sizes up to this are always exact: some 1 ms."""
MOST_STATES = 2**19
"""Tables beyond this are not built."""
ROUNDING = 0.02
"""Of a standard error: what an interval's ends may move when a coarser grid makes a smaller table."""
MOST_QUESTIONS = 2000
"""Beyond, the mass of a single subset is no longer a number."""
ENUMERATED = 16
"""Up to this many questions all subsets are listed when their differences have no common denominator."""
RANDOM_FLIPS = 99_999
"""So many that the smallest p, 2/100,000, still passes Holm over 600 cells."""
_PARTS = np.arange(33) / 32
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
    n, reach = steps.size, float(np.abs(steps).sum())
    if n > MOST_QUESTIONS:
        return _drawn(steps, seed)
    if (n + 1) * (reach + 1) <= EXACT_STATES:
        return _Grid.of(steps, 1.0, 0.0)
    if n <= ENUMERATED:
        return _enumerated(steps)
    rows = MOST_STATES / (n + 1)
    finest = 1.0 if reach < rows else reach / max(1.0, rows - n)
    spread = float(steps.std())
    widths = _widths(steps, finest, max(finest, spread))
    off = steps - widths[:, None] * np.rint(steps / widths[:, None])
    # A flip takes about half of the questions; the mean of their rounding has the errors' standard deviation over √n,
    # just as the standard error has that of the differences.
    fits = np.flatnonzero(off.std(axis=1) <= ROUNDING * spread)
    if fits.size == 0:
        return _drawn(steps, seed)
    chosen = int(fits[-1])
    return _Grid.of(np.rint(steps / widths[chosen]), float(widths[chosen]), float(off[chosen].mean()))


def coarser(steps: Floats, rows: float) -> tuple[float, float]:
    """Return the width of a grid of at most about `rows` sums, in integer steps, and the sum of all rounding on it.

    Of many widths the one with the least rounding is taken: complete questions then mostly lie on the grid, for their
    differences have the number of countries as denominator.
    """
    finest = float(np.abs(steps).sum()) / rows
    widths = _widths(steps, finest, 2 * finest)
    rounding = np.abs(steps - widths[:, None] * np.rint(steps / widths[:, None])).sum(axis=1)
    best = int(rounding.argmin())
    return float(widths[best]), float(rounding[best])


def _widths(steps: Floats, finest: float, widest: float) -> Floats:
    """Return widths of grids, ascending: many in between, and those that divide the commonest step evenly."""
    sizes, counts = np.unique(np.abs(steps[steps != 0]), return_counts=True)
    common = float(np.gcd.reduce(sizes[counts >= np.median(counts)].astype(np.int64)))
    parts = np.arange(max(1, math.ceil(common / widest)), math.floor(common / finest) + 1)
    return np.unique(np.concatenate([np.geomspace(finest, widest, 100), common / parts[:200]]))


def mass_of_sums(whole: Floats, *, sizes: bool, rough: bool = False) -> tuple[Mass, int]:
    """Return the mass of subsets by sum (rows) and size (columns; a single one without `sizes`), and the first sum.

    The state is (sum, size) in one flat index. Questions with a negative difference start inside the subset, so that
    every step moves up. Small differences go first: the occupied part of the table then stays short. A `rough` table,
    for what is rounded anyway, has half the digits and takes half the time.
    """
    moved = whole if sizes else whole[whole != 0]
    n = moved.size
    columns = n + 1 if sizes else 1
    rows = int(np.abs(moved).sum()) + 1
    negative = moved < 0
    start = int(negative.sum()) if sizes else 0
    mass: Mass = np.zeros(rows * columns + 2 * n, dtype=np.float32 if rough else np.float64)
    grown = np.zeros_like(mass)
    most = 120 if rough else 1000
    mass[start] = math.ldexp(1.0, -min(n, most))
    end = start + 1
    shifts = (np.abs(moved) * columns + (np.where(negative, -1, 1) if sizes else 0)).astype(np.int64)
    for shift in shifts[np.argsort(np.abs(moved), kind="stable")].tolist():
        grown[:shift] = mass[:shift]
        np.add(mass[shift : end + shift], mass[:end], out=grown[shift : end + shift])
        mass, grown = grown, mass
        end += shift
    table = mass[: rows * columns].reshape(rows, columns)
    return table * math.ldexp(1.0, min(n, most) - n), int(moved[negative].sum())


@dataclass(frozen=True)
class _Grid:
    """Mass over sums × sizes as a table.

    Attributes:
        mass: shape (sums, n + 1); column j holds subsets of size j.
        cumulated: the same, summed over the sums up to each row.
        first: the sum of the table's first row, in grid steps.
        width: of a grid step, in integer steps of D.
        shift: mean rounding of D on the grid, in integer steps.
        span: bounds of all subset means, in grid steps.
    """

    mass: Mass
    cumulated: Mass
    first: int
    width: float
    shift: float
    span: tuple[float, float]

    @classmethod
    def of(cls, whole: Floats, width: float, shift: float) -> "_Grid":
        """Build the table for whole differences."""
        mass, first = mass_of_sums(whole, sizes=True, rough=width != 1 and whole.size <= 240)
        return cls(mass, mass.cumsum(axis=0), first, width, shift, (float(whole.min()) - 1, float(whole.max()) + 1))

    def mirrored(self) -> "_Grid":
        """Return the table for the differences with their signs changed."""
        # A subset and its complement have the same mass: turning the sums round is turning the sizes round.
        last = self.first + len(self.mass) - 1
        span = (-self.span[1], -self.span[0])
        return _Grid(self.mass[:, ::-1], self.cumulated[:, ::-1], -last, self.width, -self.shift, span)

    def tail(self, delta: float) -> float:
        """Return the mass of {A: Σ_A (D - delta) ≤ 0}."""
        return float(self._tails(self._rows(np.array([(delta - self.shift) / self.width])))[0])

    def atom(self) -> float:
        """Return the mass of {A: Σ_A D = 0}."""
        return float(self.mass[-self.first].sum())

    def limit(self, mass: float) -> float | None:
        """Return the smallest delta whose tail exceeds `mass`: bracket it, then look at what lies in the bracket."""
        if float(self.cumulated[-self.first, 0]) > mass:
            return None
        low, high = self.span
        while True:
            deltas = low + (high - low) * _PARTS
            deltas[-1] = high
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
        return float(means[order[position]]) * self.width + self.shift

    def _rows(self, deltas: Floats) -> Integers:
        """Return, per delta and size, the last row whose sum counts; -1 if none does."""
        sizes = np.arange(self.cumulated.shape[1])
        rows = (np.floor(deltas[:, None] * sizes + TIE) - self.first).astype(np.int64)
        inside: Integers = np.minimum(np.maximum(rows, -1), len(self.cumulated) - 1)
        return inside

    def _tails(self, rows: Integers) -> Mass:
        columns = np.arange(self.cumulated.shape[1])
        found: Mass = (self.cumulated[rows, columns] * (rows >= 0)).sum(axis=1)
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
        bits = np.unpackbits(np.frombuffer(generator.bytes(count * steps.size // 8 + 1), dtype=np.uint8))
        inside = bits[: count * steps.size].reshape(count, steps.size).astype(np.float64)
        sizes = inside.sum(axis=1)
        # A drawn empty set flips nothing either; with this many questions none is ever drawn.
        means.append(inside @ steps / np.maximum(sizes, 1))
    weight = 1 / (RANDOM_FLIPS + 1)
    return _Listing(np.sort(np.concatenate(means)), weight, weight)
