"""Read a Parquet file that came from elsewhere, in a process of its own: a damaged one can abort polars altogether.

    python -m evenhand._parquet FILE OUT WANTED     (WANTED: a JSON list of columns)

Writes the wanted columns to OUT (Arrow's IPC) and the names of all columns to stdout (JSON), or what is wrong to stdout
and exits with 1.
"""

import json
import sys
from collections.abc import Collection
from pathlib import Path

import polars as pl
import polars.selectors as cs

MOST_ROWS = 10_000_000
LARGEST_TEXT = 4 * 2**30
"""Bytes of text in all cells: a small file can hold the same text in millions of rows."""


def read(path: Path, wanted: Collection[str]) -> tuple[pl.DataFrame, list[str]]:
    """Return the wanted columns of the file, and the names of all; rows are counted before they are read.

    Raises:
        ValueError: it holds more than fits.
        PolarsError, PanicException: it cannot be read.
    """
    found = list(pl.read_parquet_schema(path))
    lazy = pl.scan_parquet(path, glob=False)
    rows = lazy.select(pl.len()).collect().item()
    if rows > MOST_ROWS:
        raise ValueError(f"it has {rows:,} rows, more than {MOST_ROWS:,}; split it")
    frame = lazy.select([name for name in found if name in wanted]).collect()
    frame = frame.with_columns(cs.temporal().cast(pl.String))
    lengths = frame.select(cs.string().str.len_bytes().cast(pl.Int64).sum())
    text = sum(lengths.row(0)) if lengths.width else 0
    if text > LARGEST_TEXT:
        raise ValueError(f"it holds more than {LARGEST_TEXT // 2**30} GiB of text; split it")
    return frame, found


def main(path: str, out: str, wanted: str) -> int:
    """Read, write, and return the exit code."""
    try:
        frame, found = read(Path(path), json.loads(wanted))
        frame.write_ipc(out)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        print(json.dumps(str(error).partition("\n")[0] or type(error).__name__))  # noqa: T201
        return 1
    print(json.dumps(found))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
