"""kill -9 at any moment: the same command goes on, what was counted is asked once, and the result is a clean run's.

`EVENHAND_KILL_SEEDS=100` kills in so many random ways, in place of two.
"""

import contextlib
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Make = Callable[..., Any]
SEEDS = range(int(os.environ.get("EVENHAND_KILL_SEEDS", "2")))

# Some verdicts need a second try, so that a kill can come between the two.
SCRIPT = {"latency": 0.004, "rules": [{"fault": "prose", "on": "verdict", "share_of_prompts": 0.2, "first": 1}]}


@pytest.fixture
def study(scripted: Make, stoppable: Make) -> Any:
    return stoppable(scripted(**SCRIPT))


@pytest.fixture(scope="module")
def clean(starter: Any, stoppable: Make, scripted: Make) -> list[Any]:
    """What a run without any kill comes to."""
    whole = stoppable(scripted(**SCRIPT))
    assert starter.run(*whole.command) == 0, starter.log.read_text()
    results: list[Any] = whole.results()
    return results


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_random_moments_it_goes_on_and_asks_nothing_twice(
    starter: Any, study: Any, clean: list[Any], seed: int
) -> None:
    rng = random.Random(seed)
    kills, paid = 0, dict[str, int]()
    while (left := 2 * study.answers - len(study.counted())) and kills < 6:
        pid = starter.start(*study.command)
        study.endpoint.wait(requests=study.endpoint.stats()["requests"] + rng.randint(1, 1 + left // 3))
        assert starter.kill(pid)
        kills += 1
        now = study.asked()
        assert {prompt: now[prompt] for prompt in paid} == paid  # what was on disk at the last kill was left alone
        paid = {prompt: now[prompt] for prompt in study.counted()}
    assert kills >= 3
    assert starter.run(*study.command) == 0, starter.log.read_text()
    assert {prompt: study.asked()[prompt] for prompt in paid} == paid
    study.check(clean)


FILES = (
    "items.parquet", "run.json", "responses.jsonl", "responses.parquet", "rubric.toml", "scoring.json",
    "verdicts.jsonl", "verdicts.parquet", "contrasts.parquet", "report.html",
)  # fmt: skip


def test_killed_whenever_a_file_is_about_to_appear(starter: Any, study: Any, clean: list[Any]) -> None:
    for name in FILES:
        pid = starter.start(*study.command)
        while not any(name in path.name for path in _files(study.out)):  # also under its temporary name
            pass
        assert starter.kill(pid)
        paid = {prompt: study.asked()[prompt] for prompt in study.counted()}
    assert starter.run(*study.command) == 0, starter.log.read_text()
    assert {prompt: study.asked()[prompt] for prompt in paid} == paid
    study.check(clean)


def _files(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):  # a file that is renamed meanwhile
        return list(folder.rglob("*"))
    return []
