"""The small client: every way in which an endpoint can fail is told apart, over a real socket."""

import asyncio
import email.utils
import math
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.calls import CallError
from runs.chat import ChatClient, http_failure, reach
from runs.errors import EndpointError
from runs.frames import FailureKind
from runs.gate import retry_after

Endpoint = Callable[..., Any]


async def _ask(
    url: str, *, model: str = "m", key: str | None = None, seconds: float = 20, **request: Any
) -> dict[str, Any]:
    messages = [{"role": "user", "content": "Why?"}]
    async with ChatClient([url], model, key, concurrency=4, timeout=seconds) as client:
        return await client.complete({"messages": messages, **request})


async def test_a_reply_comes_as_the_endpoint_gave_it(scripted: Endpoint) -> None:
    endpoint = scripted()
    reply = await _ask(endpoint.url, seed=7)
    assert reply["model"] == "m"
    assert reply["choices"][0]["message"]["content"].startswith("On 'Why?' (")
    (count,) = endpoint.stats()["prompts"]
    assert (count["prompt"], count["seed"], count["requests"], count["kind"]) == ("Why?", 7, 1, "answer")


@pytest.mark.parametrize(
    ("rule", "kind", "again", "told"),
    [
        ({"fault": "rate_limit"}, FailureKind.RATE_LIMIT, True, "HTTP 429 for model 'm': Rate limit reached."),
        (
            {"fault": "http", "status": 500},
            FailureKind.ENDPOINT,
            True,
            "HTTP 500 for model 'm': The server had an error.",
        ),
        ({"fault": "http", "status": 503}, FailureKind.ENDPOINT, True, "HTTP 503"),
        ({"fault": "http", "status": 529}, FailureKind.ENDPOINT, True, "HTTP 529"),
        ({"fault": "http", "status": 400}, FailureKind.ENDPOINT, False, "HTTP 400"),
        ({"fault": "http", "status": 422}, FailureKind.ENDPOINT, False, "HTTP 422"),
        ({"fault": "cut_headers"}, FailureKind.ENDPOINT, True, ""),
        ({"fault": "cut_body"}, FailureKind.ENDPOINT, True, ""),
        ({"fault": "malformed_json"}, FailureKind.ENDPOINT, True, "not a chat completion: {"),
        ({"fault": "no_completion"}, FailureKind.ENDPOINT, True, 'not a chat completion: {"object": "list"'),
        ({"fault": "no_choices"}, FailureKind.ENDPOINT, True, "not a chat completion"),
    ],
    ids=lambda value: value["fault"] + str(value.get("status", "")) if isinstance(value, dict) else "",
)
async def test_one_reply_that_does_not_come(
    scripted: Endpoint, rule: dict[str, Any], kind: FailureKind, again: bool, told: str
) -> None:
    endpoint = scripted(rules=[rule])
    with pytest.raises(CallError) as failure:
        await _ask(endpoint.url)
    assert (failure.value.kind, failure.value.again) == (kind, again)
    assert str(failure.value).startswith(f"{endpoint.url}: {told}")
    assert endpoint.stats()["requests"] == 1  # retries are decided elsewhere


async def test_an_endpoint_that_never_answers_is_given_up_in_time(scripted: Endpoint) -> None:
    endpoint = scripted(rules=[{"fault": "hang"}])
    with pytest.raises(CallError, match=r"no reply within 0 s; raise `timeout` or lower `concurrency`\.$") as failure:
        await _ask(endpoint.url, seconds=0.2)
    assert (failure.value.kind, failure.value.again) == (FailureKind.TIMEOUT, True)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ({"key": "right"}, "HTTP 401 for model 'm': Incorrect API key provided."),
        ({"models": ["other"]}, "HTTP 404 for model 'm': The model `m` does not exist."),
        ({"rules": [{"fault": "http", "status": 402}]}, "HTTP 402"),
        ({"rules": [{"fault": "http", "status": 403}]}, "HTTP 403"),
    ],
    ids=["key", "model", "credit", "forbidden"],
)
async def test_what_no_further_request_can_mend(scripted: Endpoint, script: dict[str, Any], told: str) -> None:
    endpoint = scripted(**script)
    with pytest.raises(EndpointError) as failure:
        await _ask(endpoint.url, key="wrong")
    assert str(failure.value).startswith(f"{endpoint.url}: {told}")
    assert str(failure.value).endswith(
        "Correct the model's name, the key or the address, and run the same command again."
    )
    assert "wrong" not in str(failure.value)


async def test_the_key_is_sent_and_reaching_asks_for_it(scripted: Endpoint) -> None:
    endpoint = scripted(key="right")
    assert (await _ask(endpoint.url, key="right"))["choices"]
    await reach(endpoint.url, "right")
    with pytest.raises(EndpointError, match=r"the API key was refused \(HTTP 401\)"):
        await reach(endpoint.url, None)


async def test_an_address_where_nobody_listens_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(
            EndpointError, match=r"cannot be reached \(cannot connect .*\); expected a server that speaks"
        ):
            await reach(url, None)
        with pytest.raises(CallError, match="cannot connect") as failure:
            await _ask(url)
    assert failure.value.again


async def test_a_reply_with_broken_characters_is_still_read(scripted: Endpoint) -> None:
    endpoint = scripted(rules=[{"fault": "text", "text": "\ud800 \u202e ok"}])
    reply = await _ask(endpoint.url)
    assert reply["choices"][0]["message"]["content"] == "\ud800 \u202e ok"


async def test_calls_are_spread_over_replicas(scripted: Endpoint) -> None:
    first, second = scripted(rules=[{"fault": "hang"}]), scripted()
    messages = [{"role": "user", "content": "Why?"}]
    async with ChatClient([first.url, second.url], "m", None, concurrency=8, timeout=20) as client:
        calls = [asyncio.create_task(client.complete({"messages": messages, "seed": seed})) for seed in range(6)]
        await asyncio.to_thread(first.wait, requests=3)
        await asyncio.to_thread(second.wait, replies=3)
        await asyncio.to_thread(first.release)
        await asyncio.gather(*calls)
    assert first.stats()["requests"] == second.stats()["requests"] == 3


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    assert retry_after({"Retry-After": "1.5"}) == 1.5
    assert retry_after({"Retry-After": "-3"}) == 0
    assert retry_after({}) is None
    assert retry_after({"Retry-After": "soon"}) is None
    date = email.utils.formatdate(time.time() + 100, usegmt=True)
    assert 95 < (retry_after({"Retry-After": date}) or 0) <= 100
    past = email.utils.formatdate(time.time() - 100, usegmt=True)
    assert retry_after({"Retry-After": past}) == 0


@given(st.text() | st.sampled_from(["nan", "inf", "-inf", "1e999", "Mon, 99 Jan 9999999999 00:00:00 GMT"]))
def test_whatever_stands_in_retry_after_the_wait_is_finite(value: str) -> None:
    seconds = retry_after({"Retry-After": value})
    assert seconds is None or (math.isfinite(seconds) and seconds >= 0)


@given(st.integers(400, 599), st.text())
def test_every_http_error_is_one_line_with_its_status(status: int, body: str) -> None:
    failure = http_failure("http://h/v1", "m", status, body, None)
    assert str(failure).startswith(f"http://h/v1: HTTP {status} for model 'm': ")
    assert "\n" not in str(failure)
    assert len(str(failure)) < 500
