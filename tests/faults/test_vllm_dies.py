"""The real engine, killed or frozen in the middle of its work: it is started again, and nothing is left over."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runs.store import find_runs

pytestmark = pytest.mark.vllm

STUDY = """
name = "engine"
focal = "CN"

[questions]
set = "quick"
countries = ["CN", "US", "DE"]

[generation]
model = "bundled/SmolLM2-135M-Instruct"
max_tokens = 64
concurrency = 24
attempts = 1
timeout = 60.0
"""
ANSWERS = 36


def descendants(pid: int) -> dict[int, str]:
    """Return pid → command line of everything below `pid`."""
    parents, lines = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat, line = (folder / "stat").read_text(), (folder / "cmdline").read_bytes()
        except OSError:
            continue
        parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
        lines[int(folder.name)] = line.decode("utf-8", "replace")
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return {one: lines[one] for one in found if one in lines}


def engine_core(pid: int) -> int:
    (core,) = (one for one, line in descendants(pid).items() if line.startswith("VLLM::EngineCore"))
    return core


def journal_lines(folder: Path) -> list[bytes]:
    return [line for path in folder.rglob("responses.jsonl") for line in path.read_bytes().splitlines()]


@pytest.fixture
def working(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """`evenhand generate` when the first answers are on disk."""
    (tmp_path / "study.toml").write_text(STUDY, "utf-8")
    command = [sys.executable, "-m", "evenhand", "generate", "study.toml"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        while not journal_lines(tmp_path):
            assert process.poll() is None
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_an_engine_lost_at_work_is_replaced(
    working: "subprocess.Popen[str]", tmp_path: Path, number: signal.Signals
) -> None:
    before = descendants(working.pid)
    os.kill(engine_core(working.pid), number)
    _, told = working.communicate(timeout=900)
    assert "starting it again (1 of 3)" in told
    assert working.returncode in (0, 1), told  # 1: some answers are longer than they may be
    (run,) = find_runs(tmp_path / "results")
    answers = run.responses().collect()
    assert answers.height == answers["key"].n_unique() == ANSWERS
    assert set(answers["status"]) <= {"ok", "truncated", "empty"}
    assert not {pid: line for pid, line in descendants(1).items() if before.get(pid) == line and "vllm" in line.lower()}
