"""The verbs as functions: what the command line does, without its printing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.report import write_report
from evenhand import stages
from evenhand.analysing import Analyzed, analyze
from evenhand.engines import Engines
from evenhand.study import load_study
from judging.settings import Judge
from rubrics import Rubric, load_rubric
from runs.calls import Tally
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


def generate(study: Path | str, *, root: Path = DEFAULT_ROOT, progress: Progress | None = None) -> Generated:
    """Get every answer of the study file `study` that is not there yet.

    Raises:
        InputError, StoreError, EndpointError: see `runs.errors`; what came before is on disk.
    """
    plan, watch = load_study(Path(study)), progress or Silent()

    async def work() -> Generated:
        async with Engines(watch) as engines:
            return Generated(*await stages.answer(plan, root, engines, watch))

    return stages.drive(work())


def score(
    run: Run | Path | str,
    *,
    judges: Sequence[Judge | str] = (),
    rubric: str | None = None,
    endpoint: str | None = None,
    repeats: int | None = None,
    progress: Progress | None = None,
) -> list[Scored]:
    """Score `run` with a rubric and judges; what other judges have scored is left alone.

    Args:
        run: the run, or its folder.
        judges: judges of the study by name, TOML files, models such as `openai/gpt-5`, or `Judge`s; none: the study's.
        rubric: a shipped rubric or a path; null: the study's.
        endpoint: URL where a judge given as a model answers.
        repeats: verdicts for each answer; null: what each judge says.
        progress: who watches.

    Raises:
        InputError, StoreError, EndpointError: see `runs.errors`; what came before is on disk.
    """
    run = run if isinstance(run, Run) else open_run(Path(run))
    watch = progress or Silent()
    chosen = [_judge(run, one, endpoint) for one in judges] or _declared(run)
    if not chosen:
        raise InputError(f"{run.path}: its study names no judge; name one with --judge, such as openai/gpt-5.")
    if repeats is not None:
        chosen = [one.model_copy(update={"repeats": repeats}) for one in chosen]
    return stages.drive(_score(run, _rubric(run, rubric), chosen, watch))


def run(study: Path | str, *, root: Path = DEFAULT_ROOT, progress: Progress | None = None) -> Finished:
    """Generate, score, analyze and report; go on where it stopped.

    Raises:
        InputError, StoreError, EndpointError: see `runs.errors`; what came before is on disk.
    """
    plan, watch = load_study(Path(study)), progress or Silent()
    if not plan.study.judges:
        raise InputError(f"{study}: no judge is named; add a [[judges]] table with a `model`.")

    async def work() -> tuple[Run, int]:
        async with Engines(watch) as engines:
            answers, tally = await stages.answer(plan, root, engines, watch)
            scorings = await stages.judge(answers, plan.rubric, plan.study.judges, engines, watch)
            return answers, tally.failed + sum(scored.failed for _, scored in scorings)

    answers, failed = stages.drive(work())
    result = analyze(answers, focal=plan.focal)
    return Finished(answers, result, report(result), failed)


def report(result: Analyzed) -> Path:
    """Write `analysis/report.html` of a run and return its path. Raises `StoreError` if the disk refuses."""
    path = result.run.path / "analysis" / "report.html"
    write_report(path, result.run, result.contrasts, result.missing)
    return path


async def _score(run: Run, rubric: Rubric, judges: Sequence[Judge], watch: Progress) -> list[Scored]:
    async with Engines(watch) as engines:
        return [Scored(*one) for one in await stages.judge(run, rubric, judges, engines, watch)]


def _declared(run: Run) -> list[Judge]:
    return [Judge.model_validate(judge) for judge in run.manifest["study"].get("judges", ())]


def _judge(run: Run, named: Judge | str, endpoint: str | None) -> Judge:
    """Return the judge that `named` means: one of the study, a TOML file, or a model."""
    if isinstance(named, Judge):
        return named
    declared = {judge.name: judge for judge in _declared(run)}
    if named in declared:
        return declared[named]
    if named.endswith(".toml"):
        return load(Judge, Path(named))
    if "/" not in named and endpoint is None:
        raise InputError(
            f"judge {named!r} is not in the study ({nearest(named, declared)}); write it as provider/model, "
            "such as openai/gpt-5, or say where it answers with --endpoint URL."
        )
    return parse(Judge, {"model": named, "endpoint": endpoint or ""}, "--judge")


def _rubric(run: Run, named: str | None) -> Rubric:
    """Return the rubric `named`, else the one that the run has been scored on, else the study's."""
    if named is not None:
        return load_rubric(named)
    used = {scoring.manifest["identity"]["rubric"]: scoring.rubric_path for scoring in run.scorings()}
    if len(used) == 1:
        return load_rubric(next(iter(used.values())))
    declared = run.manifest["study"].get("rubric")
    if declared is None or len(used) > 1:
        raise InputError(f"{run.path}: say which rubric with --rubric.")
    return load_rubric(declared)
