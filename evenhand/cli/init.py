"""`evenhand init DIR`."""

from pathlib import Path
from typing import Annotated

import typer

import evenhand
from evenhand.cli.options import AsJson, show_json
from evenhand.progress import console

NAME = "init"


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder for the study; made if it is not there.")],
    questions: Annotated[str, typer.Option(metavar="SET", help="A shipped question set, or a path.")] = "quick",
    rubric: Annotated[str, typer.Option(metavar="RUBRIC", help="A shipped rubric, or a path.")] = "candour",
    focal: Annotated[str, typer.Option(metavar="COUNTRY", help="The country under test.")] = "CN",
    countries: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help="Codes, names or lists such as g20, with commas between them."),
    ] = None,
    copy: Annotated[
        bool, typer.Option("--copy", help="Put copies of set and rubric beside the study, to edit.")
    ] = False,
    run: Annotated[
        Path | None, typer.Option("--from", metavar="RUN", help="A run, or its run.json: its study, to ask again.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a study of my own to start from."""
    named = [name.strip() for names in countries or () for name in names.split(",") if name.strip()]
    chosen = {"countries": named} if named else {}
    path = evenhand.init(folder, questions=questions, rubric=rubric, focal=focal, copy=copy, run=run, **chosen)
    if as_json:
        show_json({"study": str(path)})
    else:
        told = f"{path}: edit it, then `evenhand check {path}` and `evenhand run {path}`."
        console.print(told, markup=False, soft_wrap=True)
