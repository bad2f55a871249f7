"""kill -9 at any call to the file system, midway through any write, at any time: each verb goes on and loses nothing.

    EVENHAND_KILL_SEEDS=20 pytest tests/faults/test_kill_anywhere.py -s

kills in so many random ways, in place of two, and prints how often each verb was killed.
"""

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

Make = Callable[..., Any]
SEEDS = range(int(os.environ.get("EVENHAND_KILL_SEEDS", "2")))
VERBS = ("generate", "score", "analyze", "report", "import")
AT_CALLS, AT_TIMES = 3, 2
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


@pytest.fixture(scope="module")
def clean(
    course_of: Make, stoppable: Make, scripted: Make, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Any], dict[str, Measured]]:
    """What comes of it without any kill, and what there is to kill in each verb."""
    course, count = course_of(stoppable(scripted(**SCRIPT))), tmp_path_factory.mktemp("count") / "count"
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
    course_of: Make, scripted: Make, stoppable: Make, clean: Any, kills: Counter[str], seed: int
) -> None:
    rng = random.Random(seed)
    results, measured = clean
    course = course_of(stoppable(scripted(**SCRIPT)))
    under, study = str(course.study.path.parent), course.study
    for verb in VERBS:
        for times in range(AT_CALLS):
            at = rng.randint(1, max(2, measured[verb].calls // 2**times))  # less is left to do each time
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
        assert kills[verb] >= len(SEEDS), kills
