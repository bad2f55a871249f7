"""Paired differences: per question, the focal country's mean minus the comparator's."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.cells import Blocks, Booleans, Floats, Integers


@dataclass(frozen=True)
class Pairs:
    """What a contrast is computed from; n questions.

    Attributes:
        focal: shape (n,), the focal country's question means.
        reference: shape (n,), the comparator's.
        questions: shape (n,), their indices in the design, ascending.
        complete: how many of the questions have every reference country.
        resolution: differences below it are floating-point dust.
    """

    focal: Floats
    reference: Floats
    questions: Integers
    complete: int
    resolution: float

    @cached_property
    def difference(self) -> Floats:
        """Shape (n,): focal minus reference, dust set to zero."""
        difference: Floats = self.focal - self.reference
        return np.where(np.abs(difference) < self.resolution, 0.0, difference)


def pair(mean: Floats, blocks: Blocks, keep: Booleans, focal: int, references: Integers) -> Pairs:
    """Pair the focal column with the equal-weight mean of the reference columns.

    A block counts when the focal cell and at least one reference cell are there; its comparator is the mean of the
    reference cells that are. A question asked in several languages is paired within each language, then averaged.

    Args:
        mean: shape (blocks, countries), NaN where no score came.
        blocks: what the rows stand for.
        keep: shape (blocks,), the rows that the contrast is about.
        focal: column under test.
        references: columns it is compared with.
    """
    own, others = mean[:, focal], mean[:, references]
    there = ~np.isnan(others)
    count = there.sum(axis=1)
    use = np.flatnonzero(keep & ~np.isnan(own) & (count > 0))
    values = np.empty((use.size, 2))
    values[:, 0] = own[use]
    if references.size == 1:
        values[:, 1] = others[use, 0]
    else:
        values[:, 1] = np.where(there, others, 0.0)[use].sum(axis=1) / count[use]
    complete = count[use] == references.size
    questions = blocks.question[use]
    largest = float(np.abs(values).max()) if values.size else 1.0
    starts = _starts(questions)
    if starts.size < use.size:
        values, questions = _averaged(values, starts), questions[starts]
        complete = np.logical_and.reduceat(complete, starts)
    return Pairs(values[:, 0], values[:, 1], questions, int(complete.sum()), 1e-9 * max(largest, 1e-3))


def every_difference(mean: Floats, blocks: Blocks, keep: Booleans, columns: Integers) -> Floats:
    """Return, for each of `columns` in the focal place, its mean difference from the others among them.

    Shape (columns,); NaN where a column has no question in common with the others. With all cells there this is
    (K+1)/K · (m_c - grand mean), for K + 1 columns.
    """
    differences = in_every_place(mean, blocks, keep, columns)
    there = ~np.isnan(differences)
    questions = there.sum(axis=0)
    return np.where(questions > 0, np.where(there, differences, 0.0).sum(axis=0) / np.maximum(questions, 1), np.nan)


def in_every_place(mean: Floats, blocks: Blocks, keep: Booleans, columns: Integers) -> Floats:
    """Return each question's difference for each of `columns` in the focal place, the others pooled as in `pair`.

    Shape (questions that are kept, columns); NaN where the column has nothing to be compared with.
    """
    values = mean[keep][:, columns]
    there = ~np.isnan(values)
    filled = np.where(there, values, 0.0)
    others = there.sum(axis=1, keepdims=True) - there
    use = there & (others > 0)
    difference = np.where(use, filled - (filled.sum(axis=1, keepdims=True) - filled) / np.maximum(others, 1), 0.0)
    starts = _starts(blocks.question[keep])
    if starts.size == 0:
        return np.empty((0, columns.size))
    used = np.add.reduceat(use, starts, axis=0, dtype=np.int64)
    return np.where(used > 0, np.add.reduceat(difference, starts, axis=0) / np.maximum(used, 1), np.nan)


def by_question(mean: Floats, blocks: Blocks, keep: Booleans, columns: Integers) -> Floats:
    """Return the means of `columns` over the blocks of each question: shape (questions that are kept, columns)."""
    values = mean[keep][:, columns]
    starts = _starts(blocks.question[keep])
    if starts.size == len(values):
        return values
    there = ~np.isnan(values)
    count = np.add.reduceat(there, starts, axis=0, dtype=np.int64)
    return np.where(
        count > 0, np.add.reduceat(np.where(there, values, 0.0), starts, axis=0) / np.maximum(count, 1), np.nan
    )


def _starts(question: Integers) -> Integers:
    """Return where each question begins in a sorted index."""
    is_start = np.ones(question.size, dtype=np.bool_)
    np.not_equal(question[1:], question[:-1], out=is_start[1:])
    return np.flatnonzero(is_start)


def _averaged(values: Floats, starts: Integers) -> Floats:
    """Return the means of consecutive rows that belong to one question."""
    sums: Floats = np.add.reduceat(values, starts, axis=0)
    return sums / np.diff(np.append(starts, len(values)))[:, None]
