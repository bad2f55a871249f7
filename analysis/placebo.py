"""Is the focal country exceptional, or does any country differ this much from the rest?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from analysis.cells import Floats


@dataclass(frozen=True)
class Placebo:
    """The focal country among all countries, each put in the focal place in turn.

    Attributes:
        rank: place of the focal country by |difference|, 1 is the largest; ties share the worse place.
        n: countries compared, the focal one included (K + 1).
        p: rank / n, the share of countries that differ at least as much.
        p_min: 1 / n, the smallest p that this many countries allow.
    """

    rank: int
    n: int
    p: float
    p_min: float


def placebo(differences: Sequence[float] | Floats, focal: int) -> Placebo | None:
    """Rank the focal country's difference among those that every country has from the others.

    Args:
        differences: shape (K + 1,), D_c of each country; NaN where a country has none and is left out.
        focal: index of the focal country.

    Returns:
        Null if the focal country has no difference, or no other country has one.
    """
    differences = np.asarray(differences, dtype=np.float64)
    others = np.delete(differences, focal)
    others = others[~np.isnan(others)]
    own = float(differences[focal])
    if math.isnan(own) or others.size == 0:
        return None
    n = others.size + 1
    # Means of equal scores added in another order may differ in the last digits; such ties are ties.
    dust = 1e-9 * max(abs(own), float(np.abs(others).max()))
    rank = 1 + int((np.abs(others) >= abs(own) - dust).sum())
    return Placebo(rank, n, rank / n, 1 / n)


def country_effects(mean: Floats) -> Floats:
    """Return the least-squares effects of the columns of `mean` (questions × countries) beside those of its rows.

    With all cells there they are the countries' means less the grand mean. Where cells are missing, plain means and
    differences from whoever is left also tell which questions a country lacks; equal countries would look unequal.
    NaN for a country that shares no question with another.
    """
    there = ~np.isnan(mean)
    there &= there.sum(axis=1, keepdims=True) > 1
    values, per_question = np.where(there, mean, 0.0), np.maximum(there.sum(axis=1, keepdims=True), 1)
    centred = np.where(there, values - values.sum(axis=1, keepdims=True) / per_question, 0.0)
    shared = there.T @ (there / per_question)
    effects = np.linalg.pinv(np.diag(there.sum(axis=0)) - shared, hermitian=True) @ centred.sum(axis=0)
    return np.where(there.any(axis=0), effects, np.nan)


def crawford_howell(focal: float, others: Sequence[float] | Floats) -> float | None:
    """Return the two-sided p of one mean against a small normal sample of others (Crawford & Howell 1998).

    t = (focal - mean) / (sd · √(1 + 1/K)), df = K - 1. NaN among `others` is left out. Null if the focal mean is NaN,
    K < 2, or the others are all equal.
    """
    sample = np.asarray(others, dtype=np.float64)
    sample = sample[~np.isnan(sample)]
    k = sample.size
    spread = float(sample.std(ddof=1)) if k > 1 else 0.0
    if math.isnan(focal) or spread <= 1e-9 * max(1.0, float(np.abs(sample).max(initial=0.0))):
        return None
    t = (focal - float(sample.mean())) / (spread * math.sqrt(1 + 1 / k))
    return float(2 * special.stdtr(k - 1, -abs(t)))
