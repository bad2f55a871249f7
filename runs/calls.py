"""Many calls to a model at once: retried where that can help, held back under pressure, on disk before they count.

Generation and judging both run through `work`. A call either returns its record, or raises `CallError` (this one did
not come) or an `EndpointError` (none will come: the work stops, and the same command goes on later).
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from runs.errors import EndpointError, InputError, Unresponsive
from runs.frames import FailureKind
from runs.ledger import Ledger
from runs.progress import Stage

T = TypeVar("T")

GROUP = 256
"""Records synced to disk together, at the most."""
HOPELESS = 20
"""Failures at the endpoint without one reply in between after which the work stops."""
LONGEST_ASKED = 600.0
"""Seconds that a server's Retry-After is obeyed, at the most."""
LONGEST_PAUSE = 60.0
"""Seconds between two attempts, at the most, unless the server asks for more."""


class CallError(Exception):
    """One call did not give a reply."""

    def __init__(
        self, kind: FailureKind, message: str, *, again: bool = False, after: float | None = None, **facts: Any
    ) -> None:
        """`again`: may a retry help; `after`: seconds the server asks us to wait; `facts`: for the failure's row."""
        super().__init__(message)
        self.kind = kind
        self.again = again
        self.after = after
        self.facts = facts


class HeldBack(CallError):  # noqa: N818 — a state, as `Unresponsive` is
    """The endpoint's content filter let no reply through."""

    def __init__(self, message: str) -> None:
        super().__init__(FailureKind.JUDGE_REFUSAL, message)


class Gate:
    """How many calls may be under way: halved when the server pushes back, one more after every full round of replies.

    A pause that the server asks for (Retry-After) holds for all calls, so that nobody storms it meanwhile.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.width = float(most)
        self.under_way = 0
        self._closed_until = 0.0
        self._last_cut = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        while self.under_way >= int(self.width):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self.under_way += 1
        pause = self._closed_until - time.monotonic()
        if pause > 0:
            try:
                # Spread over a quarter more, so that the doors do not open for all in the same instant.
                await asyncio.sleep(pause * random.uniform(1, 1.25))  # noqa: S311
            except asyncio.CancelledError:
                self._leave()
                raise

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def replied(self) -> None:
        """Open a little: a reply came."""
        if self.width < self.most:
            self.width = min(self.most, self.width + 1 / self.width)

    def pushed_back(self, after: float | None) -> None:
        """Close halfway, at most once a second, and for `after` seconds altogether: the server is overloaded."""
        now = time.monotonic()
        if now - self._last_cut > 1:
            self.width = max(1.0, self.width / 2)
            self._last_cut = now
        if after:
            self._closed_until = max(self._closed_until, now + min(after, LONGEST_ASKED))

    def _leave(self) -> None:
        self.under_way -= 1
        free = int(self.width) - self.under_way
        while free > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1


@dataclass
class _Calls:
    """The calls of one piece of work: those under way, and what the others took on average."""

    under_way: int = 0
    came: int = 0
    is_unknown: bool = False
    """Whether the endpoint does not say what a reply takes."""
    tokens: float = 0.0
    money: float = 0.0

    def count(self, tokens: float, money: float) -> None:
        self.came += 1
        self.tokens += (tokens - self.tokens) / self.came
        self.money += (money - self.money) / self.came


@dataclass
class Budget:
    """How much may be spent in all, earlier starts included, over all the work that shares it; null: no limit.

    Reached, nothing more is asked; calls that are under way still come, and count. They are expected to take what other
    calls of their work took on average, and the first one of each work goes alone: about one call is spent too much.
    """

    tokens: int | None = None
    """Prompt and completion tokens."""
    money: float | None = None
    """US dollars."""
    _calls: dict[Ledger, _Calls] = field(default_factory=dict, init=False, repr=False, compare=False)
    _waiting: list[asyncio.Future[None]] = field(default_factory=list, init=False, repr=False, compare=False)

    def spend(self, taken: Mapping[str, Any]) -> None:
        """Count what a record or failure took, or many together."""
        if self.tokens is not None:
            self.tokens -= _tokens(taken)
        if self.money is not None:
            self.money -= taken.get("cost") or 0.0

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return self.tokens is not None or self.money is not None

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be asked."""
        return not self._has_left(0, 0)

    async def admits(self, work: Ledger) -> bool:
        """Whether one more call for `work` may be made, once that is known; `came_back` must follow it."""
        calls = self._calls.setdefault(work, _Calls())
        while self.is_limited and not self._fits(calls) and any(one.under_way for one in self._calls.values()):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        if self.is_spent or calls.is_unknown:
            return False
        calls.under_way += 1
        return True

    def came_back(self, work: Ledger, taken: Mapping[str, Any]) -> None:
        """Count what a call for `work` took: its record or failure, empty if there is none.

        Raises:
            InputError: there is a limit, and the endpoint does not say how many tokens a reply took.
        """
        calls, tokens, money = self._calls[work], float(_tokens(taken)), taken.get("cost") or 0.0
        calls.under_way -= 1
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)
        replied = taken.get("kind") is None and "completion_tokens" in taken
        if self.is_limited and replied and not tokens:
            if not calls.came:
                calls.is_unknown = True
                raise InputError(
                    f"{work.folder}: the endpoint does not say how many tokens a reply takes (`usage`), so no budget "
                    "can be kept; leave out --max-tokens-total and --max-cost."
                )
            tokens, money = calls.tokens, calls.money
        self.spend({"completion_tokens": round(tokens), "cost": money})
        if tokens:
            calls.count(tokens, money)

    def _fits(self, calls: _Calls) -> bool:
        """Whether something would be left if all calls under way took what is expected of them."""
        if not calls.came:
            return not calls.under_way
        others = self._calls.values()
        return self._has_left(
            sum(one.under_way * one.tokens for one in others), sum(one.under_way * one.money for one in others)
        )

    def _has_left(self, tokens: float, money: float) -> bool:
        return (self.tokens is None or self.tokens > tokens) and (self.money is None or self.money > money)


