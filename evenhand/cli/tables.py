"""How an analysis is printed: the verdict in words, the table, what is missing."""

from pathlib import Path

import polars as pl
from rich.table import Table
from rich.text import Text

from analysis.export import to_csv, to_html, to_latex, to_markdown
from analysis.familiar import TESTS
from analysis.moved import CONTRAST
from analysis.settings import OTHERS
from analysis.tables import rich_table
from analysis.verdict import number
from evenhand.analysing import Analyzed
from evenhand.cli.options import show, show_json
from evenhand.progress import console

_WRITERS = {"csv": to_csv, "markdown": to_markdown, "latex": to_latex, "html": to_html}


def print_analysis(
    analysis: Analyzed, *, as_json: bool = False, everything: bool = False, report: Path | None = None
) -> None:
    """Print an analysis; its exploratory rows only if `everything` is asked for."""
    if as_json:
        facts = {
            "run": str(analysis.run.path),
            "study": analysis.run.manifest["study"]["name"],
            "model": analysis.run.manifest["model"],
            "focal": analysis.focal,
            "report": None if report is None else str(report),
        }
        show_json(facts | {name: frame.to_dicts() for name, frame in analysis.frames().items()})
        return
    declared = analysis.contrasts.filter(pl.col("family") == "confirmatory")
    title = f"{analysis.run.manifest['model']}: {analysis.focal} against {OTHERS}"
    show(rich_table(analysis.contrasts if everything else declared, title=title))
    for sentence in declared["sentence"]:
        show(Text(f"• {sentence}"))
    _print_more(analysis, everything=everything)
    if analysis.run.manifest["model"].startswith("bundled/"):
        show(Text("The bundled 135M model shows the machinery. Its answers and verdicts are no finding.", style="bold"))
    if report is not None:
        console.print(f"report: {report}", markup=False, soft_wrap=True)


def print_as(contrasts: pl.DataFrame, written: str, *, everything: bool) -> None:
    """Print the significance table as `csv` (every row), or as `markdown`, `latex` or `html` (the declared rows)."""
    shown = contrasts if everything or written == "csv" else contrasts.filter(pl.col("family") == "confirmatory")
    print(_WRITERS[written](shown), end="")  # noqa: T201


def print_frame(title: str, frame: pl.DataFrame) -> None:
    """Print a frame as it is; nothing if it has no rows."""
    if frame.is_empty():
        return
    table = Table(title=title, title_justify="left")
    for name, kind in frame.schema.items():
        table.add_column(name, justify="right" if kind.is_numeric() else "left")
    for row in frame.iter_rows():
        table.add_row(*(Text(_cell(value)) for value in row))
    show(table)


def _print_more(analysis: Analyzed, *, everything: bool) -> None:
    """Print what stands beside the table."""
    print_frame("Scores that did not come", _missing(analysis.missing))
    for name, frame in analysis.moved.items():
        shown = frame if everything else frame.filter(pl.col("country") == CONTRAST)
        print_frame(_MOVED[name], shown)
    if analysis.survival is not None:
        print_frame("Does the conclusion survive leaving one out", analysis.survival)
    if analysis.familiar is not None:
        familiar = analysis.familiar.drop("caveat")
        print_frame("Familiar tests", familiar if everything else familiar.filter(pl.col("reference") == OTHERS))
        for test in analysis.familiar["test"].unique(maintain_order=True):
            show(Text(f"{test}: {TESTS[test].caveat}", style="dim"))


_MOVED = {
    "mask": "The same answers without the country's name: what moved is the judge's",
    "swap": "The same answers under another country's name: what moved is the judge's",
    "reasoning": "The thinking in the answer's place",
}


def _missing(counts: pl.DataFrame) -> pl.DataFrame:
    """Return countries × reasons: scores that did not come, over all criteria and judges."""
    gaps = counts.filter(pl.col("reason").is_not_null())
    if gaps.is_empty():
        return gaps
    return gaps.pivot("reason", index="country", values="rows", aggregate_function="sum").fill_null(0).sort("country")


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return number(value) if isinstance(value, float) else str(value)
