"""How question sets and rubrics are printed."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from evenhand.terminal import Terminal


def plain_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return `rows`, which share their keys, as a table."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for name, value in rows[0].items():
        table.add_column(name, justify="right" if isinstance(value, int | float) else "left")
    for row in rows:
        table.add_row(*(Text("–" if value is None else str(value)) for value in row.values()))
    return table


def header(content: Mapping[str, Any]) -> Text:
    """Return name, version and description of a set or a rubric."""
    name = Text(f"{content['name']} {content['version']}\n", style="bold")
    return name.append(f"{content['description']}\n", style="not bold")


def findings_told(findings: Sequence[Mapping[str, str]]) -> Text:
    """Return what the lint found, a line each."""
    if not findings:
        return Text("\nlint: nothing found")
    lines = [f"  {one['where']} [{one['rule']}]: {one['message']}" for one in findings]
    return Text("\n".join([f"\nlint: {len(findings)} found", *lines]))


def show_whole(text: Text) -> None:
    """Print `text` on stdout without breaking its lines: it is what a model reads."""
    Terminal(highlight=False).print(text, soft_wrap=True)
