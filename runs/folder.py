"""A folder of the store: a JSON manifest that tells what it is, and a ledger of records."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from runs.digest import digest
from runs.errors import EvenhandError, InputError, StoreError
from runs.files import is_there
from runs.journal import refusal, set_aside, sync_folder, write_whole
from runs.ledger import Ledger
from runs.manifests import RunManifest, ScoringManifest, read_manifest


class Folder:
    """A folder with a JSON manifest in it, and a ledger."""

    manifest_name: str
    manifest_kind: type[RunManifest] | type[ScoringManifest]
    ledger_name: str
    schema: pl.Schema

    def __init__(self, path: Path, *, from_journals: bool = False) -> None:
        """`from_journals`: read what the journals hold from there, and not from the Parquet files."""
        self.path = path
        self.from_journals = from_journals
        self._set_aside: list[str] = []
        self._unmade: tuple[dict[str, Any], dict[str, Any], Beside] | None = None

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What the manifest says.

        Raises:
            StoreError: it is missing or damaged.
        """
        path = self.path / self.manifest_name
        if not is_there(path):
            raise InputError(f"{self.path}: not a run, for it has no {self.manifest_name}; see `evenhand list`.")
        return read_manifest(path, self.manifest_kind)

    def note(self, **facts: Any) -> None:
        """Write `facts` into the manifest, beside what stands there; if it is not made yet, once it is."""
        if self._unmade is not None:
            identity, known, beside = self._unmade
            self._unmade = identity, {**known, **facts}, beside
            return
        write_manifest(self.path / self.manifest_name, {**self.manifest, **facts})
        del self.manifest

    @cached_property
    def ledger(self) -> Ledger:
        """The records and failures of this folder."""
        return Ledger(self.path, self.ledger_name, self.schema, from_journals=self.from_journals)

    def damage(self) -> list[str]:
        """Return a sentence for each file that is set aside, and each line that the next seal passes over."""
        if self.ledger.is_sealed():
            return list(self._set_aside)
        seal = self.ledger.sealed
        told = [f"{seal} is damaged: it is made again, and set aside."] if self.ledger.is_seal_broken() else []
        return [*self._set_aside, *told, *map(str, self.ledger.damaged())]

    @property
    def is_made(self) -> bool:
        """Whether the folder is there; one that is made later is not before something is written to it."""
        return self._unmade is None

    def make(self) -> None:
        """Make the folder, if that was put off. Raises `StoreError` if the disk refuses."""
        if self._unmade is not None:
            self._make(*self._unmade)
            self._unmade = None

    def _make_later(self, identity: dict[str, Any], facts: dict[str, Any], beside: "Beside") -> None:
        self._unmade = identity, facts, beside
        self.ledger.before_writing = self.make

    def _make(self, identity: dict[str, Any], facts: dict[str, Any], beside: "Beside") -> None:
        """Write the manifest and the file `beside` it, unless they are there; what is damaged is set aside first.

        The manifest comes last: a folder without one is none.
        """
        identified = digest(identity)
        path = self.path / self.manifest_name
        whole = path.exists() and self._says(identity)
        if whole and beside.is_whole():
            return
        make_folder(self.path)
        if not beside.is_whole():
            self._put_aside(beside.path)
            write_whole(beside.path, beside.content)
        if not whole:
            self._put_aside(path)
            write_manifest(path, {**facts, "identity": identity, "digest": identified})

    def _says(self, identity: dict[str, Any]) -> bool:
        try:
            return bool(digest(self.manifest["identity"]) == self.manifest["digest"] == digest(identity))
        except StoreError:
            return False

    def _put_aside(self, path: Path) -> None:
        """Rename what is at `path`: it is damaged, and may still tell something to a person."""
        if not path.exists():
            return
        aside = set_aside(path)
        self.__dict__.pop("manifest", None)
        self._set_aside.append(f"{path} was damaged: it stands as {aside.name} now, and was written anew.")


@dataclass(frozen=True)
class Beside:
    """A file that stands beside a manifest, and is part of what the manifest's digest is of."""

    path: Path
    content: bytes
    is_same: Callable[[Path], bool]
    """Whether what is at `path` says the same; raises OSError, ValueError or EvenhandError if it cannot be read."""

    def is_whole(self) -> bool:
        """Whether it is there, and says what it should."""
        try:
            return self.path.exists() and self.is_same(self.path)
        except (OSError, ValueError, EvenhandError):
            return False


def make_folder(path: Path) -> None:
    """Make `path` and what is above it. Raises `StoreError` if the disk refuses."""
    new = [one for one in (path, *path.parents) if not one.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        for one in new:  # a record in a folder whose name a power cut takes away is lost
            sync_folder(one.parent)
    except OSError as error:
        raise refusal(path, error) from None


def write_manifest(path: Path, content: dict[str, Any]) -> None:
    """Write `content` as indented JSON, whole or not at all."""
    write_whole(
        path,
        (json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n").encode("utf-8", "backslashreplace"),
    )
