"""The significance table as files: CSV and JSON with every column, Markdown, LaTeX and HTML with those people read.

The same frame gives the same bytes. Nothing is computed here.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

import polars as pl

from analysis.footnotes import footnotes
from analysis.tables import RIGHT, as_text
from runs.errors import InputError


def to_csv(table: pl.DataFrame) -> str:
    """Return every column as CSV; null is an empty field, and text that a spreadsheet would compute stays text."""
    return neutral(table).write_csv()


def neutral(table: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose texts and names no spreadsheet computes: an apostrophe stands before what begins a formula.

    A formula begins with =, +, -, @, a tab or a line break, also after blanks (OWASP, "CSV Injection"); a text that is
    a number, such as the category "-1", stays one.
    """
    texts = [name for name, kind in table.schema.items() if kind in (pl.String, pl.Categorical) or kind == pl.Enum]
    cells = {name: pl.col(name).cast(pl.String) for name in texts}
    safe = table.with_columns(
        pl.when(cell.str.contains(_FORMULA) & ~cell.str.contains(_NUMBER)).then("'" + cell).otherwise(cell).alias(name)
        for name, cell in cells.items()
    )
    return safe.rename({name: f"'{name}" for name in table.columns if re.search(_FORMULA, name)})


_FORMULA = r"^\s*[=+\-@\t\r\n＝＋－＠]"
_NUMBER = r"^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$"


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
        f"| {' | '.join('---:' if name in RIGHT else '---' for name in text.columns)} |",
        *(_markdown_row(row) for row in text.iter_rows()),
        "",
        *(f"- {_markdown(note)}" for note in footnotes(table)),
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


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(_markdown(cell) for cell in cells)} |"


def _markdown(text: str) -> str:
    """Return `text` on one line, with Markdown's own characters escaped."""
    return re.sub(r"([|\\`*_<>\[\]~$&])", r"\\\1", " ".join(text.split()))


_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    "α": r"$\alpha$",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    # After the end of a row these two would be read as its options.
    "[": "{[}",
    "*": "{*}",
}


def _minus(text: str) -> str:
    """Return numbers with a minus sign where `text` has a hyphen."""
    return re.sub(r"(?<!-)-(?=\d)", "$-$", text)


def _latex(text: str) -> str:
    """Return `text` on one line, with LaTeX's own characters escaped and those left out that it cannot read."""
    return "".join(_LATEX.get(mark, mark) for mark in " ".join(text.split()) if mark.isprintable())
