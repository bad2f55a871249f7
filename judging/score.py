"""Responses → verdicts: every answer scored by one judge on one rubric, in every repeat."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from judging.client import JudgeClient
from judging.forms import Form, forms
from judging.levels import Expected, expected_scores
from judging.lines import Meter
from judging.prompt import PROMPT_VERSION, messages
from judging.settings import Judge
from judging.shown import Text, show
from judging.variants import Variant
from rubrics import Rubric, Score, dump_toml, load_rubric, read_reply
from runs.budget import Budget
from runs.calls import CallError, Tally, Work, work
from runs.digest import digest
from runs.errors import EndpointError
from runs.frames import FailureKind
from runs.gate import Gate
from runs.prices import cost
from runs.progress import Progress
from runs.store import Run, Scoring, slug


@dataclass(frozen=True, slots=True)
class Wanted:
    """One verdict to get."""

    key: str
    item_id: str
    epoch: int
    repeat: int
    form: Form
    question: str | None
    answer: str

    def columns(self) -> dict[str, Any]:
        """Return what its row in VERDICTS says of it if it does not come."""
        place = {"key": self.key, "item_id": self.item_id, "epoch": self.epoch, "repeat": self.repeat}
        return {**place, "scores": [{"criterion": criterion.id} for criterion in self.form.criteria]}


@dataclass(frozen=True)
class Pending:
    """The verdicts of one scoring that are not there yet."""

    scoring: Scoring
    judge: Judge
    wanted: tuple[Wanted, ...]
    total: int
    """All verdicts that the design calls for."""
    warnings: tuple[str, ...] = ()
    """What must be known of the texts that are shown: answers left out of a placebo, or a placebo without effect."""


def open_scoring(
    run: Run,
    rubric: Rubric,
    judge: Judge,
    variant: Variant,
    *,
    shown: Mapping[str, object] | None = None,
    later: bool = False,
) -> Scoring:
    """Return the scoring of `run` by `judge` on `rubric`, made if it is not there yet.

    Its manifest keeps `shown`, what a placebo did to the texts (`Shown.counts`). `later`: it is made when something is
    written to it, so that a judge that cannot be asked leaves nothing behind.

    Raises:
        StoreError: the disk refuses.
    """
    judge = judge.on(rubric)
    facts = {
        "judge": judge.name,
        "rubric": rubric.name,
        "rubric_version": rubric.version,
        "on": variant.on,
        "placebo": variant.placebo,
        "shown": shown,
        "repeats": judge.repeats,
        "settings": judge.model_dump(mode="json"),
        "status": "running",
    }
    is_same: Callable[[Path], bool] = lambda path: load_rubric(path).digest == rubric.digest  # noqa: E731
    scoring = run.scoring(*_identified(rubric, judge, variant), facts, dump_toml(rubric), is_same, later=later)
    if scoring.is_made and scoring.manifest.get("shown") != shown:  # answers have come since
        scoring.note(shown=shown)
    return scoring


def scoring_of(run: Run, rubric: Rubric, judge: Judge, variant: Variant) -> Scoring:
    """Return the scoring that `open_scoring` does, as it is: neither made nor mended."""
    return run.scoring_at(*_identified(rubric, judge.on(rubric), variant))


def _identified(rubric: Rubric, judge: Judge, variant: Variant) -> tuple[str, dict[str, Any]]:
    """Return what a scoring's folder is called, and what determines its verdicts."""
    identity = {"rubric": rubric.digest, "judge": judge.identity, "prompt": PROMPT_VERSION, **variant.identity}
    design = judge.model_dump(mode="json", include={"repeats", "calls", "order", "order_seed"})
    return f"{rubric.name}@{rubric.version}-{slug(judge.name)}{variant.suffix}", {**identity, **design}


def plan(run: Run, rubric: Rubric, judge: Judge, variant: Variant) -> Iterator[Wanted]:
    """Yield every verdict that the design calls for, repeat by repeat: of each `ok` answer, or of all thinking.

    Raises:
        InputError: a placebo is wanted, and no country's names are known.
    """
    return _plan(show(run, variant).texts, rubric, judge)


