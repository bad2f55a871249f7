"""Rubrics: read from TOML, shipped with the package, written back, and told apart by their content."""

import re
from collections import Counter
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import tomli_w
from pydantic import AfterValidator, Field, field_validator

from rubrics.criterion import Criterion, Id
from runs.digest import digest
from runs.errors import InputError, nearest
from runs.tomlfile import Table, load


def _checked_version(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,31}", text):
        raise ValueError('expected letters, digits, ".", "+" and "-", such as "1.2"')
    return text


class Rubric(Table):
    """What is scored: one or more criteria under a name and a version."""

    name: Id
    version: Annotated[str, AfterValidator(_checked_version)]
    description: str
    """What the rubric measures, for people; judges do not see it."""
    logprobs: bool = False
    """Whether judges that leave it open are asked for token probabilities, and the expected score over the levels of an
    ordinal or binary criterion is what counts (G-Eval)."""
    criteria: tuple[Criterion, ...] = Field(min_length=1)

    @field_validator("criteria")
    @classmethod
    def _ids_are_unique(cls, criteria: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
        name, count = Counter(criterion.id for criterion in criteria).most_common(1)[0]
        if count > 1:
            raise ValueError(f"{count} criteria have the id {name!r}; give each its own")
        return criteria

    @property
    def digest(self) -> str:
        """64 hex characters: the digest of all that a judge sees of the rubric.

        Name, version, description and weights change no verdict and do not count, and `logprobs` counts as the judge's
        setting; the order of criteria and of levels does.
        """
        return digest([_seen_by_judges(criterion) for criterion in self.criteria])

    def criterion(self, criterion_id: str) -> Criterion:
        """Return the criterion with this id.

        Raises:
            InputError: there is none.
        """
        for criterion in self.criteria:
            if criterion.id == criterion_id:
                return criterion
        known = nearest(criterion_id, [criterion.id for criterion in self.criteria])
        raise InputError(f"rubric {self.name!r} has no criterion {criterion_id!r}; {known}")


def load_rubric(name_or_path: str | Path) -> Rubric:
    """Return a shipped rubric by its name ("candour"), or the one in a TOML file (a path with "/" or ".toml").

    Raises:
        InputError: there is no such rubric or file, or something in it does not fit; one sentence with key and fix.
    """
    if isinstance(name_or_path, Path) or "/" in name_or_path or name_or_path.endswith(".toml"):
        return load(Rubric, Path(name_or_path))
    if name_or_path not in shipped():
        raise InputError(
            f"rubric {name_or_path!r}: no rubric of this name is shipped; {nearest(name_or_path, shipped())} "
            "For one of your own write its path, ending in .toml."
        )
    return _shipped(name_or_path)


def shipped() -> tuple[str, ...]:
    """Return the names of the rubrics that come with the package, in alphabetical order."""
    return tuple(sorted(file.name.removesuffix(".toml") for file in _data().iterdir() if file.name.endswith(".toml")))


def dump_toml(rubric: Rubric) -> str:
    """Return `rubric` as TOML that `load_rubric` reads back to an equal rubric."""
    return tomli_w.dumps(rubric.model_dump(mode="json", exclude_none=True))


@cache
def _shipped(name: str) -> Rubric:
    with resources.as_file(_data() / f"{name}.toml") as path:
        return load(Rubric, path)


def _data() -> Traversable:
    return resources.files("rubrics") / "data"


def _seen_by_judges(criterion: Criterion) -> dict[str, object]:
    seen = criterion.model_dump(mode="json", exclude={"weight", "anchors", "examples"})
    levels = [[level, meaning, criterion.examples.get(level)] for level, meaning in criterion.anchors.items()]
    return seen | {"levels": levels}
