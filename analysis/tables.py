"""Tables for people: values as text, and the significance table in the terminal. Nothing is computed here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from rich import box
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.table import Table
from rich.text import Text

from analysis.verdict import Finding, Standing, adjusted_p, interval, is_distance, number, p_value, tested_p

_STYLES = {Finding.DIFFERS: "bold", Finding.EQUIVALENT: "green", Finding.INCONCLUSIVE: "dim"}

_IS_EXCEPTIONAL = {Standing.EXCEPTIONAL: "yes", Standing.NOT_EXCEPTIONAL: "no", Standing.CANNOT_TELL: "cannot tell"}

_HEADER = (
    "criterion",
    "judge",
    "focal – reference",
    "n",
    "missing",
    "means",
    "difference",
    "interval",
    "p",
    "adjusted",
    "rank",
    "finding",
    "exceptional",
    "flags",
)
_EXPENDABLE = ("means", "rank", "missing", "p", "flags", "exceptional", "n")
"""What a narrow terminal can do without, first things first."""
RIGHT = ("n", "missing", "means", "difference", "interval", "p", "adjusted", "rank")
"""Columns of numbers, which stand on the right."""
_P_VALUES = ("p", "p_min", "p_placebo", "q_bh", "p_adjusted", "p_adjusted_without")
"""Columns of other frames that are p-values."""


def as_text(table: pl.DataFrame) -> pl.DataFrame:
    """Return the columns that people read first, as text; what is not there is a dash.

    Args:
        table: a frame of schema `CONTRASTS`.
    """
    rows = [
        {
            "criterion": _what(row),
            "judge": row["judge"],
            "focal – reference": f"{row['focal']} – {row['reference']}",
            "n": str(row["n_questions"]),
            "missing": f"{row['missing_focal']} / {row['missing_reference']}",
            "means": "–"
            if row["mean_focal"] is None
            else f"{number(row['mean_focal'])} / {number(row['mean_reference'])}",
            "difference": number(row["difference"], sign=not is_distance(row)),
            "interval": "–" if row["mean_focal"] is None else interval(row),
            "p": p_value(tested_p(row)),
            "adjusted": p_value(adjusted_p(row)),
            "rank": "–" if row["placebo_n"] is None else f"{row['placebo_rank']} of {row['placebo_n']}",
            "finding": row["finding"] if row["n_questions"] else "no data",
            "exceptional": "–" if row["standing"] is None else _IS_EXCEPTIONAL[Standing(row["standing"])],
            "flags": row["flags"] or "–",
        }
        for row in table.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(_HEADER, pl.String))


def readable(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame without its columns of text that say nothing."""
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    return frame.drop(name for name in texts if set(frame[name].unique()) <= {None, ""})


def written(name: str, value: object) -> str:
    """Return one value of the column `name` as text; what is not there is a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return p_value(value) if name in _P_VALUES else number(value)
    return str(value)


@dataclass(frozen=True)
class Fitted:
    """A significance table as wide as the terminal: where that is too narrow for all columns, some are left out."""

    text: pl.DataFrame
    styles: tuple[str, ...]
    """Of each row."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table."""
        names = list(self.text.columns)
        for name in _EXPENDABLE:
            if sum(_least(self.text[name]) + 2 for name in names) + 2 > options.max_width:
                names.remove(name)
        drawn = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for name in names:
            side: JustifyMethod = "right" if name in RIGHT else "left"
            whole = name in RIGHT or name == "finding"
            drawn.add_column(name, justify=side, no_wrap=whole, overflow="fold")
        for row, style in zip(self.text.select(names).iter_rows(), self.styles, strict=True):
            drawn.add_row(*(Text(cell) for cell in row), style=style)
        yield drawn


def rich_table(table: pl.DataFrame) -> Fitted:
    """Return a frame of schema `CONTRASTS` as a table for the terminal; `footnotes` go below it."""
    return Fitted(as_text(table), tuple(_STYLES[Finding(found)] for found in table["finding"]))


def _least(column: pl.Series) -> int:
    """Return the width below which a column is not to be read: that of its numbers, or of most of its words."""
    if column.name in RIGHT:
        return max(len(cell) for cell in (column.name, *column))
    words = [len(word) for cell in (column.name, *column) for word in cell.split()]
    return min(max(words), 14)


def _what(row: Mapping[str, Any]) -> str:
    narrowed = [str(row[name]) for name in ("category", "topic", "sensitive", "language", "stance") if row[name]]
    return f"{row['criterion']}: {', '.join(narrowed)}" if narrowed else str(row["criterion"])
