"""What a design can find: the smallest detectable effect before any model runs, and how much an effect would need.

A question's difference between the focal country and the mean of K others, from s epochs judged r times each, varies by
sd² = (1 + 1/K)·(σ²_qc + (σ²_e + σ²_j/r)/s). More epochs and repeats shrink the last part only, more countries the
first factor only; more questions shrink all of it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import polars as pl
from scipy import special

from analysis.components import Components, assumed
from rubrics import Criterion
from runs.errors import InputError

MOST_QUESTIONS = 100_000
MOST_EPOCHS = 1_000
MOST_REFERENCES = 250

POWER = pl.Schema(
    {
        "criterion": pl.String,
        "n_questions": pl.Int64,
        "references": pl.Int64,
        "epochs": pl.Int64,
        "repeats": pl.Int64,
        "sd_difference": pl.Float64,  # of one question's difference, in the criterion's units
        "mde": pl.Float64,  # smallest detectable effect, in the criterion's units; null below two questions
        "share_of_scale": pl.Float64,  # mde over the width of the scale; null with `mde`
        "alpha": pl.Float64,
        "power": pl.Float64,
    }
)


@dataclass(frozen=True)
class Design:
    """How much a study asks for; all counts at least 1."""

    questions: int
    references: int
    """Countries that the focal one is compared with."""
    epochs: int = 1
    repeats: int = 1
    """Verdicts per answer and judge."""

    def __post_init__(self) -> None:
        small = [name for name, count in vars(self).items() if count < 1]
        if small:
            raise InputError(f"design: {small[0]} is {getattr(self, small[0])}; expected a whole number from 1.")


@dataclass(frozen=True)
class Needed:
    """How much a wanted effect needs, each count alone while the rest of the design stays; null: no count is enough."""

    questions: int | None
    references: int | None
    epochs: int | None


def sd_of_differences(components: Components, design: Design) -> float:
    """Return the standard deviation of one question's difference, in the criterion's units."""
    noise = ((components.epoch or 0.0) + (components.repeat or 0.0) / design.repeats) / design.epochs
    return math.sqrt((1 + 1 / design.references) * (components.question_country + noise))


def power_of_t(effect: float, sd: float, n: int, alpha: float = 0.05) -> float:
    """Return the power of the two-sided paired t test to find `effect` with n differences of standard deviation `sd`.

    From the noncentral t distribution, counting the tail of the effect's own sign (as R's power.t.test does). The
    sign-flip test has this power too, to within about 0.01 from 20 questions on.
    """
    if n < 2:
        return 0.0
    if sd == 0:
        return 1.0 if effect else 0.0
    bar = special.stdtrit(n - 1, 1 - alpha / 2)
    return float(1 - special.nctdtr(n - 1, math.sqrt(n) * abs(effect) / sd, bar))


def smallest_detectable(sd: float, n: int, alpha: float = 0.05, power: float = 0.8) -> float | None:
    """Return the effect that n differences of standard deviation `sd` find with `power`; null if n < 2.

    The noncentrality at which the noncentral t distribution leaves `power` above the t test's bar, times sd/√n; the
    familiar (t_{1−α/2} + t_{power})·sd/√n approximates it.
    """
    _check(alpha, power)
    if n < 2:
        return None
    bar = special.stdtrit(n - 1, 1 - alpha / 2)
    near = special.nctdtrinc(n - 1, 1 - power, bar)  # to seven digits; a secant from there gives the rest
    over, further = special.nctdtr(n - 1, [near, near * 1.001], bar) - (1 - power)
    return float(near - over * near * 0.001 / (further - over)) * sd / math.sqrt(n)


def questions_needed(effect: float, sd: float, alpha: float = 0.05, power: float = 0.8) -> int | None:
    """Return the fewest questions that find `effect` with `power`; null if 100,000 are not enough.

    Never fewer than let the sign-flip test reach α at all: 2/2^n ≤ α.
    """
    _check(alpha, power)
    floor = max(2, math.ceil(1 - math.log2(alpha)))
    return fewest(lambda n: power_of_t(effect, sd, n, alpha) >= power, floor, MOST_QUESTIONS)


def needed(effect: float, components: Components, design: Design, *, alpha: float = 0.05, power: float = 0.8) -> Needed:
    """Return how many questions, or references, or epochs find `effect` (criterion's units) with `power`."""
    _check(alpha, power)

    def enough(changed: Design) -> bool:
        return power_of_t(effect, sd_of_differences(components, changed), changed.questions, alpha) >= power

    return Needed(
        questions_needed(effect, sd_of_differences(components, design), alpha, power),
        fewest(lambda count: enough(replace(design, references=count)), 1, MOST_REFERENCES),
        fewest(lambda count: enough(replace(design, epochs=count)), 1, MOST_EPOCHS),
    )


def power_table(
    criteria: Sequence[Criterion],
    design: Design,
    components: dict[str, Components] | None = None,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
) -> pl.DataFrame:
    """Return the smallest detectable effect of each criterion (schema `POWER`).

    `components` are per criterion id; a criterion that is not there is assumed to vary as `analysis.components.assumed`
    says, which only a pilot can replace.
    """
    rows = []
    for criterion in criteria:
        sd = sd_of_differences((components or {}).get(criterion.id) or assumed(criterion), design)
        mde = smallest_detectable(sd, design.questions, alpha, power)
        low, high = criterion.lowest, criterion.highest
        width = 1.0 if low is None or high is None else high - low
        counts = {"n_questions": design.questions, "references": design.references}
        counts |= {"epochs": design.epochs, "repeats": design.repeats}
        found = {"sd_difference": sd, "mde": mde, "share_of_scale": None if mde is None else mde / width}
        rows.append({"criterion": criterion.id, **counts, **found, "alpha": alpha, "power": power})
    return pl.DataFrame(rows, schema=POWER, orient="row")


def fewest(enough: Callable[[int], bool], first: int, most: int) -> int | None:
    """Return the smallest count from `first` to `most` that is enough, more being always better; null: none is."""
    low, high = first - 1, first
    while not enough(high):
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _check(alpha: float, power: float) -> None:
    if not 0 < alpha < power < 1:
        raise InputError(f"alpha is {alpha} and power {power}; expected 0 < alpha < power < 1, such as 0.05 and 0.8.")
