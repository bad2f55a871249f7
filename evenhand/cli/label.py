"""`evenhand label RUN`."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

import evenhand
from evenhand.cli.options import AsJson, RunFolder, show, show_json
from evenhand.cli.view import NoOpen, Port, opens, show_address
from evenhand.progress import console

NAME = "label"


def command(
    run: RunFolder,
    rubric: Annotated[
        str | None, typer.Option(help="A shipped rubric or a path; by default the one it has been scored on.")
    ] = None,
    n: Annotated[int, typer.Option("--n", min=1, help="Answers to label, rounded up to whole questions.")] = 60,
    name: Annotated[str | None, typer.Option(help="Who labels; by default the user's login name.")] = None,
    mask: Annotated[bool, typer.Option("--mask", help="Take the country's name out of questions and answers.")] = False,
    seed: Annotated[int, typer.Option(help="Of what is drawn; the same for all who label the same answers.")] = 0,
    focal: Annotated[str | None, typer.Option(help="The country under test; by default the study's.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Show who has labelled how much, and end.")] = False,
    port: Port = 0,
    no_open: NoOpen = False,
    as_json: AsJson = False,
) -> None:
    """Label answers blindly in the browser, by keyboard; the labels go into `agree` and correct a judge's contrasts."""
    if listed:
        _show(evenhand.labellers(run), as_json=as_json)
        return

    def ready(address: str, answers: int) -> None:
        show_address(address, as_json=as_json)
        console.print(f"{answers} answers to whole questions; every label is on disk at once.", soft_wrap=True)

    done = evenhand.label(
        run,
        rubric=rubric,
        n=n,
        name=name,
        mask=mask,
        seed=seed,
        focal=focal,
        port=port,
        open_browser=opens(no_open),
        ready=ready,
    )
    told = f"{done.judge}: {done.answers} of {done.of} answers labelled; the same command goes on from there."
    console.print(told, markup=False, soft_wrap=True)


def _show(people: list[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        show_json({"labellers": people})
        return
    table = Table("name", "rubric", "masked", "answers", "labels", "drawn", box=None, header_style="bold")
    for one in people:
        table.add_row(*(Text("" if value is None else str(value)) for value in one.values()))
    show(table if people else Text("nobody has labelled this run"))
