"""Adjusting p-values for the number of questions asked of the data."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Return Holm's adjusted p-values (1979): they hold the chance of even one false finding.

    A null p, a test that could not be made, does not count in m and keeps its place.
    """
    present = _present(p)
    order = np.argsort(present, kind="stable")
    m = present.size
    stepped = np.maximum.accumulate(present[order] * (m - np.arange(m)))
    return _restored(p, order, stepped)


def benjamini_hochberg(p: Sequence[float | None]) -> list[float | None]:
    """Return Benjamini and Hochberg's adjusted p-values (1995): they hold the share of false findings.

    A null p, a test that could not be made, does not count in m and keeps its place.
    """
    present = _present(p)
    order = np.argsort(present, kind="stable")
    m = present.size
    stepped = np.minimum.accumulate((present[order] * m / np.arange(1, m + 1))[::-1])[::-1]
    return _restored(p, order, stepped)


def max_t(differences: NDArray[np.float64], *, flips: int = 9_999, seed: int = 1) -> list[float | None]:
    """Return p-values adjusted by the step-down largest statistic (Westfall & Young 1993), never 0.

    The same question is flipped in every row, so rows that go together cost less than under Holm.

    Args:
        differences: shape (rows, questions); NaN where a row lacks a question.
        flips: random patterns of signs.
        seed: of these.

    Returns:
        Null for a row without questions; 1 for a row of ties.
    """
    there = ~np.isnan(differences)
    d = np.where(there, differences, 0.0)
    norm = np.sqrt((d**2).sum(axis=1))
    scaled = d / np.where(norm > 0, norm, 1.0)[:, None]
    observed = np.abs(scaled.sum(axis=1))
    order = np.argsort(-observed, kind="stable")
    signs = np.random.default_rng(seed).integers(0, 2, size=(flips, d.shape[1])) * 2.0 - 1.0
    flipped = np.abs(signs @ scaled[order].T)
    largest = np.maximum.accumulate(flipped[:, ::-1], axis=1)[:, ::-1]
    reached = (largest >= observed[order] - 1e-9).sum(axis=0)
    adjusted = np.maximum.accumulate((1 + reached) / (1 + flips))
    values = np.empty(len(d))
    values[order] = adjusted
    return [float(p) if row.any() else None for p, row in zip(values, there, strict=True)]


def _present(p: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([value for value in p if value is not None], dtype=np.float64)


def _restored(p: Sequence[float | None], order: NDArray[np.intp], stepped: NDArray[np.float64]) -> list[float | None]:
    """Put the adjusted values back into the places of the p-values they came from."""
    adjusted = np.empty_like(stepped)
    adjusted[order] = np.minimum(stepped, 1.0)
    values = iter(adjusted.tolist())
    return [None if value is None else next(values) for value in p]
