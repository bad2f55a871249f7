"""What a user reads when no reply comes: what happened, where, and nothing of what went on before the call."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from judging.client import JudgeClient
from judging.lines import LONGEST_RAW, Meter
from judging.settings import Judge
from rubrics import Rubric, response_model
from runs.calls import CallError
from runs.frames import FailureKind

Make = Callable[..., Any]


class Hasty(Judge):
    """A judge that is waited for a millisecond per token, and no minute besides."""

    def seconds_for(self, tokens: int) -> float:
        """Return the milliseconds of so many tokens."""
        return tokens / 1000


async def _failure(rubric: Rubric, judge: Judge, *urls: str, meter: Meter | None = None) -> CallError:
    async with JudgeClient(judge, urls, None) as client:
        with pytest.raises(CallError) as problem:
            await client.ask(response_model(rubric.criteria), [{"role": "user", "content": "x"}], 1, meter or Meter())
    return problem.value


def _judge(*urls: str, **more: Any) -> Judge:
    return Judge.model_validate({"model": "j", "endpoint": urls[0], **more})


@contextlib.contextmanager
def _closed_port() -> Iterator[str]:
    """Yield a URL at which nothing listens, and nothing else can start to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


async def test_a_server_that_is_not_there_is_named_with_the_reason(rubric: Rubric) -> None:
    with _closed_port() as url:
        failure = await _failure(rubric, _judge(url), url)
    port = url.split(":")[2].removesuffix("/v1")
    assert str(failure) == f"{url}: cannot connect (Connect call failed ('127.0.0.1', {port}))."
    assert (failure.kind, failure.again, failure.facts["raw"]) == (FailureKind.ENDPOINT, True, None)


def test_an_error_from_before_the_call_is_not_told(rubric: Rubric) -> None:
    """The whole loop runs while the caller handles an error of its own, as notebooks and their like do."""
    with _closed_port() as url:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            failure = asyncio.run(_failure(rubric, _judge(url), url))
    assert "cannot connect" in str(failure)
    assert "event loop" not in str(failure)


@pytest.mark.parametrize("fault", ["cut_headers", "cut_body"])
async def test_a_reply_that_is_broken_off_is_told_in_words(scripted: Make, rubric: Rubric, fault: str) -> None:
    url = scripted(rules=[{"fault": fault}]).url
    failure = await _failure(rubric, _judge(url), url)
    assert str(failure) == f"{url}: the server broke off its reply."
    assert (failure.kind, failure.again) == (FailureKind.ENDPOINT, True)


async def test_a_reply_that_does_not_come_is_told_with_how_long_was_waited(scripted: Make, rubric: Rubric) -> None:
    url = scripted(rules=[{"fault": "hang"}]).url
    failure = await _failure(rubric, _judge(url, timeout=0.2), url)
    assert str(failure) == f"{url}: no reply within 0.2 s; raise `timeout` or lower `concurrency`."
    assert (failure.kind, failure.again) == (FailureKind.TIMEOUT, True)


@pytest.mark.parametrize(("cut_off", "waited"), [(0, "0.1"), (1, "0.2"), (2, "0.4")])
async def test_more_room_has_more_time(scripted: Make, rubric: Rubric, cut_off: int, waited: str) -> None:
    url = scripted(rules=[{"fault": "truncated", "first": cut_off}, {"fault": "hang"}]).url
    failure = await _failure(rubric, Hasty(model="j", endpoint=url, max_tokens=100), url)
    assert f"no reply within {waited} s" in str(failure)


async def test_of_several_servers_the_one_that_failed_is_named(scripted: Make, rubric: Rubric) -> None:
    hangs, fails = scripted(rules=[{"fault": "hang"}]), scripted(rules=[{"fault": "http"}])
    first = asyncio.create_task(_call_both(rubric, hangs.url, fails.url))
    await asyncio.to_thread(fails.wait, replies=1)
    await asyncio.to_thread(hangs.wait, requests=1)
    hangs.release()
    (failure,) = [one for one in await first if isinstance(one, CallError)]
    assert str(failure) == f"{fails.url}: HTTP 500 for model 'j': The server had an error."


async def _call_both(rubric: Rubric, *urls: str) -> list[Any]:
    """Ask two servers at once: whoever has the fewest calls under way is next."""
    async with JudgeClient(_judge(*urls), urls, None) as client:
        form, asked = response_model(rubric.criteria), [{"role": "user", "content": "x"}]
        return await asyncio.gather(*(client.ask(form, asked, 1, Meter()) for _ in urls), return_exceptions=True)


@pytest.mark.parametrize("status", [200, 500])
async def test_what_came_instead_of_a_reply_is_kept_and_counted(scripted: Make, rubric: Rubric, status: int) -> None:
    page = "<html>" + "x" * 2 * LONGEST_RAW
    rule = {"fault": "http", "status": 500, "text": page} if status == 500 else {"fault": "no_choices"}
    url, meter = scripted(rules=[rule]).url, Meter()
    failure = await _failure(rubric, _judge(url), url, meter=meter)
    raw = failure.facts["raw"]
    assert raw == meter.raw
    if status == 500:
        assert len(raw) == LONGEST_RAW
        assert raw.startswith('{"error": {"message": "<html>xxx')
    else:
        assert raw.endswith("}}")
        assert meter.prompt_tokens > 0
        assert meter.completion_tokens > 0
    assert len(str(failure)) < 500
