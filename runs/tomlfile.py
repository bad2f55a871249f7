"""TOML that people write, read into pydantic models, with errors that name file, key and fix."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from runs.errors import InputError, nearest

LARGEST_FILE = 16 * 1024 * 1024
"""Bytes; a file that people write is never near this size."""


M = TypeVar("M", bound=BaseModel)


class Table(BaseModel):
    """A TOML table: unknown keys are errors, values are not changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())


def read_toml(path: Path) -> dict[str, Any]:
    """Return what the TOML file at `path` says.

    Raises:
        InputError: there is no such file, it cannot be read, or it is not TOML.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError(
                f"{path}: {path.stat().st_size:,} bytes is too large for a file of this kind (16 MiB at most)."
            )
        text = path.read_text("utf-8")
        return tomllib.loads(text)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{path}: not valid TOML: {error}.") from None


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
    got = _quoted(problem["input"])
    message = problem["msg"].removeprefix("Value error, ")
    subject = f"{key!r} is {got}: " if location else ""
    return f"{subject}{message[0].lower() if location else message[0]}{message[1:].rstrip('.')}."


def _dotted(location: tuple[int | str, ...]) -> str:
    """Return `("judges", 0, "name")` as people count: `judges[1].name`."""
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _quoted(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


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
