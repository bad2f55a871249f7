"""What a journal and its Parquet file hold, compared record by record with what they must hold."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from runs.errors import StoreError
from runs.folder import Folder
from runs.frames import frame
from runs.journal import Damaged, Journal
from runs.ledger import Ledger

CHUNK = 2_000
"""Records at a time."""
SHOWN = 20
"""Records whose columns are compared one by one; of more it is told that they differ."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """Something that is not as recorded."""

    what: str
    file: Path
    where: str | None
    """The line, the key or the row; null: the file as a whole."""
    recorded: str | None
    found: str | None
    """What it is, computed again; null: nothing."""

    def __str__(self) -> str:
        place = str(self.file) if self.where is None else f"{self.file}:{self.where}"
        return f"{place}: {self.what}: recorded {self.recorded or 'nothing'}, found {self.found or 'nothing'}"


@dataclass
class Findings:
    """What has been found so far."""

    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    digests: int = 0

    def compare(self, what: str, file: Path, where: str | None, recorded: str | None, computed: str | None) -> None:
        """Count one digest, and keep it if it is not as recorded."""
        self.digests += 1
        if recorded != computed:
            self.differences.append(Difference(what, file, where, recorded, computed))


@dataclass(frozen=True)
class Design:
    """Which keys a ledger must hold."""

    places: Mapping[str, tuple[Any, ...]] | None
    """Every key that is called for, with what it is a key of: item, epoch, and repeat of a verdict; null: not known."""
    key_of: Callable[[Row], str] | None = None
    """Returns the key that a record must have, where `places` is null; null: keys are not verified."""

    def check(self, row: Row, file: Path, line: int | None, found: Findings) -> None:
        """Compare the key of one record."""
        key = row["key"]
        where = str(line) if line is not None else key
        if self.places is not None:
            names = ("item_id", "epoch", "repeat")[: len(next(iter(self.places.values()), ()))]
            right = self.places.get(key) == tuple(row.get(name) for name in names)
            found.compare("key", file, where, key, key if right else None)
        elif self.key_of is not None:
            found.compare("key", file, where, key, self.key_of(row))


def check_ledger(folder: Folder, design: Design, found: Findings) -> int:
    """Compare the journals of a folder with its design, and its Parquet file with the journals; return the records."""
    ledger = folder.ledger
    damaged: list[Damaged] = []
    came = _fingerprints(ledger, design, found, damaged)
    alone = _check_seal(ledger, came, design, found)
    called_for = design.places or {}
    not_written = [key for key in called_for if key not in came]
    for line in damaged:
        if called_for and not not_written:  # its record was made again: the damage is history
            found.notes.append(f"{line.path}:{line.line}: is damaged; its record was made again.")
        else:
            found.differences.append(Difference("line", line.path, str(line.line), "a record", "damage"))
    if alone:
        found.notes.append(f"{ledger.sealed}: {len(alone)} records stand in it alone; no line of a journal holds them.")
    gone, manifest = sum(1 for key in not_written if key not in alone), folder.path / folder.manifest_name
    if gone and folder.manifest["status"] == "complete":
        found.differences.append(Difference("status", manifest, None, "complete", f"{gone} records are missing"))
    elif gone:
        found.notes.append(f"{folder.path}: {gone} of {len(called_for)} records have not come yet.")
    return len(came) + len(alone)


def _fingerprints(ledger: Ledger, design: Design, found: Findings, damaged: list[Damaged]) -> dict[str, int]:
    """Return a hash of what the frame must hold of each key: its first record, else its last failure.

    Lines that are none of our records are added to `damaged`.
    """
    prints: dict[str, int] = {}
    failed: dict[str, int] = {}
    for journal, into in ((ledger.records, prints), (ledger.failures, failed)):
        lines = _whole(journal, damaged)
        while chunk := list(islice(lines, CHUNK)):
            hashed = _hashed(frame((row for _, row in chunk), ledger.schema).lazy())
            for (number, row), (key, value) in zip(chunk, hashed, strict=True):
                design.check(row, journal.path, number, found)
                if journal is ledger.records and key in into:
                    found.notes.append(f"{journal.path}:{number}: repeats the key of an earlier line, which counts.")
                else:
                    into[key] = value
    return {**failed, **prints}


def _whole(journal: Journal, damaged: list[Damaged]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in journal.lines():
        if isinstance(line, Damaged):
            damaged.append(line)
        else:
            yield number, line


def _hashed(rows: pl.LazyFrame) -> Iterator[tuple[str, int]]:
    yield from rows.select("key", pl.struct(pl.all()).hash().alias("hash")).collect(engine="streaming").iter_rows()


def _check_seal(ledger: Ledger, came: dict[str, int], design: Design, found: Findings) -> set[str]:
    """Compare the Parquet file with the journals; return the keys that it alone holds."""
    if not ledger.sealed.exists():
        if came:
            found.notes.append(f"{ledger.folder}: {len(came)} records are not sealed into a Parquet file yet.")
        return set()
    try:
        sealed = pl.scan_parquet(ledger.sealed).match_to_schema(ledger.schema, missing_columns="insert")
        held = dict(_hashed(sealed))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        told = str(error).partition("\n")[0]
        if not came:
            raise StoreError(f"{ledger.sealed}: cannot be read ({told}); restore it from a copy.") from None
        found.differences.append(Difference("seal", ledger.sealed, None, f"{len(came)} records", told))
        return set()
    changed = {key for key, value in held.items() if came.get(key, value) != value}
    if not Ledger(ledger.folder, ledger.records.path.stem, ledger.schema).is_sealed():
        late = sum(1 for key in came if key not in held)
        found.notes.append(f"{ledger.sealed}: {late} records came since it was sealed; the next command seals anew.")
        # What had failed by then may have come since.
        changed &= set(sealed.filter(pl.col("kind").is_null()).select("key").collect()["key"])
    elif lost := sum(1 for key in came if key not in held):
        found.differences.append(Difference("seal", ledger.sealed, None, f"{len(came)} records", f"{lost} fewer"))
    _tell_changed(ledger, sealed, sorted(changed), found)
    alone = {key for key in held if key not in came}
    rows = sealed.join(pl.LazyFrame({"key": pl.Series(list(alone), dtype=pl.String)}), on="key", how="semi").collect()
    for row in rows.iter_rows(named=True):
        design.check(row, ledger.sealed, None, found)
    return alone


def _tell_changed(ledger: Ledger, sealed: pl.LazyFrame, changed: list[str], found: Findings) -> None:
    """Say what the Parquet file and the journals hold of the records that are not the same in both."""
    for key in changed[:SHOWN]:
        (old,) = sealed.filter(pl.col("key") == key).collect().to_dicts()
        (new,) = ledger.scan().filter(pl.col("key") == key).collect().to_dicts()
        found.differences += [
            Difference(name, ledger.sealed, key, str(old[name]), str(new[name]))
            for name in old
            if old[name] != new[name]
        ]
    found.differences += [Difference("record", ledger.sealed, key, "another", None) for key in changed[SHOWN:]]