def _tokens(taken: Mapping[str, Any]) -> int:
    return (taken.get("prompt_tokens") or 0) + (taken.get("completion_tokens") or 0)


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
    """Requests for one reply where the endpoint fails."""
    stage: Stage
    budget: Budget = field(default_factory=Budget)


async def work(plan: Work[T]) -> Tally:
    """Make all calls of `plan` and return the tally; a record or failure is on disk before it is counted.

    Cancelled, it still writes the replies that have come, and drops those on their way.

    Raises:
        EndpointError: the endpoint cannot serve at all; what came before is on disk.
        InputError: there is a budget, and the endpoint does not say what a reply takes.
        StoreError: the disk refuses.
    """
    replies: asyncio.Queue[_Reply] = asyncio.Queue(maxsize=4 * GROUP)
    tally = Tally()
    tasks, streak = iter(plan.tasks), _Streak()
    writer = asyncio.create_task(_write(replies, plan, tally))
    callers = [asyncio.create_task(_caller(tasks, plan, replies, streak)) for _ in range(plan.gate.most)]
    calling = asyncio.gather(*callers)
    try:
        either: set[asyncio.Future[Any]] = {writer, calling}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not writer.done():  # it ends first only if the disk refuses
            await calling
    finally:
        for caller in callers:  # one that raised ends `calling`, and leaves the others at work
            caller.cancel()
        await asyncio.gather(*callers, calling, return_exceptions=True)
        last = asyncio.create_task(replies.put(_Reply(last=True)))
        await asyncio.wait({writer, last}, return_when=asyncio.FIRST_COMPLETED)  # nobody takes it if the disk refuses
        last.cancel()
        await writer
    tally.unasked = sum(1 for _ in tasks)
    return tally


@dataclass(frozen=True)
class _Reply:
    record: Mapping[str, Any] | None = None
    failure: Mapping[str, Any] | None = None
    last: bool = False


class _Streak:
    """Failures at the endpoint since the last reply."""

    def __init__(self) -> None:
        self.failures = 0

    def ended(self) -> None:
        self.failures = 0

    def grew(self, failure: CallError) -> None:
        self.failures += 1
        if self.failures >= HOPELESS:
            # What is refused at once is answered: a new start of the engine would not help.
            lost = Unresponsive if failure.again else EndpointError
            raise lost(
                f"{failure} ({self.failures} failures in a row; stopped. Nothing is lost: run the same command again.)"
            ) from None


async def _caller(tasks: Iterator[T], plan: Work[T], replies: asyncio.Queue[_Reply], streak: _Streak) -> None:
    while await plan.budget.admits(plan.ledger):
        taken: Mapping[str, Any] = {}
        try:
            if (task := next(tasks, None)) is None:
                return
            reply = await _attempts(task, plan, streak)
            taken = reply.record or reply.failure or {}
            await replies.put(reply)
        finally:
            plan.budget.came_back(plan.ledger, taken)


async def _attempts(task: T, plan: Work[T], streak: _Streak) -> _Reply:
    """Call until a reply comes, a retry cannot help, or the attempts are used up."""
    attempt = 1
    while True:
        try:
            async with plan.gate:
                record = await plan.call(task)
        except CallError as failure:
            at_endpoint = failure.kind in {FailureKind.ENDPOINT, FailureKind.TIMEOUT}
            if failure.kind in {FailureKind.RATE_LIMIT, FailureKind.TIMEOUT} or failure.after:
                plan.gate.pushed_back(failure.after)
            if not failure.again or attempt >= plan.attempts:
                if at_endpoint:
                    streak.grew(failure)
                facts = {"kind": str(failure.kind), "message": str(failure), "attempts": attempt, **failure.facts}
                return _Reply(failure={**plan.identify(task), **facts})
            await asyncio.sleep(min(failure.after or pause(attempt), LONGEST_ASKED))
            attempt += 1
        else:
            plan.gate.replied()
            streak.ended()
            return _Reply(record=record)


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
