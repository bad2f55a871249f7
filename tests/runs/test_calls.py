"""Many calls at once: each comes to one row, whatever fails on the way, and nobody storms a server in trouble."""

import asyncio
import errno
import os
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runs.budget import Budget
from runs.calls import CallError, Tally, Work, pause, work
from runs.chat import ChatClient
from runs.course import HOPELESS
from runs.errors import EndpointError, InputError, StoreError, Unresponsive
from runs.frames import FailureKind
from runs.gate import Gate
from runs.ledger import Ledger
from runs.progress import Silent

SCHEMA = pl.Schema({"key": pl.String, "kind": pl.String, "message": pl.String, "attempts": pl.Int64})
Call = Callable[[str], Awaitable[Mapping[str, Any]]]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path, "records", SCHEMA)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runs.calls.LONGEST_PAUSE", 0.1)


def _work(ledger: Ledger, tasks: Iterable[str], call: Call, **more: Any) -> Work[str]:
    most, attempts = more.pop("most", 8), more.pop("attempts", 3)
    stage = Silent().stage("calls", total=0, done=0)
    return Work(
        tasks=tasks,
        call=call,
        identify=lambda key: {"key": key},
        ledger=ledger,
        gate=Gate(most),
        attempts=attempts,
        stage=stage,
        **more,
    )


def _names(number: int) -> list[str]:
    return [f"t{one}" for one in range(number)]


async def _answer(task: str) -> dict[str, Any]:
    return {"key": task}


@settings(max_examples=25)
@given(
    st.lists(st.lists(st.sampled_from(["again", "never"]), max_size=4), max_size=30),
    st.integers(1, 5),
    st.integers(1, 3),
)
def test_every_task_comes_to_one_record_or_one_failure(
    tmp_path_factory: pytest.TempPathFactory, troubles: list[list[str]], most: int, attempts: int
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("calls"), "records", SCHEMA)
    waiting = {str(number): iter(trouble) for number, trouble in enumerate(troubles)}
    calls: Counter[str] = Counter()

    async def call(task: str) -> dict[str, Any]:
        calls[task] += 1
        trouble = next(waiting[task], None)
        if trouble is not None:
            again = trouble == "again"
            raise CallError(FailureKind.INVALID_OUTPUT, "no", again=again, after=1e-9)
        return {"key": task}

    tally = asyncio.run(work(_work(ledger, list(waiting), call, most=most, attempts=attempts)))

    def tries(trouble: list[str]) -> tuple[int, bool]:
        """Return how often a task is tried and whether it comes."""
        for number, one in enumerate(trouble[:attempts], 1):
            if one == "never":
                return number, False
        return (attempts, False) if len(trouble) >= attempts else (len(trouble) + 1, True)

    expected = {str(number): tries(trouble) for number, trouble in enumerate(troubles)}
    assert dict(calls) == {task: number for task, (number, _) in expected.items()}
    rows = ledger.scan().collect()
    assert sorted(rows["key"]) == sorted(expected)
    came = {row["key"] for row in rows.to_dicts() if row["kind"] is None}
    assert came == {task for task, (_, comes) in expected.items() if comes}
    assert (tally.done, tally.failed) == (len(came), len(expected) - len(came))
    assert {row["key"]: row["attempts"] for row in rows.to_dicts() if row["kind"]} == {
        task: number for task, (number, comes) in expected.items() if not comes
    }


async def test_failures_are_told_by_kind_with_what_was_said(ledger: Ledger) -> None:
    async def call(task: str) -> dict[str, Any]:
        if task == "t1":
            raise CallError(FailureKind.JUDGE_REFUSAL, "I would rather not.")
        if task == "t2":
            raise CallError(FailureKind.TIMEOUT, "late", attempts=7)
        return {"key": task}

    tally = await work(_work(ledger, _names(4), call))
    assert tally == Tally(done=2, failed=2, kinds={"judge_refusal": 1, "timeout": 1})
    rows = {row["key"]: row for row in ledger.scan().collect().to_dicts()}
    assert rows["t1"] == {"key": "t1", "kind": "judge_refusal", "message": "I would rather not.", "attempts": 1}
    assert rows["t2"]["attempts"] == 7  # who failed knows better


