"""The report: one self-contained HTML file. Nothing is computed here."""

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

import polars as pl

from analysis.footnotes import footnotes
from analysis.tables import as_text
from runs.journal import write_whole
from runs.store import Run

STYLE = files("analysis.report").joinpath("style.css").read_text("utf-8")
"""The style sheet of the report and of the local pages: colours for light, dark and paper as custom properties."""


def write_report(path: Path, run: Run, contrasts: pl.DataFrame, missing: pl.DataFrame) -> None:
    """Write the report of `run` to `path`.

    Args:
        path: the HTML file, written whole or not at all.
        run: what the report is about.
        contrasts: schema `analysis.contrasts.CONTRASTS`.
        missing: schema `analysis.missing.MISSING`.

    Raises:
        StoreError: the disk refuses.
    """
    declared = contrasts.filter(pl.col("family") == "confirmatory")
    explored = contrasts.filter(pl.col("family") == "exploratory")
    name = f"{run.manifest['study']['name']}: {run.manifest['model']}"
    parts = [
        f"<h1>{escape(name)}</h1>",
        _list(declared["sentence"]),
        "<h2>Declared contrasts</h2>",
        _table(as_text(declared)),
        _list(footnotes(contrasts)),
        "<h2>Exploratory contrasts</h2>",
        _table(as_text(explored)),
        "<h2>Scores that came and did not come</h2>",
        _table(missing),
        "<h2>How it was made</h2>",
        _facts(run),
    ]
    # Answers and reasons are not shown, yet names come from files: all is escaped, and nothing may be loaded or run.
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{escape(name)}</title><style>{STYLE}</style>"
    )
    write_whole(
        path,
        f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{_joined(parts)}\n</body></html>\n'.encode(),
    )


def _table(frame: pl.DataFrame) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in frame.columns)
    rows = (_row(row) for row in frame.iter_rows())
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>{_joined(rows)}</tbody></table>"


def _row(row: Sequence[object]) -> str:
    cells = ("–" if cell is None else f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row)
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _list(sentences: Iterable[str]) -> str:
    return "<ul>" + _joined(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "</ul>"


def _facts(run: Run) -> str:
    facts = {"run": run.path.name, "started": run.manifest.get("started"), "git": run.manifest.get("git")}
    facts |= {"digest": run.manifest["digest"], **run.manifest.get("versions", {})}
    facts |= {f"scoring by {scoring.judge}": scoring.path.name for scoring in run.scorings()}
    pairs = (f"<dt>{escape(key)}</dt><dd>{escape(str(value))}</dd>" for key, value in facts.items() if value)
    return f"<dl>{_joined(pairs)}</dl>"


def _joined(parts: Iterable[str]) -> str:
    return "\n".join(parts)
