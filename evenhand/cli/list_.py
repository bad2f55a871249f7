"""`evenhand list`."""

from rich.table import Table

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
        table.add_row(*cells, ", ".join(scoring["judge"] for scoring in entry["scorings"]))
    show(table)
