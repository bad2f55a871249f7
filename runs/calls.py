"""Many calls to a model at once: retried where that can help, held back under pressure, on disk before they count.

Generation and judging both run through `work`. A call either returns its record, or raises `CallError` (this one did
not come) or an `EndpointError` (none will come: the work stops, and the same command goes on later).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from runs.budget import Budget
from runs.course import Course, how_long
from runs.errors import EndpointError
from runs.frames import FailureKind
from runs.gate import Gate
from runs.journal import Damaged
from runs.ledger import Ledger
from runs.progress import Stage

T = TypeVar("T")

GROUP = 256
"""Records synced to disk together, at the most."""
LONGEST_PAUSE = 60.0
"""Seconds between two attempts, at the most, unless the server asks for more."""
ALOUD = 10.0
"""Seconds for which all calls may be held without a word."""


another_takes_it: ContextVar[bool] = ContextVar("another_takes_it", default=False)
"""Whether the last call of this task failed at one of several servers while another one can take it: see `Turns`."""


class CallError(Exception):
    """One call did not give a reply."""

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        again: bool = False,
        after: float | None = None,
        overload: bool = False,
        **facts: Any,
    ) -> None:
        """`facts`: for the failure's row.

        `again`: may a retry help; `after`: seconds the server asks us to wait; `overload`: does it say it has too much
        to do.
        """
        super().__init__(message)
        self.kind = kind
        self.again = again
        self.after = after
        self.overload = overload
        self.facts = facts


class HeldBack(CallError):  # noqa: N818 — a state, as `Unresponsive` is
    """The endpoint's content filter let no reply through."""

    def __init__(self, message: str) -> None:
        super().__init__(FailureKind.JUDGE_REFUSAL, message)


@dataclass
class Tally:
    """What a piece of work came to."""

    done: int = 0
    failed: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    """Failures by kind."""
    unasked: int = 0
    """Calls that were not made, for the budget was spent."""


@dataclass(frozen=True)
class Work(Generic[T]):
    """Calls to make."""

    tasks: Iterable[T]
    call: Callable[[T], Awaitable[Mapping[str, Any]]]
    """Returns the record of one reply; raises `CallError` or `EndpointError`."""
    identify: Callable[[T], Mapping[str, Any]]
    """Returns what a failure's row says about its task (`key` at least)."""
    ledger: Ledger
    gate: Gate
    attempts: int
    """Requests for one reply where the endpoint fails; refusals for the rate (HTTP 429) do not count."""
    stage: Stage
    budget: Budget = field(default_factory=Budget)
    warn: Callable[[str], None] = lambda _: None
    """Is told when all calls are held for long."""


async def work(plan: Work[T]) -> Tally:
    """Make all calls of `plan` and return the tally; a record or failure is on disk before it is counted.

    Calls that failed in an earlier start are made last. Cancelled, it still writes the replies that have come, and
    drops those on their way; stopped by an error, it gives those `GRACE` seconds to come.

    Raises:
        EndpointError: the endpoint cannot serve at all; what came before is on disk.
        InputError: there is a budget, and the endpoint does not say what a reply takes.
        StoreError: the disk refuses.
    """
    replies: asyncio.Queue[_Reply] = asyncio.Queue(maxsize=4 * GROUP)
    tally = Tally()
    failed = {line["key"] for line in plan.ledger.failures.read() if not isinstance(line, Damaged)}
    tasks, course = iter(_last(plan, failed)), Course(failed)
    writer = asyncio.create_task(_write(replies, plan, tally))
    callers = [asyncio.create_task(_caller(tasks, plan, replies, course)) for _ in range(plan.gate.most)]
    calling = asyncio.gather(*callers)
    try:
        either: set[asyncio.Future[Any]] = {writer, calling}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not writer.done():  # it ends first only if the disk refuses
            if calling.exception():  # one has raised, and leaves the others at work
                await course.end(callers)
            await calling
    finally:
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, calling, return_exceptions=True)
        last = asyncio.create_task(replies.put(_Reply(last=True)))
        await asyncio.wait({writer, last}, return_when=asyncio.FIRST_COMPLETED)  # nobody takes it if the disk refuses
        last.cancel()
        await writer
    tally.unasked = sum(1 for _ in tasks)
    return tally


