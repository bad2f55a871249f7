"""`evenhand check STUDY`."""

from rich.table import Table

import evenhand
from evenhand.cli.options import AsJson, StudyFile, show, show_json

NAME = "check"


def command(study: StudyFile, as_json: AsJson = False) -> None:
    """Read everything and touch no model: what the study will ask, how much of it, and what it may cost."""
    content = evenhand.check(study)
    if as_json:
        show_json(content)
        return
    judges = content.pop("judges")
    table = Table.grid(padding=(0, 2))
    for name, value in [*content.items(), *((f"  {name}", value) for one in judges for name, value in one.items())]:
        table.add_row(name.replace("_", " "), _told(value))
    show(table)


def _told(value: object) -> str:
    if value is None:
        return "no public price"
    return (
        f"{value:,}"
        if isinstance(value, int)
        else f"{value:,.2f} US dollars"
        if isinstance(value, float)
        else str(value)
    )
