"""`evenhand import FILE`."""

from pathlib import Path
from typing import Annotated

import typer

import evenhand
from evenhand.cli.options import ROOT, AsJson, Root, exit_code, show_json
from evenhand.progress import Bars, console
from evenhand.terminal import plain
from runs.errors import InputError

NAME = "import"
LISTED = 10
"""Rows that do not fit, shown on the terminal; all of them stand in the run's rejected.jsonl."""


def command(
    file: Annotated[Path, typer.Argument(help="Answers: CSV, JSONL or Parquet.")],
    verdicts: Annotated[Path | None, typer.Option(help="Scores or labels of these answers.")] = None,
    name: Annotated[str | None, typer.Option(help="The study's name; by default the file's.")] = None,
    focal: Annotated[str | None, typer.Option(help="The country under test.")] = None,
    columns: Annotated[list[str] | None, typer.Option("--map", metavar="theirs=ours", help="Name a column.")] = None,
    rubric: Annotated[str | None, typer.Option(help="The verdicts' rubric; by default taken from the values.")] = None,
    out: Root = ROOT,
    as_json: AsJson = False,
) -> None:
    """Bring answers, and verdicts, that came from elsewhere into the store."""
    result = evenhand.import_(
        file, verdicts=verdicts, name=name, focal=focal, names=_names(columns or []), rubric=rubric, root=out
    )
    for told in (told for one in result.runs for told in one.damage):
        Bars().warn(told)
    for rejected in result.rejected[:LISTED]:
        console.print(f"{rejected['file']}, row {rejected['row']}: {rejected['why']}", markup=False, soft_wrap=True)
    if len(result.rejected) > LISTED:
        console.print(f"… and {len(result.rejected) - LISTED} more rows")
    counts = [
        {
            "run": str(one.run.path),
            "model": one.run.manifest["model"],
            "responses": one.responses,
            "verdicts": one.verdicts,
            "failures": one.failures,
        }
        for one in result.runs
    ]
    if as_json:
        show_json({"runs": counts, "rejected": len(result.rejected)})
    else:
        for one in counts:
            console.print(
                f"{one['model']}: {one['responses']} answers, {one['verdicts']} verdicts, {one['failures']} verdicts "
                "that are null or outside their scale",
                markup=False,
                soft_wrap=True,
            )
        if result.rejected:
            console.print(f"{len(result.rejected)} rows do not fit; they stand in rejected.jsonl.")
        for one in counts:
            print(plain(one["run"]))  # noqa: T201
    exit_code(len(result.rejected))


def _names(columns: list[str]) -> dict[str, str]:
    names = {}
    for column in columns:
        theirs, sign, ours = column.partition("=")
        if not sign or not theirs or not ours:
            raise InputError(f"--map {column}: expected theirs=ours, such as --map answer=text.")
        names[theirs] = ours
    return names
