"""kill -9 at any call to the file system, midway through any write, at any time: each verb goes on and loses nothing.

    EVENHAND_KILL_SEEDS=20 pytest tests/faults/test_kill_anywhere.py -s

kills in so many random ways, in place of two, and prints how often each verb was killed.
"""

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

Make = Callable[..., Any]
SEEDS = range(int(os.environ.get("EVENHAND_KILL_SEEDS", "2")))
VERBS = ("generate", "score", "analyze", "report", "import")
AT_CALLS, AT_TIMES = 3, 1
"""Kills per verb and seed at a random call, and after a random time."""
KILLED = (-signal.SIGKILL, -signal.SIGALRM)
SCRIPT = {
    "latency": 0.002,
    "rules": [{"fault": "prose", "on": "verdict", "share_of_prompts": 0.2, "first": 1}],
}


@dataclass(frozen=True)
class Measured:
    """What a verb does when nobody kills it."""

    calls: int
    seconds: float


class Course:
    """One study, and one import, from the first verb to the last."""

    def __init__(self, starter: Any, study: Any) -> None:
        self.starter, self.study = starter, study
        self.answers = study.path.with_name("answers.jsonl")
        self.labels = study.path.with_name("labels.jsonl")
        _write_lines(self.answers, [_answer(n) for n in range(40)] + [{"question_id": "", "country": "CN", "text": ""}])
        _write_lines(self.labels, [_label(n) for n in range(40)])
        self.elsewhere = study.out.with_name("imported")

    @property
    def run(self) -> Path:
        """The study's run, once it has been generated."""
        (manifest,) = self.study.out.glob("*/*/run.json")
        return Path(manifest.parent)

    def start(self, verb: str, **trouble: object) -> int:
        """Start a verb; return its exit code."""
        if verb == "generate":
            return int(self.starter.run(verb, self.study.path, "--out", self.study.out, **trouble))
        if verb == "import":
            files = (self.answers, "--verdicts", self.labels, "--focal", "CN", "--name", "n")
            return int(self.starter.run(verb, *files, "--out", self.elsewhere, **trouble))
        return int(self.starter.run(verb, self.run, **trouble))

    def complete(self, verb: str) -> None:
        """Run a verb to its end."""
        code = self.start(verb)
        assert code == (1 if verb == "import" else 0), self.starter.log.read_text()  # one row does not fit

    def results(self) -> list[Any]:
        """Return all that was found, of the study and of the import."""
        (imported,) = self.elsewhere.glob("*/*/")
        kept = ["item_id", "epoch", "text", "scores"]
        found = [*self.study.results(), (self.run / "analysis" / "report.html").stat().st_size > 0]
        for path in (imported / "responses.parquet", next(imported.rglob("verdicts.parquet"))):
            frame = pl.read_parquet(path)
            found.append(frame.select(one for one in kept if one in frame.columns).sort("item_id").to_dicts())
        found.append([json.loads(line)["row"] for line in (imported / "rejected.jsonl").read_bytes().splitlines()])
        return found

    def keys(self) -> dict[str, list[str]]:
        """Return the keys in every journal."""
        journals = [*self.study.out.rglob("*.jsonl"), *self.elsewhere.rglob("*.jsonl")]
        whole = {str(one): one.read_bytes().split(b"\n")[:-1] for one in journals}
        return {name: [json.loads(line).get("key") for line in lines] for name, lines in whole.items()}


def _answer(n: int) -> dict[str, Any]:
    return {"question_id": f"q{n // 4}", "country": ("CN", "US", "NO", "BR")[n % 4], "text": f"Answer {n}."}


def _label(n: int) -> dict[str, Any]:
    place = {name: value for name, value in _answer(n).items() if name != "text"}
    return {**place, "judge": "human:a", "criterion": "tone", "score": n % 5}


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


@pytest.fixture(scope="module")
def clean(
    starter: Any, stoppable: Make, scripted: Make, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Any], dict[str, Measured]]:
    """What comes of it without any kill, and what there is to kill in each verb."""
    course, count = Course(starter, stoppable(scripted(**SCRIPT))), tmp_path_factory.mktemp("count") / "count"
    measured = {}
    for verb in VERBS:
        started = time.monotonic()
        course.start(verb, under=str(course.study.path.parent), count=str(count))
        measured[verb] = Measured(int(count.read_text("utf-8")), time.monotonic() - started)
    return course.results(), measured


@pytest.fixture(scope="module")
def kills() -> Iterator[Counter[str]]:
    """Count the kills of each verb."""
    counted: Counter[str] = Counter()
    yield counted
    told = ", ".join(f"{verb} {counted[verb]}" for verb in VERBS)
    sys.stdout.write(f"\n{counted.total()} kills: {told}\n")


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_anywhere_every_verb_goes_on_and_loses_nothing(
    starter: Any, scripted: Make, stoppable: Make, clean: Any, kills: Counter[str], seed: int
) -> None:
    rng = random.Random(seed)
    results, measured = clean
    course = Course(starter, stoppable(scripted(**SCRIPT)))
    under, study = str(course.study.path.parent), course.study
    for verb in VERBS:
        for _ in range(AT_CALLS):
            at = rng.randint(1, max(2, measured[verb].calls))
            kills[verb] += course.start(verb, under=under, at=at, share=rng.random()) in KILLED
            paid = {prompt: study.asked()[prompt] for prompt in study.counted()}
        for _ in range(AT_TIMES):
            kills[verb] += course.start(verb, seconds=rng.uniform(0.001, measured[verb].seconds)) in KILLED
        course.complete(verb)
        now = study.asked()
        assert {prompt: now[prompt] for prompt in paid} == paid  # what was on disk was not asked again
    for path, keys in course.keys().items():
        assert len(keys) == len(set(keys)), path
    assert course.results() == results


def test_every_verb_was_killed(kills: Counter[str]) -> None:
    for verb in VERBS:
        assert kills[verb] >= len(SEEDS) * AT_CALLS / 2, kills
