"""TOML that people write, read into pydantic models, with errors that name file, key and fix."""

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from runs.errors import InputError, nearest
from runs.files import read_file

LARGEST_FILE = 4 * 1024 * 1024
"""Bytes; a file that people write is never near this size: 40,000 questions in one language fit."""
DEEPEST = 32
"""Levels of tables and lists inside each other, and parts of a dotted key; files of ours have five at most."""

# tomllib takes time that grows with the square of the parts of a dotted key.
_LONG_KEY = re.compile(
    r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){%d}""" % DEEPEST  # noqa: UP031 — braces
)


M = TypeVar("M", bound=BaseModel)


class Table(BaseModel):
    """A TOML table: unknown keys are errors, values are not changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())


class SecretError(ValueError):
    """Why a value does not fit that may hold a secret: it must not be repeated."""


def read_toml(path: Path) -> dict[str, Any]:
    """Return what the TOML file at `path` says.

    Raises:
        InputError: there is no such file, it cannot be read, or it is not TOML.
    """
    return parse_toml(read_file(path, LARGEST_FILE), path)


def parse_toml(content: bytes, where: str | Path) -> dict[str, Any]:
    """Return what `content`, the bytes of a TOML file, says; `where` opens every error.

    A byte order mark (Windows) is passed over.

    Raises:
        InputError: it is not UTF-8 or not TOML, or deeper than any file that people write.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: byte {error.start} is not UTF-8; save the file as UTF-8.") from None
    if _LONG_KEY.search(text):
        raise InputError(f"{where}: a key has more than {DEEPEST} parts; expected tables as the manual shows them.")
    try:
        read = tomllib.loads(text)
    except RecursionError:
        raise InputError(f"{where}: tables or lists stand too deep inside each other.") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: not valid TOML: {error}.") from None
    except ValueError:
        raise InputError(f"{where}: holds a number of more digits than Python reads.") from None
    if _depth(read) > DEEPEST:
        raise InputError(f"{where}: tables or lists stand more than {DEEPEST} deep inside each other.")
    return read


def parse(model: type[M], content: dict[str, Any], where: str | Path) -> M:
    """Return `content` as a `model`; `where` (a path or a name) opens every error.

    Raises:
        InputError: the first thing that does not fit, with its key and the fix, and how many more there are.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        # A misspelt key is also a missing one; the spelling is the better news.
        problems = sorted(error.errors(include_url=False), key=lambda problem: problem["type"] != "extra_forbidden")
        more = f" ({len(problems) - 1} more like this in the file.)" if len(problems) > 1 else ""
        raise InputError(f"{where}: {_sentence(model, problems[0])}{more}") from None


def load(model: type[M], path: Path) -> M:
    """Return the TOML file at `path` as a `model`; see `read_toml` and `parse` for the errors."""
    return parse(model, read_toml(path), path)


def _sentence(model: type[BaseModel], problem: ErrorDetails) -> str:
    """Say one pydantic problem in the user's terms."""
    location, kind = problem["loc"], problem["type"]
    key = _dotted(location)
    if kind == "extra_forbidden":
        return f"unknown key {key!r}; {nearest(str(location[-1]), _keys_at(model, location[:-1]))}"
    if kind == "missing":
        return f"{key!r} is missing; add it."
    message = problem["msg"].removeprefix("Value error, ")
    if isinstance(problem.get("ctx", {}).get("error"), SecretError):
        return f"{key!r}: {message.rstrip('.')}."
    subject = f"{key!r} is {_quoted(problem['input'])}: " if location else ""
    return f"{subject}{message[0].lower() if location else message[0]}{message[1:].rstrip('.')}."


def _dotted(location: tuple[int | str, ...]) -> str:
    """Return `("judges", 0, "name")` as people count: `judges[1].name`."""
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _quoted(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # TOML writes numbers in hexadecimal that Python does not write in decimal
        text = "a number of thousands of digits"
    return text if len(text) <= 80 else text[:77] + "..."


def _depth(content: Any) -> int:
    """Return how deep tables and lists stand inside each other."""
    depth, level = 0, [content]
    while level:
        depth += 1
        inside = [part.values() if isinstance(part, dict) else part for part in level if isinstance(part, dict | list)]
        level = [value for values in inside for value in values]
    return depth


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that `model` knows at `location` (none where the path leaves declared tables)."""
    current: type[BaseModel] | None = model
    for part in location:
        if current is None:
            return []
        if isinstance(part, str):
            field = current.model_fields.get(part)
            current = _table_in(field.annotation) if field else None
    return [field.alias or name for name, field in current.model_fields.items()] if current else []


def _table_in(annotation: Any) -> type[BaseModel] | None:
    """Return the first model inside an annotation such as `list[Judge]` or `Generation | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _table_in(part))), None)
