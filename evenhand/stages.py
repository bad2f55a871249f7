"""Study → answers → verdicts: what is still missing is asked for, and nothing twice."""

import asyncio
import contextlib
import dataclasses
import gc
import signal
import threading
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from evenhand.cautions import cautions
from evenhand.engines import Engines, Server
from evenhand.facts import made_by
from evenhand.study import Plan
from judging import score as judged
from judging.client import JudgeClient
from judging.settings import Judge
from judging.shown import thinking
from judging.variants import Variant
from rubrics import Rubric
from runs import generate as answered
from runs.accounts import spent
from runs.budget import Budget
from runs.calls import Tally
from runs.chat import ChatClient
from runs.digest import digest
from runs.errors import EndpointError, EvenhandError, InputError, Stopped
from runs.folder import Folder
from runs.progress import Progress
from runs.store import Run, Scoring, create_run
from runs.terms import Terms

T = TypeVar("T")
Task = TypeVar("Task", answered.Asked, judged.Wanted)


@dataclasses.dataclass(frozen=True)
class Session:
    """What all stages of one command share."""

    engines: Engines
    progress: Progress
    budget: Budget
    counted: set[Path] = dataclasses.field(default_factory=set)
    """Folders whose earlier starts the budget has paid for."""

    def count_earlier(self, folders: Iterable[Folder]) -> None:
        """Take from the budget what earlier starts have spent on `folders`, each once."""
        for folder in folders:
            if self.budget.is_limited and folder.path not in self.counted:
                if folder.ledger.sealed.exists():
                    folder.ledger.seal()  # if it is broken, it is made again first
                self.budget.spend(spent(folder.ledger))
                self.counted.add(folder.path)


@dataclasses.dataclass(frozen=True)
class Scored:
    """What one judge's scoring came to."""

    scoring: Scoring
    """Not made (`is_made`) if the judge gave nothing to keep."""
    tally: Tally
    """Of an error: zeros, for nobody counted."""
    error: EvenhandError | None = None
    """Why the judge could not be asked, or not to the end; null: it was."""


async def answer(plan: Plan, root: Path, session: Session, judges: Sequence[Judge] = ()) -> tuple[Run, Tally]:
    """Get every answer that the study calls for and that is not there yet.

    What scorings by `judges` have taken counts against the budget as well.

    Raises:
        EndpointError: no model answers; what came before is on disk.
        StoreError: another process holds the run, or the disk refuses.
    """
    generation = plan.study.generation
    identity = {"generation": generation.identity, "epochs": generation.epochs}
    facts = {"study": plan.resolved(), "epochs": generation.epochs, "status": "running", **made_by()}
    facts["sources"] = plan.sources()
    run = create_run(root, plan.study.name, generation.model, plan.items, identity, facts)
    tally = Tally()
    with run.lock(), _sealed(run):
        _tell_damage([run], session)
        session.count_earlier([run, *(judged.scoring_of(run, plan.rubric, one, Variant()) for one in judges)])
        asked = answered.pending(run, generation)

        async def ask(server: Server) -> Tally:
            run.note(engine=server.facts)
            left = _not_in(run, asked)
            seconds = generation.seconds_for(generation.max_tokens)
            terms = Terms(generation.may_go, session.progress.warn)
            async with ChatClient(
                server.urls, server.model, server.api_key,
                concurrency=generation.concurrency, timeout=seconds, terms=terms,
            ) as client:  # fmt: skip
                came = await answered.generate(run, generation, left, client, session.progress, session.budget)
            _note_left_out(run, terms)
            return came

        if asked:
            tally = await session.engines.serve(generation, generation.model, run.path, ask)
            tally.done = len(asked) - tally.failed - tally.unasked
    _note_end(run, tally)
    return run, tally


async def judge(
    run: Run, rubric: Rubric, judges: Sequence[Judge], shown: Sequence[Variant], session: Session
) -> list[Scored]:
    """Get every verdict by `judges` on every variant in `shown` that is not there yet.

    Judges at different URLs work at the same time; engines of ours one after the other. One judge that cannot be asked
    does not take the others' work with it: its result says why.

    Raises:
        InputError: there is nothing to score.
        StoreError: another process holds the run, or the disk refuses.
    """
    with run.lock():
        shown = _there(run, shown, session)
        for told in cautions(judges):
            session.progress.warn(told)
        todo = [judged.pending(run, rubric, one, variant) for one in judges for variant in shown]
        _tell_damage([run, *(pending.scoring for pending in todo)], session)
        for told in dict.fromkeys(told for pending in todo for told in pending.warnings):
            session.progress.warn(told)
        session.count_earlier(pending.scoring for pending in todo)
        queues: dict[str, list[judged.Pending]] = {}
        for pending in todo:
            queues.setdefault(_place(pending.judge), []).append(pending)

        async def work_off(queue: list[judged.Pending]) -> list[Scored]:
            results: list[Scored] = []
            lost: dict[str, EvenhandError] = {}
            for pending in queue:
                identity = digest(pending.judge.model_dump(mode="json"))
                if identity in lost:  # on another variant it would be the same
                    results.append(Scored(pending.scoring, Tally(), lost[identity]))
                    continue
                results.append(await _judge_or_why(pending, session))
                if (error := results[-1].error) is not None:
                    lost[identity] = error
            return results

        done = await asyncio.gather(*map(work_off, queues.values()), return_exceptions=True)
        results: list[Scored] = []
        for one in done:
            if isinstance(one, BaseException):
                raise one
            results += one
        return results


