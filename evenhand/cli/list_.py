"""`evenhand list`."""

from rich.table import Table
from rich.text import Text

import evenhand
from evenhand.cli.options import ROOT, AsJson, Root, show, show_json

NAME = "list"


def command(out: Root = ROOT, as_json: AsJson = False) -> None:
    """Show the runs that there are, and who has scored them."""
    entries = evenhand.list_(out)
    if as_json:
        show_json({"runs": entries})
        return
    table = Table("run", "model", "focal", "answers", "status", "scored by", box=None, header_style="bold")
    for entry in entries:
        cells = [entry["run"], entry["model"], entry["focal"] or "", str(entry["answers"]), entry["status"]]
        judges = ", ".join(scoring["judge"] for scoring in entry["scorings"])
        table.add_row(*(Text(cell) for cell in (*cells, judges)))  # not str: a model's name is no markup
    show(table)
