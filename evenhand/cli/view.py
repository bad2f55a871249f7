"""`evenhand view [RUN]`."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

import evenhand
from evenhand.cli.options import ROOT, AsJson, Root, show_json
from evenhand.progress import console

NAME = "view"

Port = Annotated[int, typer.Option(min=0, help="Of the pages, on 127.0.0.1; 0: any that is free.")]
NoOpen = Annotated[bool, typer.Option("--no-open", help="Only print the address.")]


def command(
    run: Annotated[
        Path | None, typer.Argument(metavar="[RUN]", help="A run's folder; by default all runs of the store.")
    ] = None,
    out: Root = ROOT,
    port: Port = 0,
    no_open: NoOpen = False,
    as_json: AsJson = False,
) -> None:
    """Read answers and verdicts in the browser: filter, search, compare, and see what stands behind every number."""
    evenhand.view(run, root=out, port=port, open_browser=opens(no_open), ready=partial(show_address, as_json=as_json))


def opens(no_open: bool) -> bool:
    """Whether to open the user's browser: not from a script."""
    return not no_open and sys.stdout.isatty()


def show_address(address: str, *, as_json: bool = False) -> None:
    """Print where the pages are, for people and for scripts."""
    if as_json:
        show_json({"address": address})
        sys.stdout.flush()
    else:
        print(address, flush=True)  # noqa: T201
    console.print("open it in a browser on this machine; Ctrl-C ends.", soft_wrap=True)
