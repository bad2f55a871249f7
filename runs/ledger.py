"""What came and what did not: two journals that are sealed into one Parquet file.

<name>.jsonl      records, each with a `key`
failures.jsonl    failures, each with a `key` and a `kind`
<name>.parquet    both, as one frame: every key once, a record where there is one, else its last failure
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from runs.frames import frame
from runs.journal import Damaged, Journal, refusal, replace_durably

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
        """Return the keys of all records: what need not be asked again."""
        if self.is_sealed():
            return set(self.scan().filter(pl.col("kind").is_null()).select("key").collect()["key"])
        return {record["key"] for record in self._read(self.records)}

    def damaged(self) -> list[Damaged]:
        """Return the lines of both journals that cannot be read."""
        both = (line for journal in (self.records, self.failures) for line in journal.read())
        return [line for line in both if isinstance(line, Damaged)]

    def scan(self) -> pl.LazyFrame:
        """Return the frame of everything, lazily from the sealed file, or from the journals while it is being made.

        Raises:
            StoreError: the sealed file cannot be read and there is no journal to make it from.
        """
        return pl.scan_parquet(self.sealed) if self.is_sealed() else self._from_journals().lazy()

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
        aside = self.sealed.with_name(f".{self.sealed.name}")
        try:
            extent = self._extent()
            self._from_journals().write_parquet(aside, metadata={"journals": extent})
            replace_durably(aside, self.sealed)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise refusal(self.sealed, error) from None
        return self.sealed

    def adopt(self, siblings: Iterable["Ledger"], wanted: set[str]) -> set[str]:
        """Copy the records of `siblings` whose keys are `wanted`; return the keys that came."""
        came: set[str] = set()
        for sibling in siblings:
            for records in _chunks(r for r in sibling._read(sibling.records) if r["key"] in wanted - came):
                self.records.append(records)
                came.update(record["key"] for record in records)
        return came

    def close(self) -> None:
        """Close both journals."""
        self.records.close()
        self.failures.close()

    def _extent(self) -> str:
        return f"{self.records.size()}+{self.failures.size()}"

    def _read(self, journal: Journal) -> Iterator[dict[str, Any]]:
        return (line for line in journal.read() if not isinstance(line, Damaged) and isinstance(line.get("key"), str))

    def _from_journals(self) -> pl.DataFrame:
        records = pl.concat(
            [frame([], self.schema), *(frame(rows, self.schema) for rows in _chunks(self._read(self.records)))]
        ).unique("key", keep="first", maintain_order=True)
        last = {failure["key"]: failure for failure in self._read(self.failures)}
        failures = frame(last.values(), self.schema).join(records, on="key", how="anti")
        return pl.concat([records, failures])


def _chunks(records: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    for record in records:
        chunk.append(record)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
