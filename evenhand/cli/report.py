"""`evenhand report RUN`."""

from pathlib import Path
from typing import Annotated

import typer

import evenhand
from evenhand.cli.options import AsJson, Focal, RunFolder, show_json

NAME = "report"


def command(
    run: RunFolder,
    focal: Focal = None,
    survive: Annotated[
        bool, typer.Option("--survive", help="Does each verdict survive without each judge, country, question …")
    ] = False,
    figures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Each plot as PNG, SVG and PDF, and its data as CSV.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Analyze a run and write one self-contained HTML file."""
    path = evenhand.report(evenhand.analyze(run, focal=focal, survive=survive), figures=figures)
    if as_json:
        show_json({"report": str(path), "figures": None if figures is None else str(figures)})
    else:
        print(path)  # noqa: T201
