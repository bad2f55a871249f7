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
    as_json: AsJson = False,
) -> None:
    """Make a study of my own to start from."""
    path = evenhand.init(folder)
    if as_json:
        show_json({"study": str(path)})
    else:
        console.print(f"{path}: edit it, then `evenhand check {path}` and `evenhand run {path}`.", soft_wrap=True)
