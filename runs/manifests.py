"""What `run.json` and `scoring.json` must say: they may come from elsewhere, and are checked before use."""

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runs.errors import InputError, StoreError
from runs.files import read_file
from runs.frames import whole_characters

LARGEST = 64 * 2**20
"""Bytes; a manifest holds the study, and is a few kilobytes."""
MOST_EPOCHS, MOST_REPEATS = 10_000, 1000


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True, protected_namespaces=())

    digest: str
    status: str


class RunManifest(_Manifest):
    """`run.json`."""

    model: str
    identity: dict[str, Any]
    study: "_Study"
    epochs: Annotated[int, Field(ge=1, le=MOST_EPOCHS)] | None
    sources: dict[str, dict[str, Any]] | None = None
    versions: dict[str, str] = {}


class ScoringManifest(_Manifest):
    """`scoring.json`."""

    judge: str
    rubric: str
    rubric_version: str
    identity: "_Identity"
    repeats: int = Field(ge=1, le=MOST_REPEATS)
    on: str | None = None
    placebo: str | None = None
    settings: dict[str, Any] | None = None


class _Study(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    name: str
    focal: str | None = None
    rubric: str | None = None
    judges: list[dict[str, Any]] = []
    analysis: dict[str, Any] | None = None


class _Identity(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    rubric: str


def read_manifest(path: Path, kind: type[_Manifest]) -> dict[str, Any]:
    """Return what the manifest at `path` says, as it stands there.

    Raises:
        StoreError: there is none, it is damaged, or says something that no manifest of ours says.
    """
    try:
        content = whole_characters(json.loads(read_file(path, LARGEST)))
        kind.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"])) or "it"
        raise StoreError(f"{path}: {key!r} does not fit ({first['msg'].lower()}); restore it from a copy.") from None
    except (InputError, ValueError, RecursionError) as error:
        raise StoreError(f"{path}: cannot be read ({error}); restore it from a copy.") from None
    return dict(content)
