"""The joint distribution of Σ_A D and |A| over all subsets A of the questions: what the sign-flip test is made of."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mass = NDArray[np.floating[Any]]
"""In single precision where sums are rounded anyway."""

MOST_STATES = 2**16
"""Largest table of sums × sizes."""
MOST_WORK = 2**23
"""Most additions that go into one: some 10 ms."""
ROUNDING = 0.02
"""Of a standard error: what an interval's ends may move when a coarser grid makes a smaller table."""
MOST_GRIDDED = 75
"""Questions up to which such a table is small enough; beyond, the saddlepoint is as near."""
MOST_QUESTIONS = 2000
"""Beyond, the mass of a single subset is no longer a number."""
ENUMERATED = 16
"""Up to this many questions all subsets are listed when their differences have no common denominator."""
TIE = 1e-9
"""In integer steps: what floating point may add to a sum that equals its bound."""
_PARTS = np.arange(33) / 32


class Subsets(Protocol):
    """The distribution of (Σ_A D, |A|) over subsets A, in integer steps of D."""

    def mirrored(self) -> "Subsets":
        """Return the distribution for the differences with their signs changed."""

    def tail(self, delta: float) -> float:
        """Return the mass of {A: Σ_A (D - delta) ≤ 0}; the empty set is always in it."""

    def atom(self) -> float:
        """Return the mass of {A: Σ_A D = 0}, the flips that tie with the observed sum."""

    def limit(self, mass: float) -> float | None:
        """Return the smallest delta whose tail exceeds `mass`; null if every delta's does."""


def subsets(steps: Floats) -> Subsets:
    """Return the joint distribution of sums and sizes by the first affordable way: exact, on a grid, by saddlepoint."""
    n = steps.size
    states = (n + 1) * (float(np.abs(steps).sum()) + 1)
    if states <= MOST_STATES and n * states <= MOST_WORK and n <= MOST_QUESTIONS:
        return _Grid.of(steps, 1.0, 0.0)
    if n <= ENUMERATED:
        return _enumerated(steps)
    return (_on_a_grid(steps) if n <= MOST_GRIDDED else None) or Saddlepoint(steps)


def _on_a_grid(steps: Floats) -> "_Grid | None":
    """Return the distribution on the coarsest grid that is fine enough; null if its table would be too large."""
    n, reach = steps.size, float(np.abs(steps).sum())
    rows = MOST_STATES / (n + 1)
    finest = 1.0 if reach < rows else reach / max(1.0, rows - n)
    spread = float(steps.std())
    widths = _widths(steps, finest, max(finest, spread))
    off = steps - widths[:, None] * np.rint(steps / widths[:, None])
    # A flip takes about half of the questions; the mean of their rounding has the errors' standard deviation over √n,
    # just as the standard error has that of the differences.
    fits = np.flatnonzero(off.std(axis=1) <= ROUNDING * spread)
    if fits.size == 0:
        return None
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


def mass_up_to(whole: Floats, last: int) -> Floats:
    """Return the mass of subsets by their sum, from the lowest sum there is to `last`.

    Questions with a negative difference start inside the subset, so that every step moves up and nothing beyond `last`
    matters. Small differences go first: the occupied part of the table then stays short.
    """
    steps = np.sort(np.abs(whole[whole != 0])).astype(np.int64)
    rows = last + int(np.abs(whole[whole < 0]).sum()) + 1
    mass = np.zeros(rows)
    grown = np.zeros(rows)
    mass[0] = math.ldexp(1.0, -min(steps.size, 1000))
    end = 1
    for step in steps[steps < rows].tolist():
        end = min(end + step, rows)
        grown[:step] = mass[:step]
        np.add(mass[step:end], mass[: end - step], out=grown[step:end])
        mass, grown = grown, mass
    return mass * math.ldexp(1.0, min(steps.size, 1000) - steps.size)


