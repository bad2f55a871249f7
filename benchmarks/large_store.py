"""A run of a million answers and as many verdicts: what it takes to look at it, analyze it and verify it.

    python benchmarks/large_store.py [--answers 1000000] [--folder DIR]

The store is written as the program writes it; each verb then runs in a process of its own, and its time and the largest
memory it held are printed.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).parents[1])  # this file's own folder would make it stand for the package of its name

from judging.score import Wanted, open_scoring, plan  # noqa: E402
from judging.settings import Judge  # noqa: E402
from judging.variants import Variant  # noqa: E402
from rubrics import Criterion, Rubric, load_rubric  # noqa: E402
from runs import generate  # noqa: E402
from runs.folder import Folder  # noqa: E402
from runs.frames import ITEMS, frame  # noqa: E402
from runs.settings import Generation  # noqa: E402
from runs.store import Run, create_run  # noqa: E402

COUNTRIES = ("CN", "US", "NO", "BR", "DE", "FR", "IN", "JP", "RU", "ZA")
EPOCHS = 10
NOWHERE = "http://127.0.0.1:9/v1"
GENERATION = Generation(model="m", endpoint=NOWHERE, epochs=EPOCHS)
JUDGE = Judge(name="j", model="j", endpoint=NOWHERE, reasons=False)


def make(root: Path, answers: int) -> Run:
    """Write a run of about so many answers of 70 words, each with one verdict."""
    questions = range(answers // EPOCHS // len(COUNTRIES))
    items = frame((_item(number, country) for number in questions for country in COUNTRIES), ITEMS)
    study = {"name": "large", "focal": "CN", "generation": GENERATION.model_dump(mode="json"), "judges": []}
    identity = {"generation": GENERATION.identity, "epochs": EPOCHS}
    facts = {"study": study, "epochs": EPOCHS, "status": "complete"}
    run = create_run(root, "large", "m", items, identity, facts)
    _write(run, map(_answer, generate.plan(items, GENERATION)))
    rubric = load_rubric("refusal")
    scoring = open_scoring(run, rubric, JUDGE, Variant())
    _write(scoring, (_verdict(one, rubric) for one in plan(run, rubric, JUDGE, Variant())))
    scoring.note(status="complete")
    return run


def _item(number: int, country: str) -> dict[str, Any]:
    asked = {"question_id": f"q{number}", "topic": "t", "sensitive": number % 3 > 0, "country": country}
    prompt = f"Question {number} about {country}?"
    return {"item_id": f"q{number}/{country}/en", **asked, "language": "en", "prompt": prompt}


def _answer(asked: generate.Asked) -> dict[str, Any]:
    text = f"Answer {asked.epoch} to {asked.prompt} " + "word " * 65
    place = {"key": asked.key, "item_id": asked.item_id, "epoch": asked.epoch, "model": "m"}
    return {**place, "status": "ok", "text": text, "prompt_tokens": 20, "completion_tokens": 70, "seconds": 1.0}


def _verdict(wanted: Wanted, rubric: Rubric) -> dict[str, Any]:
    draw = int(wanted.key[:8], 16)
    scores = [_score(criterion, draw >> place) for place, criterion in enumerate(rubric.criteria)]
    spent = {"attempts": 1, "prompt_tokens": 300, "completion_tokens": 20, "seconds": 0.5, "raw": "{}"}
    return {**wanted.columns(), "scores": scores, **spent}


def _score(criterion: Criterion, draw: int) -> dict[str, Any]:
    levels = list(criterion.levels or ())
    level = levels[draw % len(levels)]
    nominal = criterion.lowest is None
    return {"criterion": criterion.id, "label" if nominal else "score": level if nominal else float(level)}


def _write(folder: Folder, records: Iterable[dict[str, Any]]) -> None:
    """Write records in groups, as the program does, and seal them."""
    left = iter(records)
    while group := list(islice(left, 256)):
        folder.ledger.append(group)
    folder.ledger.close()
    folder.ledger.seal()


def measure(*arguments: str) -> tuple[float, float]:
    """Run a verb; return the seconds it took and the largest memory it held, in MB."""
    started = time.perf_counter()
    nothing = os.open(os.devnull, os.O_WRONLY)
    silent = [(os.POSIX_SPAWN_DUP2, nothing, number) for number in (1, 2)]
    command = [sys.executable, "-m", "evenhand", *arguments]
    pid = os.posix_spawn(sys.executable, command, os.environ | {"PYTHONPATH": sys.path[0]}, file_actions=silent)
    _, status, usage = os.wait4(pid, 0)
    os.close(nothing)
    if status:
        raise SystemExit(f"evenhand {' '.join(arguments)} failed")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def _verbs(run: Run, root: Path) -> Iterator[tuple[str, ...]]:
    yield ("list", "--out", str(root))
    yield ("show", str(run.path))
    yield ("show", str(run.path), "q1/CN/en")
    yield ("analyze", str(run.path))
    yield ("verify", str(run.path))


def main() -> None:
    """Make the store, and print a line for each verb."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="Where the store is kept; by default it is removed in the end.")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        root = told.folder or Path(aside)
        with ProcessPoolExecutor(1) as apart:  # for a child's largest memory is at least its parent's
            run = apart.submit(make, root, told.answers).result()
        size = sum(path.stat().st_size for path in run.path.rglob("*") if path.is_file())
        print(f"{told.answers:,} answers and as many verdicts: {size / 2**20:,.0f} MB; load {os.getloadavg()[0]:.1f}")
        for verb in _verbs(run, root):
            seconds, held = measure(*verb)
            what = "show ITEM" if len(verb) == 3 and verb[0] == "show" else verb[0]
            print(f"evenhand {what}: {seconds:.1f} s, {held:,.0f} MB")


if __name__ == "__main__":
    main()
