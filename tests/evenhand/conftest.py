"""The command line in this process, and a study that is asked at the scripted endpoint."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import evenhand
from evenhand.cli import main

QUESTIONS = """
name = "few"
version = "1"
description = "Six questions."
"""
QUESTION = """
[[questions]]
id = "q{number}"
topic = "press"
sensitive = {sensitive}
[questions.text]
en = "How free is the press {{in_country}}, in respect number {number}?"
"""
STUDY = """
name = "small"
focal = "CN"
rubric = "candour"

[questions]
set = "few.toml"
countries = ["CN", "US", "NO"]

[generation]
model = "org/model"
endpoint = "{answers}"
epochs = 2
max_tokens = 200
concurrency = 16

[[judges]]
name = "first"
model = "judge-a"
endpoint = "{verdicts}"
"""


@dataclass(frozen=True)
class Told:
    """What one command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout, which must be one JSON object on one line."""
        assert self.out.endswith("}\n")
        assert self.out.count("\n") == 1
        return json.loads(self.out)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Return a function that runs `evenhand` with arguments, as the installed command does."""

    def call(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["evenhand", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return Told(int(ended.value.code or 0), told.out, told.err)

    return call


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a study with six questions, three countries and one judge."""

    def write(answers: str = "http://127.0.0.1:9/v1", verdicts: str | None = None, *, more: str = "") -> Path:
        return _write_study(tmp_path, answers, verdicts or answers, more)

    return write


@pytest.fixture(scope="session")
def _finished(scripted: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    url = scripted().url
    return evenhand.run(_write_study(folder, url, url), root=folder / "r").run.path


@pytest.fixture
def finished(_finished: Path, tmp_path: Path) -> Path:
    """A run of that study, with 36 answers, scored, analyzed and reported: a copy of its own for each test."""
    shutil.copytree(_finished.parents[1], tmp_path / "r")
    return tmp_path / "r" / _finished.parent.name / _finished.name


def _write_study(folder: Path, answers: str, verdicts: str, more: str = "") -> Path:
    questions = "".join(QUESTION.format(number=number, sensitive=str(number % 3 > 0).lower()) for number in range(6))
    (folder / "few.toml").write_text(QUESTIONS + questions, "utf-8")
    path = folder / "study.toml"
    path.write_text(STUDY.format(answers=answers, verdicts=verdicts) + more, "utf-8")
    return path


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runs.calls.LONGEST_PAUSE", 0.1)
    monkeypatch.setattr("runs.course.PATIENCE", 0)
