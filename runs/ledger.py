"""What came and what did not: two journals that are sealed into one Parquet file.

<name>.jsonl      records, each with a `key`
failures.jsonl    failures, each with a `key` and a `kind`
<name>.parquet    both, as one frame: every key once, a record where there is one, else its last failure

A key stands for the content that it is the digest of, so what the Parquet file holds beyond the journals (somebody made
room, or a line was damaged since) is as good as what they hold.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from runs.digest import digest, short
from runs.errors import StoreError
from runs.frames import fits, frame
from runs.journal import Damaged, Journal, replacing, set_aside

_OS_ERROR = re.compile(r"\(os error (\d+)\)")

CHUNK = 2_000
"""Records turned into a frame at a time, so that sealing and reading need little memory."""

ROW_GROUP = 4_000
"""Rows of the Parquet file that are written, and read, at a time."""


class Ledger:
    """The records and failures of one folder under one schema (which has the columns `key` and `kind`).

    `from_journals`: take nothing from the Parquet file that the journals hold, even if it is up to date.
    """

    def __init__(self, folder: Path, name: str, schema: pl.Schema, *, from_journals: bool = False) -> None:
        self.folder = folder
        self.schema = schema
        self._from_journals = from_journals
        self._broken: tuple[tuple[int, int, int], bool] | None = None
        self.records = Journal(folder / f"{name}.jsonl", self._fits)
        self.failures = Journal(folder / "failures.jsonl", self._fits)
        self.sealed = folder / f"{name}.parquet"
        self.before_writing: Callable[[], None] | None = None
        """Called before anything is written: makes the folder, where that waits until there is something to keep."""

    def append(self, records: Iterable[Mapping[str, Any]], failures: Iterable[Mapping[str, Any]] = ()) -> None:
        """Write records and failures; both are on disk when this returns. Raises `StoreError` if the disk refuses."""
        if self.before_writing is not None:
            records, failures = list(records), list(failures)
            if records or failures:
                self.before_writing()
        self.records.append(records)
        self.failures.append(failures)

    def keys(self) -> set[str]:
        """Return the keys of all records: what need not be asked again. Raises `StoreError` as `scan` does."""
        if self._is_sound():
            return set(self.scan().filter(pl.col("kind").is_null()).select("key").collect()["key"])
        held = self._held().filter(pl.col("kind").is_null()).select("key").collect()["key"]
        return {*held, *(record["key"] for record in self._read(self.records))}

    def damaged(self) -> list[Damaged]:
        """Return the lines of both journals that are none of our records."""
        both = (line for journal in (self.records, self.failures) for line in journal.read())
        return [line for line in both if isinstance(line, Damaged)]

    def scan(self) -> pl.LazyFrame:
        """Return the frame of everything, lazily: from the sealed file, or from the journals while it is being made.

        Raises:
            StoreError: the sealed file cannot be read and there is no journal to make it from.
        """
        if not self.is_sealed():
            return self._journaled()
        try:
            found = pl.Schema(pl.read_parquet_schema(self.sealed))
            if found == self.schema:
                return pl.scan_parquet(self.sealed)
            # An earlier version's has fewer columns; a stranger's may have any.
            self._fitted(found.to_frame().lazy()).collect()
            if "key" not in found:
                raise pl.exceptions.ColumnNotFoundError("it has no column 'key'")
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            told = str(error).partition("\n")[0]
            raise StoreError(f"{self.sealed}: cannot be read ({told}); restore it from a copy.") from None
        return self._fitted(pl.scan_parquet(self.sealed))

    def every_failure(self, columns: Sequence[str]) -> pl.DataFrame:
        """Return `columns` of all failures. `scan` has the last one of a key, and none where a record followed."""
        schema = pl.Schema({name: self.schema[name] for name in dict.fromkeys(["key", *columns])})
        journaled = [frame(rows, schema) for rows in _chunks(self._read(self.failures))]
        told = pl.concat([schema.to_frame(), *journaled])
        alone = self.scan().filter(pl.col("kind").is_not_null()).select(schema.names())  # its journal may be gone
        return pl.concat([told, alone.join(told.lazy(), on="key", how="anti").collect()]).select(columns)

    def is_sealed(self) -> bool:
        """Whether the Parquet file is there and holds all that the journals hold."""
        if not self.sealed.exists():
            return False
        if not self._has_journals():
            return True
        if self._from_journals:
            return False
        try:
            return pl.read_parquet_metadata(self.sealed).get("journals") == self._extent()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
            return False

    def _has_journals(self) -> bool:
        return self.records.path.exists() or self.failures.path.exists()

    def _is_sound(self) -> bool:
        """Whether the Parquet file is up to date, and not broken where there are journals to make it from."""
        return self.is_sealed() and not (self._has_journals() and self.is_seal_broken())

    def _journaled(self) -> pl.LazyFrame:
        return register_io_source(self._batches, schema=self.schema)

    def seal(self) -> Path:
        """Write the Parquet file from the journals, under a temporary name first; do nothing if it is up to date.

        Raises:
            StoreError: the disk refuses.
        """
        if self._is_sound():
            return self.sealed
        extent = self._extent()
        with replacing(self.sealed) as aside:
            try:
                self._journaled().sink_parquet(aside, row_group_size=ROW_GROUP, metadata={"journals": extent})
            except pl.exceptions.ComputeError as error:
                raise _refused(error, aside) from None
            if self.is_seal_broken():  # only now, for what can be read of it has gone into the new one
                set_aside(self.sealed)
        return self.sealed

    def adopt(self, siblings: Iterable["Ledger"], wanted: set[str]) -> set[str]:
        """Copy the records of `siblings` whose keys are `wanted`; return the keys that came.

        A copy has no `seconds`: it was not asked for here, and what it took was paid elsewhere (`runs.accounts`).
        """
        came: set[str] = set()
        for sibling in siblings:
            for records in _chunks(
                r for r in sibling._read(sibling.records) if r["key"] in wanted and r["key"] not in came
            ):
                self.append({**record, "seconds": None} for record in records)
                came.update(record["key"] for record in records)
        return came

    def close(self) -> None:
        """Close both journals."""
        self.records.close()
        self.failures.close()

    def _extent(self) -> str:
        """Return what a seal is made from, which it carries: how much the journals hold, and under which schema."""
        columns = digest([[name, str(kind)] for name, kind in self.schema.items()])
        return f"{self.records.size()}+{self.failures.size()} {short(columns)}"

    def _read(self, journal: Journal) -> Iterator[dict[str, Any]]:
        return (line for line in journal.read() if not isinstance(line, Damaged))

    def _fits(self, record: Mapping[str, Any]) -> bool:
        """Whether a record has a key, and values that our columns can hold."""
        key = record.get("key")
        return (
            isinstance(key, str)
            and key.isascii()
            and all(fits(record.get(name), kind) for name, kind in self.schema.items())
        )

    def _batches(
        self, columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        """Yield the frame of everything as polars asks for it: some columns, some rows, at most so many."""
        for batch in self._unsealed(columns or self.schema.names()):
            found = batch if predicate is None else batch.filter(predicate)
            yield found if rows is None else found.head(rows)
            if rows is not None and (rows := rows - found.height) <= 0:
                return

    def _unsealed(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Yield what the journals hold, and what only an earlier seal still does: every key once, records first."""
        schema = pl.Schema({name: kind for name, kind in self.schema.items() if name in {*columns, "key"}})
        yield self.schema.to_frame().select(columns)
        seen: set[str] = set()
        for lines, sealed in (
            (self._read(self.records), pl.col("kind").is_null()),
            (self._last_failures(), pl.col("kind").is_not_null()),
        ):
            for rows in _chunks(_unseen(lines, seen)):
                yield frame(rows, schema).select(columns)
            known = pl.LazyFrame({"key": pl.Series(list(seen), dtype=pl.String)})
            left = self._held().filter(sealed).select(schema.names()).join(known, on="key", how="anti").collect()
            seen.update(left["key"])
            yield left.select(columns)

    def _last_failures(self) -> Iterator[dict[str, Any]]:
        last = {failure["key"]: number for number, failure in enumerate(self._read(self.failures))}
        return (
            failure for number, failure in enumerate(self._read(self.failures)) if last.get(failure["key"]) == number
        )

    def _fitted(self, found: pl.LazyFrame) -> pl.LazyFrame:
        """Return a sealed frame under our schema; what it does not have yet is null."""
        return found.match_to_schema(
            self.schema,
            missing_columns="insert",
            missing_struct_fields="insert",
            extra_columns="ignore",
            extra_struct_fields="ignore",
        )

    def _held(self) -> pl.LazyFrame:
        """Return what the Parquet file holds, up to date or not, as far as it can be read."""
        if not self.sealed.exists():
            return self.schema.to_frame().lazy()
        if self.is_seal_broken():
            return pl.concat([self.schema.to_frame().lazy(), *map(self._fitted, _readable(self.sealed))])
        return self._fitted(pl.scan_parquet(self.sealed))

    def is_seal_broken(self) -> bool:
        """Whether the Parquet file is there and some part of it cannot be read; reads all of it, once."""
        try:
            state = self.sealed.stat()
        except OSError:
            return False
        now = (state.st_ino, state.st_size, state.st_mtime_ns)
        if self._broken is None or self._broken[0] != now:
            self._broken = now, not _can_be_read(self.sealed)
        return self._broken[1]


