"""The study file: the question, declared before the data exist."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field, field_validator

from analysis.settings import Analysis
from judging.settings import Judge
from rubrics import Rubric, load_rubric
from runs import countries
from runs.errors import InputError, nearest
from runs.files import is_folder
from runs.items import make_items
from runs.questions import QuestionSet, load_questions
from runs.settings import Generation
from runs.tomlfile import Table, parse, read_toml


class Questions(Table):
    """The `[questions]` table: what is asked about whom, in which languages."""

    set: str = "quick"
    """A shipped set, or a path beside the study file."""
    countries: tuple[str, ...] = Field(min_length=1)
    """ISO codes, names, or shipped lists such as `g20`."""
    languages: tuple[str, ...] = ("en",)


class Study(Table):
    """A study as its file states it."""

    name: str = Field(min_length=1, max_length=100)
    focal: str
    """The country under test, one of `questions.countries`."""
    rubric: str = "candour"
    """A shipped rubric, or a path beside the study file."""
    questions: Questions
    generation: Generation
    judges: tuple[Judge, ...] = ()
    analysis: Analysis = Analysis()

    @field_validator("judges")
    @classmethod
    def _names_are_unique(cls, judges: tuple[Judge, ...]) -> tuple[Judge, ...]:
        names = Counter(judge.name for judge in judges)
        twice = next((name for name, count in names.items() if count > 1), None)
        if twice is not None:
            raise ValueError(f"two judges are called {twice!r}; give each a `name` of its own")
        if "panel" in names:
            raise ValueError("'panel' is what tables call all judges together; give the judge another name")
        return judges


@dataclass(frozen=True)
class Plan:
    """A study with all that it names, read and checked."""

    path: Path
    study: Study
    focal: str
    """The focal country's code."""
    questions: QuestionSet
    rubric: Rubric
    items: pl.DataFrame
    """Schema `runs.frames.ITEMS`."""

    def resolved(self) -> dict[str, Any]:
        """Return the study as `run.json` keeps it: what was asked for, with countries as codes."""
        study = self.study.model_dump(mode="json")
        study["focal"] = self.focal
        study["questions"]["countries"] = self.items["country"].unique(maintain_order=True).to_list()
        return study

    def sources(self) -> dict[str, Any]:
        """Return the question set and the rubric as they were, so that `run.json` is enough to ask again."""
        return {
            "questions": self.questions.model_dump(mode="json", exclude_none=True),
            "rubric": self.rubric.model_dump(mode="json", exclude_none=True),
        }


def load_study(path: Path) -> Plan:
    """Return the study at `path` (a file, or a folder with a `study.toml`) with all that it names.

    Raises:
        InputError: something is missing, unknown or contradictory; one sentence with file, key and fix.
    """
    path = path / "study.toml" if is_folder(path) else path
    return read_study(read_toml(path), path)


def read_study(content: dict[str, Any], path: Path) -> Plan:
    """Return the study that `content`, the tables of the file at `path`, declares; else as `load_study`."""
    _check_place(path, content)
    study = parse(Study, content, path)
    asked = countries.resolve(study.questions.countries)
    focal = countries.resolve([study.focal])
    if len(focal) != 1 or focal[0] not in asked:
        raise InputError(f"{path}: focal = {study.focal!r} is not one of questions.countries; add it there.")
    if len(asked) < 2:
        raise InputError(
            f"{path}: questions.countries holds one country; a contrast needs at least one to compare with."
        )
    questions = load_questions(_beside(path, study.questions.set))
    items = make_items(questions, asked, study.questions.languages)
    rubric = load_rubric(_beside(path, study.rubric))
    _check_contrasts(path, study, rubric)
    return Plan(path, study, focal[0], questions, rubric, items)


def _beside(path: Path, name: str) -> str:
    """Return a path as seen from the study file; a shipped name as it is."""
    is_path = "/" in name or name.endswith(".toml")
    return str(path.parent / name) if is_path else name


def _check_contrasts(path: Path, study: Study, rubric: Rubric) -> None:
    """Raise if a declared contrast names no criterion or judge of the study: else it is found out after paying."""
    judges = [judge.name for judge in study.judges]
    for number, contrast in enumerate(study.analysis.contrasts or (), 1):
        here = f"{path}: analysis.contrasts[{number}]"
        if contrast.criterion is not None:
            try:
                rubric.criterion(contrast.criterion)
            except InputError as error:
                raise InputError(f"{here}: {error}") from None
        named = contrast.judge
        if named is not None and named not in [*judges, "panel"] and not named.startswith("human:"):
            raise InputError(f"{here}: there is no judge {named!r}; {nearest(named, judges)}")


def _check_place(path: Path, content: dict[str, Any]) -> None:
    """Raise if a key of the study itself slid into a table, which TOML does to every key below a `[table]` line."""
    own = {"name", "focal", "rubric"}
    for table, inside in _tables(content):
        for key in own - set(content):
            if key in inside and not (table == "judges" and key == "name"):
                raise InputError(
                    f"{path}: {key!r} stands under [{table}]; in TOML a key belongs to the table above it, "
                    f"so move the line `{key} = …` to the top of the file."
                )


def _tables(content: dict[str, Any], above: str = "") -> list[tuple[str, dict[str, Any]]]:
    found = []
    for key, value in content.items():
        for table in value if isinstance(value, list) else [value]:
            if isinstance(table, dict):
                found += [(above + key, table), *_tables(table, f"{above}{key}.")]
    return found
