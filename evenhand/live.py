"""A run that is still being made, read as it grows: only what is new is read again.

Until a ledger is sealed its journals would have to be read whole for every look. Here their new lines are copied to a
folder of our own and sealed there, part by part; small parts are joined, so that there are never many.
"""

import shutil
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from runs.folder import Folder
from runs.journal import Journal
from runs.ledger import Ledger
from runs.store import Run, Scoring

LINGER = 60.0
"""Seconds for which a part stays that has been joined into another: a page may be about to read it."""


@dataclass(frozen=True)
class _Part:
    path: Path
    rows: int


class GrowingLedger(Ledger):
    """A ledger that somebody else writes, read part by part. Not for writing."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger.folder, ledger.sealed.stem, ledger.schema)
        self._scratch = TemporaryDirectory(prefix="evenhand-")
        self._lock = threading.Lock()
        self._parts: list[_Part] = []
        self._retired: list[tuple[float, Path]] = []
        self._read_to = [0, 0]
        self._made = 0

    def scan(self) -> pl.LazyFrame:
        """Return the frame of everything, lazily. Raises `StoreError` as `Ledger.scan` does."""
        with self._lock:
            if self.is_sealed():
                self._forget()
                return super().scan()
            self._catch_up()
            return _every_key_once([pl.scan_parquet(part.path) for part in self._parts])

    def _forget(self) -> None:
        self._retire(*self._parts)
        self._parts, self._read_to = [], [0, 0]

    def _retire(self, *parts: _Part) -> None:
        now = time.monotonic()
        for _, path in (old for old in self._retired if old[0] < now - LINGER):
            path.unlink(missing_ok=True)
        self._retired = [old for old in self._retired if old[0] >= now - LINGER]
        self._retired += [(now, part.path) for part in parts]

    def _catch_up(self) -> None:
        """Read what the journals hold beyond what has been read."""
        journals = (self.records, self.failures)
        if any(journal.size() < read for journal, read in zip(journals, self._read_to, strict=True)):
            self._forget()  # these are other journals
        if not self._parts:
            # An earlier seal may hold what the journals do not; the ledger knows how to join them.
            ends = [journal.size() - journal.torn() for journal in journals]
            self._keep(super().scan())
            self._read_to = ends
            return
        fresh = Ledger(self._place(), self.sealed.stem, self.schema)
        fresh.folder.mkdir()
        ends = [
            _copy_lines(journal, copy, read)
            for journal, copy, read in zip(journals, (fresh.records, fresh.failures), self._read_to, strict=True)
        ]
        if ends != self._read_to:
            self._keep(fresh.scan())
            self._read_to = ends
        shutil.rmtree(fresh.folder)
        while len(self._parts) > 1 and self._parts[-1].rows * 2 >= self._parts[-2].rows:
            *self._parts, before, last = self._parts
            self._keep(_every_key_once([pl.scan_parquet(before.path), pl.scan_parquet(last.path)]))
            self._retire(before, last)

    def _keep(self, rows: pl.LazyFrame) -> None:
        path = self._place()
        rows.sink_parquet(path, row_group_size=10_000)
        self._parts.append(_Part(path, pl.scan_parquet(path).select(pl.len()).collect().item()))

    def _place(self) -> Path:
        self._made += 1
        return Path(self._scratch.name) / f"{self._made}"


def _every_key_once(parts: list[pl.LazyFrame]) -> pl.LazyFrame:
    """Return the rows of `parts`, later ones last: every key once, its first record, else its last failure."""
    if len(parts) == 1:
        return parts[0]
    rows = pl.concat(parts)
    came = rows.filter(pl.col("kind").is_null()).unique("key", keep="first", maintain_order=True)
    gone = rows.filter(pl.col("kind").is_not_null()).unique("key", keep="last", maintain_order=True)
    return pl.concat([came, gone.join(came.select("key"), on="key", how="anti", maintain_order="left")])


def _copy_lines(journal: Journal, copy: Journal, start: int) -> int:
    """Append the whole lines of `journal` from byte `start` on to `copy`; return where they end."""
    end = journal.size() - journal.torn()
    if end > start:
        with journal.path.open("rb") as lines, copy.path.open("wb") as file:
            lines.seek(start)
            file.write(lines.read(end - start))
    return max(end, start)


class GrowingScoring(Scoring):
    """A scoring that may still grow."""

    @cached_property
    def ledger(self) -> Ledger:
        """The verdicts so far."""
        return GrowingLedger(super().ledger)


class GrowingRun(Run):
    """A run that may still grow, and its scorings."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._scorings: dict[Path, Scoring] = {}

    @cached_property
    def ledger(self) -> Ledger:
        """The responses so far."""
        return GrowingLedger(super().ledger)

    def scorings(self) -> list[Scoring]:
        """Return the scorings that exist, by name."""
        for scoring in super().scorings():
            self._scorings.setdefault(scoring.path, GrowingScoring(scoring.path))
        return [scoring for path, scoring in sorted(self._scorings.items()) if path.exists()]

    def forget_manifests(self) -> None:
        """Read the manifests again when they are next asked for."""
        for folder in (self, *self._scorings.values()):
            folder.__dict__.pop("manifest", None)

    def is_growing(self) -> bool:
        """Whether something of the run is not sealed yet."""
        return any(not folder.ledger.is_sealed() for folder in (self, *self.scorings()))

    def stamp(self) -> tuple[object, ...]:
        """Return what changes whenever something in the run does; it costs a few file sizes."""
        return tuple(_stamp(path) for folder in (self, *super().scorings()) for path in _files(folder))


def _files(folder: Folder) -> tuple[Path, ...]:
    ledger = Ledger(folder.path, folder.ledger_name, folder.schema)
    files = (folder.path / folder.manifest_name, ledger.records.path, ledger.failures.path, ledger.sealed)
    return (*files, folder.path / "analysis" / "contrasts.parquet") if isinstance(folder, Run) else files


def _stamp(path: Path) -> tuple[str, int, int] | None:
    try:
        told = path.stat()
    except OSError:
        return None
    return path.name, told.st_size, told.st_mtime_ns