async def test_no_more_calls_are_under_way_than_the_gate_lets_through(ledger: Ledger) -> None:
    under_way = highest = 0

    async def call(task: str) -> dict[str, Any]:
        nonlocal under_way, highest
        under_way += 1
        highest = max(highest, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return {"key": task}

    await work(_work(ledger, _names(100), call, most=5))
    assert highest == 5


async def test_a_server_that_asks_for_time_gets_it_from_all_calls(ledger: Ledger) -> None:
    asked: list[float] = []

    async def call(task: str) -> dict[str, Any]:
        asked.append(time.monotonic())
        if len(asked) == 1:
            raise CallError(FailureKind.RATE_LIMIT, "slow down", again=True, after=0.3)
        return {"key": task}

    tally = await work(_work(ledger, _names(6), call, most=1))
    assert tally.done == 6
    assert asked[1] - asked[0] >= 0.3


def test_the_gate_halves_once_for_a_burst_and_opens_again_reply_by_reply() -> None:
    gate = Gate(8)
    gate.pushed_back(None)
    gate.pushed_back(None)  # the same burst: less than a second later
    assert gate.width == 4
    replies = 0
    while gate.width < 8:
        before = gate.width
        gate.replied()
        replies += 1
        assert before < gate.width <= before + 1 / before + 1e-9
    # A width of w opens by one after about w replies: 4 + 5 + 6 + 7 = 22, and a few more as it grows within a round.
    assert 22 <= replies <= 26
    gate.replied()
    assert gate.width == 8


def test_the_gate_never_closes_for_good() -> None:
    gate = Gate(2)
    gate.pushed_back(None)
    assert gate.width == 1
    gate = Gate(1)
    gate.pushed_back(None)
    assert gate.width == 1


def test_the_gate_opens_fast_up_to_half_of_what_it_was() -> None:
    gate = Gate(64)
    gate._last_cut = -10.0  # as if every cut came long after the one before
    for _ in range(4):
        gate.pushed_back()
        gate._last_cut = -10.0
    assert gate.width == 4
    for _ in range(28):
        gate.replied()
    assert gate.width == 32
    gate.replied()
    assert gate.width == 32 + 1 / 32


def test_the_gate_holds_longer_while_calls_are_refused_and_for_what_the_server_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("runs.gate.FIRST_HOLD", 100.0)
    monkeypatch.setattr("runs.gate.LONGEST_HOLD", 300.0)
    gate = Gate(8)
    gate.pushed_back()
    assert gate.closed_for() <= 0  # one that is slow is only asked for less
    gate.pushed_back(refused=True)
    gate.pushed_back(refused=True)  # with the first one
    assert 90 < gate.closed_for() <= 100
    gate.pushed_back(500, refused=True)
    assert 490 < gate.closed_for() <= 500
    gate.pushed_back(1)
    assert 490 < gate.closed_for() <= 500


@given(st.integers(1, 200))
def test_pauses_double_and_have_a_limit(attempt: int) -> None:
    assert 0.1 <= pause(attempt) <= max(0.1, min(60.0, 2.0**attempt))


async def test_an_endpoint_without_any_reply_ends_the_work_and_loses_nothing(ledger: Ledger) -> None:
    calls = 0

    async def call(task: str) -> dict[str, Any]:
        nonlocal calls
        calls += 1
        if calls > 10:
            raise CallError(FailureKind.ENDPOINT, "http://h: HTTP 500", again=True)
        return {"key": task}

    with pytest.raises(Unresponsive, match=r"^http://h: HTTP 500 \(20 failures in a row; stopped\. Nothing is lost"):
        await work(_work(ledger, _names(1000), call, most=1, attempts=1))
    assert calls == 10 + HOPELESS
    assert ledger.keys() == set(_names(10))
    assert ledger.scan().collect().height == calls  # the last failure is written as well


async def test_requests_refused_one_by_one_stop_no_start_but_the_first_and_are_tried_last(ledger: Ledger) -> None:
    tried: list[str] = []

    async def call(task: str) -> dict[str, Any]:
        tried.append(task)
        if int(task[1:]) < HOPELESS + 5:
            raise CallError(FailureKind.ENDPOINT, "HTTP 400: too long")
        return {"key": task}

    with pytest.raises(EndpointError, match="20 failures in a row") as stopped:  # it may be a setting of all of them
        await work(_work(ledger, _names(100), call, most=1))
    assert not isinstance(stopped.value, Unresponsive)  # a new start of an engine would not help
    assert tried == _names(HOPELESS)

    tried.clear()
    tally = await work(_work(ledger, _names(100), call, most=1))
    assert (tally.done, tally.failed) == (75, 25)
    assert tried[-HOPELESS:] == _names(HOPELESS)
    tally = await work(_work(ledger, _names(HOPELESS + 5), call, most=1))
    assert (tally.done, tally.failed) == (0, 25)  # nothing comes, and they stop nothing


async def test_requests_refused_one_by_one_after_a_reply_stop_nothing(ledger: Ledger) -> None:
    async def call(task: str) -> dict[str, Any]:
        if task != "t0":
            raise CallError(FailureKind.ENDPOINT, "HTTP 413: too large")
        return {"key": task}

    tally = await work(_work(ledger, _names(3 * HOPELESS), call, most=1))
    assert (tally.done, tally.failed) == (1, 3 * HOPELESS - 1)


@pytest.mark.parametrize(("capacity", "most"), [(1, 4), (3, 16)])
async def test_a_server_that_refuses_calls_for_their_rate_still_gives_every_reply(
    scripted: Callable[..., Any], ledger: Ledger, capacity: int, most: int
) -> None:
    endpoint = scripted(capacity=capacity, latency=0.01)

    async with ChatClient([endpoint.url], "m", None, concurrency=most, timeout=20) as client:

        async def call(task: str) -> dict[str, Any]:
            await client.complete({"messages": [{"role": "user", "content": task}]})
            return {"key": task}

        tally = await work(_work(ledger, _names(20), call, most=most, attempts=1))
    assert tally == Tally(done=20)
    assert endpoint.stats()["requests"] > 20


async def test_a_server_that_refuses_everything_for_its_rate_ends_the_work(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runs.course.PATIENCE", 0)

    async def call(_: str) -> dict[str, Any]:
        raise CallError(FailureKind.RATE_LIMIT, "HTTP 429", again=True, after=1e-9)

    with pytest.raises(EndpointError, match=r"^HTTP 429 \(nothing else for 0 s; stopped\. Nothing is lost"):
        await work(_work(ledger, _names(100), call, attempts=100))
    tally = await work(_work(ledger, ["alone"], call, attempts=2))
    assert tally.kinds == {"rate_limit": 1}


async def test_a_server_that_asks_for_a_day_ends_the_work(ledger: Ledger) -> None:
    async def call(task: str) -> dict[str, Any]:
        if task == "t3":
            raise CallError(FailureKind.RATE_LIMIT, "HTTP 429: quota used up.", again=True, after=86400)
        return {"key": task}

    told = r"^HTTP 429: quota used up\. It asks to wait 24 h; run the same command then\. Nothing is lost\.$"
    with pytest.raises(EndpointError, match=told):
        await work(_work(ledger, _names(100), call, most=1))
    assert ledger.keys() == set(_names(3))


async def test_a_long_hold_is_said_once(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runs.calls.ALOUD", 0.1)
    refused: set[str] = set()
    told: list[str] = []

    async def call(task: str) -> dict[str, Any]:
        if task not in refused:
            refused.add(task)
            await asyncio.sleep(0)
            raise CallError(FailureKind.RATE_LIMIT, "HTTP 429.", again=True, after=0.5)
        return {"key": task}

    assert await work(_work(ledger, _names(4), call, most=4, warn=told.append)) == Tally(done=4)
    assert told == ["HTTP 429. All calls wait 0 s."]


async def test_a_reply_now_and_then_is_hope(ledger: Ledger) -> None:
    async def call(task: str) -> dict[str, Any]:
        if int(task[1:]) % HOPELESS:
            raise CallError(FailureKind.ENDPOINT, "HTTP 500", again=True)
        return {"key": task}

    tally = await work(_work(ledger, _names(10 * HOPELESS), call, most=1, attempts=1))
    assert (tally.done, tally.failed) == (10, 10 * (HOPELESS - 1))


@pytest.mark.parametrize("error", [EndpointError("the key was refused"), RuntimeError("a bug of ours")])
async def test_what_ends_all_ends_the_work_and_loses_nothing(ledger: Ledger, error: Exception) -> None:
    calls = 0

    async def call(task: str) -> dict[str, Any]:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0)
        if task == "t50":
            raise error
        return {"key": task}

    with pytest.raises(type(error), match=str(error)):
        await work(_work(ledger, _names(1000), call, most=4))
    assert calls < 100
    assert ledger.keys() >= set(_names(50))


@pytest.mark.parametrize("grace", [30, 0])
async def test_calls_under_way_when_an_error_stops_the_work_may_come_for_a_while(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, grace: float
) -> None:
    monkeypatch.setattr("runs.course.GRACE", grace)
    refused = asyncio.Event()
    asked = []

    async def call(task: str) -> dict[str, Any]:
        asked.append(task)
        if task == "t3":
            refused.set()
            raise EndpointError("the key was refused")
        await refused.wait()
        if grace == 0:
            await asyncio.Event().wait()
        await asyncio.sleep(0.01)
        if task == "t1":
            raise CallError(FailureKind.TIMEOUT, "late", again=True)
        return {"key": task}

    with pytest.raises(EndpointError, match="the key was refused"):
        await work(_work(ledger, _names(100), call, most=4))
    assert sorted(asked) == _names(4)  # no new ones, nor another try
    assert ledger.keys() == ({"t0", "t2"} if grace else set())


async def test_cancelled_work_writes_what_has_come_and_drops_the_rest(ledger: Ledger) -> None:
    all_stuck = asyncio.Event()
    stuck = 0

    async def call(task: str) -> dict[str, Any]:
        nonlocal stuck
        if int(task[1:]) >= 30:
            stuck += 1
            if stuck == 8:
                all_stuck.set()
            await asyncio.Event().wait()
        return {"key": task}

    working = asyncio.create_task(work(_work(ledger, _names(100), call, most=8)))
    await all_stuck.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert ledger.keys() == set(_names(30))
    assert ledger.scan().collect().height == 30


async def test_a_full_disk_ends_the_work(ledger: Ledger) -> None:
    ledger.records.path.symlink_to("/dev/full")
    with pytest.raises(StoreError, match="the disk is full"):
        await work(_work(ledger, _names(5000), _answer, most=64))


async def test_a_disk_that_fills_while_the_work_is_cancelled_does_not_hold_it_up(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, may_fail = 0, threading.Event()

    def full(_: int) -> None:
        may_fail.wait()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async def call(task: str) -> dict[str, Any]:
        nonlocal calls
        calls += 1
        return {"key": task}

    monkeypatch.setattr(os, "fdatasync", full)
    working = asyncio.create_task(work(_work(ledger, _names(100_000), call, most=64)))
    before = -1
    while before < calls:  # until every caller waits for the writer
        before = calls
        for _ in range(20):
            await asyncio.sleep(0)
    working.cancel()
    for _ in range(20):
        await asyncio.sleep(0)
    may_fail.set()
    with pytest.raises(StoreError, match="the disk is full"):
        await asyncio.wait_for(working, 20)
    ledger.close()


async def test_a_spent_budget_asks_no_more_and_says_how_much_was_left(ledger: Ledger) -> None:
    async def call(task: str) -> dict[str, Any]:
        return {"key": task, "prompt_tokens": 6, "completion_tokens": 4}

    tally = await work(_work(ledger, _names(100), call, most=1, budget=Budget(tokens=95)))
    assert (tally.done, tally.failed, tally.unasked) == (10, 0, 90)
    assert ledger.keys() == set(_names(10))


async def test_the_calls_under_way_count_before_they_come_back(ledger: Ledger) -> None:
    async def call(task: str) -> dict[str, Any]:
        await asyncio.sleep(0)  # so that all callers have their turn before a reply comes
        return {"key": task, "prompt_tokens": 6, "completion_tokens": 4}

    budget = Budget(tokens=95)
    tally = await work(_work(ledger, _names(100), call, most=64, budget=budget))
    assert (tally.done, tally.unasked, budget.tokens) == (10, 90, -5)


async def test_one_budget_holds_for_two_pieces_of_work_of_different_size(tmp_path: Path) -> None:
    def calls(tokens: int) -> Any:
        async def call(task: str) -> dict[str, Any]:
            await asyncio.sleep(0)
            return {"key": task, "prompt_tokens": 0, "completion_tokens": tokens}

        return call

    budget = Budget(tokens=10_000)
    ledgers = [Ledger(tmp_path / name, "records", SCHEMA) for name in ("small", "large")]
    for one in ledgers:
        one.folder.mkdir()
    plans = [
        _work(one, _names(500), calls(tokens), most=64, budget=budget)
        for one, tokens in zip(ledgers, (10, 500), strict=True)
    ]
    tallies = await asyncio.gather(*map(work, plans))
    assert budget.tokens is not None
    assert -2 * 500 < budget.tokens <= 0
    assert sum(tally.done * tokens for tally, tokens in zip(tallies, (10, 500), strict=True)) == 10_000 - budget.tokens
    for one in ledgers:
        one.close()


async def test_a_call_that_never_comes_back_frees_what_was_kept_for_it(ledger: Ledger) -> None:
    async def call(task: str) -> dict[str, Any]:
        if task == _names(3)[-1]:
            raise EndpointError("gone")
        return {"key": task, "prompt_tokens": 6, "completion_tokens": 4}

    budget = Budget(tokens=1_000)
    with pytest.raises(EndpointError, match="gone"):
        await work(_work(ledger, _names(3), call, most=8, budget=budget))
    assert await asyncio.wait_for(budget.admits(ledger), 20)


async def test_no_budget_can_be_kept_where_no_usage_is_told(ledger: Ledger) -> None:
    async def call(task: str) -> dict[str, Any]:
        return {"key": task, "prompt_tokens": None, "completion_tokens": None}

    with pytest.raises(InputError, match="does not say how many tokens a reply takes"):
        await work(_work(ledger, _names(100), call, most=8, budget=Budget(tokens=1_000)))
    assert len(ledger.keys()) == 1  # it is paid for, and kept
    assert (await work(_work(ledger, _names(100), call, most=8))).done == 100


async def test_nothing_to_do_is_done(ledger: Ledger) -> None:
    assert await work(_work(ledger, [], _answer)) == Tally()
    assert not ledger.records.path.exists()
