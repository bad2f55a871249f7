"""Do the judges, and the humans, agree? Would a judge say the same again?"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from analysis.panel import HUMAN, MASKED, PANEL, Combine, with_panel
from analysis.resampled import (
    Floats,
    Level,
    Ratings,
    agreements,
    alphas,
    bootstrap_weights,
    coded,
    gwet_acs,
    iccs,
    kappas,
    taus,
)
from rubrics import Criterion, Scale

RESAMPLES = 2_000
FEWEST_DEFINED = 0.95
"""Share of resamples in which a coefficient must be defined before they make an interval."""
FEW_QUESTIONS = 20
"""Below this, a percentile interval over questions is too short; the row says so."""

AGREEMENT = pl.Schema(
    {
        "criterion": pl.String,
        "scale": pl.String,
        "comparison": pl.String,  # judges, humans: all of them; pair: two raters; repeats: one with itself
        "first": pl.String,  # the judge, the panel, or the first of the pair; null for judges and humans
        "second": pl.String,  # pairs only
        "n_raters": pl.Int64,  # for repeats: how many repeats
        "n_questions": pl.Int64,
        "n_units": pl.Int64,  # responses (and repeats) with at least two ratings
        "statistic": pl.String,
        "value": pl.Float64,  # null: not defined, such as a coefficient of constant ratings
        "ci_low": pl.Float64,  # null with `value`, with one question, or where too few resamples define it
        "ci_high": pl.Float64,
        "flags": pl.String,  # words apart by spaces: constant, few_questions; empty if there is nothing to say
    }
)

LEVELS: dict[Scale, Level] = {
    Scale.BINARY: "nominal",
    Scale.NOMINAL: "nominal",
    Scale.ORDINAL: "ordinal",
    Scale.NUMERIC: "interval",
}

OF_VALUES = ("icc_single", "icc_average", "kendall_tau_b")
"""Statistics that need no levels; all others compare categories or their ranks."""

Coefficient = Callable[[Ratings, Floats], Floats]


@dataclass(frozen=True)
class _Compared:
    """The same ratings twice, units and raters alike."""

    values: Ratings
    """As they count: expected scores and the panel's means are no levels."""
    levels: Ratings
    """On the nearest level of the criterion; on a numeric scale, which has none, the values."""


def agreement(
    scores: pl.DataFrame,
    criteria: Sequence[Criterion],
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
    panel: Combine = "mean",
) -> pl.DataFrame:
    """Return how far raters agree, one row per criterion × comparison × statistic (schema `AGREEMENT`).

    `scores` has the schema `runs.frames.SCORES`. Comparisons are all judges, all humans (judges named "human:…"), every
    pair of raters, the panel (joined as `panel` says) and every human, and every judge with itself over its repeats. A
    unit is one response; where judges repeat, their verdicts are matched repeat by repeat, so a coefficient tells what
    a single verdict is worth.

    Statistics: `raw_agreement` (share of equal pairs), `krippendorff_alpha` at the scale's level, `gwet_ac1` or
    `gwet_ac2`, for pairs `cohen_kappa` (ordinal: `quadratic_kappa`) and `kendall_tau_b`, and on ordered scales
    `icc_single` and `icc_average`; those that a scale has no use for have no row. Intervals are percentiles of a
    bootstrap over questions.

    Expected scores and the panel's means lie between levels, and two that differ by a hundredth would count as two
    categories. What compares categories or their ranks takes the nearest level, halfway the even one (so a tied vote
    is no "yes"): the level a rater would tick for the value that counts in contrasts. ICC and τ-b take the values.
    """
    if panel != "none" and scores["judge"].str.starts_with(HUMAN).any():
        scores = with_panel(scores.lazy(), criteria, panel).collect()
    rows = [
        {"criterion": criterion.id, "scale": criterion.scale.value, **who, **statistic}
        for criterion in criteria
        for who, compared in _comparisons(scores, criterion)
        for statistic in _statistics(compared, criterion, str(who["comparison"]), confidence, resamples, seed)
    ]
    return pl.DataFrame(rows, schema=AGREEMENT, orient="row")


