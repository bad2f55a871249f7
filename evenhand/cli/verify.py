"""`evenhand verify RUN`."""

import evenhand
from evenhand.cli.options import AsJson, RunFolder, exit_code, show_json
from evenhand.progress import Bars, console

NAME = "verify"
LISTED = 50
"""Differences and notes shown on the terminal, each; --json prints all."""


def command(run: RunFolder, as_json: AsJson = False) -> None:
    """Compute every digest, key and table again from the journals, and say what differs."""
    result = evenhand.verify(run, progress=Bars())
    differing = [{name: _plain(value) for name, value in vars(one).items()} for one in result.differences]
    if as_json:
        show_json({**vars(result), "run": str(result.run), "differences": differing})
        exit_code(len(differing))
        return
    for lines in (list(map(str, result.differences)), list(result.notes)):
        for line in lines[:LISTED]:
            print(line)  # noqa: T201
        if len(lines) > LISTED:
            console.print(f"… and {len(lines) - LISTED} more", markup=False)
    tables = ", ".join(result.tables) or "no table"
    verdict = "something differs" if differing else "all is as recorded"
    console.print(
        f"{result.digests:,} digests and keys of {result.responses:,} answers and {result.verdicts:,} verdicts, and "
        f"{tables}, computed again: {verdict}.",
        markup=False,
        soft_wrap=True,
    )
    exit_code(len(differing))


def _plain(value: object) -> object:
    return value if value is None else str(value)
