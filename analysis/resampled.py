"""Coefficients of agreement for many resamples at once.

Every coefficient is a function of sums over units, so a bootstrap over questions is one matrix product: each function
takes `weights` (resamples × questions: how often a question was drawn) and returns one value per resample, NaN where
the coefficient is not defined. `analysis.coefficients` and `analysis.agreement` turn that into null.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from runs.errors import InputError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Level = Literal["nominal", "ordinal", "interval", "ratio"]
RaterRows = Sequence[Sequence[Any]] | npt.NDArray[Any]
"""Raters × units; a rating is a number, or a text where the level is nominal; None and NaN are missing."""

ZERO = 1e-12
"""A denominator this small is a zero that was summed in floats: scores differ by far more than a millionth."""


@dataclass(frozen=True)
class Ratings:
    """Ratings as codes, ready for any coefficient."""

    codes: Ints
    """Raters × units: position in `values`, −1 for missing."""
    values: Floats
    """What the codes stand for, ascending (for texts: their positions)."""
    question: Ints
    """The question of each unit, counted from 0."""

    @property
    def n_questions(self) -> int:
        """Questions with a unit here."""
        return int(self.question.max()) + 1 if self.question.size else 0

    @property
    def constant(self) -> bool:
        """Is every rating the same (or is there none)."""
        return np.unique(self.codes[self.codes >= 0]).size < 2

    @property
    def once(self) -> Floats:
        """Weights that take every question once: the data as they are."""
        return np.ones((1, self.n_questions))


def coded(
    ratings: RaterRows, question: Sequence[Any] | None = None, categories: Sequence[Any] | None = None
) -> Ratings:
    """Return `ratings` (raters × units) as codes; `question` names each unit's question (default: each its own).

    `categories` adds values that could have been given but need not have been.

    Raises:
        InputError: the rows differ in length, or texts and numbers are mixed.
    """
    rows = [list(row) for row in ratings]
    if len({len(row) for row in rows}) > 1:
        raise InputError(f"ratings: rows of {sorted({len(row) for row in rows})} units; give every rater one per unit.")
    missing = [[is_gap(rating) for rating in row] for row in rows]
    present = np.logical_not(np.array(missing, dtype=bool).reshape(len(rows), -1))
    flat = [
        rating
        for row, gaps in zip(rows, missing, strict=True)
        for rating, gap in zip(row, gaps, strict=True)
        if not gap
    ]
    seen = flat + list(categories or ())
    texts = sum(isinstance(value, str) for value in seen)
    if texts not in (0, len(seen)):
        raise InputError("ratings: texts and numbers are mixed; a scale has either categories or numbers.")
    known, inverse = np.unique(np.array(seen, dtype=np.str_ if texts else np.float64), return_inverse=True)
    codes = np.full(present.shape, -1, dtype=np.int64)
    codes[present] = inverse[: len(flat)]
    values = np.arange(known.size, dtype=np.float64) if texts else known
    units = range(codes.shape[1]) if question is None else question
    _, cluster = np.unique(np.array(list(units)), return_inverse=True)
    return Ratings(codes, values.astype(np.float64), cluster.astype(np.int64))


def bootstrap_weights(n_questions: int, resamples: int, seed: int) -> Floats:
    """Return how often each question is drawn in each resample (resamples × questions)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n_questions, np.full(n_questions, 1 / n_questions), size=resamples).astype(np.float64)


def agreements(data: Ratings, weights: Floats) -> Floats:
    """Return the share of agreeing pairs; NaN where no unit has two ratings."""
    return _agreeing(data, weights, "nominal")


def alphas(data: Ratings, weights: Floats, level: Level) -> Floats:
    """Return Krippendorff's α = 1 − (n − 1) Σ o δ / Σ n_c n_k δ, o being the coincidences within units."""
    given = np.where((data.codes >= 0).sum(axis=0) > 1, data.codes, -1)
    counts = weights @ _counts(data, given, np.ones(given.shape[1]))
    n = counts.sum(axis=1)
    if level in ("ordinal", "interval"):
        # ordinal distances are those of mid-ranks, which every resample has its own
        x = np.cumsum(counts, axis=1) - counts / 2 if level == "ordinal" else data.values[None, :]
        x = x - _over((counts * x).sum(axis=1), n)[:, None]
        expected = 2 * n * (counts * x**2).sum(axis=1)  # = Σ n_c n_k (x_c − x_k)², x being centred
        observed = _rank_disagreement(data, weights, x) if level == "ordinal" else _disagreement(data, weights, level)
    else:
        apart = _distance(data.values[:, None], data.values, level)
        observed, expected = _disagreement(data, weights, level), ((counts @ apart) * counts).sum(axis=1)
    return 1 - _over((n - 1) * observed, expected)


