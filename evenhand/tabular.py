"""Files of rows as they come from elsewhere: CSV, JSONL or Parquet, with columns renamed to ours."""

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from runs.errors import InputError, nearest
from runs.files import check_regular

LARGEST_FILE = 4 * 2**30
"""Bytes."""
LARGEST_LINE = 16 * 2**20
"""Characters of a line of JSONL: as much as a reply may have."""
HIGHEST = {"epoch": 10_000, "repeat": 1000}
"""What a study may ask for at most; every repeat up to the highest is part of the design."""
NAMED = 20
"""Columns that an error lists."""

Row = dict[str, Any]


class Misfit(Exception):  # noqa: N818 — it describes a row, and ends nothing
    """Why one row does not fit; the others still may."""


@dataclass(frozen=True)
class _Content:
    """What a file holds."""

    found: tuple[str, ...]
    """All its columns."""
    rows: Sequence[Row]
    """Its rows, with the columns that were asked for."""


@dataclass(frozen=True)
class Table:
    """The rows of one file, with our names for the columns that we know."""

    path: Path
    rows: Sequence[Row]
    found: tuple[str, ...]
    """The columns as the file has them."""
    known: tuple[str, ...]
    """All columns that such a file may have, under our names."""

    def __iter__(self) -> Iterator[tuple[int, Row]]:
        """Yield every row with its number, counted from 1."""
        return enumerate(self.rows, start=1)


@dataclass(frozen=True, slots=True)
class Place:
    """What a row is about: a question about a country in a language, and which of its answers."""

    question_id: str
    country: str
    language: str
    epoch: int

    @property
    def item_id(self) -> str:
        """The item's id."""
        return f"{self.question_id}/{self.country}/{self.language}"

    def columns(self) -> Row:
        """Return the columns that say so, the item's id among them."""
        names = {"question_id": self.question_id, "country": self.country, "language": self.language}
        return {**names, "epoch": self.epoch, "item_id": self.item_id}


def read_table(path: Path, names: Mapping[str, str], needed: Sequence[str], more: Sequence[str]) -> Table:
    """Return the file at `path` with the columns that we know; the others are left out.

    Args:
        path: a `.csv`, `.jsonl` or `.parquet` file.
        names: their column → ours; a renamed column takes the place of one that already has the name.
        needed: our columns that must be there.
        more: our columns that may be there.

    Raises:
        InputError: the file cannot be read, or a needed column is not there.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: expected a file that ends in {', '.join(_READERS)}.")
    content = _read(path, reader, {*names, *needed, *more})
    if not content.rows:
        raise InputError(
            f"{path}: holds no rows; expected one for each answer or verdict, below the names of the columns."
        )
    found, known = content.found, (*needed, *more)
    ours = {new: old for old, new in names.items() if old in found}
    columns = {name: ours.get(name, name) for name in known if ours.get(name, name) in found}
    for column in needed:
        if column not in columns:
            there = ", ".join(found[:NAMED]) + (f" and {len(found) - NAMED} more" if len(found) > NAMED else "")
            raise InputError(
                f"{path}: the column {column!r} is missing (there are {there}); "
                f"add it, or say which one holds it with --map theirs={column}."
            )
    rows = [{new: _value(row.get(old)) for new, old in columns.items()} for row in content.rows]
    return Table(path, rows, found, known)


def _read(path: Path, reader: Callable[[Path, Collection[str]], _Content], wanted: Collection[str]) -> _Content:
    """Return what `path` holds of the columns `wanted`, or raise an InputError that says why it cannot be read."""
    try:
        check_regular(path)
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"it is larger than {LARGEST_FILE // 2**30} GiB; split it")
        return reader(path, wanted)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, RecursionError) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: cannot be read as {path.suffix[1:].upper()} ({told}).") from None


def _read_jsonl(path: Path, wanted: Collection[str]) -> _Content:
    """Return the objects in `path`, one a line. Unlike polars' reader it takes what others write.

    NaN (pandas), a byte order mark (Windows), kinds that change from line to line, half a surrogate pair.
    """
    found: dict[str, None] = {}
    rows = []
    with path.open(encoding="utf-8-sig", newline="\n") as lines:
        number = 0
        while line := lines.readline(LARGEST_LINE + 1):
            number += 1
            if len(line) > LARGEST_LINE:
                raise ValueError(f"line {number} has more than {LARGEST_LINE // 2**20} million characters")
            if line.strip():
                row = _object(line, number)
                found.update(dict.fromkeys(row))
                rows.append({name: value for name, value in row.items() if name in wanted})
    return _Content(tuple(found), rows)


def _object(line: str, number: int) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"line {number} is no JSON: {error}; correct it or take it out") from None
    if not isinstance(row, dict):
        raise ValueError(f"line {number} is no JSON object; write one object a line")
    return row


def _read_csv(path: Path, wanted: Collection[str]) -> _Content:
    with path.open("rb") as file:
        if file.read(4).startswith(_PACKED):  # polars would unpack it, to any size
            raise ValueError("it is packed; unpack it first")
    frame = pl.read_csv(path, infer_schema=False, glob=False)
    twice = next((name for name in wanted if f"{name}_duplicated_0" in frame.columns), None)
    if twice is not None:
        raise ValueError(f"two columns are called {twice!r}; rename one")
    return _Content(tuple(frame.columns), frame.select(_some(frame.columns, wanted)).to_dicts())


_PACKED = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x28\xb5\x2f\xfd")
"""How gzip, zlib and zstd begin."""


def _read_parquet(path: Path, wanted: Collection[str]) -> _Content:
    """Return the rows of `path`, read in a process of its own (`evenhand._parquet`)."""
    with tempfile.TemporaryDirectory() as aside:
        clean = Path(aside) / "clean.arrow"
        command = [
            sys.executable,
            "-P",
            "-m",
            "evenhand._parquet",
            str(path.resolve()),
            str(clean),
            json.dumps(sorted(wanted)),
        ]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603
        if done.returncode < 0:
            raise ValueError("it is damaged")
        told = json.loads(done.stdout)
        if done.returncode:
            raise ValueError(told)
        return _Content(tuple(told), pl.read_ipc(clean).to_dicts())


def _some(found: Sequence[str], wanted: Collection[str]) -> list[str]:
    return [name for name in found if name in wanted]


_READERS: dict[str, Callable[[Path, Collection[str]], _Content]] = {
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".parquet": _read_parquet,
}


def _value(value: Any) -> Any:
    """Return a cell's value; NaN, which is how some write that there is none, as null."""
    return None if isinstance(value, float) and math.isnan(value) else value


