"""`evenhand questions [SET]`."""

from typing import Annotated, Any

import typer
from rich.console import Group
from rich.text import Text

import evenhand
from evenhand.cli.options import AsJson, exit_code, show, show_json
from evenhand.cli.shipped import findings_told, header, plain_table, show_whole

NAME = "questions"


def command(
    name: Annotated[str | None, typer.Argument(metavar="[SET]", help="A shipped question set, or a path.")] = None,
    country: Annotated[
        str | None, typer.Option(metavar="COUNTRY", help="Show every question as asked about this country.")
    ] = None,
    language: Annotated[str, typer.Option(metavar="CODE", help="The language of that.", show_default=True)] = "en",
    as_json: AsJson = False,
) -> None:
    """List the question sets that are shipped; or count, preview and lint one, shipped or my own."""
    content = evenhand.questions(name, country=country, language=language)
    read = [content] if name is not None else content["sets"]
    if as_json:
        show_json(content)
    elif name is None:
        show(plain_table([_row(entry) for entry in content["sets"]]))
    elif content["prompts"] is not None:
        show_whole(_prompts(content["prompts"]))
        show(findings_told(content["findings"]))
    else:
        show(
            Group(header(content), _facts(content), plain_table(content["topics"]), findings_told(content["findings"]))
        )
    exit_code(sum(len(one["findings"]) for one in read))


def _row(entry: dict[str, Any]) -> dict[str, object]:
    counts = {key: entry[key] for key in ("entries", "questions", "sensitive", "controls")}
    return {
        "set": entry["name"],
        "version": entry["version"],
        **counts,
        "topics": len(entry["topics"]),
        "stances": _stances(entry),
        "languages": " ".join(entry["languages"]),
        "lint": f"{len(entry['findings'])} found" if entry["findings"] else "clean",
    }


def _stances(entry: dict[str, Any]) -> str:
    return ", ".join(f"{count} {stance}" for stance, count in entry["stances"].items())


def _facts(content: dict[str, Any]) -> Text:
    """Tell the counts of a set, and who made its texts."""
    made = [
        f"{language} ({by + ' translation' if by else 'original' if number == 0 else 'translator not said'})"
        for number, (language, by) in enumerate(content["languages"].items())
    ]
    counts = "{entries} entries are wordings of {questions} questions, {controls} of them controls".format(**content)
    return Text(f"{counts}; {_stances(content)}\n{', '.join(made)}\n")


def _prompts(prompts: list[dict[str, Any]]) -> Text:
    """Lay out the questions as they are asked, one below the other."""
    text = Text()
    for one in prompts:
        about = [one["topic"], "" if one["sensitive"] else "control", one["stance"] or ""]
        text.append(f"{one['id']}  ({', '.join(filter(None, about))})\n", style="dim")
        text.append(f"{one['prompt']}\n\n")
    return text