def gwet_acs(data: Ratings, weights: Floats, level: Level) -> Floats:
    """Return AC1 or AC2: (p_a − p_e)/(1 − p_e), p_e = Σw/(q(q−1)) · Σ π_k(1 − π_k)."""
    q = data.values.size
    if q < 2:
        return np.full(len(weights), np.nan)
    rated = (data.codes >= 0).sum(axis=0)
    shares = weights @ _counts(data, data.codes, 1 / np.maximum(rated, 1))
    prevalence = _over(shares, shares.sum(axis=1, keepdims=True))
    code = np.arange(q)
    total = _agreement(data.values, code[:, None], code[None, :], level).sum()
    chance = total / (q * (q - 1)) * (prevalence * (1 - prevalence)).sum(axis=1)
    return _over(_agreeing(data, weights, level) - chance, 1 - chance)


def kappas(data: Ratings, weights: Floats, *, power: int) -> Floats:
    """Return Cohen's κ of two raters; disagreement is distance on the scale to a `power` of 0 (unweighted), 1 or 2."""
    q = data.values.size
    both = (data.codes >= 0).all(axis=0)
    first, second = data.codes[:, both]
    cells = weights @ _table(data.question[both], first * q + second, np.ones(first.size), (data.n_questions, q * q))
    tables = cells.reshape(len(weights), q, q)
    place = np.arange(q)
    apart = np.abs(place[:, None] - place) ** power * (place[:, None] != place)
    by_chance = np.einsum("bi,ij,bj->b", tables.sum(axis=2), apart.astype(np.float64), tables.sum(axis=1))
    return 1 - _over((tables * apart).sum(axis=(1, 2)) * tables.sum(axis=(1, 2)), by_chance)


def iccs(data: Ratings, weights: Floats) -> tuple[Floats, Floats]:
    """Return ICC(2,1) and ICC(2,k) over complete units, from the mean squares of a two-way layout."""
    complete = (data.codes >= 0).all(axis=0)
    k, questions = len(data.codes), data.question[complete]
    x = data.values[data.codes[:, complete]] if complete.any() else np.empty((k, 0))
    x = x - (x.mean() if x.size else 0.0)
    per_unit = np.stack([np.ones(x.shape[1]), (x**2).sum(axis=0), x.sum(axis=0) ** 2, *x])
    sums = weights @ np.stack([np.bincount(questions, row, minlength=data.n_questions) for row in per_unit], axis=1)
    n, squares, row_squares, raters = sums[:, 0], sums[:, 1], sums[:, 2], sums[:, 3:]
    level = _over(raters.sum(axis=1) ** 2, n * k)
    between_units = row_squares / k - level
    between_raters = _over((raters**2).sum(axis=1), n) - level
    ms_units = _over(between_units, n - 1)
    ms_raters = between_raters / max(k - 1, 1)
    ms_error = _over(squares - level - between_units - between_raters, (n - 1) * (k - 1))
    drift = _over(ms_raters - ms_error, n)
    defined = (n >= 2) & (k >= 2) & (squares > ZERO * np.maximum(n, 1))
    single = _over(ms_units - ms_error, ms_units + (k - 1) * ms_error + k * drift)
    average = _over(ms_units - ms_error, ms_units + drift)
    return np.where(defined, single, np.nan), np.where(defined, average, np.nan)


def taus(data: Ratings, weights: Floats) -> Floats:
    """Return Kendall's τ-b of two raters; pairs of units are summed once into questions × questions."""
    both = (data.codes >= 0).all(axis=0)
    first, second = data.codes[:, both]
    kinds, place = np.unique(first * data.values.size + second, return_inverse=True)
    table = _table(data.question[both], place, np.ones(place.size), (data.n_questions, kinds.size))
    order = [np.sign(code[:, None] - code) for code in np.divmod(kinds, max(data.values.size, 1))]

    def over_pairs(sign: Ints) -> Floats:
        return np.asarray(((weights @ (table @ sign @ table.T)) * weights).sum(axis=1))

    concordance = over_pairs(order[0] * order[1])
    return _over(concordance, np.sqrt(over_pairs(np.abs(order[0])) * over_pairs(np.abs(order[1]))))


