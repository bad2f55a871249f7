"""`evenhand score RUN --rubric R --judge J`."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import typer

import evenhand
from evenhand.cli.options import AsJson, MaxCost, MaxTokens, RunFolder, exit_code, show_json, tell_unasked
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
    repeats: Annotated[int | None, typer.Option(min=1, help="Verdicts for each answer.")] = None,
    on: Annotated[Literal["answer", "reasoning", "both"], typer.Option(help="What is scored.")] = "answer",
    placebo: Annotated[
        Literal["mask", "swap"] | None, typer.Option(help="Score again without the country's name, or with another's.")
    ] = None,
    logprobs: Annotated[
        bool | None,
        typer.Option(
            "--logprobs/--no-logprobs",
            help="Store the expected score over the levels as well; by default what judge and rubric say.",
        ),
    ] = None,
    max_cost: MaxCost = None,
    max_tokens_total: MaxTokens = None,
    as_json: AsJson = False,
) -> None:
    """Score a run with a rubric and one or more judges; what another judge has scored is left alone."""
    from evenhand.verbs import raise_errors, score_each  # noqa: PLC0415 — help is told without the four seconds

    results = score_each(
        run,
        judges=judge or (),
        rubric=rubric,
        on=on,
        placebo=placebo,
        progress=Bars(),
        budget=evenhand.Budget(max_tokens_total, max_cost),
        endpoint=endpoint,
        repeats=repeats,
        logprobs=logprobs,
    )
    finished = [result for result in results if result.error is None]
    _tell_shown(result.scoring.manifest for result in finished)
    scorings = [evenhand.show_scoring(result.scoring) for result in finished]
    if as_json:
        tallies = [{"scored": result.tally.done, "failed": result.tally.failed} for result in finished]
        errors = [{"scoring": str(one.scoring.path), "error": str(one.error)} for one in results if one.error]
        told = [one | tally for one, tally in zip(scorings, tallies, strict=True)]
        show_json({"scorings": told, "errors": errors})
    else:
        for one in scorings:
            console.print(_told(one), markup=False, soft_wrap=True)
    unasked = sum(result.tally.unasked for result in results)
    tell_unasked(unasked)
    raise_errors(results)
    exit_code(unasked + sum(result.tally.failed for result in results))


def _tell_shown(manifests: Iterable[Mapping[str, Any]]) -> None:
    """Say on how many answers the placebo had something to do; one that changes nothing says nothing."""
    for shown in {manifest["on"]: manifest.get("shown") for manifest in manifests}.values():
        if shown is not None:
            changed = f"the placebo changed {shown['changed']} of {shown['answers']} answers"
            console.print(f"{changed}; the others keep their verdicts.", markup=False, soft_wrap=True)


def _told(scoring: dict[str, object]) -> str:
    cost = "" if scoring["cost"] is None else f", {scoring['cost']:.4f} US dollars"
    lines = [f"scoring: {scoring['scoring']} ({scoring['tokens'] or 0:,} tokens{cost})"]
    without = scoring["without_expected_score"]
    if isinstance(without, dict):
        lines += [
            f"  no expected score for {count} scores: {why}; the given one counts" for why, count in without.items()
        ]
    return "\n".join(lines)