def _comparisons(scores: pl.DataFrame, criterion: Criterion) -> Iterator[tuple[dict[str, object], _Compared]]:
    """Yield who is compared with whom, and their ratings."""
    value = "label" if criterion.scale is Scale.NOMINAL else "score"
    response = ["question", "question_id", "country", "language", "epoch"]
    rated = (
        scores.filter(pl.col("criterion") == criterion.id, pl.col(value).is_not_null())
        .with_columns(question=pl.coalesce("variant_of", "question_id"))
        .sort("judge", *response, "repeat")
    )
    wide = rated.pivot("judge", index=[*response, "repeat"], values=value, aggregate_function="first")
    present = rated["judge"].unique().sort().to_list()
    names = [name for name in present if name != PANEL]
    humans = [name for name in names if name.startswith(HUMAN)]
    # Who labelled answers masked and as they are is one person.
    seen = [name for name in humans if not name.endswith(MASKED)]
    groups = {"judges": [name for name in names if name not in humans], "humans": seen or humans}
    for comparison, members in groups.items():
        if len(members) > 1:
            yield {"comparison": comparison}, _compared(wide, members, criterion)
    # The panel agrees with its members by construction: only people can tell what it is worth.
    with_panel = [(PANEL, human) for human in humans if PANEL in present]
    for first, second in [*combinations([*groups["judges"], *humans], 2), *with_panel]:
        yield {"comparison": "pair", "first": first, "second": second}, _compared(wide, [first, second], criterion)
    for name in names:
        own = rated.filter(judge=name)
        repeats = own["repeat"].unique().sort().cast(pl.String).to_list()
        if len(repeats) > 1:
            again = own.pivot("repeat", index=response, values=value, aggregate_function="first")
            yield {"comparison": "repeats", "first": name}, _compared(again, repeats, criterion)


def _compared(wide: pl.DataFrame, raters: list[str], criterion: Criterion) -> _Compared:
    """Return the ratings of the units that at least two of `raters` rated."""
    shared = wide.filter(pl.sum_horizontal(pl.col(raters).is_not_null()) > 1)
    questions = shared["question"].to_list()

    def ratings(frame: pl.DataFrame) -> Ratings:
        return coded([column.to_list() for column in frame], questions, criterion.levels)

    given = shared.select(raters)
    values = ratings(given)
    if criterion.scale in (Scale.NOMINAL, Scale.NUMERIC):
        return _Compared(values, values)
    nearest = given.select(pl.all().round(mode="half_to_even"))  # levels are whole numbers without a gap
    return _Compared(values, values if nearest.equals(given) else ratings(nearest))


def _statistics(
    compared: _Compared, criterion: Criterion, comparison: str, confidence: float, resamples: int, seed: int
) -> Iterator[dict[str, object]]:
    """Yield every statistic of one comparison with its interval."""
    whole = compared.values
    few = whole.n_questions < FEW_QUESTIONS
    shape = {"n_raters": len(whole.codes), "n_questions": whole.n_questions, "n_units": whole.codes.shape[1]}
    drawn = bootstrap_weights(whole.n_questions, resamples, seed) if whole.n_questions > 1 else None
    for name, coefficient in _coefficients(criterion, comparison).items():
        ratings = compared.values if name in OF_VALUES else compared.levels
        flags = " ".join(["constant"] * ratings.constant + ["few_questions"] * few)
        if ratings.constant and name != "raw_agreement":
            value = low = high = None
        else:
            value = _null_if_undefined(coefficient(ratings, ratings.once)[0])
            low, high = (None, None) if drawn is None else _interval(coefficient(ratings, drawn), confidence)
        yield {**shape, "statistic": name, "value": value, "ci_low": low, "ci_high": high, "flags": flags}


def _coefficients(criterion: Criterion, comparison: str) -> dict[str, Coefficient]:
    """Return the statistics that say something about this scale and comparison."""
    level = LEVELS[criterion.scale]
    ordered = level != "nominal"
    chosen: dict[str, Coefficient] = {
        "raw_agreement": agreements,
        "krippendorff_alpha": lambda data, weights: alphas(data, weights, level),
    }
    if criterion.scale is not Scale.NUMERIC:
        chosen["gwet_ac2" if ordered else "gwet_ac1"] = lambda data, weights: gwet_acs(data, weights, level)
        if comparison == "pair":
            kappa = "quadratic_kappa" if ordered else "cohen_kappa"
            chosen[kappa] = lambda data, weights: kappas(data, weights, power=2 if ordered else 0)
    if ordered and comparison != "repeats":  # repeats are interchangeable: there is no first or second to differ
        chosen["icc_single"] = lambda data, weights: iccs(data, weights)[0]
        chosen["icc_average"] = lambda data, weights: iccs(data, weights)[1]
    if ordered and comparison == "pair":
        chosen["kendall_tau_b"] = taus
    return chosen


def _interval(values: Floats, confidence: float) -> tuple[float | None, float | None]:
    defined = values[~np.isnan(values)]
    if defined.size < FEWEST_DEFINED * values.size:
        return None, None
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def _null_if_undefined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
