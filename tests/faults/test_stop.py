"""Stopped in order, or kept out: what came is written, a second process is refused, and the same command goes on."""

import json
import os
import random
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import evenhand

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


def test_under_nohup_a_hang_up_ends_nothing(starter: Any, stoppable: Make, scripted: Make) -> None:
    study = stoppable(scripted(**HANGING))
    pid = starter.start("generate", study.path, "--out", study.out, ignored=signal.SIGHUP)
    study.endpoint.wait(requests=45)
    os.kill(pid, signal.SIGHUP)
    study.endpoint.release()
    assert starter.end(pid) == 0
    assert len(study.records("responses")) == study.answers


def test_any_thread_can_run_a_study(stoppable: Make, scripted: Make) -> None:
    study = stoppable(scripted())
    with ThreadPoolExecutor(1) as aside:
        finished = aside.submit(evenhand.run, study.path, root=study.out).result()
    assert (finished.failed, finished.unasked) == (0, 0)


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_verb_ends_in_order_wherever_a_signal_meets_it(
    starter: Any, course_of: Make, stoppable: Make, scripted: Make, number: signal.Signals, tmp_path: Path
) -> None:
    clean, course, count = (*(course_of(stoppable(scripted())) for _ in range(2)), tmp_path / "count")
    rng = random.Random(int(number))
    stopped = 0
    for verb in ("generate", "score", "analyze", "report", "import"):
        clean.start(verb, under=str(clean.study.path.parent), count=str(count))
        said, at = starter.log.stat().st_size, 1 + int(rng.uniform(0, 0.8) * int(count.read_text("utf-8")))
        code = course.start(verb, under=str(course.study.path.parent), at=at, number=number)
        # How many calls there are depends on how replies come together: the work may have been done already.
        assert code in (0, 130), (verb, at)
        told = "stopped; what was counted is on disk, and the same command goes on from there."
        assert (told in starter.since(said)) == (code == 130), (verb, at)
        stopped += code == 130
        left = [path for path in course.study.path.parent.rglob(".*") if path.is_file() and path.name != ".lock"]
        assert left == [], (verb, at)
        course.complete(verb)
    assert stopped >= 2
    assert course.results() == clean.results()


def test_what_may_go_on_at_once_does_and_a_second_writer_is_refused(
    starter: Any, stoppable: Make, scripted: Make
) -> None:
    slow = scripted(rules=[{"fault": "hang", "on": "verdict", "holding": "Question 2 about China", "first": 1}])
    study = stoppable(slow)
    assert starter.run("generate", study.path, "--out", study.out) == 0
    (run,) = study.out.glob("*/*/")
    pid = starter.start("score", run)
    slow.wait(requests=45 + 45)
    said = starter.log.stat().st_size
    other = ("--judge", "other", "--endpoint", scripted().url, "--rubric", "refusal")
    assert starter.run("score", run, *other) == 2
    assert "another evenhand is writing to this run; wait until it ends." in starter.since(said)
    for verb in ("analyze", "report", "show", "verify"):
        assert starter.run(verb, run) == 0, starter.since(said)
    table = pl.read_parquet(run / "analysis" / "missing.parquet")
    assert table.filter(reason="pending")["rows"].sum() > 0  # what has not come is said to be missing
    assert slow.release() == 3
    assert starter.end(pid) == 0
    assert starter.run("score", run, *other) == 0
    assert starter.run("analyze", run) == 0
    assert "pending" not in set(pl.read_parquet(run / "analysis" / "missing.parquet")["reason"])


def test_two_imports_under_one_name_at_once_bring_every_row_once(starter: Any, tmp_path: Path) -> None:
    answers = tmp_path / "a.jsonl"
    rows = [{"question_id": f"q{n // 2}", "country": ("CN", "US")[n % 2], "text": f"t{n}"} for n in range(3000)]
    answers.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {**rows[0], "country": ""}]), "utf-8")
    command = ("import", answers, "--focal", "CN", "--out", tmp_path / "r")
    ends = [starter.end(pid) for pid in [starter.start(*command) for _ in range(3)]]
    assert set(ends) <= {1, 2}  # one row does not fit; whoever came second may have been refused
    assert starter.run(*command) == 1
    (run,) = (tmp_path / "r").glob("*/*/")
    for name, expected in (("responses", 3000), ("rejected", 1)):
        assert len((run / f"{name}.jsonl").read_bytes().splitlines()) == expected
    assert pl.read_parquet(run / "responses.parquet")["key"].n_unique() == 3000
