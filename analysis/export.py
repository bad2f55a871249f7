"""The significance table as files: CSV and JSON with every column, Markdown, LaTeX and HTML with those people read.

The same frame gives the same bytes. Nothing is computed here.
"""

import json
import re
from typing import Any

import polars as pl

from analysis.footnotes import footnotes
from analysis.tables import RIGHT, as_text
from runs.errors import InputError


def to_csv(table: pl.DataFrame) -> str:
    """Return every column as CSV; null is an empty field, and text that a spreadsheet would compute stays text."""
    return neutral(table).write_csv()


def neutral(table: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose texts no spreadsheet takes for a formula: an apostrophe stands before what begins like one.

    Such text begins with =, +, -, @, a tab or a line break, also after blanks (OWASP, "CSV Injection").
    """
    texts = [name for name, kind in table.schema.items() if kind in (pl.String, pl.Categorical) or kind == pl.Enum]
    formula = r"^\s*[=+\-@\t\r\n＝＋－＠]"
    return table.with_columns(
        pl.when(pl.col(name).cast(pl.String).str.contains(formula))
        .then("'" + pl.col(name).cast(pl.String))
        .otherwise(pl.col(name).cast(pl.String))
        .alias(name)
        for name in texts
    )


def to_records(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Return one dictionary per row with every column, ready for JSON; null is None."""
    return table.to_dicts()


def to_json(table: pl.DataFrame) -> str:
    """Return every column as a JSON array with one object per row."""
    return json.dumps(to_records(table), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def to_markdown(table: pl.DataFrame) -> str:
    """Return the columns that people read as a Markdown table, footnotes below it."""
    text = as_text(table)
    lines = [
        _markdown_row(text.columns),
        _markdown_row("---:" if name in RIGHT else "---" for name in text.columns),
        *(_markdown_row(row) for row in text.iter_rows()),
        "",
        *(f"- {note}" for note in footnotes(table)),
    ]
    return "\n".join(lines) + "\n"


def to_latex(table: pl.DataFrame) -> str:
    """Return the columns that people read as a LaTeX tabular; needs the package `booktabs`."""
    text = as_text(table)
    kinds = "".join("r" if name in RIGHT else "l" for name in text.columns)
    rows = [
        " & ".join(_minus(_latex(cell)) if name in RIGHT else _latex(cell) for name, cell in row.items()) + r" \\"
        for row in text.iter_rows(named=True)
    ]
    notes = [rf"\par\footnotesize {_latex(note)}" for note in footnotes(table)]
    head = " & ".join(_latex(name) for name in text.columns) + r" \\"
    top = [rf"\begin{{tabular}}{{{kinds}}}", r"\toprule", head, r"\midrule"]
    return "\n".join([*top, *rows, r"\bottomrule", r"\end{tabular}", *notes]) + "\n"


def to_html(table: pl.DataFrame, *, title: str | None = None) -> str:
    """Return the columns that people read as an HTML table made with great-tables.

    Raises:
        InputError: great-tables is not installed.
    """
    try:
        from great_tables import GT  # noqa: PLC0415 (an optional extra)
    except ImportError:
        raise InputError("HTML tables need great-tables; install it with: pip install 'evenhand[tables]'.") from None
    text = as_text(table)
    drawn = GT(text, id="contrasts").cols_align("right", columns=[name for name in text.columns if name in RIGHT])
    drawn = drawn.cols_align("left", columns=[name for name in text.columns if name not in RIGHT])
    if title is not None:
        drawn = drawn.tab_header(title=title)
    for note in footnotes(table):
        drawn = drawn.tab_source_note(note)
    return drawn.as_raw_html()


def _markdown_row(cells: Any) -> str:
    return (
        "| "
        + " | ".join(re.sub(r"([|\\`*_<>\[\]])", r"\\\1", cell) if cell[:3] != "---" else cell for cell in cells)
        + " |"
    )


_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    "α": r"$\alpha$",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}


def _minus(text: str) -> str:
    """Return numbers with a minus sign where `text` has a hyphen."""
    return re.sub(r"(?<!-)-(?=\d)", "$-$", text)


def _latex(text: str) -> str:
    """Return `text` with LaTeX's own characters escaped."""
    return "".join(_LATEX.get(mark, mark) for mark in text)
