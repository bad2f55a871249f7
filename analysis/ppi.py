"""A few human labels correct a biased judge: prediction-powered inference on question differences.

PPI++ (Angelopoulos, Duchi & Zrnic 2023, arXiv 2311.01453) for a mean, with t(n_h − 1) intervals: with ten labelled
questions the published z interval rejects a true null in 9 % of studies, t in 6 %.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import stats

from analysis.aligned import question_differences
from analysis.cells import Cells, Floats, cells
from analysis.panel import HUMAN, MASKED
from rubrics import Criterion
from runs.frames import CAME

CORRECTED = pl.Schema(
    {
        "criterion": pl.String,
        "category": pl.String,  # nominal criteria only
        "judge": pl.String,
        "references": pl.String,  # the countries compared with, apart by spaces: those that humans labelled
        "n_labelled": pl.Int64,  # questions with a difference from humans and from the judge
        "n_unlabelled": pl.Int64,  # questions with one from the judge only
        "judge_difference": pl.Float64,  # all its questions, uncorrected
        "human_difference": pl.Float64,  # labelled questions only
        "judge_bias": pl.Float64,  # judge minus humans on the labelled questions
        "difference": pl.Float64,  # corrected; in the criterion's units, null with fewer than two labelled questions
        "ci_low": pl.Float64,
        "ci_high": pl.Float64,
        "p": pl.Float64,  # two-sided, of a corrected difference of zero; null where nothing varies
        "tuning": pl.Float64,  # λ: 0 leaves the judge out, 1 trusts it as far as plain PPI does
    }
)


@dataclass(frozen=True)
class Corrected:
    """A mean of human labels, sharpened by a judge's scores of what humans did not label."""

    estimate: float | None
    """Null with fewer than two labelled values."""
    standard_error: float | None
    ci_low: float | None
    ci_high: float | None
    p: float | None
    """Two-sided p of a mean of zero, t with n_labelled − 1 degrees of freedom; null if the error is zero."""
    tuning: float | None
    """λ in [0, 1]: how far the judge is trusted; 0 is the mean of the human labels alone."""
    bias: float | None
    """Mean of judge minus human over the labelled values."""
    n_labelled: int
    n_unlabelled: int


def ppi_mean(
    labels: Sequence[float] | Floats,
    labelled_predictions: Sequence[float] | Floats,
    unlabelled_predictions: Sequence[float] | Floats,
    *,
    confidence: float = 0.95,
    tuning: float | None = None,
) -> Corrected:
    """Return the prediction-powered mean λ·mean(f_unlabelled) + mean(label − λ·f_labelled).

    `labels` and `labelled_predictions` belong to the same questions; `unlabelled_predictions` to other ones, and which
    are labelled must not depend on the answers. λ is `tuning`, or by default the power-tuned
    Cov(label, f)/((1 + n/N)·Var(f)) held within [0, 1]. Variances have n − 1 in the denominator.
    """
    y, f, rest = (np.asarray(part, dtype=np.float64) for part in (labels, labelled_predictions, unlabelled_predictions))
    n, more = y.size, rest.size
    bias = float((f - y).mean()) if n else None
    if n < 2:
        return Corrected(None, None, None, None, None, None, bias, n, more)
    weight = _tuned(y, f, rest) if tuning is None else tuning
    if more == 0:
        weight = 0.0
    estimate = float((y - weight * f).mean() + (weight * rest.mean() if more else 0.0))
    noise = float(np.var(rest, ddof=1)) if more > 1 else float(np.var(f, ddof=1))
    error = math.sqrt(float(np.var(y - weight * f, ddof=1)) / n + (weight**2 * noise / more if more else 0.0))
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * error
    p = float(2 * stats.t.sf(abs(estimate) / error, n - 1)) if error > 0 else None
    return Corrected(estimate, error, estimate - half, estimate + half, p, weight, bias, n, more)