def _plan(texts: Sequence[Text], rubric: Rubric, judge: Judge) -> Iterator[Wanted]:
    for repeat in range(1, judge.repeats + 1):
        sheets = forms(rubric, judge, repeat)
        for text in texts:
            for form in sheets:
                key = digest([form.digest, text.item_id, text.question, text.epoch, text.answer, repeat])
                yield Wanted(key, text.item_id, text.epoch, repeat, form, text.question, text.answer)


def pending(run: Run, rubric: Rubric, judge: Judge, variant: Variant) -> Pending:
    """Return what is still to be scored; the scoring is made when its first verdict comes, if it is not there.

    Verdicts on the same answers by the same judge on the same rubric in the study's other scorings are taken over.

    Raises:
        InputError: see `plan`.
        StoreError: the disk refuses.
    """
    judge, shown = judge.on(rubric), show(run, variant)
    design = list(_plan(shown.texts, rubric, judge))
    scoring = open_scoring(run, rubric, judge, variant, shown=shown.counts, later=True)
    wanted = {task.key for task in design} - scoring.ledger.keys()
    if wanted:
        others = (other for sibling in (run, *run.siblings()) for other in sibling.scorings())
        theirs = (other.ledger for other in others if other.path != scoring.path)
        wanted -= scoring.ledger.adopt(theirs, wanted)
    left = tuple(task for task in design if task.key in wanted)
    return Pending(scoring, judge, left, len(design), shown.warnings)


async def score(todo: Pending, client: JudgeClient, progress: Progress, budget: Budget) -> Tally:
    """Ask for the verdicts in `todo` and write them to its scoring, as far as the budget goes.

    Raises:
        EndpointError: the judge cannot be asked; what came before is on disk.
        StoreError: the disk refuses.
    """
    judge = todo.judge

    meters: dict[str, Meter] = {}

    async def call(task: Wanted) -> Mapping[str, Any]:
        started, meter = time.monotonic(), meters.setdefault(task.key, Meter())  # one meter for all attempts
        asked = messages(task.form.instructions, task.question, task.answer)
        try:
            reply = await client.ask(task.form.model, asked, task.repeat, meter)
        except CallError as failure:
            failure.facts |= _spent(judge, meter, started)
            raise
        except EndpointError as lost:
            if meter.prompt_tokens or meter.completion_tokens:
                lost.spent = _spent(judge, meter, started)
            raise
        expected: Mapping[str, Expected] = {}
        if judge.logprobs:
            expected = expected_scores(meter.tokens, task.form.criteria, reasons=judge.reasons)
        scores = [_row(entry, expected.get(entry.criterion)) for entry in read_reply(task.form.criteria, reply)]
        del meters[task.key]
        return {**task.columns(), "scores": scores, **_spent(judge, meter, started)}

    stage = progress.stage(f"verdicts by {judge.name}", total=todo.total, done=todo.total - len(todo.wanted))
    try:
        return await work(
            Work(
                tasks=todo.wanted,
                call=call,
                identify=Wanted.columns,
                ledger=todo.scoring.ledger,
                gate=Gate(judge.concurrency),
                attempts=judge.attempts,
                stage=stage,
                budget=budget,
                warn=progress.warn,
            )
        )
    finally:
        stage.end()


def _spent(judge: Judge, meter: Meter, started: float) -> dict[str, Any]:
    facts = meter.facts()
    return {**facts, "cost": cost(judge, judge.served_model, facts), "seconds": time.monotonic() - started}


def _row(entry: Score, expected: Expected | None) -> dict[str, Any]:
    if entry.abstained:
        expected = None  # it has no score to expect, and lacks none
    return {
        "criterion": entry.criterion,
        "score": entry.score,
        "label": entry.label,
        "expected": expected and expected.score,
        "unexpected": expected and expected.why,
        "reason": entry.reason,
        "kind": FailureKind.ABSTAINED if entry.abstained else None,
    }
