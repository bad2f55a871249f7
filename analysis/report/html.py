"""Pieces of a page. Whatever comes from a run is escaped here, and nowhere is it anything but text."""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import polars as pl

from analysis.export import to_csv
from analysis.report.drawing import NARROW, WIDE, Figure, plain, svg
from analysis.tables import readable, written

MOST_ROWS = 200
"""Rows of a table in the page; the files hold all."""


def text(value: object) -> str:
    """Return a value as escaped text on one line."""
    return escape(plain(value))


def prose(value: str) -> str:
    """Return sentences as escaped text, however long."""
    return " ".join(escape(word) for part in value.split() for word in [plain(part)])


def joined(parts: Iterable[str]) -> str:
    """Return the parts, a line each."""
    return "\n".join(parts)


def bullets(sentences: Iterable[str], kind: str = "notes") -> str:
    """Return sentences as a list."""
    return f'<ul class="{kind}">{joined(f"<li>{prose(sentence)}</li>" for sentence in sentences)}</ul>'


def paragraph(sentence: str) -> str:
    """Return one paragraph; what stands between backticks is a command."""
    told = re.sub("`([^`]+)`", r"<code>\1</code>", prose(sentence))
    return f"<p>{told}</p>"


def table(frame: pl.DataFrame, caption: str, *, numbers: Sequence[str] | None = None) -> str:
    """Return a frame as a table that scrolls by itself, its first column as the rows' heading, at most `MOST_ROWS`.

    Args:
        frame: numbers, or text that is ready to be read.
        caption: what it holds.
        numbers: columns that stand on the right; null: those of numbers.
    """
    right = {name for name, kind in frame.schema.items() if kind.is_numeric()} if numbers is None else set(numbers)
    head = "".join(f'<th scope="col"{_side(name, right)}>{text(name.replace("_", " "))}</th>' for name in frame.columns)
    rows = joined(_row(row, right) for row in frame.head(MOST_ROWS).iter_rows(named=True))
    cut = f" The first {MOST_ROWS} of {len(frame)} rows." if len(frame) > MOST_ROWS else ""
    return region(
        f"<table><caption>{prose(caption + cut)}</caption>"
        f"<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>",
        caption,
    )


def region(content: str, name: str) -> str:
    """Return what may be wider than the page, in a region that scrolls by mouse, finger and keyboard."""
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{text(name)}">{content}</div>'


def details(summary: str, content: str) -> str:
    """Return what is there for whoever asks."""
    return f"<details><summary>{prose(summary)}</summary>{content}</details>"


def facts(pairs: Mapping[str, object]) -> str:
    """Return names and values; what is null or empty is left out."""
    rows = (
        f"<dt>{text(name)}</dt><dd>{prose(str(value))}</dd>" for name, value in pairs.items() if value not in (None, "")
    )
    return f'<dl class="facts">{joined(rows)}</dl>'


def drawn(figure: Figure) -> str:
    """Return a plot with its caption, its text alternative, its numbers and their download."""
    title, says = f"{figure.name}-title", f"{figure.name}-says"
    pictures = "".join(
        f'<div class="{kind}" role="img" aria-labelledby="{title} {says}">{svg(figure, width)}</div>'
        for kind, width in (("wide", WIDE), ("narrow", NARROW))
    )
    return (
        f'<figure id="{figure.name}" aria-labelledby="{title}">'
        f'<figcaption><strong id="{title}">{text(figure.title)}</strong><br>{prose(figure.caption)}</figcaption>'
        f'{pictures}<p class="hidden" id="{says}">{prose(figure.says)}</p>'
        f"{download(figure.data, f'{figure.name}.csv')}"
        f"{details(f'Numbers of this plot ({len(figure.data)} rows)', table(readable(figure.data), figure.title))}"
        "</figure>"
    )


def download(frame: pl.DataFrame, name: str) -> str:
    """Return a link that saves a frame as CSV, from the page itself."""
    data = base64.b64encode(to_csv(frame).encode()).decode()
    return (
        f'<p class="download"><a download="{escape(name)}" href="data:text/csv;charset=utf-8;base64,{data}">'
        f"{escape(name)}</a> ({len(frame)} rows)</p>"
    )


def labelled(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with its criterion and category in one column, as the significance table has them."""
    if "category" not in frame.columns:
        return frame
    both = pl.concat_str("criterion", "category", separator=": ", ignore_nulls=True)
    return frame.with_columns(criterion=both).drop("category")


def _side(name: str, right: set[str]) -> str:
    return ' class="number"' if name in right else ""


def _row(row: Mapping[str, object], right: set[str]) -> str:
    cells = [
        f'<th scope="row">{_cell(name, value)}</th>'
        if at == 0
        else f"<td{_side(name, right)}>{_cell(name, value)}</td>"
        for at, (name, value) in enumerate(row.items())
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _cell(name: str, value: object) -> str:
    if name == "finding" and value in ("differs", "equivalent", "inconclusive"):
        return f'<span class="finding {value}">{value}</span>'
    return text(written(name, value))
