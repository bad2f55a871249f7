"""Responses → verdicts: every answer scored by one judge on one rubric, in every repeat."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from judging.client import JudgeClient
from judging.forms import Form, forms
from judging.levels import Expected, expected_scores
from judging.lines import Meter
from judging.prompt import PROMPT_VERSION, messages
from judging.settings import Judge
from judging.variants import Variant, partners
from rubrics import Rubric, Score, dump_toml, load_rubric, read_reply
from runs.calls import Budget, CallError, Gate, Tally, Work, work
from runs.digest import digest
from runs.frames import FailureKind, Status
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


def open_scoring(run: Run, rubric: Rubric, judge: Judge, variant: Variant) -> Scoring:
    """Return the scoring of `run` by `judge` on `rubric`, made if it is not there yet. Raises `StoreError`."""
    identity = {"rubric": rubric.digest, "judge": judge.identity, "prompt": PROMPT_VERSION, **variant.identity}
    facts = {
        "judge": judge.name,
        "rubric": rubric.name,
        "rubric_version": rubric.version,
        "on": variant.on,
        "placebo": variant.placebo,
        "repeats": judge.repeats,
        "settings": judge.model_dump(mode="json"),
        "status": "running",
    }
    design = judge.model_dump(mode="json", include={"repeats", "calls", "order", "order_seed"})
    name = f"{rubric.name}@{rubric.version}-{slug(judge.name)}{variant.suffix}"
    return run.scoring(
        name, {**identity, **design}, facts, dump_toml(rubric), lambda path: load_rubric(path).digest == rubric.digest
    )


def plan(run: Run, rubric: Rubric, judge: Judge, variant: Variant) -> Iterator[Wanted]:
    """Yield every verdict that the design calls for: of each `ok` response, repeat by repeat.

    Raises:
        InputError: a placebo is wanted for a country whose names are not known.
    """
    shown = list(_shown(run, variant))
    for repeat in range(1, judge.repeats + 1):
        sheets = forms(rubric, judge, repeat)
        for item_id, epoch, question, answer in shown:
            for form in sheets:
                key = digest([form.digest, item_id, question, epoch, answer, repeat])
                yield Wanted(key, item_id, epoch, repeat, form, question, answer)


def _shown(run: Run, variant: Variant) -> Iterator[tuple[str, int, str | None, str]]:
    """Yield item, epoch, question and answer as the judge sees them, for everything that there is to score."""
    items = run.items()
    present = items["country"].unique().to_list()
    text = "text" if variant.on == "answer" else "reasoning"
    answers = (
        run.responses()
        .filter(pl.col("status") == Status.OK, pl.col(text).is_not_null())
        .select("item_id", "epoch", text)
        .join(items.lazy(), on="item_id", maintain_order="left")
        .select("item_id", "epoch", "prompt", text, "question_id", "country", "language")
        .collect()
    )
    for item_id, epoch, question, answer, question_id, country, language in answers.iter_rows():
        partner = partners(question_id, present)[country] if variant.placebo == "swap" else country
        asked = variant.shown(question, country, language, partner)
        yield item_id, epoch, asked, variant.shown(answer, country, language, partner) or ""


def pending(run: Run, rubric: Rubric, judge: Judge, variant: Variant) -> Pending:
    """Return what is still to be scored; the scoring is made if it is not there.

    Verdicts on the same answers by the same judge on the same rubric in the study's other scorings are taken over.

    Raises:
        InputError: see `plan`.
        StoreError: the disk refuses.
    """
    judge = judge.on(rubric)
    design = list(plan(run, rubric, judge, variant))
    scoring = open_scoring(run, rubric, judge, variant)
    wanted = {task.key for task in design} - scoring.ledger.keys()
    if wanted:
        others = (other for sibling in (run, *run.siblings()) for other in sibling.scorings())
        theirs = (other.ledger for other in others if other.path != scoring.path)
        wanted -= scoring.ledger.adopt(theirs, wanted)
    return Pending(scoring, judge, tuple(task for task in design if task.key in wanted), len(design))


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
            )
        )
    finally:
        stage.end()


def _spent(judge: Judge, meter: Meter, started: float) -> dict[str, Any]:
    facts = meter.facts()
    return {**facts, "cost": cost(judge, judge.served_model, facts), "seconds": time.monotonic() - started}


def _row(entry: Score, expected: Expected | None) -> dict[str, Any]:
    return {
        "criterion": entry.criterion,
        "score": entry.score,
        "label": entry.label,
        "expected": expected and expected.score,
        "unexpected": expected and expected.why,
        "reason": entry.reason,
        "kind": FailureKind.ABSTAINED if entry.abstained else None,
    }
