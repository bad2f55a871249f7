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


def _present(p: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([value for value in p if value is not None], dtype=np.float64)


def _restored(p: Sequence[float | None], order: NDArray[np.intp], stepped: NDArray[np.float64]) -> list[float | None]:
    """Put the adjusted values back into the places of the p-values they came from."""
    adjusted = np.empty_like(stepped)
    adjusted[order] = np.minimum(stepped, 1.0)
    values = iter(adjusted.tolist())
    return [None if value is None else next(values) for value in p]
