"""`evenhand list`."""

from rich.table import Table
from rich.text import Text

import evenhand
from evenhand.cli.options import ROOT, AsJson, Root, show, show_json
from evenhand.cli.scorings import names_of

NAME = "list"


def command(out: Root = ROOT, as_json: AsJson = False) -> None:
    """Show the runs that there are, and who has scored them."""
    entries = evenhand.list_(out)
    if as_json:
        show_json({"runs": entries})
        return
    columns = ("run", "model", "focal", "answers", "status", "scored by")
    table = Table(*columns, box=None, header_style="bold")
    for entry in entries:
        cells = ["" if entry[name] is None else str(entry[name]) for name in columns[:5]]
        judges = ", ".join(names_of(entry["scorings"]).values())
        table.add_row(*(Text(cell) for cell in (*cells, judges)))  # not str: a model's name is no markup
    show(table)
