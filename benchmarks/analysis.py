"""How fast is the significance table, beside scipy's permutation test and on a million scores.

    python benchmarks/analysis.py

600 cells × 60 questions of differences against the mean of 12 countries, 9,999 resamples where a method resamples.
scipy's slower forms run on a few cells, and what is printed for 600 is that time multiplied; the line says so.
"""

import sys

if __name__ == "__main__":
    sys.path.pop(0)  # this folder, whose analysis.py would be imported in the place of the package

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from scipy import stats

from analysis import contrasts, sign_flip
from rubrics import Criterion, Scale
from runs.frames import SCORES

CELLS, QUESTIONS, COUNTRIES, RESAMPLES = 600, 60, 13, 9_999
FEW = 6
ANCHORS = {str(level): "a level" for level in range(1, 6)}


def criteria(count: int) -> list[Criterion]:
    """Return ordinal criteria c0, c1 and so on."""
    return [Criterion(id=f"c{i}", question="How?", scale=Scale.ORDINAL, anchors=ANCHORS) for i in range(count)]


def scores(questions: int, countries: int, epochs: int, judges: int, count: int, missing: float) -> pl.DataFrame:
    """Return random scores, one row per place of the design."""
    generator = np.random.default_rng(1)
    shape = (questions, countries, epochs, judges, count)
    place = np.indices(shape).reshape(5, -1)
    score = np.clip(np.rint(generator.normal(3.4, 1.0, place.shape[1])), 1, 5)
    gone = generator.random(score.size) < missing
    names = {"question_id": "q{:03d}", "country": "C{:02d}", "epoch": "", "judge": "j{}", "criterion": "c{}"}
    columns: dict[str, pl.Series] = {}
    for at, (name, pattern) in enumerate(names.items()):
        labels = [pattern.format(i) if pattern else i + 1 for i in range(shape[at])]
        columns[name] = pl.Series(labels).gather(place[at])
    frame = pl.DataFrame(columns).with_columns(
        score=pl.Series(np.where(gone, np.nan, score)).fill_nan(None),
        missing=pl.Series(np.where(gone, "truncated", "")).replace({"": None}),
        language=pl.lit("en"),
        repeat=pl.lit(1),
    )
    absent = [pl.lit(None).alias(name) for name in SCORES if name not in frame.columns]
    return frame.with_columns(absent).select(pl.col(name).cast(kind) for name, kind in SCORES.items())


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """Return the median wall time of `work`."""
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return float(np.median(taken))


def tests() -> None:
    """Print p-values, intervals and whole tables of 600 cells side by side with scipy."""
    generator = np.random.default_rng(1)
    values = np.clip(np.rint(generator.normal(3.4, 1, (CELLS, QUESTIONS, COUNTRIES))), 1, 5)
    differences = values[:, :, 0] - values[:, :, 1:].mean(axis=2)

    def mean(x: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.mean(x, axis=axis)

    def scipy(d: np.ndarray, **options: object) -> object:
        return stats.permutation_test((d,), mean, permutation_type="samples", n_resamples=RESAMPLES, rng=1, **options)

    def loop(**options: object) -> float:
        return seconds(lambda: [scipy(d, **options) for d in differences[:FEW]], 1) * CELLS / FEW

    def ours_with_intervals() -> None:
        for d in differences:
            test = sign_flip(d)
            test.interval(0.95), test.interval(0.90), test.p_equivalence(0.25)

    ours = seconds(lambda: [sign_flip(d) for d in differences])
    print(f"{CELLS} cells × {QUESTIONS} questions against the mean of {COUNTRIES - 1} countries, one core")
    _line("evenhand: exact p-values", ours, ours)
    _line("evenhand: and both intervals and the equivalence test", seconds(ours_with_intervals), ours)
    _line(
        "scipy: one call for all cells, 9,999 resamples",
        seconds(lambda: scipy(differences, axis=1, batch=200), 1),
        ours,
    )
    _line(f"scipy: vectorized call per cell ({FEW} cells × {CELLS // FEW})", loop(vectorized=True), ours)
    _line(f"scipy: plain call per cell ({FEW} cells × {CELLS // FEW})", loop(vectorized=False), ours)
    plain = scores(QUESTIONS, COUNTRIES, 1, 1, CELLS // COUNTRIES, 0.0)
    gaps = scores(QUESTIONS, COUNTRIES, 1, 1, CELLS // COUNTRIES, 0.05)
    asked = criteria(CELLS // COUNTRIES)
    rows = len(contrasts(plain, asked, focal="C00"))
    print(f"\nWhole tables, from scores to verdicts: {rows} rows × {QUESTIONS} questions, one core")
    _line("evenhand: complete", seconds(lambda: contrasts(plain, asked, focal="C00")), ours)
    _line("evenhand: 5 % missing", seconds(lambda: contrasts(gaps, asked, focal="C00")), ours)


def million() -> None:
    """Print time and peak memory of a table from a million scores in Parquet, in a process of its own."""
    print("\nA million scores, from Parquet to the finished table, one core, a process of its own")
    for what, shape in (
        ("125 questions, 20 countries, 5 epochs, 4 judges, 20 criteria", (125, 20, 5, 4, 20)),
        ("60 questions, 40 countries, 7 epochs, 3 judges, 20 criteria", (60, 40, 7, 3, 20)),
        ("333 questions, 40 countries, 5 epochs, 3 judges, 5 criteria", (333, 40, 5, 3, 5)),
    ):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "scores.parquet"
            scores(*shape, missing=0.03).write_parquet(path)
            print(f"{what}: ", end="", flush=True)
            alone("--table", str(path), str(shape[-1]))


def table(path: Path, count: int) -> None:
    """Compute one table and print what it took."""
    began = time.perf_counter()
    found = contrasts(pl.scan_parquet(path), criteria(count), focal="C00")
    taken = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    total = pl.scan_parquet(path).select(pl.len()).collect().item()
    print(f"{total:,} scores, {len(found):,} rows in {taken:.1f} s, peak memory {memory:.2f} GiB")


def _line(what: str, taken: float, ours: float) -> None:
    print(f"  {what:66} {taken:9.3f} s {taken / ours:9.1f} ×", flush=True)


def alone(*arguments: str) -> None:
    """Run this script with `arguments` in a process of its own that has one thread per library."""
    libraries = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS")
    environment = os.environ | dict.fromkeys(libraries, "1")
    subprocess.run([sys.executable, __file__, *arguments], check=True, env=environment)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--tests"]:
            tests()
        case ["--table", path, count]:
            table(Path(path), int(count))
        case _:
            alone("--tests")
            million()
