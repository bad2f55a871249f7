"""Label permutation within questions: which of a question's countries is the focal one is drawn at random.

For what sign-flips cannot do: distances between whole distributions, and rare events against a mean of many.
"""

import numpy as np

from analysis.cells import Blocks, Booleans, Floats, Integers
from analysis.pairs import Pairs, in_every_place

PERMUTATIONS = 9_999
RARE = 0.1
"""Rates below this, or above its complement, get a label permutation beside the sign-flip."""


def is_rare(pairs: Pairs) -> bool:
    """Whether events are so rare, or so common, that sign-flips against a mean of many are skewed."""
    rate = float((pairs.focal.mean() + pairs.reference.mean()) / 2)
    return min(rate, 1 - rate) < RARE


def permuted_p(
    rates: Floats,
    blocks: Blocks,
    keep: Booleans,
    focal: int,
    references: Integers,
    *,
    seed: int,
    permutations: int = PERMUTATIONS,
) -> tuple[float, float] | None:
    """Return the total variation distance of focal and comparator, and its p-value, never 0; null without questions.

    The distance is half the sum of the absolute differences of mean rates over the categories, 0 to 1. For a single
    category that is half the absolute difference of a rate, tested by the same permutation.

    Args:
        rates: shape (categories, blocks, countries), NaN where no score came.
        blocks: what the rows stand for.
        keep: shape (blocks,), the rows that the contrast is about.
        focal: column under test.
        references: columns it is compared with.
        seed: of the permutations.
        permutations: how many; the smallest p is one in so many and one.
    """
    arms = np.append(focal, references)
    differences = np.stack([in_every_place(rate, blocks, keep, arms) for rate in rates])
    differences = differences[:, ~np.isnan(differences[0, :, 0])]
    present = ~np.isnan(differences[0])
    n = len(present)
    if n == 0:
        return None
    observed = float(np.abs(differences[:, :, 0].mean(axis=1)).sum() / 2)
    generator = np.random.default_rng(seed)
    # The i-th of the countries that are there: their columns, moved to the front.
    order = np.argsort(~present, axis=1, kind="stable")
    drawn = np.floor(generator.random((permutations, n)) * present.sum(axis=1)).astype(np.int64)
    columns = order[np.arange(n), drawn]
    distance = np.zeros(permutations)
    for category in differences:
        distance += np.abs(category[np.arange(n), columns].sum(axis=1)) / (2 * n)
    reached = int((distance >= observed - 1e-9).sum())
    return observed, (1 + reached) / (1 + permutations)
