"""Does the significance table keep its promises: false positives, power and coverage, by simulation.

    python benchmarks/validity.py [--datasets 400] [--seed 1]

Every data set goes through `analysis.contrasts` as a study's would. Latent scores are normal with an effect of the
question, of the country and of the two together, and noise per epoch; the scale's levels are cut from them.
"""

import sys

if __name__ == "__main__":
    sys.path.pop(0)  # this folder, whose analysis.py would be imported in the place of the package

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import optimize

from analysis import Analysis, contrasts
from rubrics import Criterion, Scale
from runs.frames import SCORES

FOCAL = "C00"


@dataclass(frozen=True)
class World:
    """How the scores of a study come about; standard deviations in points of the scale."""

    name: str
    questions: int = 60
    countries: int = 13
    epochs: int = 1
    centre: float = 3.2
    question_sd: float = 0.5
    country_sd: float = 0.0
    pair_sd: float = 0.4
    """Of question × country: what makes epochs of one cell alike."""
    noise_sd: float = 0.7
    top: int = 5
    bottom: int = 1
    effect: float = 0.0
    """Added to the focal country's latent scores."""
    missing: float = 0.0


WORLDS = (
    World("mid-scale"),
    World("strong question × country spread, 5 epochs", epochs=5, pair_sd=0.8),
    World("ceiling, about 75 % fives", centre=5.1),
    World("20 questions at the ceiling", questions=20, centre=5.1),
    World("5 % missing", missing=0.05),
    World("300 questions, 5 % missing", questions=300, missing=0.05),
    World("binary, about 20 % ones", bottom=0, top=1, centre=0.0, question_sd=0.3, pair_sd=0.2, noise_sd=0.5),
    World("binary, about 4 % ones", bottom=0, top=1, centre=-0.5, question_sd=0.3, pair_sd=0.2, noise_sd=0.4),
)


@dataclass(frozen=True)
class Rates:
    """Shares of simulated studies, 0 to 1."""

    datasets: int
    differs: float
    """p against the pooled others at most 0.05, before any adjustment; for rare events the label permutation's."""
    covered: float
    """The interval, for rare events Newcombe's, holds the true difference."""
    against_one: float
    """p at most 0.05 against a single country, over all of them."""
    equivalent: float
    """The equivalence test at margin 0.25 (0.05 for rates) is at most 0.05."""
    exceptional: float
    """Crawford–Howell at most 0.05."""
    attrition: float
    """The test of missing rates at most 0.05."""


