"""Stopped in order, or kept out: what came is written, a second process is refused, and the same command goes on."""

import json
import os
import signal
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

Make = Callable[..., Any]

# One question about one country hangs in each of the three epochs; the fourth caller gets all other answers.
HANGING = {"rules": [{"fault": "hang", "on": "answer", "holding": "Question 2 about China", "first": 1}]}
CAME = 45 - 3


@pytest.fixture
def hanging(starter: Any, stoppable: Make, scripted: Make) -> tuple[Any, int]:
    """A study that waits for its last three answers, and the pid of its process."""
    study = stoppable(scripted(**HANGING))
    pid = starter.start(*study.command)
    study.endpoint.wait(requests=45)
    while len(study.records("responses")) < CAME:
        pass
    return study, pid


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_work_in_order(starter: Any, hanging: tuple[Any, int], number: signal.Signals) -> None:
    study, pid = hanging
    said = starter.log.stat().st_size
    os.kill(pid, number)
    assert starter.end(pid) == 130
    told = starter.since(said)
    assert "stopped; what was counted is on disk, and the same command goes on from there." in told
    (sealed,) = study.out.rglob("responses.parquet")
    assert pl.read_parquet(sealed).height == CAME
    (manifest,) = study.out.rglob("run.json")
    assert json.loads(manifest.read_text("utf-8"))["status"] == "running"

    assert starter.run("generate", study.path, "--out", study.out) == 0
    assert len(study.records("responses")) == study.answers
    assert sorted(study.asked().values()) == [1] * CAME + [2] * 3


def test_a_second_process_is_refused_while_the_first_one_works(starter: Any, hanging: tuple[Any, int]) -> None:
    study, pid = hanging
    said = starter.log.stat().st_size
    for verb in ("run", "generate"):
        assert starter.run(verb, study.path, "--out", study.out) == 2
    told = starter.since(said)
    assert told.count("another evenhand is writing to this run; wait until it ends.") == 2
    assert study.endpoint.stats()["requests"] == 45
    assert study.endpoint.release() == 3
    assert starter.end(pid) == 0  # the first one was not disturbed


def test_runs_can_be_looked_at_while_they_grow(starter: Any, hanging: tuple[Any, int]) -> None:
    study, pid = hanging
    said = starter.log.stat().st_size
    assert starter.run("list", "--out", study.out, "--json") == 0
    (entry,) = json.loads(starter.since(said))["runs"]
    assert (entry["answers"], entry["status"]) == (CAME, "running")
    assert starter.kill(pid)
