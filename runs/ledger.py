"""What came and what did not: two journals that are sealed into one Parquet file.

<name>.jsonl      records, each with a `key`
failures.jsonl    failures, each with a `key` and a `kind`
<name>.parquet    both, as one frame: every key once, a record where there is one, else its last failure

A key stands for the content that it is the digest of, so what the Parquet file holds beyond the journals (somebody made
room, or a line was damaged since) is as good as what they hold.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from runs.digest import digest, short
from runs.errors import StoreError
from runs.frames import frame
from runs.journal import Damaged, Journal, write_whole

CHUNK = 20_000
"""Records turned into a frame at a time, so that sealing needs little memory."""


class Ledger:
    """The records and failures of one folder under one schema (which has the columns `key` and `kind`)."""

    def __init__(self, folder: Path, name: str, schema: pl.Schema) -> None:
        self.folder = folder
        self.schema = schema
        self.records = Journal(folder / f"{name}.jsonl")
        self.failures = Journal(folder / "failures.jsonl")
        self.sealed = folder / f"{name}.parquet"

    def append(self, records: Iterable[Mapping[str, Any]], failures: Iterable[Mapping[str, Any]] = ()) -> None:
        """Write records and failures; both are on disk when this returns. Raises `StoreError` if the disk refuses."""
        self.records.append(records)
        self.failures.append(failures)

    def keys(self) -> set[str]:
        """Return the keys of all records: what need not be asked again. Raises `StoreError` as `scan` does."""
        if self.is_sealed():
            return set(self.scan().filter(pl.col("kind").is_null()).select("key").collect()["key"])
        held = self._held().filter(pl.col("kind").is_null())["key"]
        return {*held, *(record["key"] for record in self._read(self.records))}

    def damaged(self) -> list[Damaged]:
        """Return the lines of both journals that cannot be read."""
        both = (line for journal in (self.records, self.failures) for line in journal.read())
        return [line for line in both if isinstance(line, Damaged)]

    def scan(self) -> pl.LazyFrame:
        """Return the frame of everything, lazily from the sealed file, or from the journals while it is being made.

        Raises:
            StoreError: the sealed file cannot be read and there is no journal to make it from.
        """
        if not self.is_sealed():
            return self._unsealed().lazy()
        try:
            pl.read_parquet_schema(self.sealed)
        except (pl.exceptions.PolarsError, OSError) as error:
            told = str(error).partition("\n")[0]
            raise StoreError(f"{self.sealed}: cannot be read ({told}); restore it from a copy.") from None
        return pl.scan_parquet(self.sealed)

    def is_sealed(self) -> bool:
        """Whether the Parquet file is there and holds all that the journals hold."""
        if not self.sealed.exists():
            return False
        if not self.records.path.exists() and not self.failures.path.exists():
            return True
        try:
            return pl.read_parquet_metadata(self.sealed).get("journals") == self._extent()
        except (pl.exceptions.PolarsError, OSError):
            return False

    def seal(self) -> Path:
        """Write the Parquet file from the journals, under a temporary name first; do nothing if it is up to date.

        Raises:
            StoreError: the disk refuses.
        """
        if self.is_sealed():
            return self.sealed
        extent, buffer = self._extent(), io.BytesIO()
        self._unsealed().write_parquet(buffer, metadata={"journals": extent})
        write_whole(self.sealed, buffer.getvalue())
        return self.sealed

    def adopt(self, siblings: Iterable["Ledger"], wanted: set[str]) -> set[str]:
        """Copy the records of `siblings` whose keys are `wanted`; return the keys that came."""
        came: set[str] = set()
        for sibling in siblings:
            for records in _chunks(
                r for r in sibling._read(sibling.records) if r["key"] in wanted and r["key"] not in came
            ):
                self.records.append(records)
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
        return (line for line in journal.read() if not isinstance(line, Damaged) and isinstance(line.get("key"), str))

    def _unsealed(self) -> pl.DataFrame:
        """Return the frame of everything: what the journals hold, and what only an earlier seal still does."""
        held, last = self._held(), {failure["key"]: failure for failure in self._read(self.failures)}
        records = [frame(rows, self.schema) for rows in _chunks(self._read(self.records))]
        failures = [frame(last.values(), self.schema), held.filter(pl.col("kind").is_not_null())]
        came = _one_each([*records, held.filter(pl.col("kind").is_null())])
        return pl.concat([came, _one_each(failures).join(came, on="key", how="anti")])

    def _held(self) -> pl.DataFrame:
        """Return what the Parquet file holds, up to date or not; nothing if it cannot be read."""
        try:
            held = pl.read_parquet(self.sealed)
            return held.match_to_schema(self.schema, missing_columns="insert", extra_columns="ignore")
        except (pl.exceptions.PolarsError, OSError):
            return self.schema.to_frame()


def _one_each(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the rows of `frames` with every key once, the first of each."""
    return pl.concat(frames).unique("key", keep="first", maintain_order=True)


def _chunks(records: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    for record in records:
        chunk.append(record)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