# ---- parts ----


def _agreeing(data: Ratings, weights: Floats, level: Level) -> Floats:
    """Return the weighted share of agreeing pairs within a unit, averaged over units with two or more ratings."""
    low, high, unit = _pairs(data)
    rated = (data.codes >= 0).sum(axis=0)
    share = _agreement(data.values, low, high, level) / (rated[unit] * (rated[unit] - 1) / 2)
    sums = np.bincount(data.question[unit], share, minlength=data.n_questions)
    units = np.bincount(data.question[rated > 1], minlength=data.n_questions)
    return _over(weights @ sums, weights @ units)


def _pairs(data: Ratings) -> tuple[Ints, Ints, Ints]:
    """Return the lower code, the higher code and the unit of every pair of ratings of one unit."""
    raters = len(data.codes)
    parts: list[Ints] = [np.empty((3, 0), dtype=np.int64)]
    for i in range(raters):
        for j in range(i + 1, raters):
            unit = np.flatnonzero((data.codes[i] >= 0) & (data.codes[j] >= 0))
            one, other = data.codes[i, unit], data.codes[j, unit]
            parts.append(np.stack([np.minimum(one, other), np.maximum(one, other), unit]))
    low, high, unit = np.concatenate(parts, axis=1)
    return low, high, unit


def _disagreement(data: Ratings, weights: Floats, level: Level) -> Floats:
    """Return Σ o δ per resample, for a distance δ that is the same in all."""
    low, high, unit = _pairs(data)
    distance = _distance(data.values[low], data.values[high], level)
    share = 2 * distance / ((data.codes >= 0).sum(axis=0)[unit] - 1)
    return np.asarray(weights @ np.bincount(data.question[unit], share, minlength=data.n_questions))


def _rank_disagreement(data: Ratings, weights: Floats, rank: Floats) -> Floats:
    """Return Σ o (r_c − r_k)² per resample, for ranks (resamples × values)."""
    low, high, unit = _pairs(data)
    pairs, place = np.unique(low * data.values.size + high, return_inverse=True)
    share = 2 / ((data.codes >= 0).sum(axis=0)[unit] - 1)
    coincidences = weights @ _table(data.question[unit], place, share, (data.n_questions, pairs.size))
    low, high = np.divmod(pairs, max(data.values.size, 1))
    return np.asarray((coincidences * (rank[:, low] - rank[:, high]) ** 2).sum(axis=1))


def _counts(data: Ratings, codes: Ints, weight: Floats) -> Floats:
    """Return questions × values: the summed `weight` of the units whose ratings in `codes` are that value."""
    rater, unit = np.nonzero(codes >= 0)
    return _table(data.question[unit], codes[rater, unit], weight[unit], (data.n_questions, data.values.size))


def _table(rows: Ints, columns: Ints, weight: Floats, shape: tuple[int, int]) -> Floats:
    sums = np.bincount(rows * shape[1] + columns, weight, minlength=shape[0] * shape[1])
    return np.asarray(sums, dtype=np.float64).reshape(shape)


def _agreement(values: Floats, low: Ints, high: Ints, level: Level) -> Floats:
    """Return Gwet's agreement weight of pairs of codes: 1 where equal, 0 between the ends of the scale."""
    if level == "ordinal":
        steps = np.abs(high - low) + 1
        return np.asarray(1 - steps * (steps - 1) / max(values.size * (values.size - 1), 1))
    widest = float(_distance(values[:1], values[-1:], level).max(initial=ZERO))
    share: Floats = _distance(values[low], values[high], level) / widest
    return 1 - share


def _distance(first: Floats, second: Floats, level: Level) -> Floats:
    """Return Krippendorff's δ² of nominal, interval and ratio values, elementwise."""
    difference: Floats = first - second
    if level == "nominal":
        return np.asarray(difference != 0, dtype=np.float64)
    if level == "ratio":
        difference = np.nan_to_num(_over(difference, first + second))
    return np.square(difference)


def _over(numerator: Floats, denominator: Floats) -> Floats:
    """Divide, giving NaN where the denominator is zero but for rounding."""
    zero = np.abs(denominator) <= ZERO
    result: Floats = np.where(zero, np.nan, numerator / np.where(zero, 1.0, denominator))
    return result


def is_gap(rating: Any) -> bool:
    """Say whether `rating` did not come (None or NaN, the one value that differs from itself)."""
    return rating is None or bool(rating != rating)  # noqa: PLR0124
