"""A full disk, a read-only one, a clock that goes back: a sentence, and afterwards the same command completes."""

import itertools
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Make = Callable[..., Any]


class Disk:
    """A small disk of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def remount(self, options: str) -> None:
        """Mount it again with other options."""
        subprocess.run(["mount", "-o", f"remount,{options}", self.path], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", path]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    yield Disk(path)
    subprocess.run(["umount", path], check=True)


@pytest.fixture
def study(stoppable: Make, scripted: Make) -> Any:
    return stoppable(scripted())


@pytest.fixture(scope="module")
def clean(starter: Any, stoppable: Make, scripted: Make) -> list[Any]:
    whole = stoppable(scripted())
    assert starter.run(*whole.command) == 0, starter.log.read_text()
    results: list[Any] = whole.results()
    return results


def grow(starter: Any, disk: Disk, *command: object) -> int:
    """Run a command, with a little more room each time, until it completes; return how often it did not."""
    for failed in itertools.count():
        disk.remount(f"size={int(64 * 1.25**failed)}k")
        said = starter.log.stat().st_size
        code = starter.run(*command)
        if code == 0:
            return failed
        assert code == 2, starter.since(said)
        assert "the disk is full; make room and run the same command again" in starter.since(said)
    raise AssertionError


def test_a_full_disk_loses_nothing_wherever_it_fills(starter: Any, disk: Disk, study: Any, clean: list[Any]) -> None:
    study.out = disk.path / "results"
    failed = grow(starter, disk, *study.command)
    assert failed >= 3
    # What was on its way when the disk was full is asked once more, which can befall one call in two starts: four calls
    # are under way, and hardly more replies wait to be written.
    again = [times - 1 for times in study.asked().values()]
    assert max(again) <= failed
    assert sum(again) <= failed * 8
    study.check(clean)
    assert not [path for path in disk.path.rglob(".*") if path.name != ".lock"]


def test_an_import_onto_a_full_disk_completes_when_there_is_room(starter: Any, disk: Disk, tmp_path: Path) -> None:
    answers = tmp_path / "answers.jsonl"
    rows = [{"question_id": f"q{n // 2}", "country": ("CN", "US")[n % 2], "text": f"{n} " * 200} for n in range(400)]
    answers.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert grow(starter, disk, "import", answers, "--focal", "CN", "--out", disk.path / "results") >= 3
    (journal,) = disk.path.rglob("responses.jsonl")
    keys = [json.loads(line)["key"] for line in journal.read_bytes().splitlines()]
    assert len(keys) == len(set(keys)) == 400


def test_a_read_only_store_is_read_and_a_sentence_says_what_cannot_be_written(
    starter: Any, disk: Disk, study: Any, clean: list[Any]
) -> None:
    disk.remount("size=64m")
    study.out = disk.path / "results"
    assert starter.run(*study.command) == 0, starter.log.read_text()
    (run,) = study.out.glob("*/*/")
    disk.remount("ro")
    for command in (("list", "--out", study.out), ("show", run), ("show", run, "q1/CN/en"), ("agree", run)):
        assert starter.run(*command) == 0, starter.log.read_text()
    writing = (
        *(study.command, ("generate", study.path, "--out", study.out), ("score", run), ("analyze", run)),
        *(("report", run), ("import", study.path.with_name("answers.csv"), "--out", study.out)),
    )
    study.path.with_name("answers.csv").write_text("question_id,country,text\nq,CN,t\nq,US,t\n", "utf-8")
    for command in writing:
        said = starter.log.stat().st_size
        assert starter.run(*command) == 2, command
        assert "cannot be written (Read-only file system); nothing is lost." in starter.since(said)
    disk.remount("rw")
    assert starter.run(*study.command) == 0
    study.check(clean)


def test_a_clock_that_goes_back_changes_nothing(starter: Any, study: Any, clean: list[Any]) -> None:
    for years in (0, 3, 40):  # each process starts before the one it follows
        pid = starter.start(*study.command, years=years)
        if years < 40:
            study.endpoint.wait(requests=study.endpoint.stats()["requests"] + 20)
            assert starter.kill(pid)
            os.utime(next(study.out.rglob("*.jsonl")), (4e9, 4e9))  # a file from the year 2096
            continue
        assert starter.end(pid) == 0, starter.log.read_text()
    assert starter.run(*study.command) == 0
    study.check(clean)
    (run,) = study.out.glob("*/*/run.json")
    assert json.loads(run.read_text("utf-8"))["status"] == "complete"
