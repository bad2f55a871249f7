"""Responses → verdicts: every answer scored by one judge on one rubric, in every repeat."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from judging.client import JudgeClient
from judging.forms import Form, forms
from judging.lines import Meter
from judging.prompt import PROMPT_VERSION, messages
from judging.settings import Judge
from rubrics import Rubric, Score, dump_toml, read_reply
from runs.calls import Gate, Tally, Work, work
from runs.digest import digest
from runs.frames import FailureKind, Status
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


def open_scoring(run: Run, rubric: Rubric, judge: Judge) -> Scoring:
    """Return the scoring of `run` by `judge` on `rubric`, made if it is not there yet. Raises `StoreError`."""
    identity = {"rubric": rubric.digest, "judge": judge.identity, "prompt": PROMPT_VERSION}
    facts = {
        "judge": judge.name,
        "rubric": rubric.name,
        "rubric_version": rubric.version,
        "repeats": judge.repeats,
        "settings": judge.model_dump(mode="json"),
    }
    name = f"{rubric.name}@{rubric.version}-{slug(judge.name)}"
    return run.scoring(name, identity, facts, dump_toml(rubric))


def plan(run: Run, rubric: Rubric, judge: Judge) -> Iterator[Wanted]:
    """Yield every verdict that the design calls for: of each `ok` response, repeat by repeat."""
    questions = run.items().lazy().select("item_id", "prompt")
    answers = (
        run.responses()
        .filter(pl.col("status") == Status.OK)
        .select("item_id", "epoch", "text")
        .join(questions, on="item_id", maintain_order="left")
        .collect()
    )
    sheets = [(form, digest([judge.identity, form.instructions, PROMPT_VERSION])) for form in forms(rubric, judge)]
    for repeat in range(1, judge.repeats + 1):
        for item_id, epoch, answer, question in answers.iter_rows():
            for form, asked in sheets:
                key = digest([asked, item_id, question, epoch, answer, repeat])
                yield Wanted(key, item_id, epoch, repeat, form, question, answer)


@dataclass(frozen=True)
class Pending:
    """The verdicts of one scoring that are not there yet."""

    scoring: Scoring
    judge: Judge
    wanted: tuple[Wanted, ...]
    total: int
    """All verdicts that the design calls for."""


def pending(run: Run, rubric: Rubric, judge: Judge) -> Pending:
    """Return what is still to be scored; the scoring is made if it is not there.

    Verdicts on the same answers by the same judge on the same rubric in other runs of the study are taken over.

    Raises:
        StoreError: the disk refuses.
    """
    scoring = open_scoring(run, rubric, judge)
    design = list(plan(run, rubric, judge))
    wanted = {task.key for task in design} - scoring.ledger.keys()
    if wanted:
        theirs = (other.ledger for sibling in run.siblings() for other in sibling.scorings())
        wanted -= scoring.ledger.adopt(theirs, wanted)
    return Pending(scoring, judge, tuple(task for task in design if task.key in wanted), len(design))


async def score(todo: Pending, client: JudgeClient, progress: Progress) -> Tally:
    """Ask for the verdicts in `todo` and write them to its scoring.

    Raises:
        EndpointError: the judge cannot be asked; what came before is on disk.
        StoreError: the disk refuses.
    """
    judge = todo.judge

    async def call(task: Wanted) -> Mapping[str, Any]:
        started, meter = time.monotonic(), Meter()
        asked = messages(task.form.instructions, task.question, task.answer)
        reply = await client.ask(task.form.model, asked, task.repeat, meter)
        scores = [_row(entry) for entry in read_reply(task.form.criteria, reply)]
        return {**task.columns(), "scores": scores, "seconds": time.monotonic() - started, **meter.facts()}

    progress.start(f"verdicts by {judge.name}", total=todo.total, done=todo.total - len(todo.wanted))
    try:
        return await work(
            Work(
                tasks=todo.wanted,
                call=call,
                identify=Wanted.columns,
                ledger=todo.scoring.ledger,
                gate=Gate(judge.concurrency),
                attempts=judge.attempts,
                progress=progress,
            )
        )
    finally:
        progress.end()


def _row(entry: Score) -> dict[str, Any]:
    return {
        "criterion": entry.criterion,
        "score": entry.score,
        "label": entry.label,
        "reason": entry.reason,
        "kind": FailureKind.ABSTAINED if entry.abstained else None,
    }
