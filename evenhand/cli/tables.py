"""How an analysis is printed: the verdict in words, the table, what is missing."""

from pathlib import Path

import polars as pl
from rich import box
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from analysis.export import to_csv, to_html, to_latex, to_markdown
from analysis.familiar import TESTS
from analysis.footnotes import footnotes
from analysis.moved import CHANGES, CONTRAST
from analysis.settings import OTHERS
from analysis.tables import readable, rich_table, written
from evenhand.analysing import Analyzed
from evenhand.cli.options import show, show_json
from evenhand.progress import console
from evenhand.terminal import plain

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
        facts["unpaired"] = list(analysis.unpaired)
        show_json(facts | {name: frame.to_dicts() for name, frame in analysis.frames().items()})
        return
    declared = analysis.contrasts.filter(pl.col("family") == "confirmatory")
    shown = analysis.contrasts if everything else declared
    references = declared["reference"].unique().to_list()
    against = references[0] if len(references) == 1 else "several"
    show(Text(f"{analysis.run.manifest['model']}: {analysis.focal} against {against}", style="bold"))
    show(rich_table(shown))
    for note in footnotes(shown):
        show(Text(note, style="dim"))
    _print_more(analysis, everything=everything)
    show(Text("\nIn words", style="bold"))
    for sentence in declared["sentence"]:
        show(Text(f"• {sentence}"))
    if analysis.run.manifest["model"].startswith("bundled/"):
        show(Text("The bundled 135M model shows the machinery. Its answers and verdicts are no finding.", style="bold"))
    if report is not None:
        console.print(f"report: {report}", markup=False, soft_wrap=True)


def print_as(contrasts: pl.DataFrame, written: str, *, everything: bool) -> None:
    """Print the significance table as `csv` (every row), or as `markdown`, `latex` or `html` (the declared rows)."""
    shown = contrasts if everything or written == "csv" else contrasts.filter(pl.col("family") == "confirmatory")
    print(plain(_WRITERS[written](shown)), end="")  # noqa: T201


def print_frame(title: str, frame: pl.DataFrame) -> None:
    """Print a frame, columns without a word left out; nothing if it has no rows."""
    if frame.is_empty():
        return
    show(Text(f"\n{title}", style="bold"))
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    said = readable(frame)
    for name, kind in said.schema.items():
        side: JustifyMethod = "right" if kind.is_numeric() else "left"
        table.add_column(name.replace("_", " "), justify=side, no_wrap=side == "right", overflow="fold")
    for row in said.iter_rows(named=True):
        table.add_row(*(Text(written(name, value)) for name, value in row.items()))
    show(table)


def _print_more(analysis: Analyzed, *, everything: bool) -> None:
    """Print what stands beside the table."""
    print_frame("Scores that did not come", _missing(analysis.missing))
    print_frame("Do the countries differ at all", _omnibus(analysis.omnibus))
    print_frame("Given levels that count where no expected score could be had", analysis.unexpected)
    for name, frame in analysis.moved.items():
        shown = frame if everything else frame.filter(pl.col("country") == CONTRAST)
        print_frame(CHANGES[name].title, shown)
    for folder in analysis.unpaired:
        told = f"{folder}: nothing to compare it with; have the same judge score the answers, with the same settings."
        console.print(told, markup=False, soft_wrap=True)
    if analysis.survival is not None:
        survival = analysis.survival.drop("focal")
        print_frame("Does the conclusion survive leaving one out", survival)
    if analysis.familiar is not None:
        familiar = analysis.familiar.drop("caveat", "takes", "focal")
        print_frame("Familiar tests", familiar if everything else familiar.filter(pl.col("reference") == OTHERS))
        for test in analysis.familiar["test"].unique(maintain_order=True):
            show(Text(f"{test}: {TESTS[test].caveat}", style="dim"))


def _missing(counts: pl.DataFrame) -> pl.DataFrame:
    """Return countries × reasons: scores that did not come, over all criteria; per judge where there are several."""
    gaps = counts.filter(pl.col("reason").is_not_null())
    if gaps.is_empty():
        return gaps
    index = ["judge", "country"] if counts["judge"].n_unique() > 1 else ["country"]
    return gaps.pivot("reason", index=index, values="rows", aggregate_function="sum").fill_null(0).sort(index)


def _omnibus(tests: pl.DataFrame) -> pl.DataFrame:
    """Return the tests of all countries at once that there were data for."""
    what = pl.concat_str("criterion", "category", separator=": ", ignore_nulls=True).alias("criterion")
    shown = tests.filter(pl.col("p").is_not_null())
    return shown.select(what, "judge", "test", "n_questions", "n_countries", "statistic", "df", "p", "kendall_w")
