"""`evenhand check STUDY`."""

from rich.table import Table

import evenhand
from evenhand.cli.options import AsJson, StudyFile, show, show_json
from evenhand.progress import Bars

NAME = "check"


def command(study: StudyFile, as_json: AsJson = False) -> None:
    """Read everything and touch no model: what the study will ask, what it may cost, what it can find."""
    content = evenhand.check(study)
    if as_json:
        show_json(content)
        return
    judges, effects = content.pop("judges"), content.pop("smallest_detectable_effects")
    total = {f"total_{name}": value for name, value in content.pop("total").items()}
    warnings = content.pop("warnings")
    table = Table.grid(padding=(0, 2))
    for part in (content, *judges, total):
        for name, value in part.items():
            table.add_row(name.replace("_", " "), _told(value))
    for effect in effects:
        table.add_row(f"smallest effect, {effect['criterion']}", f"{effect['mde']:.2f} (80 % power, assumed variances)")
    show(table)
    for told in warnings:
        Bars().warn(told)


def _told(value: object) -> str:
    match value:
        case None:
            return "no public price"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.2f} US dollars"
        case _:
            return str(value)
