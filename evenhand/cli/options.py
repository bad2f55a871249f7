"""Options and arguments that several verbs share, and how results are printed."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from evenhand.progress import console
from evenhand.terminal import Terminal, plain
from runs.store import DEFAULT_ROOT

StudyFile = Annotated[Path, typer.Argument(metavar="STUDY", help="A study file, or a folder with a study.toml.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, or a study's that holds one run.")]
Root = Annotated[Path, typer.Option("--out", help="The store.", show_default=True)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Focal = Annotated[str | None, typer.Option(help="The country under test; by default the study's.")]

MaxCost = Annotated[float | None, typer.Option("--max-cost", min=0, help="Stop at so many US dollars in all.")]
MaxTokens = Annotated[int | None, typer.Option("--max-tokens-total", min=0, help="Stop at so many tokens in all.")]

ROOT = DEFAULT_ROOT


def tell_unasked(unasked: int) -> None:
    """Say what the budget has left undone."""
    if unasked:
        told = f"the budget is spent: {unasked} calls were not made; the same command with a larger one goes on."
        console.print(told, markup=False, soft_wrap=True)


def show(renderable: RenderableType) -> None:
    """Print a table on stdout, as wide as the terminal; into a pipe or file as wide as it is."""
    stdout_console().print(renderable)


def stdout_console() -> Terminal:
    """Return the console of stdout: as wide as the terminal; into a pipe or file, wide enough for any table."""
    stdout = Terminal(highlight=False)
    return stdout if stdout.is_terminal else Terminal(highlight=False, width=240)


def show_json(content: dict[str, Any]) -> None:
    """Print `content` as one JSON object on stdout."""
    print(plain(json.dumps(content, ensure_ascii=False, default=str, allow_nan=False)))  # noqa: T201


def exit_code(failed: int) -> None:
    """Exit with 1 if something failed."""
    if failed:
        raise typer.Exit(1)
