"""Several servers of one model: one that fails rests, the others take its calls, and it comes back."""

from collections.abc import Callable
from typing import Any

import pytest

from runs.calls import CallError
from runs.chat import ChatClient
from runs.frames import FailureKind
from runs.terms import Terms
from runs.turns import FAILURES, Turns

Endpoint = Callable[..., Any]


def _client(urls: list[str], told: list[str]) -> ChatClient:
    return ChatClient(urls, "m", None, concurrency=4, timeout=20, terms=Terms((), told.append))


async def _ask(client: ChatClient, prompt: str = "Why?") -> bool:
    """Return whether a reply came."""
    try:
        await client.complete({"messages": [{"role": "user", "content": prompt}]})
    except CallError:
        return False
    return True


def test_whoever_has_the_fewest_calls_is_next_and_a_failed_call_counts_no_longer() -> None:
    turns = Turns(["a", "b"])
    with turns.next() as first, turns.next() as second:
        assert (first, second) == ("a", "b")
    with pytest.raises(RuntimeError, match="lost"), turns.next():
        raise RuntimeError("lost")
    with turns.next() as again:
        assert again == "a"


@pytest.mark.parametrize("status", [500, 503])
async def test_a_server_that_fails_rests_and_failed_calls_go_elsewhere(
    scripted: Endpoint, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr("runs.turns.FIRST_REST", 60.0)
    broken, sound, told = scripted(rules=[{"fault": "http", "status": status}]), scripted(), []
    async with _client([broken.url, sound.url], told) as client:
        came = [await _ask(client) for _ in range(30)]
    assert came == [False, True] * FAILURES + [True] * (30 - 2 * FAILURES)
    assert broken.stats()["requests"] == FAILURES
    assert told == [f"{broken.url}: {FAILURES} calls in a row failed; the other URLs take its calls."]


async def test_a_server_that_answers_again_is_used_again(scripted: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runs.turns.FIRST_REST", 0.0)
    broken, sound, told = scripted(rules=[{"fault": "cut_headers", "first": FAILURES + 2}]), scripted(), []
    async with _client([broken.url, sound.url], told) as client:
        came = [await _ask(client) for _ in range(30)]
    assert came.count(False) == FAILURES + 2
    assert broken.stats()["requests"] > FAILURES + 2
    assert told[1:] == [f"{broken.url}: answers again."]


async def test_a_request_that_is_refused_says_nothing_of_the_server(scripted: Endpoint) -> None:
    first, second, told = (*(scripted(rules=[{"fault": "http", "status": 400}]) for _ in range(2)), [])
    async with _client([first.url, second.url], told) as client:
        assert not any([await _ask(client) for _ in range(10)])
    assert not told


def test_a_server_that_rested_is_tried_with_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runs.turns.FIRST_REST", 0.0)
    turns = Turns(["a", "b"])
    _fail(turns, "a")
    with turns.next() as elsewhere:
        assert elsewhere == "b"
    with turns.next() as tried, turns.next() as second, turns.next() as third:
        assert (tried, second, third) == ("a", "b", "b")
    with turns.next() as first, turns.next() as second:
        assert (first, second) == ("a", "b")


def test_where_all_rest_calls_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runs.turns.FIRST_REST", 60.0)
    turns = Turns(["a", "b"])
    _fail(turns, "a")
    _fail(turns, "b")
    with turns.next() as first, turns.next() as second:
        assert (first, second) == ("a", "b")


def test_a_reply_to_a_call_from_before_the_rest_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runs.turns.FIRST_REST", 60.0)
    turns = Turns(["a", "b"])
    with turns.next() as early:
        assert early == "a"
        with turns.next():
            _fail(turns, "a")
    with turns.next() as first, turns.next() as second:
        assert (first, second) == ("b", "b")


def _fail(turns: Turns, wanted: str) -> None:
    """Let `FAILURES` calls fail at `wanted`, and none elsewhere."""
    failed = 0
    while failed < FAILURES:
        try:
            with turns.next() as url:
                if url == wanted:
                    failed += 1
                    raise CallError(FailureKind.ENDPOINT, "HTTP 500", again=True)
        except CallError:
            pass