def _last(plan: Work[T], failed: Collection[str]) -> Iterable[T]:
    """Return the tasks, those with `failed` keys last: what can never come must not keep the others from coming."""
    return sorted(plan.tasks, key=lambda task: plan.identify(task)["key"] in failed) if failed else plan.tasks


@dataclass(frozen=True)
class _Reply:
    record: Mapping[str, Any] | None = None
    failure: Mapping[str, Any] | None = None
    last: bool = False


async def _caller(tasks: Iterator[T], plan: Work[T], replies: asyncio.Queue[_Reply], course: Course) -> None:
    me = cast("asyncio.Task[Any]", asyncio.current_task())
    while not course.ended and await plan.budget.admits(plan.ledger):
        taken: Mapping[str, Any] = {}
        try:
            if (task := next(tasks, None)) is None:
                return
            reply = await _attempts(task, plan, course, me)
            taken = reply.record or reply.failure or {}
            await replies.put(reply)
        finally:
            plan.budget.came_back(plan.ledger, taken)
        course.asking.discard(me)
        if course.lost is not None:
            raise course.lost


async def _attempts(task: T, plan: Work[T], course: Course, me: asyncio.Task[Any]) -> _Reply:
    """Call until a reply comes, a retry cannot help, or the attempts are used up.

    A call that is refused for its rate waits with the others, and uses up no attempt as long as anything comes.
    """
    requests = faults = 0
    while True:
        try:
            async with plan.gate:
                course.asking.add(me)
                requests += 1
                another_takes_it.set(False)
                record = await plan.call(task)
        except EndpointError as lost:
            if lost.spent is None:
                raise
            course.lost = lost  # what the call took so far is written first
            facts = {"kind": str(FailureKind.ENDPOINT), "message": str(lost), "attempts": requests, **lost.spent}
            return _Reply(failure={**plan.identify(task), **facts})
        except CallError as failure:
            refused = failure.kind == FailureKind.RATE_LIMIT
            if not another_takes_it.get():
                course.went_wrong(failure)
                _hold(plan, failure, refused=refused)
            faults += not refused
            used_up = requests >= plan.attempts and course.only_refused() if refused else faults >= plan.attempts
            if not failure.again or used_up or course.ended:
                row = plan.identify(task)
                course.gave_up(failure, row["key"])
                facts = {"kind": str(failure.kind), "message": str(failure), "attempts": requests, **failure.facts}
                return _Reply(failure={**row, **facts})
            course.asking.discard(me)
            if not (refused or failure.after):  # else the gate holds it, or another server takes it
                await asyncio.sleep(pause(faults))
        else:
            plan.gate.replied()
            course.replied()
            return _Reply(record=record)


def _hold(plan: Work[T], failure: CallError, *, refused: bool) -> None:
    """Hold the calls back where the server is overloaded, and say so if it is for long."""
    if not (refused or failure.overload or failure.after or failure.kind == FailureKind.TIMEOUT):
        return
    before = plan.gate.closed_for()
    plan.gate.pushed_back(failure.after, refused=refused)
    if before <= ALOUD < (held := plan.gate.closed_for()):
        plan.warn(f"{failure} All calls wait {how_long(held)}.")


def pause(attempt: int) -> float:
    """Return how long to wait after failed attempt number `attempt`, in seconds: doubling, with full jitter."""
    return random.uniform(0.1, min(LONGEST_PAUSE, 2.0**attempt))  # noqa: S311


async def _write(replies: asyncio.Queue[_Reply], plan: Work[T], tally: Tally) -> None:
    """Put replies on disk in groups, and only then count them."""
    last = False
    while not last:
        group = [await replies.get()]
        while len(group) < GROUP and not replies.empty():
            group.append(replies.get_nowait())
        last = any(reply.last for reply in group)
        records = [reply.record for reply in group if reply.record is not None]
        failures = [reply.failure for reply in group if reply.failure is not None]
        await asyncio.to_thread(plan.ledger.append, records, failures)
        tally.done += len(records)
        tally.failed += len(failures)
        for failure in failures:
            tally.kinds[failure["kind"]] = tally.kinds.get(failure["kind"], 0) + 1
        tokens = sum(record.get("completion_tokens") or 0 for record in records)
        plan.stage.advance(done=len(records), failed=len(failures), tokens=tokens)
