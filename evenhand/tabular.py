"""Files of rows as they come from elsewhere: CSV, JSONL or Parquet, with columns renamed to ours."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from runs.errors import InputError, nearest

Row = dict[str, Any]


class Misfit(Exception):  # noqa: N818 — it describes a row, and ends nothing
    """Why one row does not fit; the others still may."""


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
    try:
        rows = reader(path)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None
    except (pl.exceptions.PolarsError, OSError, ValueError, RecursionError) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: cannot be read as {path.suffix[1:].upper()} ({told}).") from None
    if not rows:
        raise InputError(
            f"{path}: holds no rows; expected one for each answer or verdict, below the names of the columns."
        )
    found, known = tuple(dict.fromkeys(column for row in rows for column in row)), (*needed, *more)
    ours = {new: old for old, new in names.items() if old in found}
    columns = {name: ours.get(name, name) for name in known if ours.get(name, name) in found}
    for column in needed:
        if column not in columns:
            raise InputError(
                f"{path}: the column {column!r} is missing (there are {', '.join(found)}); "
                f"add it, or say which one holds it with --map theirs={column}."
            )
    return Table(path, [{new: row.get(old) for new, old in columns.items()} for row in rows], found, known)


def _read_jsonl(path: Path) -> list[Row]:
    """Return the objects in `path`, one a line. Unlike polars' reader it takes what others write.

    NaN (pandas), a byte order mark (Windows), kinds that change from line to line, half a surrogate pair.
    """
    rows = []
    for number, line in enumerate(path.read_text("utf-8-sig").split("\n"), start=1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"line {number} is no JSON: {error}; correct it or take it out") from None
            if not isinstance(row, dict):
                raise ValueError(f"line {number} is no JSON object; write one object a line")
            rows.append(row)
    return rows


_READERS: dict[str, Callable[[Path], list[Row]]] = {
    ".csv": lambda path: pl.read_csv(path, infer_schema=False).to_dicts(),
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".parquet": lambda path: pl.read_parquet(path).to_dicts(),
}


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
    """Return what `row` is about. Raise `Misfit` if it does not say."""
    return Place(
        question_id=_filled(row, "question_id"),
        country=_filled(row, "country"),
        language=str(row.get("language") or "en"),
        epoch=whole_number(row, "epoch"),
    )


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
    if not number.is_integer() or number < 1:
        raise Misfit(f"{column} {value!r} is no whole number from 1")
    return int(number)