def check_names(names: Mapping[str, str], tables: Sequence[Table]) -> None:
    """Raise an InputError if a mapping `names` (theirs → ours) a column that is in none of `tables`."""
    found = {column for table in tables for column in table.found}
    known = {column for table in tables for column in table.known}
    for theirs, ours in names.items():
        if ours not in known:
            raise InputError(f"--map {theirs}={ours}: {ours!r} is no column of ours; {nearest(ours, known)}")
        if theirs not in found:
            raise InputError(f"--map {theirs}={ours}: there is no column {theirs!r}; {nearest(theirs, found)}")


def place_of(row: Row) -> Place:
    """Return what `row` is about. Raise `Misfit` if it does not say, or if a cell holds more than one value."""
    for column, value in row.items():
        if isinstance(value, list | dict | bytes):
            raise Misfit(f"{column} holds {_KINDS[type(value)]}; expected text or a number")
        if isinstance(value, int) and abs(value) >= 2**63:
            raise Misfit(f"{column} is a number of more than 18 digits; write it as text")
    return Place(
        question_id=_filled(row, "question_id"),
        country=_filled(row, "country"),
        language=str(row.get("language") or "en"),
        epoch=whole_number(row, "epoch"),
    )


_KINDS = {list: "a list", dict: "a table", bytes: "bytes"}


def _filled(row: Row, column: str) -> str:
    text = "" if row[column] is None else str(row[column]).strip()
    if not text:
        raise Misfit(f"{column} is empty")
    return text


def whole_number(row: Row, column: str) -> int:
    """Return an epoch or a repeat, 1 if `row` does not say it. Raise `Misfit` if it is no whole number from 1."""
    value = row.get(column)
    try:
        number = 1.0 if value in (None, "") else float(str(value))
    except ValueError:
        number = 0.0
    if not number.is_integer() or not 1 <= number <= HIGHEST[column]:
        raise Misfit(f"{column} {value!r} is no whole number from 1 to {HIGHEST[column]:,}")
    return int(number)