def corrected_contrasts(
    scores: pl.DataFrame,
    criteria: Sequence[Criterion],
    focal: str,
    references: Sequence[str] | None = None,
    *,
    confidence: float = 0.95,
) -> pl.DataFrame:
    """Return focal minus `references` (default: the mean of all others) per judge, corrected by the human labels.

    `scores` has the schema `runs.frames.SCORES`; humans are judges named "human:…", and several of them are averaged
    within a response; labels of masked answers count where there are no others. On labelled questions judge and humans
    are compared on the very responses that humans scored. The comparison is with those `references` that humans
    labelled, for judge and humans alike. One row per criterion and judge (schema `CORRECTED`); without human labels on
    both sides there is none.

    Raises:
        InputError: a criterion of the scores is not among `criteria`.
    """
    human = pl.col("judge").str.starts_with(HUMAN)
    labels = scores.filter(human, CAME)
    seen = labels.filter(~pl.col("judge").str.ends_with(MASKED))
    labels = seen if len(seen) else labels
    response = ["question_id", "country", "language", "epoch", "criterion"]
    shared = scores.filter(~human).join(labels.select(response).unique(), on=response, how="semi", nulls_equal=True)
    people = {_name(table): table for table in cells(labels.with_columns(judge=pl.lit(HUMAN)), criteria)}
    beside = {(*_name(table), table.judge): table for table in cells(shared, criteria)}
    rows = []
    for table in cells(scores.filter(~human), criteria):
        person, same = people.get(_name(table)), beside.get((*_name(table), table.judge))
        if person is None or same is None:
            continue
        wanted = table.countries if references is None else references
        others = [country for country in wanted if country in same.countries and country != focal]
        if others and focal in same.countries:
            rows.append(_row(table, same, person, focal, others, confidence))
    return pl.DataFrame(rows, schema=CORRECTED, orient="row")


def _row(
    table: Cells, same: Cells, person: Cells, focal: str, others: Sequence[str], confidence: float
) -> dict[str, object]:
    """Return one row: `same` and `person` are the judge's and the humans' scores of the labelled responses."""
    predicted, label = _by_id(same, focal, others), _by_id(person, focal, others)
    labelled = sorted(predicted.keys() & label.keys())
    everywhere = _by_id(table, focal, others)
    rest = [value for question, value in everywhere.items() if question not in label]
    found = ppi_mean(
        [label[question] for question in labelled],
        [predicted[question] for question in labelled],
        rest,
        confidence=confidence,
    )
    return {
        "criterion": table.criterion.id,
        "category": table.category,
        "judge": table.judge,
        "references": " ".join(others),
        "n_labelled": found.n_labelled,
        "n_unlabelled": found.n_unlabelled,
        "judge_difference": float(np.mean(list(everywhere.values()))) if everywhere else None,
        "human_difference": float(np.mean([label[question] for question in labelled])) if labelled else None,
        "judge_bias": found.bias,
        "difference": found.estimate,
        "ci_low": found.ci_low,
        "ci_high": found.ci_high,
        "p": found.p,
        "tuning": found.tuning,
    }


def _by_id(table: Cells, focal: str, others: Sequence[str]) -> dict[str, float]:
    """Return D by question id, questions without one left out."""
    differences = question_differences(table, focal, others)
    return {
        question: float(value)
        for question, value in zip(table.blocks.questions, differences, strict=True)
        if not np.isnan(value)
    }


def _name(table: Cells) -> tuple[str, str | None]:
    return table.criterion.id, table.category


def _tuned(y: Floats, f: Floats, rest: Floats) -> float:
    """Return the λ of least variance: Cov(y, f)/((1 + n/N)·Var(f)), the variance taken over all predictions."""
    if rest.size == 0:
        return 0.0
    spread = float(np.var(np.concatenate([f, rest]), ddof=1))
    if spread == 0:
        return 0.0
    weight = float(np.cov(y, f)[0, 1]) / ((1 + f.size / rest.size) * spread)
    return min(max(weight, 0.0), 1.0)