def _mass_by_size(whole: Floats, *, rough: bool) -> tuple[Mass, int]:
    """Return the mass of subsets by sum (rows) and size (columns), and the first sum.

    The state is (sum, size) in one flat index, and moves as in `mass_up_to`. A `rough` table, for what is rounded
    anyway, has half the digits and takes half the time.
    """
    n = whole.size
    columns = n + 1
    rows = int(np.abs(whole).sum()) + 1
    negative = whole < 0
    start = int(negative.sum())
    mass: Mass = np.zeros(rows * columns + 2 * n, dtype=np.float32 if rough else np.float64)
    grown = np.zeros_like(mass)
    most = 120 if rough else 1000
    mass[start] = math.ldexp(1.0, -min(n, most))
    end = start + 1
    shifts = (np.abs(whole) * columns + np.where(negative, -1, 1)).astype(np.int64)
    for shift in shifts[np.argsort(np.abs(whole), kind="stable")].tolist():
        grown[:shift] = mass[:shift]
        np.add(mass[shift : end + shift], mass[:end], out=grown[shift : end + shift])
        mass, grown = grown, mass
        end += shift
    table = mass[: rows * columns].reshape(rows, columns)
    return table * math.ldexp(1.0, min(n, most) - n), int(whole[negative].sum())


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
        mass, first = _mass_by_size(whole, rough=width != 1)
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
        deltas, rows, tails = self._overview
        while True:
            first = int(np.argmax(tails > mass))
            low, high = float(deltas[first - 1]), float(deltas[first])
            if (rows[first] - rows[first - 1]).sum() <= 512 or high - low < 1e-9:
                break
            deltas, rows, tails = self._brackets(low, high)
        before, upto = rows[first - 1], rows[first]
        count = upto - before
        sizes = np.repeat(np.arange(before.size), count)
        inside = np.arange(sizes.size) + np.repeat(before + 1 - (count.cumsum() - count), count)
        means = (inside + self.first) / sizes
        order = np.argsort(means, kind="stable")
        reached = tails[first - 1] + np.cumsum(self.mass[inside, sizes][order])
        position = min(int(np.searchsorted(reached, mass, side="right")), means.size - 1)
        return float(means[order[position]]) * self.width + self.shift

    @cached_property
    def _overview(self) -> tuple[Floats, Integers, Mass]:
        """The first brackets of every limit."""
        return self._brackets(*self.span)

    def _brackets(self, low: float, high: float) -> tuple[Floats, Integers, Mass]:
        """Return deltas from low to high, with their rows and tails."""
        deltas = low + (high - low) * _PARTS
        deltas[-1] = high
        rows = self._rows(deltas)
        return deltas, rows, self._tails(rows)

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


@dataclass(frozen=True)
class Saddlepoint:
    """The same by the saddlepoint approximation of Lugannani and Rice (1980, *Adv. Appl. Prob.* 12:475), O(n) a tail.

    With x = D - delta, Σ_A x ≤ 0 exactly when Σ ±x ≥ Σ x, the signs being random: a sum of independent values whose
    cumulants are known, Σ log cosh(t·x). From 75 questions on, without a common denominator, limits are found to about
    a hundredth of a standard error.
    """

    steps: Floats

    def mirrored(self) -> "Saddlepoint":
        """Return the distribution for the differences with their signs changed."""
        return Saddlepoint(-self.steps)

    def tail(self, delta: float) -> float:
        """Return the mass of {A: Σ_A (D - delta) ≤ 0}."""
        x = self.steps - delta
        total = float(x.sum())
        size = np.abs(x)
        if abs(total) >= float(size.sum()) - TIE:
            return math.ldexp(1.0, -int((size > TIE).sum())) if total > 0 else 1.0
        upper = _upper_tail(size, abs(total))
        return upper if total > 0 else 1 - upper

    def atom(self) -> float:
        """Return 0: without a common denominator no flips tie but by chance."""
        return 0.0

    def limit(self, mass: float) -> float | None:
        """Return the smallest delta whose tail exceeds `mass`, for a mass below one half."""
        n, lowest, mean = self.steps.size, float(self.steps.min()), float(self.steps.mean())
        if math.ldexp(1.0, -n) > mass:
            return None
        if self.tail(lowest) > mass:
            return lowest
        z = float(special.ndtri(mass))
        # The tail of the normal approximation, solved for delta, is where to begin. On its scale tails are all but
        # linear in delta, and that of the mean is one half: a few secants, kept between what is too low and too high.
        away = float(self.steps.std()) * abs(z) / math.sqrt(max(n - z * z, 1.0))
        low, high = lowest, mean
        before, off_before = mean, -z
        delta = max(mean - away, (lowest + mean) / 2)
        for _ in range(100):
            off = float(special.ndtri(self.tail(delta))) - z
            low, high = (delta, high) if off <= 0 else (low, delta)
            following = delta - off * (delta - before) / (off - off_before) if off != off_before else low
            if not low < following < high:
                following = (low + high) / 2
            if abs(following - delta) <= 1e-9 * away:
                break
            before, off_before, delta = delta, off, following
        return delta


def _upper_tail(size: Floats, total: float) -> float:
    """Return P(Σ ±size ≥ total) for random signs and 0 ≤ total < Σ size."""
    squares = float(size @ size)
    t = total / squares
    for _ in range(100):
        # The derivative of the cumulants is concave: from the left of its root, Newton's steps never pass it.
        tilted = size * np.tanh(t * size)
        curvature = squares - float(tilted @ tilted)
        step = (total - float(tilted.sum())) / curvature
        t += step
        if step <= 1e-6 * t:  # and the next one would be its square
            break
    cumulants = float((t * size + np.log1p(np.exp(-2 * t * size))).sum()) - size.size * math.log(2)
    w, u = math.sqrt(max(0.0, 2 * (t * total - cumulants))), t * math.sqrt(curvature)
    normal = float(special.ndtr(-w))
    if w < 1e-3:  # 1/u - 1/w vanishes here, and floats cannot say how fast
        return normal
    return normal + math.exp(-w * w / 2) / math.sqrt(2 * math.pi) * (1 / u - 1 / w)
