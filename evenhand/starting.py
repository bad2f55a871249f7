"""A study of one's own to start from: any question set, any rubric, any countries."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import tomli_w

from rubrics import Rubric, dump_toml, load_rubric
from rubrics import shipped as shipped_rubrics
from runs import countries as world
from runs.errors import InputError
from runs.folder import make_folder
from runs.journal import write_whole
from runs.questions import SHIPPED, QuestionSet, load_questions
from runs.questions import shipped as shipped_sets
from runs.store import Run, open_run
from runs.tomlfile import parse

COUNTRIES = ("CN", "US", "RU", "IN", "BR", "DE", "JP", "ZA")
_RUBRICS = Path(str(resources.files("rubrics") / "data"))
_COMMENTS_AT = 36
"""The column at which the study file's comments stand, where the line is not longer."""


@dataclass(frozen=True)
class _Material:
    """A question set or a rubric, as the study file will name it."""

    named: str
    copies: tuple[tuple[Path, Path], ...] = ()
    """Files to copy: from, to."""


def init(
    folder: Path | str,
    *,
    questions: Path | str = "quick",
    rubric: Path | str = "candour",
    focal: str = "CN",
    countries: Sequence[str] = COUNTRIES,
    copy: bool = False,
    run: Path | str | None = None,
) -> Path:
    """Write a commented `study.toml` into `folder` and return its path.

    Args:
        folder: made if it is not there.
        questions: a shipped set, or the path of one's own.
        rubric: a shipped rubric, or the path of one's own.
        focal: the country under test, a code or a name.
        countries: codes, names or lists such as `g20`; the focal one is added if it is not among them.
        copy: whether set and rubric (with its worked examples) are copied into `folder`, to be edited there.
        run: a run's folder or its `run.json`, whose study, set and rubric are written instead; all else is left out.

    Raises:
        InputError: the set, the rubric or a country is unknown, or a file would be overwritten; nothing is written.
        StoreError: the disk refuses.
    """
    path = Path(folder) / "study.toml"
    if run is not None:
        return _again(path, Path(run))
    asked, _ = load_questions(questions), load_rubric(rubric)
    if not asked.about_country:
        raise InputError(f"Question set {asked.name!r} asks about no country, so that none can be focal; name another.")
    set_, scale = _set(questions, path.parent, copy), _scale(rubric, path.parent, copy)
    files = [*set_.copies, *scale.copies]
    _check_free(path, *(copied for _, copied in files))
    content = _study(path, asked, _countries(focal, countries), set_.named, scale.named)
    make_folder(path.parent)
    for source, copied in files:
        write_whole(copied, source.read_bytes())
    write_whole(path, content.encode())
    return path


def _again(path: Path, run: Path) -> Path:
    """Write the study of a run as its `run.json` tells it, with its question set and its rubric beside it."""
    manifest = Run(run.parent).manifest if run.name == Run.manifest_name else open_run(run).manifest
    sources, study = manifest.get("sources"), _without_nulls(manifest["study"])
    if sources is None:
        raise InputError(f"{run}: tells not what was asked (imported, or of an early version); write a study by hand.")
    where = f"{run}: sources"
    asked = parse(QuestionSet, sources.get("questions") or {}, f"{where}.questions")
    scale = parse(Rubric, sources.get("rubric") or {}, f"{where}.rubric")
    files = {
        path.with_name("again.questions.toml"): tomli_w.dumps(asked.model_dump(mode="json", exclude_none=True)),
        path.with_name("again.rubric.toml"): dump_toml(scale),
    }
    named = dict(zip(("set", "rubric"), (file.name for file in files), strict=True))
    study["questions"] = {**study.get("questions", {}), "set": named["set"]}
    files[path] = tomli_w.dumps({**study, "rubric": named["rubric"]})
    _check_free(*files)
    make_folder(path.parent)
    for file, content in files.items():
        write_whole(file, content.encode())
    return path


def _without_nulls(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _without_nulls(value) for key, value in content.items() if value is not None}
    return [_without_nulls(value) for value in content] if isinstance(content, list) else content


def _check_free(*files: Path) -> None:
    for file in files:
        if file.exists():
            raise InputError(f"{file} is there already; choose another folder, or edit it.")


def _set(name: Path | str, folder: Path, copy: bool) -> _Material:
    shipped = str(name) in shipped_sets()
    source = SHIPPED / f"{name}.toml" if shipped else Path(name)
    if not copy:
        return _Material(str(name) if shipped else os.path.relpath(source, folder))
    copied = folder / f"{source.stem.removesuffix('.questions')}.questions.toml"
    return _Material(copied.name, ((source, copied),))


def _scale(name: Path | str, folder: Path, copy: bool) -> _Material:
    shipped = str(name) in shipped_rubrics()
    source = _RUBRICS / f"{name}.toml" if shipped else Path(name)
    if not copy:
        return _Material(str(name) if shipped else os.path.relpath(source, folder))
    copied = folder / f"{source.stem.removesuffix('.rubric')}.rubric.toml"
    examples = _RUBRICS / "examples" / f"{name}.toml" if shipped else source.with_suffix(".examples.toml")
    more = ((examples, copied.with_suffix(".examples.toml")),) if examples.exists() else ()
    return _Material(copied.name, ((source, copied), *more))


def _countries(focal: str, countries: Sequence[str]) -> list[str]:
    """Return what the study names, the focal country's code first."""
    codes = world.resolve([focal])
    if len(codes) != 1:
        raise InputError(f"--focal {focal}: {len(codes)} countries; one country is under test, so name one of them.")
    among = codes[0] in world.resolve(countries)
    return [codes[0], *countries] if not among else [codes[0], *(n for n in countries if world.resolve([n]) != codes)]


def _study(path: Path, asked: QuestionSet, countries: list[str], set_: str, rubric: str) -> str:
    """Return the study file, with its comments in one column as far as the values allow."""
    language = "en" if "en" in asked.languages else asked.languages[0]
    values = {
        "name": path.resolve().parent.name.encode(errors="replace").decode()[:100] or "my-study",
        "focal": countries[0],
        "rubric": rubric,
        "set": set_,
        "countries": countries,
        "languages": [language],
    }
    # JSON's strings and lists of strings are TOML's, but for one character that TOML wants escaped.
    said = {key: json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f") for key, value in values.items()}
    said["known"] = ", ".join(asked.languages)
    lines = resources.files("evenhand").joinpath("data", "study.toml").read_text("utf-8").splitlines()
    return "".join(f"{_line(line, said)}\n" for line in lines)


def _line(line: str, said: dict[str, str]) -> str:
    code, mark, comment = (Template(part).substitute(said) for part in line.partition("  # "))
    return f"{code.rstrip():<{_COMMENTS_AT - 1}} # {comment}" if mark else code
