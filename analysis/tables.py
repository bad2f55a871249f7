"""The significance table for people: chosen columns as text, in the terminal. Nothing is computed here."""

import polars as pl
from rich.table import Table
from rich.text import Text

from analysis.footnotes import footnotes
from analysis.verdict import Finding, interval, number

_STYLES = {Finding.DIFFERS: "bold", Finding.EQUIVALENT: "green", Finding.INCONCLUSIVE: "dim"}

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
    "verdict",
    "flags",
)
RIGHT = ("n", "missing", "means", "difference", "interval", "p", "adjusted", "rank")
"""Columns of numbers, which stand on the right."""


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
            "missing": f"{row['missing_focal']}/{row['missing_reference']}",
            "means": f"{number(row['mean_focal'])} / {number(row['mean_reference'])}",
            "difference": number(row["difference"], sign=True),
            "interval": interval(row) if row["mean_focal"] is not None else "–",
            "p": p_value(row["p"]),
            "adjusted": p_value(row["p_holm"] if row["family"] == "confirmatory" else row["q_bh"]),
            "rank": "–" if row["placebo_n"] is None else f"{row['placebo_rank']} of {row['placebo_n']}",
            "verdict": row["finding"] if row["standing"] is None else f"{row['finding']}, {row['standing']}",
            "flags": row["flags"] or "–",
        }
        for row in table.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(_HEADER, pl.String))


def rich_table(table: pl.DataFrame, *, title: str | None = None) -> Table:
    """Return a frame of schema `CONTRASTS` as a table for the terminal, with its footnotes as the caption."""
    text = as_text(table)
    caption = "\n".join(footnotes(table))
    drawn = Table(title=title, caption=Text(caption), caption_justify="left", title_justify="left")
    for name in text.columns:
        drawn.add_column(name, justify="right" if name in RIGHT else "left", no_wrap=name in RIGHT)
    for row, found in zip(text.iter_rows(), table["finding"], strict=True):
        drawn.add_row(*(Text(cell) for cell in row), style=_STYLES[Finding(found)])
    return drawn


def p_value(p: float | None) -> str:
    """Return a p-value as text: three decimals, or an order of magnitude where these would be zeros."""
    if p is None:
        return "–"
    return f"{p:.3f}" if p >= 0.0005 else f"{p:.0e}"


def _what(row: dict[str, object]) -> str:
    narrowed = [str(row[name]) for name in ("category", "topic", "sensitive", "language", "stance") if row[name]]
    return f"{row['criterion']}: {', '.join(narrowed)}" if narrowed else str(row["criterion"])
