"""Do the countries differ at all: Friedman's test on question means, and Skillings–Mack's where cells are missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy import special

from analysis.aligned import question_means
from analysis.cells import Floats, cells
from rubrics import Criterion
from runs.errors import InputError

DECIMALS = 9
"""Means are rounded to this before ranking: 5e-17 is no difference."""

OMNIBUS = pl.Schema(
    {
        "criterion": pl.String,
        "category": pl.String,  # nominal criteria only: the category whose rate is compared
        "judge": pl.String,
        "test": pl.String,  # friedman; skillings_mack where a cell is missing
        "n_questions": pl.Int64,  # questions with at least two countries
        "n_countries": pl.Int64,
        "statistic": pl.Float64,  # chi-squared; null: no question tells any two countries apart
        "df": pl.Int64,
        "p": pl.Float64,  # 1 where nothing differs; null with fewer than two questions or countries
        "kendall_w": pl.Float64,  # 0 to 1: how alike the questions rank the countries; null where a cell is missing
        "flags": pl.String,  # all_tied, few_questions, disconnected; empty if there is nothing to say
    }
)

FEW_QUESTIONS = 10
"""Below this the chi-squared approximation is rough; the row says so."""


@dataclass(frozen=True)
class Omnibus:
    """One test of "all countries have the same distribution of scores within a question"."""

    test: str
    """friedman or skillings_mack."""
    statistic: float | None
    """Chi-squared; null where every question is all ties, or too little is there."""
    df: int
    p: float | None
    """Upper tail of chi-squared; 1 where all is tied, null with fewer than two questions or countries."""
    kendall_w: float | None
    """0 (no agreement) to 1 (all questions rank the countries alike); null for Skillings–Mack and where all is tied."""
    n_questions: int
    """Questions that compare at least two countries; the others are left out."""
    n_countries: int
    flags: tuple[str, ...]


def friedman(means: Sequence[Sequence[Any]] | Floats) -> Omnibus:
    """Return Friedman's test of complete questions × countries `means`, corrected for ties.

    Raises:
        InputError: a cell is missing; `skillings_mack` is for that.
    """
    cells = _cells(means)
    if np.isnan(cells).any():
        raise InputError("friedman: a cell is missing; use skillings_mack, or leave the question out.")
    found = skillings_mack(cells, correct_ties=True)
    w = None if found.statistic is None else found.statistic / (found.n_questions * (found.n_countries - 1))
    return Omnibus("friedman", found.statistic, found.df, found.p, w, found.n_questions, found.n_countries, found.flags)


def skillings_mack(means: Sequence[Sequence[Any]] | Floats, *, correct_ties: bool = False) -> Omnibus:
    """Return the test of Skillings & Mack (1981, *Technometrics* 23:171) of questions × countries `means`.

    None and NaN are missing cells; with none it is Friedman's test. As published, ties get mid-ranks and the variance
    stays that of untied ranks, which is conservative; `correct_ties` takes each question's own permutation variance.
    Questions with one country, and countries without a question, are left out; countries that no chain of questions
    connects to the others are compared among themselves only (flag `disconnected`).
    """
    cells = _cells(means)
    cells = cells[(~np.isnan(cells)).sum(axis=1) > 1]
    cells = cells[:, (~np.isnan(cells)).any(axis=0)]
    n, k = cells.shape
    flags = ("few_questions",) * (n < FEW_QUESTIONS)
    if n < 2 or k < 2:
        return Omnibus("skillings_mack", None, max(k - 1, 0), None, None, n, k, flags)
    present = ~np.isnan(cells)
    size = present.sum(axis=1)
    # A missing cell is NaN, and neither above nor equal to any other.
    rounded = np.round(cells, DECIMALS)
    above = (rounded[:, :, None] > rounded[:, None, :]).sum(axis=2)
    equal = (rounded[:, :, None] == rounded[:, None, :]).sum(axis=2)
    ranks = above + (equal + 1) / 2
    centred = np.where(present, ranks - (size[:, None] + 1) / 2, 0.0)
    if not centred.any():
        return Omnibus("skillings_mack", None, k - 1, 1.0, None, n, k, ("all_tied", *flags))
    weight = 12 / (size + 1)
    total = np.sqrt(weight) @ centred
    # One question's ranks have variance s² and covariance −s²/(k−1) over its permutations; untied, s² = (k²−1)/12.
    untied = (size**2 - 1) / 12
    variance = weight * ((centred**2).sum(axis=1) / size if correct_ties else untied)
    joint = present.T @ (present * (variance / (size - 1))[:, None])
    covariance = np.diag(variance @ present) - (joint - np.diag(np.diag(joint)))
    df = int(np.linalg.matrix_rank(covariance, hermitian=True))
    statistic = float(total @ np.linalg.pinv(covariance, hermitian=True, rcond=1e-9) @ total)
    flags += ("disconnected",) * (df < k - 1)
    return Omnibus("skillings_mack", statistic, df, float(special.chdtrc(df, statistic)), None, n, k, flags)


def omnibus(scores: pl.DataFrame, criteria: Sequence[Criterion]) -> pl.DataFrame:
    """Return one test per criterion and judge (schema `OMNIBUS`); nominal criteria have one per category.

    `scores` has the schema `runs.frames.SCORES`; questions with one country, and countries with none, are left out. The
    test is Friedman's where no cell is missing, Skillings–Mack's (corrected for ties) where one is.
    """
    rows = []
    for table in cells(scores, criteria):
        means = question_means(table)
        means = means[(~np.isnan(means)).sum(axis=1) > 1]
        means = means[:, ~np.isnan(means).all(axis=0)]
        found = skillings_mack(means, correct_ties=True) if np.isnan(means).any() else friedman(means)
        names = {"criterion": table.criterion.id, "category": table.category, "judge": table.judge}
        rows.append({**names, **vars(found), "flags": " ".join(found.flags)})
    return pl.DataFrame(rows, schema=OMNIBUS, orient="row")


def _cells(means: Sequence[Sequence[Any]] | Floats) -> Floats:
    cells = np.array([[np.nan if value is None else value for value in row] for row in means], dtype=np.float64)
    return cells if cells.ndim == 2 else cells.reshape(0, 0)
