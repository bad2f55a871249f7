"""The verbs as functions: what the command line does, without its printing."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evenhand import stages
from evenhand.analysing import Analyzed, analyze
from evenhand.choosing import rubric_for
from evenhand.engines import Engines
from evenhand.stages import Scored
from evenhand.study import load_study
from judging.settings import Judge
from judging.variants import Variant, variants
from runs.budget import Budget
from runs.calls import Tally
from runs.errors import EndpointError, InputError, nearest
from runs.prices import has_price
from runs.progress import Progress, Silent
from runs.settings import Generation
from runs.store import DEFAULT_ROOT, Run, open_run
from runs.tomlfile import load, parse


@dataclass(frozen=True)
class Generated:
    """What generating came to."""

    run: Run
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
    plan = load_study(Path(study))
    _check_prices(budget, [plan.study.generation])

    async def work() -> Generated:
        async with _session(progress, budget) as session:
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
        budget: how much these scorings may take in all, earlier starts included; null: no limit.
        settings: fields of `Judge` that replace what each judge says, such as `repeats` or `endpoint`; null: as there.

    Raises:
        InputError, StoreError, EndpointError: see `runs.errors`; of a judge that could not be asked, once the others
            are done. What came is on disk.
    """
    scored = score_each(
        run, judges=judges, rubric=rubric, on=on, placebo=placebo, progress=progress, budget=budget, **settings
    )
    raise_errors(scored)
    return scored


def score_each(
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
    """Do as `score`, but let each result say in its `error` why its judge could not be asked.

    Raises:
        InputError, StoreError: see `runs.errors`; what came before is on disk.
    """
    run = run if isinstance(run, Run) else open_run(Path(run))
    said = {name: value for name, value in settings.items() if value is not None}
    chosen = [_judge(run, one, said) for one in judges or _declared(run)]
    if not chosen:
        raise InputError(f"{run.path}: its study names no judge; name one with --judge, such as openai/gpt-5.")
    _check_prices(budget, chosen)
    scale, shown = rubric_for(run, rubric), variants(on, placebo)

    async def work() -> list[Scored]:
        async with _session(progress, budget) as session:
            return await stages.judge(run, scale, chosen, shown, session)

    return stages.drive(work())


def raise_errors(scored: Sequence[Scored]) -> None:
    """Raise `EndpointError` or `InputError` if a judge could not be asked, with a sentence for each that could not."""
    errors = [one.error for one in scored if one.error is not None]
    told = list(dict.fromkeys(map(str, errors)))  # two variants by one judge: one sentence
    if len(told) == 1:
        raise errors[0]
    if told:
        raise EndpointError("\n".join(told))


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
    _check_prices(budget, [plan.study.generation, *plan.study.judges])

    async def work() -> tuple[Run, list[Tally]]:
        async with _session(progress, budget) as session:
            answers, tally = await stages.answer(plan, root, session, plan.study.judges)
            scored = await stages.judge(answers, plan.rubric, plan.study.judges, (Variant(),), session)
            raise_errors(scored)
            return answers, [tally, *(one.tally for one in scored)]

    answers, tallies = stages.drive(work())
    result = analyze(answers, focal=plan.focal)
    failed, unasked = sum(one.failed for one in tallies), sum(one.unasked for one in tallies)
    from evenhand.reporting import report  # noqa: PLC0415 — what draws takes a second, and only this verb needs it

    return Finished(answers, result, report(result), failed, unasked)


@contextlib.asynccontextmanager
async def _session(progress: Progress | None, budget: Budget | None) -> AsyncIterator[stages.Session]:
    watch, limit = progress or Silent(), budget or Budget()
    async with Engines(watch) as engines:
        yield stages.Session(engines, watch, replace(limit))  # a total that the user may state again


def _check_prices(budget: Budget | None, asked: Sequence[Generation | Judge]) -> None:
    """Raise `InputError` if money is limited and somebody is asked whose calls have no price."""
    if budget is None or budget.money is None:
        return
    for one in asked:
        if isinstance(one, Judge):
            who, model = f"judge {one.name!r}", one.served_model
        else:
            who, model = "the answers", one.model
        if not has_price(one, model):
            raise InputError(
                f"{who}: {model!r} at {one.endpoint} has no public price, so --max-cost cannot be kept; use "
                "--max-tokens-total."
            )


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
