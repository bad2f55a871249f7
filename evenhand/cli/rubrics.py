"""`evenhand rubrics [RUBRIC]`."""

from typing import Annotated, Any

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

import evenhand
from evenhand.cli.options import ROOT, AsJson, MaxCost, MaxTokens, Root, exit_code, show, show_json, tell_unasked
from evenhand.cli.shipped import findings_told, header, plain_table, show_whole
from evenhand.progress import Bars, console
from runs.errors import InputError

NAME = "rubrics"


def command(
    name: Annotated[str | None, typer.Argument(metavar="[RUBRIC]", help="A shipped rubric, or a path.")] = None,
    judge: Annotated[
        str | None,
        typer.Option(
            help="Try this judge on the rubric's worked examples: a TOML file, or a model such as openai/gpt-5."
        ),
    ] = None,
    endpoint: Annotated[str | None, typer.Option(help="URL where the judge answers.")] = None,
    repeats: Annotated[int | None, typer.Option(min=1, help="Verdicts of the judge on each example.")] = None,
    reasons: Annotated[
        bool | None, typer.Option("--reasons/--no-reasons", help="Whether a judge gives a reason before each score.")
    ] = None,
    out: Root = ROOT,
    max_cost: MaxCost = None,
    max_tokens_total: MaxTokens = None,
    as_json: AsJson = False,
) -> None:
    """List the rubrics that are shipped; or lint one and show what a judge reads; or try a judge on its examples."""
    if judge is None:
        _show(name, reasons is not False, as_json)
        return
    if name is None:
        raise InputError("--judge: name the rubric whose worked examples the judge is tried on.")
    budget = evenhand.Budget(max_tokens_total, max_cost)
    tried = evenhand.try_judge(
        name, judge, root=out, progress=Bars(), budget=budget, endpoint=endpoint, repeats=repeats, reasons=reasons
    )
    rows = tried.verdicts.to_dicts()
    if as_json:
        show_json({"run": str(tried.run.path), "agreement": tried.agreement.to_dicts(), "verdicts": rows})
    else:
        if rows:
            show(Group(plain_table([_told(row) for row in rows]), Text(), plain_table(tried.agreement.to_dicts())))
        console.print(f"run: {tried.run.path}", markup=False, soft_wrap=True)
    tally = tried.scored.tally
    tell_unasked(tally.unasked)
    exit_code(tally.unasked + tally.failed)


def _show(name: str | None, reasons: bool, as_json: bool) -> None:
    content = evenhand.rubrics(name, reasons=reasons)
    read = [content] if name is not None else content["rubrics"]
    if as_json:
        show_json(content)
    elif name is None:
        show(Group(*(Group(header(one), _criteria(one), findings_told(one["findings"]), Text()) for one in read)))
    else:
        show(Group(header(content), _criteria(content), Text("\nWhat a judge reads:\n", style="bold")))
        show_whole(Text(content["instructions"]))
        show(findings_told(content["findings"]))
    exit_code(sum(len(one["findings"]) for one in read))


def _criteria(rubric: dict[str, Any]) -> Table:
    rows = [
        {
            "criterion": one["id"],
            "scale": _scale(one),
            "n/a": "may abstain" if one["not_applicable"] else "",
            "question": one["question"],
        }
        for one in rubric["criteria"]
    ]
    return plain_table(rows)


def _scale(criterion: dict[str, Any]) -> str:
    if criterion["lowest"] is None:
        return f"{criterion['scale']}, {len(criterion['levels'])} categories"
    return f"{criterion['scale']}, {criterion['lowest']:g} to {criterion['highest']:g}"


def _told(row: dict[str, Any]) -> dict[str, Any]:
    given = row["given"] if row["kind"] is None else f"({row['kind']})"
    mark = {True: "=", False: "≠", None: ""}[row["agrees"]]
    facts = {"example": row["example"], "criterion": row["criterion"], "expected": row["expected"], "": mark}
    return {**facts, "given": given, "reason": row["reason"] or ""}
