"""How an analysis is printed: the verdict in words, the table, what is missing."""

from pathlib import Path

import polars as pl
from rich.table import Table
from rich.text import Text

from analysis.settings import OTHERS
from analysis.tables import rich_table
from evenhand.analysing import Analyzed
from evenhand.cli.options import show, show_json
from evenhand.progress import console


def print_analysis(
    analysis: Analyzed, *, as_json: bool = False, everything: bool = False, report: Path | None = None
) -> None:
    """Print an analysis; the rows against each single country only if `everything` is asked for."""
    if as_json:
        show_json(
            {
                "run": str(analysis.run.path),
                "study": analysis.run.manifest["study"]["name"],
                "model": analysis.run.manifest["model"],
                "focal": analysis.focal,
                "report": None if report is None else str(report),
                "contrasts": analysis.contrasts.to_dicts(),
                "missing": analysis.missing.to_dicts(),
            }
        )
        return
    pooled = analysis.contrasts.filter(pl.col("family") == "confirmatory")
    title = f"{analysis.run.manifest['model']}: {analysis.focal} against {OTHERS}"
    show(rich_table(analysis.contrasts if everything else pooled, title=title))
    for sentence in pooled["sentence"]:
        show(Text(f"• {sentence}"))
    missing = _missing(analysis.missing)
    if missing is not None:
        show(missing)
    if analysis.run.manifest["model"].startswith("bundled/"):
        show(Text("The bundled 135M model shows the machinery. Its answers and verdicts are no finding.", style="bold"))
    if report is not None:
        console.print(f"report: {report}", markup=False, soft_wrap=True)


def _missing(counts: pl.DataFrame) -> Table | None:
    """Return countries × reasons: scores that did not come, over all criteria and judges; None if all came."""
    gaps = counts.filter(pl.col("reason").is_not_null())
    if gaps.is_empty():
        return None
    wide = gaps.pivot("reason", index="country", values="rows", aggregate_function="sum").sort("country")
    table = Table(title="Scores that did not come", title_justify="left")
    for name in wide.columns:
        table.add_column(name, justify="left" if name == "country" else "right")
    for row in wide.iter_rows():
        table.add_row(*("0" if cell is None else str(cell) for cell in row))
    return table
