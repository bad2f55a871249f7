"""What a study can find, before any model runs: power, and what a wanted effect needs."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from analysis.components import Components, assumed, variance_components
from analysis.load import load_scores
from analysis.power import needed, power_table
from analysis.simulation import STUDIES, Scenario, simulated_power
from evenhand.checking import design_of
from evenhand.study import load_study
from rubrics import Criterion, Scale
from runs.store import open_run

NEEDED = pl.Schema(
    {
        "criterion": pl.String,
        "effect": pl.Float64,  # wanted, in the criterion's units
        "variances": pl.String,  # assumed, or pilot
        "power": pl.Float64,  # of the study as it stands, by simulation on the scale; null: numeric scales
        "questions": pl.Int64,  # that it needs, the rest of the study unchanged; null: no number is enough
        "references": pl.Int64,
        "epochs": pl.Int64,
    }
)


@dataclass(frozen=True)
class Powered:
    """What a study can find."""

    smallest: pl.DataFrame
    """The smallest detectable effect of each criterion: schema `analysis.power.POWER`."""
    needed: pl.DataFrame
    """What the wanted effect needs: schema `NEEDED`."""


def power(
    study: Path | str,
    *,
    effect: float | None = None,
    pilot: Path | str | None = None,
    wanted: float = 0.8,
    progress: Callable[[int], None] | None = None,
) -> Powered:
    """Say how many questions, epochs and countries a wanted effect needs.

    Args:
        study: the study file.
        effect: wanted difference in points of ordinal and numeric criteria, or as a rate; null: a tenth of each scale.
        pilot: a scored run whose variances and shares of levels are taken; null: assumed ones.
        wanted: power, such as 0.8.
        progress: is told of simulated studies as they are done.

    Raises:
        InputError: the study or the pilot cannot be used, or a scale has no room for the effect.
    """
    plan = load_study(Path(study))
    design, alpha = design_of(plan), plan.study.analysis.alpha
    measured, shares = _pilot(pilot)
    rows = []
    for criterion in plan.rubric.criteria:
        if criterion.scale is Scale.NOMINAL:
            continue
        size = _effect(criterion, effect)
        parts = measured.get(criterion.id) or assumed(criterion)
        need = needed(size, parts, design, alpha=alpha, power=wanted)
        found = None
        if criterion.levels is not None:
            scenario = Scenario(size, shares.get(criterion.id) or _usual_shares(criterion, parts), parts, alpha)
            found = simulated_power(scenario, design, studies=STUDIES, progress=progress).power
        rows.append(
            {
                "criterion": criterion.id,
                "effect": size,
                "variances": "pilot" if criterion.id in measured else "assumed",
                "power": found,
                **vars(need),
            }
        )
    return Powered(
        power_table(plan.rubric.criteria, design, measured, alpha=alpha, power=wanted),
        pl.DataFrame(rows, schema=NEEDED, orient="row"),
    )


def _effect(criterion: Criterion, effect: float | None) -> float:
    width = 1.0 if criterion.lowest is None or criterion.highest is None else criterion.highest - criterion.lowest
    return effect if effect is not None else width / 10


def _usual_shares(criterion: Criterion, parts: Components) -> dict[int, float]:
    """Return shares of the levels with about the variance that `parts` come to: a bell, or the rate of a rare event."""
    levels = sorted(map(int, criterion.levels or ()))
    total = parts.question + parts.question_country + (parts.epoch or 0.0) + (parts.repeat or 0.0)
    if len(levels) == 2:
        rate = (1 - math.sqrt(max(0.0, 1 - 4 * total))) / 2
        return {levels[0]: 1 - rate, levels[1]: rate}
    middle = (levels[0] + levels[-1]) / 2
    return {level: math.exp(-((level - middle) ** 2) / (2 * total)) for level in levels}


def _pilot(pilot: Path | str | None) -> tuple[dict[str, Components], Mapping[str, dict[int, float]]]:
    """Return the variances and the shares of levels in a scored run, per criterion, over its judges."""
    if pilot is None:
        return {}, {}
    scored = load_scores(open_run(Path(pilot)))
    scores = scored.scores.collect()
    parts = variance_components(scores, scored.criteria).filter(pl.col("category").is_null())
    means = parts.group_by("criterion").agg(pl.mean("question", "question_country", "epoch", "repeat"))
    measured = {row.pop("criterion"): Components(**row) for row in means.to_dicts()}
    counted = scores.filter(pl.col("score").is_not_null()).group_by("criterion", "score").len()
    shares: dict[str, dict[int, float]] = {}
    for criterion, score, count in counted.sort("criterion", "score").iter_rows():
        shares.setdefault(criterion, {})[int(score)] = float(count)
    return measured, {name: levels for name, levels in shares.items() if len(levels) > 1}
