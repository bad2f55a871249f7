"""Power by simulation, where formulas stop: scores heaped at the end of a scale, few questions.

Scores are made as ordered levels cut from a normal variable, in which question, question × country, epoch and repeat
have the shares of variance that `Components` gives them; the focal country is shifted until its mean differs by the
wanted effect; every simulated study is tested as a real one is, by sign-flips of its question differences.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from analysis.components import Components
from analysis.power import MOST_EPOCHS, Design, fewest
from runs.errors import InputError

Floats = NDArray[np.float64]
Progress = Callable[[int], None]
"""Called with the number of studies simulated since the last call."""

STUDIES = 2_000
FLIPS = 1_999
ENUMERATED = 12
"""Up to this many questions all sign patterns are tried."""
SCORES_AT_ONCE = 4_000_000
MOST_QUESTIONS = 2_000
MOST_REFERENCES = 250


@dataclass(frozen=True)
class Scenario:
    """What is simulated."""

    effect: float
    """Focal minus reference mean, in the criterion's units."""
    shares: Mapping[int, float]
    """How often each level of the scale occurs in the reference countries, as in a pilot; scaled to a sum of 1."""
    components: Components
    """Only their proportions count: the shares fix how much scores vary in all."""
    alpha: float = 0.05


@dataclass(frozen=True)
class Simulated:
    """How often simulated studies of one design found an effect."""

    power: float
    """Share of studies with p ≤ α; with an effect of zero, the false positives."""
    error: float
    """Monte Carlo standard error of `power`."""
    mean_difference: float
    """Over all studies: the effect as it came out, in the criterion's units."""
    sd_difference: float
    """Of one question's difference."""
    n_studies: int


def simulated_power(
    scenario: Scenario,
    design: Design,
    *,
    studies: int = STUDIES,
    seed: int = 0,
    progress: Progress | None = None,
) -> Simulated:
    """Return how often the sign-flip test finds the effect of `scenario` with `design`.

    Raises:
        InputError: the scale has no room for the effect, has fewer than two levels, or nothing varies.
    """
    levels, cuts, shift = _latent(scenario.effect, scenario.shares)
    parts = np.sqrt(_proportions(scenario.components))
    rng = np.random.default_rng(seed)
    flips = _flips(design.questions, rng)
    per_study = design.questions * (1 + design.references) * design.epochs * design.repeats
    chunk = max(1, min(studies, SCORES_AT_ONCE // per_study))
    found, sums, squares = 0, 0.0, 0.0
    for start in range(0, studies, chunk):
        count = min(chunk, studies - start)
        differences = _differences(rng, count, design, parts, levels, cuts, shift)
        found += int((_p(differences, flips) <= scenario.alpha).sum())
        sums, squares = sums + float(differences.sum()), squares + float((differences**2).sum())
        if progress is not None:
            progress(count)
    power, n = found / studies, studies * design.questions
    spread = float(np.sqrt(max(squares / n - (sums / n) ** 2, 0.0)))
    return Simulated(power, float(np.sqrt(power * (1 - power) / studies)), sums / n, spread, studies)


def simulated_need(
    scenario: Scenario,
    design: Design,
    *,
    vary: Literal["questions", "references", "epochs"] = "questions",
    power: float = 0.8,
    studies: int = STUDIES,
    seed: int = 0,
    progress: Progress | None = None,
) -> int | None:
    """Return the fewest `vary` with which simulated studies find the effect with `power`; null if none is enough.

    The rest of `design` stays. At most 2,000 questions, 250 references or 1,000 epochs are tried. The answer carries
    the Monte Carlo error of `studies`: within a few percent at 2,000.

    Raises:
        InputError: the scale has no room for the effect, has fewer than two levels, or nothing varies.
    """

    def enough(count: int) -> bool:
        changed = replace(design, **{vary: count})
        return simulated_power(scenario, changed, studies=studies, seed=seed, progress=progress).power >= power

    most = {"questions": MOST_QUESTIONS, "references": MOST_REFERENCES, "epochs": MOST_EPOCHS}[vary]
    return fewest(enough, 2 if vary == "questions" else 1, most)


def _latent(effect: float, shares: Mapping[int, float]) -> tuple[Floats, Floats, float]:
    """Return the levels, the cuts between them on a standard normal, and the shift that makes the effect."""
    levels = np.array(sorted(shares), dtype=np.float64)
    weights = np.array([shares[level] for level in sorted(shares)], dtype=np.float64)
    if levels.size < 2 or (weights < 0).any() or np.count_nonzero(weights) < 1:
        raise InputError(f"shares: {dict(shares)}; expected two levels or more, each with its share, none below 0.")
    cuts = stats.norm.ppf(np.clip(np.cumsum(weights / weights.sum())[:-1], 1e-12, 1 - 1e-12))

    def mean(shift: float) -> float:
        return float(levels[0] + (np.diff(levels) * stats.norm.sf(cuts - shift)).sum())

    low, high = mean(-20.0) - mean(0.0), mean(20.0) - mean(0.0)
    if effect == 0:
        return levels, cuts, 0.0
    if not low < effect < high:
        raise InputError(f"effect {effect:+g}: the scale has room for {low:+.2f} to {high:+.2f}; name one between.")
    return levels, cuts, float(optimize.brentq(lambda shift: mean(shift) - mean(0.0) - effect, -20.0, 20.0))


def _proportions(components: Components) -> Floats:
    """Return the shares of variance of question, question × country, epoch and repeat."""
    parts = np.array(
        [components.question, components.question_country, components.epoch or 0.0, components.repeat or 0.0]
    )
    if not parts.sum() > 0:
        raise InputError("components: every variance is 0; nothing would differ between studies.")
    proportions: Floats = parts / parts.sum()
    return proportions


def _differences(
    rng: np.random.Generator, studies: int, design: Design, parts: Floats, levels: Floats, cuts: Floats, shift: float
) -> Floats:
    """Return studies × questions of focal minus the mean of the references."""
    shape = (studies, design.questions, 1 + design.references, design.epochs, design.repeats)
    latent = np.zeros(shape)
    for part, axes in zip(parts, (2, 3, 4, 5), strict=True):
        if part > 0:
            latent += part * rng.standard_normal(shape[:axes] + (1,) * (5 - axes))
    latent[:, :, 0] += shift
    means = levels[np.searchsorted(cuts, latent)].mean(axis=(3, 4))
    differences: Floats = means[:, :, 0] - means[:, :, 1:].mean(axis=2)
    return differences


def _flips(questions: int, rng: np.random.Generator) -> Floats:
    """Return sign patterns × questions: all of them for a few questions, else random ones after the observed one."""
    if questions <= ENUMERATED:
        bits = (np.arange(2**questions)[:, None] >> np.arange(questions)) & 1
        return np.asarray(1.0 - 2.0 * bits)
    drawn = rng.choice((-1.0, 1.0), size=(FLIPS, questions))
    return np.concatenate([np.ones((1, questions)), drawn])


def _p(differences: Floats, flips: Floats) -> Floats:
    """Return each study's p: the share of sign patterns, the observed one among them, that reach its sum."""
    sums: Floats = np.abs(differences @ flips.T)
    found: Floats = (sums >= sums[:, :1] - 1e-9).mean(axis=1)
    return found