def _can_be_read(path: Path) -> bool:
    """Whether every page of a Parquet file can be decoded. Raises `StoreError` if it is the system that refuses."""
    try:
        pl.scan_parquet(path).select(pl.struct(pl.all()).hash().sum()).collect(engine="streaming")
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        if isinstance(error, OSError) or _OS_ERROR.search(str(error)):
            raise StoreError(f"{path}: cannot be read ({str(error).partition(chr(10))[0]}); nothing is lost.") from None
        return False
    return True


def _readable(path: Path) -> Iterator[pl.LazyFrame]:
    """Yield the parts of a broken Parquet file that can be decoded."""
    broken = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
    try:
        rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    except broken:
        return
    for start in range(0, rows, CHUNK):
        with contextlib.suppress(*broken):
            yield pl.scan_parquet(path).slice(start, CHUNK).collect().lazy()


def _refused(error: pl.exceptions.ComputeError, aside: Path) -> Exception:
    """Return why polars could not write to `aside`: it tells what the disk said in words only, or not at all."""
    told = _OS_ERROR.search(str(error))
    if told:
        return OSError(number := int(told[1]), os.strerror(number))
    try:
        with aside.open("ab") as file:  # so the disk is asked again
            file.write(bytes(2**20))
            os.fsync(file.fileno())
    except OSError as refused:
        return refused
    return StoreError(f"{aside.parent}: cannot be sealed ({str(error).partition(chr(10))[0]}); nothing is lost.")


def _unseen(records: Iterable[dict[str, Any]], seen: set[str]) -> Iterator[dict[str, Any]]:
    """Yield the records whose keys are not `seen` yet, which they then are."""
    for record in records:
        if record["key"] not in seen:
            seen.add(record["key"])
            yield record


def _chunks(records: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    for record in records:
        chunk.append(record)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
