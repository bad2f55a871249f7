"""`evenhand score RUN --rubric R --judge J`."""

from typing import Annotated

import typer

import evenhand
from evenhand.cli.options import AsJson, RunFolder, exit_code, show_json
from evenhand.progress import Bars, console

NAME = "score"


def command(
    run: RunFolder,
    judge: Annotated[
        list[str] | None,
        typer.Option(help="A judge of the study, a TOML file, or a model such as openai/gpt-5 or vllm/Qwen/Qwen3-32B."),
    ] = None,
    rubric: Annotated[str | None, typer.Option(help="A shipped rubric or a path; by default the study's.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="URL where a judge given as a model answers.")] = None,
    repeats: Annotated[int | None, typer.Option(help="Verdicts for each answer.")] = None,
    as_json: AsJson = False,
) -> None:
    """Score a run with a rubric and one or more judges; what another judge has scored is left alone."""
    results = evenhand.score(
        run, judges=judge or (), rubric=rubric, endpoint=endpoint, repeats=repeats, progress=Bars()
    )
    if as_json:
        scorings = [
            {"scoring": str(result.scoring.path), "scored": result.tally.done, "failed": result.tally.failed}
            for result in results
        ]
        show_json({"scorings": scorings})
    else:
        for result in results:
            console.print(f"scoring: {result.scoring.path}", markup=False, soft_wrap=True)
    exit_code(sum(result.tally.failed for result in results))
