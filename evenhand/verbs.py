"""The verbs as functions: what the command line does, without its printing."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evenhand import stages
from evenhand.analysing import Analyzed, analyze
from evenhand.choosing import rubric_for
from evenhand.engines import Engines
from evenhand.study import load_study
from judging.settings import Judge
from judging.variants import Variant, variants
from runs.calls import Budget, Tally
from runs.errors import InputError, nearest
from runs.progress import Progress, Silent
from runs.store import DEFAULT_ROOT, Run, Scoring, open_run
from runs.tomlfile import load, parse


@dataclass(frozen=True)
class Generated:
    """What generating came to."""

    run: Run
    tally: Tally


@dataclass(frozen=True)
class Scored:
    """What one judge's scoring came to."""

    scoring: Scoring
    tally: Tally


@dataclass(frozen=True)
class Finished:
    """What a whole study came to."""

    run: Run
    analysis: Analyzed
    report: Path
    failed: int
    """Answers and verdicts that did not come this time."""
    unasked: int
    """Answers and verdicts that were not asked for, because the budget was spent."""


def generate(
    study: Path | str,
    *,
    root: Path = DEFAULT_ROOT,
    progress: Progress | None = None,
    budget: Budget | None = None,
) -> Generated:
    """Get every answer of the study file `study` that is not there yet, as far as the budget goes.

    Raises:
        InputError, StoreError, EndpointError: see `runs.errors`; what came before is on disk.
    """
    plan, watch = load_study(Path(study)), progress or Silent()

    async def work() -> Generated:
        async with _session(watch, budget) as session:
            return Generated(*await stages.answer(plan, root, session))

    return stages.drive(work())


def score(
    run: Run | Path | str,
    *,
    judges: Sequence[Judge | str] = (),
    rubric: str | None = None,
    on: str = "answer",
    placebo: str | None = None,
    progress: Progress | None = None,
    budget: Budget | None = None,
    **settings: object,
) -> list[Scored]:
    """Score `run` with a rubric and judges; what other judges have scored is left alone.

    Args:
        run: the run, or its folder.
        judges: judges of the study by name, TOML files, models such as `openai/gpt-5`, or `Judge`s; none: the study's.
        rubric: a shipped rubric or a path; null: the one it has been scored on, else the study's.
        on: what is scored: `answer`, `reasoning` (the model's thinking), or `both`.
        placebo: `mask` or `swap`: the same texts under no country's name, or another's; null: as they are.
        progress: who watches.
        budget: how much may be spent; null: no limit.
        settings: fields of `Judge` that replace what each judge says, such as `repeats` or `endpoint`; null: as there.

    Raises:
        InputError, StoreError, EndpointError: see `runs.errors`; what came before is on disk.
    """
    run = run if isinstance(run, Run) else open_run(Path(run))
    said = {name: value for name, value in settings.items() if value is not None}
    chosen = [_judge(run, one, said) for one in judges or _declared(run)]
    if not chosen:
        raise InputError(f"{run.path}: its study names no judge; name one with --judge, such as openai/gpt-5.")
    scale, shown = rubric_for(run, rubric), variants(on, placebo)

    async def work() -> list[Scored]:
        async with _session(progress or Silent(), budget) as session:
            return [Scored(*one) for one in await stages.judge(run, scale, chosen, shown, session)]

    return stages.drive(work())


def run(
    study: Path | str,
    *,
    root: Path = DEFAULT_ROOT,
    progress: Progress | None = None,
    budget: Budget | None = None,
) -> Finished:
    """Generate, score, analyze and report; go on where it stopped, and only as far as the budget goes.

    Raises:
        InputError, StoreError, EndpointError: see `runs.errors`; what came before is on disk.
    """
    plan = load_study(Path(study))
    if not plan.study.judges:
        raise InputError(f"{study}: no judge is named; add a [[judges]] table with a `model`.")

    async def work() -> tuple[Run, list[Tally]]:
        async with _session(progress or Silent(), budget) as session:
            answers, tally = await stages.answer(plan, root, session)
            scorings = await stages.judge(answers, plan.rubric, plan.study.judges, (Variant(),), session)
            return answers, [tally, *(scored for _, scored in scorings)]

    answers, tallies = stages.drive(work())
    result = analyze(answers, focal=plan.focal)
    failed, unasked = sum(one.failed for one in tallies), sum(one.unasked for one in tallies)
    from evenhand.reporting import report  # noqa: PLC0415 — what draws takes a second, and only this verb needs it

    return Finished(answers, result, report(result), failed, unasked)


@contextlib.asynccontextmanager
async def _session(progress: Progress, budget: Budget | None) -> AsyncIterator[stages.Session]:
    async with Engines(progress) as engines:
        yield stages.Session(engines, progress, budget or Budget())


def _declared(run: Run) -> list[Judge]:
    where = run.path / run.manifest_name
    return [
        parse(Judge, judge, f"{where}: study.judges[{n}]")
        for n, judge in enumerate(run.manifest["study"].get("judges", ()), 1)
    ]


def _judge(run: Run, named: Judge | str, settings: Mapping[str, object]) -> Judge:
    """Return the judge that `named` means (one of the study, a TOML file, or a model), with `settings` on top."""
    if isinstance(named, str):
        declared = {judge.name: judge for judge in _declared(run)}
        if named.endswith(".toml"):
            named = load(Judge, Path(named))
        elif named in declared:
            named = declared[named]
        elif "/" in named or "endpoint" in settings:
            return parse(Judge, {"model": named, **settings}, f"--judge {named}")
        else:
            raise InputError(
                f"judge {named!r} is not in the study ({nearest(named, declared)}); write it as provider/model, "
                "such as openai/gpt-5, or say where it answers with --endpoint URL."
            )
    return parse(Judge, {**named.model_dump(exclude_unset=True), **settings}, f"--judge {named.name}")