def _there(run: Run, shown: Sequence[Variant], session: Session) -> list[Variant]:
    """Return those of the variants that the run holds anything for, and tell what will not be scored.

    Raises:
        InputError: thinking alone is to be scored, and no response holds any.
    """
    answers = [variant for variant in shown if variant.on == "answer"]
    if len(answers) == len(shown):
        return answers
    thought, silent = thinking(run)
    if not thought and not answers:
        raise InputError(
            f"{run.path}: no response holds any thinking, so there is nothing to score with --on reasoning; leave it "
            "out, or generate with a model that thinks (on a server of your own, with its reasoning parser)."
        )
    if silent:
        session.progress.warn(f"{run.path}: {silent} responses hold no thinking; theirs is not scored.")
    return list(shown) if thought else answers


def _tell_damage(folders: Sequence[Folder], session: Session) -> None:
    for told in (told for folder in folders for told in folder.damage()):
        session.progress.warn(told)


def _place(one: Judge) -> str:
    return one.model if one.endpoint == "provider" else one.endpoint


async def _judge_or_why(todo: judged.Pending, session: Session) -> Scored:
    try:
        return Scored(todo.scoring, await _judge(todo, session))
    except (EndpointError, InputError) as error:
        return Scored(todo.scoring, Tally(), error)


async def _judge(todo: judged.Pending, session: Session) -> Tally:
    scoring, tally = todo.scoring, Tally()

    async def ask(server: Server) -> Tally:
        scoring.note(engine=server.facts)
        left = dataclasses.replace(todo, wanted=_not_in(scoring, todo.wanted))
        async with JudgeClient(todo.judge, server.urls, server.api_key, session.progress.warn) as client:
            came = await judged.score(left, client, session.progress, session.budget)
        _note_left_out(scoring, client.terms)
        return came

    with _sealed(scoring):
        if todo.wanted:
            tally = await session.engines.serve(todo.judge, todo.judge.served_model, scoring.path, ask)
            tally.done = len(todo.wanted) - tally.failed - tally.unasked
        scoring.make()
    _note_end(scoring, tally)
    return tally


def _note_left_out(folder: Folder, terms: Terms) -> None:
    """Write into the manifest which settings were not sent, for the endpoint does not take them."""
    if terms.left_out:
        folder.note(left_out=terms.left_out)


def _not_in(folder: Folder, tasks: Sequence[Task]) -> tuple[Task, ...]:
    """Return the tasks whose records `folder` does not hold; an engine that is started again finds some there."""
    have = folder.ledger.keys()
    return tuple(task for task in tasks if task.key not in have)


def _note_end(folder: Folder, tally: Tally) -> None:
    """Write into the manifest whether all has come, if that is news."""
    status = "incomplete" if tally.failed or tally.unasked else "complete"
    if folder.manifest.get("status") != status:
        folder.note(status=status)


@contextlib.contextmanager
def _sealed(folder: Folder) -> Iterator[None]:
    """Seal `folder` after work on it, also after work that was broken off; unless there was nothing to keep."""
    try:
        yield
    finally:
        folder.ledger.close()
        if folder.is_made:
            folder.ledger.seal()


def drive(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` in an event loop of its own, also from within a notebook's.

    SIGINT, SIGTERM and SIGHUP end it in order: replies that have come are written, engines are stopped.

    Raises:
        Stopped: a signal ended it.
    """
    with _collecting_seldom():
        if not _is_in_a_loop():
            return _drive(work)
        with ThreadPoolExecutor(1) as aside:
            return aside.submit(asyncio.run, work).result()


def _is_in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _drive(work: Coroutine[Any, Any, T]) -> T:
    caught: list[signal.Signals] = []

    async def main() -> T:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()

        def end(number: signal.Signals) -> None:
            caught.append(number)
            if task is not None and len(caught) == 1:  # a second one would break off what the first one winds up
                task.cancel()

        for number in before:
            loop.add_signal_handler(number, end, number)
        return await work

    before = _handled()
    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        if caught:
            raise Stopped(caught[0].name) from None
        raise
    finally:
        for number, handler in before.items():  # the loop leaves the system's own behind
            signal.signal(number, handler)


@contextlib.contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Let Python look for cycles in memory after every 20,000 new objects, not 700: a tenth of a verdict's time."""
    first, *others = gc.get_threshold()
    gc.set_threshold(first and max(first, 20_000), *others)  # 0: the user has switched it off
    try:
        yield
    finally:
        gc.set_threshold(first, *others)


def _handled() -> dict[signal.Signals, Any]:
    """Return the handlers of the signals that end us; none of those that are ignored, such as SIGHUP under nohup."""
    if threading.current_thread() is not threading.main_thread():  # Python lets no other thread handle any
        return {}
    found = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    return {number: handler for number, handler in found.items() if handler not in (signal.SIG_IGN, None)}