def draw(world: World, datasets: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return scores of shape (datasets, questions, countries, epochs); NaN where one is missing."""
    shape = (datasets, world.questions, world.countries, world.epochs)
    latent = world.centre + world.question_sd * generator.normal(size=(*shape[:2], 1, 1))
    latent = latent + world.country_sd * generator.normal(size=(datasets, 1, world.countries, 1))
    latent = latent + world.pair_sd * generator.normal(size=(*shape[:3], 1))
    latent = latent + world.noise_sd * generator.normal(size=shape)
    latent[:, :, 0] += world.effect
    scores = np.clip(np.rint(latent), world.bottom, world.top)
    return np.where(generator.random(shape) < world.missing, np.nan, scores)


def true_difference(world: World) -> float:
    """Return the expected score of the focal country minus that of another, by the normal distribution."""
    spread = math.hypot(world.question_sd, world.country_sd, world.pair_sd, world.noise_sd)

    def expected(centre: float) -> float:
        above = [level - 0.5 for level in range(world.bottom + 1, world.top + 1)]
        return world.bottom + sum(0.5 * math.erfc((cut - centre) / spread / math.sqrt(2)) for cut in above)

    return expected(world.centre + world.effect) - expected(world.centre)


def at_margin(world: World) -> World:
    """Return the world with the effect that makes the true difference the suggested equivalence margin."""
    margin = 0.05 if world.top == 1 else 0.25

    def off(effect: float) -> float:
        return true_difference(replace(world, effect=effect)) - margin

    return replace(world, effect=float(optimize.brentq(off, 0.0, 5.0)))


def as_scores(values: NDArray[np.float64], criteria: Sequence[str]) -> pl.DataFrame:
    """Return drawn scores as a frame, each data set under a criterion of its own."""
    _, questions, countries, _ = values.shape
    index = np.indices(values.shape).reshape(4, -1)
    names = [f"q{i:03d}" for i in range(questions)], [f"C{i:02d}" for i in range(countries)]
    flat = pl.Series(values.ravel()).fill_nan(None)
    columns = {
        "question_id": pl.Series(names[0], dtype=pl.String).gather(index[1]),
        "country": pl.Series(names[1], dtype=pl.String).gather(index[2]),
        "language": "en",
        "epoch": index[3] + 1,
        "repeat": 1,
        "judge": "judge",
        "criterion": pl.Series(criteria, dtype=pl.String).gather(index[0]),
        "score": flat,
    }
    frame = pl.select(*[pl.lit(value).alias(name) for name, value in columns.items()])
    frame = frame.with_columns(pl.when(pl.col("score").is_null()).then(pl.lit("timeout")).alias("missing"))
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None).alias(name)).cast(kind)
        for name, kind in SCORES.items()
    )


def criteria_for(world: World, names: Sequence[str]) -> list[Criterion]:
    """Return a criterion per data set, on the world's scale."""
    scale = Scale.BINARY if world.top == 1 else Scale.ORDINAL
    anchors = {str(level): "a level" for level in range(world.bottom, world.top + 1)}
    return [Criterion(id=name, question="How is it?", scale=scale, anchors=anchors) for name in names]


def simulate(world: World, datasets: int, seed: int, batch: int = 50) -> Rates:
    """Return what the table says of `datasets` studies of one world."""
    generator = np.random.default_rng(seed)
    tables = []
    for start in range(0, datasets, batch):
        names = [f"d{start + i}" for i in range(min(batch, datasets - start))]
        scores = as_scores(draw(world, len(names), generator), names)
        tables.append(contrasts(scores, criteria_for(world, names), focal=FOCAL, analysis=Analysis()))
    # What Holm's adjustment starts from; each data set is a study of its own, so there is nothing to adjust for.
    table = pl.concat(tables).with_columns(verdict_p=pl.coalesce("p_permutation", "p"))
    pooled, single = (table.filter((pl.col("reference") == "others") == wanted) for wanted in (True, False))
    truth = true_difference(world)
    rare = pl.col("p_permutation").is_not_null()
    ends = [pl.when(rare).then(f"risk_{end}").otherwise(f"ci_{end}").alias(end) for end in ("low", "high")]
    low, high = pooled.select(ends).with_columns(pl.col("low").fill_null(-math.inf), pl.col("high").fill_null(math.inf))

    def share(column: str, of: pl.DataFrame = pooled) -> float:
        return int((of[column] <= 0.05).sum()) / len(of)

    return Rates(
        datasets,
        differs=share("verdict_p"),
        covered=int(((low <= truth + 1e-9) & (high >= truth - 1e-9)).sum()) / len(pooled),
        against_one=share("p", single),
        equivalent=share("p_tost"),
        exceptional=share("crawford_howell_p"),
        attrition=share("p_attrition"),
    )


def main() -> None:
    """Print one line per world, without and with an effect."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    error = math.sqrt(0.05 * 0.95 / chosen.datasets)
    print(f"{chosen.datasets} data sets a line; standard error of a rate of 0.05: {error:.4f}")
    print(
        f"{'world':44} {'true Δ':>7} {'differs':>8} {'covers':>7} {'one':>6} {'equiv.':>7} {'except.':>8} {'attr.':>6}"
    )
    spread = World("ordinary spread between countries (sd 0.3)", country_sd=0.3)
    worlds = [*WORLDS, *(replace(world, effect=-0.3) for world in WORLDS), *map(at_margin, WORLDS[:3] + WORLDS[5:])]
    for world in [*worlds, spread]:
        began = time.perf_counter()
        found = simulate(world, chosen.datasets, chosen.seed)
        numbers = (
            found.differs,
            found.covered,
            found.against_one,
            found.equivalent,
            found.exceptional,
            found.attrition,
        )
        shown = " ".join(f"{value:{width}.3f}" for value, width in zip(numbers, (8, 7, 6, 7, 8, 6), strict=True))
        print(
            f"{world.name:44} {true_difference(world):+7.3f} {shown}   {time.perf_counter() - began:5.1f} s", flush=True
        )
    print("differs, one, except. and attr. at Δ = 0, and equiv. at Δ = 0.25 (rates: 0.05), are false findings.")
    print("In the last line no true Δ is 0: ordinary countries differ, few stand out.")


if __name__ == "__main__":
    main()
