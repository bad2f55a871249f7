"""`evenhand check STUDY`."""

from rich.table import Table

import evenhand
from evenhand.cli.options import AsJson, StudyFile, show, show_json

NAME = "check"


def command(study: StudyFile, as_json: AsJson = False) -> None:
    """Read everything and touch no model: what the study will ask, and how much of it."""
    content = evenhand.check(study)
    if as_json:
        show_json(content)
        return
    table = Table.grid(padding=(0, 2))
    for name, value in content.items():
        table.add_row(name.replace("_", " "), f"{value:,}" if isinstance(value, int) else str(value))
    show(table)
