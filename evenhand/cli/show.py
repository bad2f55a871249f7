"""`evenhand show RUN [ITEM]`."""

from typing import Annotated, Any

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

import evenhand
from evenhand.cli.lines import legend, plot, signs_for
from evenhand.cli.options import AsJson, RunFolder, show, show_json, stdout_console
from evenhand.cli.scorings import names_of
from evenhand.progress import console

NAME = "show"
MOST_LINES = 40
"""Contrasts that are drawn."""


def command(
    run: RunFolder,
    item: Annotated[str | None, typer.Argument(metavar="[ITEM]", help="question/country/language")] = None,
    failures: Annotated[bool, typer.Option("--failures", help="What did not come, and why.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a run holds; one item's answers with their verdicts; or its failures."""
    if item is not None:
        content = evenhand.show_item(run, item)
    elif failures:
        content = evenhand.show_failures(run)
    else:
        content = evenhand.show_run(run)
    if as_json:
        show_json(content)
    elif item is not None:
        show(_answers(content))
    else:
        rows = content["failures"] if failures else content["answers"]
        show(_table(rows) if rows else Text("nothing failed" if failures else "no answer has come yet"))
        if not failures:
            _tell_analysis(content)
        elif content["abstained"]:
            show(
                Group(Text('\nabstained: the judge said "not applicable"', style="bold"), _table(content["abstained"]))
            )


def _tell_analysis(content: dict[str, Any]) -> None:
    """Print the contrasts as lines, or which command brings them up to date."""
    told, command = content["analysis"], f"evenhand analyze {content['run']}"
    if told is None or not told["is_current"]:
        why = "answers or verdicts have come since the last analysis" if told else "nothing has been analyzed yet"
        if not content["scorings"]:
            why, command = "nothing has been scored yet", f"evenhand score {content['run']} --judge …"
        console.print(f"{why}; run: {command}", markup=False, soft_wrap=True)
        return
    out = stdout_console()
    signs = signs_for(out.encoding)
    rows = told["contrasts"][:MOST_LINES]
    against = {row["reference"] for row in rows}
    other = against.pop() if len(against) == 1 else "the comparator"
    show(Text(f"\n{told['focal']} minus {other}, judged by {told['judge']} ({legend(signs)})", style="bold"))
    for line in plot(rows, out.width, signs):
        show(Text(line, no_wrap=True, overflow="crop"))
    left = len(told["contrasts"]) - len(rows)
    more = [f"{left} more contrasts"] if left else []
    more += [f"{len(told['judges']) - 1} more judges"] if len(told["judges"]) > 1 else []
    console.print(f"{', '.join([*more, 'the whole table'])}: {command}", markup=False, soft_wrap=True)


def _table(rows: list[dict[str, object]]) -> Table:
    """Lay out rows; a column in which nothing stands is left out."""
    columns = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    table = Table(*columns, box=None, header_style="bold")
    for row in rows:
        table.add_row(*(Text("" if row[name] is None else str(row[name])) for name in columns))
    return table


def _answers(content: dict[str, object]) -> Group:
    """Lay out answers as text; `Text` keeps what a model wrote from being read as markup."""
    parts: list[Text] = [Text(str(content["prompt"] or content["item_id"]), style="bold")]
    answers = content["answers"]
    for answer in answers if isinstance(answers, list) else []:
        parts.append(Text(f"\nepoch {answer['epoch']}, {answer['status']}", style="dim"))
        if answer["reasoning"]:
            parts.append(Text(answer["reasoning"], style="dim italic"))
        parts.append(Text(answer["text"] or "(no answer)"))
        names = names_of(list({one["scoring"]: one for one in answer["verdicts"]}.values()))
        repeated = {one["scoring"] for one in answer["verdicts"] if one["repeat"] > 1}
        for verdict in answer["verdicts"]:
            who = names[verdict["scoring"]]
            who += f", repeat {verdict['repeat']}" if verdict["scoring"] in repeated else ""
            given = verdict["kind"] or (verdict["label"] if verdict["score"] is None else f"{verdict['score']:g}")
            parts.append(Text(f"  {who} · {verdict['criterion']}: {given}  {verdict['reason'] or ''}"))
    return Group(*parts)
