"""An endpoint may send anything: each reply is a reply or a failure's row, and none takes memory without bound."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from judging.client import JudgeClient
from judging.lines import Meter
from judging.settings import Judge
from rubrics import Rubric, response_model
from runs.calls import CallError
from runs.chat import LARGEST_REPLY, ChatClient
from runs.errors import EndpointError
from runs.frames import RESPONSES, FailureKind, frame
from runs.generate import read_reply

KEY = "sk-test/Very+Secret"
Serve = Callable[[bytes], str]


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Any]]:
    """Return a function that serves raw bytes on every connection, over and over if `endless`, and returns the URL."""
    servers = []

    async def start(raw: bytes, *, endless: bool = False) -> str:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
                await reader.readexactly(int(length.split(b":")[1]))
                writer.write(raw)
                while endless:
                    await writer.drain()
                    writer.write(b" " * 2**16)
                await writer.drain()
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


def _http(content: bytes, *, status: int = 200, header: str = "Content-Type: application/json") -> bytes:
    head = f"HTTP/1.1 {status} Said\r\n{header}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    return head.encode() + content


def _completion(message: Any, **more: Any) -> bytes:
    return json.dumps({"choices": [{"message": message, **more}], "usage": more.get("usage")}).encode()


async def _answer(url: str) -> dict[str, Any]:
    async with ChatClient([url], "m", KEY, concurrency=1, timeout=20) as client:
        return read_reply(await client.complete({"messages": []}), opened=False)


async def _verdict(url: str, rubric: Rubric) -> tuple[Any, Meter]:
    meter = Meter()
    async with JudgeClient(Judge(model="j", endpoint=url, repairs=0), [url], KEY) as client:
        form = response_model(rubric.criteria[:1])
        return await client.ask(form, [{"role": "user", "content": "x"}], 1, meter), meter


GOOD = _completion({"content": '{"openness": {"reason": "r", "score": 5}}'})
BROKEN = {
    "nothing": b"",
    "no HTTP": b"\x00\xff" * 50,
    "a header without end": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000,
    "a status that is none": b"HTTP/1.1 9999 Odd\r\n\r\n",
    "chunks that are none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "gzip that is none": _http(b"\x1f\x8bnot", header="Content-Encoding: gzip"),
    "an unknown packing": _http(b"x", header="Content-Encoding: br, zstd, gzip"),
    "no JSON": _http(b"<html>"),
    "deep JSON": _http(b"[" * 200_000),
    "a long number": _http(b'{"choices": ' + b"9" * 5000 + b"}"),
    "another object": _http(b'{"choices": {"0": 1}}'),
    "content that is no text": _http(_completion({"content": {"a": 1}})),
    "content that is a number": _http(_completion({"content": 5})),
    "a circle": _http(b"", status=302, header="Location: /v1/chat/completions"),
    "an address that is none": _http(b"", status=307, header="Location: http://[::1/"),
    "no encoding": _http(b"\xff\xfe{", header="Content-Type: application/json; charset=hex"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_what_is_no_reply_is_a_failure(serve: Any, rubric: Rubric, name: str) -> None:
    url = await serve(BROKEN[name])
    with pytest.raises(CallError) as answer:
        await _answer(url)
    assert answer.value.kind is FailureKind.ENDPOINT
    with pytest.raises(CallError) as verdict:
        await _verdict(url, rubric)
    assert verdict.value.kind in {FailureKind.ENDPOINT, FailureKind.INVALID_OUTPUT}
    frame([answer.value.facts, verdict.value.facts], RESPONSES)


@pytest.mark.parametrize("charset", ["hex", "rot13", "utf-16", "idna", "unicode_escape", "no-such", "zlib"])
async def test_json_is_utf_8_whatever_the_header_says(serve: Any, rubric: Rubric, charset: str) -> None:
    url = await serve(_http(GOOD, header=f"Content-Type: application/json; charset={charset}"))
    assert (await _answer(url))["text"] == '{"openness": {"reason": "r", "score": 5}}'
    assert (await _verdict(url, rubric))[0].criterion_1.score == 5


@pytest.mark.parametrize("retry_after", ["1e999", "nan", "-5", "Mon, 99 Foo 99999 99:99:99", " ", "9" * 400, "\xff"])
async def test_a_header_that_says_nothing_is_passed_over(serve: Any, rubric: Rubric, retry_after: str) -> None:
    url = await serve(_http(b"{}", status=429, header=f"Retry-After: {retry_after}"))
    for asked in (_answer(url), _verdict(url, rubric)):
        with pytest.raises(CallError) as problem:
            await asked
        assert problem.value.kind is FailureKind.RATE_LIMIT
        assert problem.value.after is None or problem.value.after >= 0


@pytest.mark.parametrize(
    "usage", ["many", {"prompt_tokens": "9", "completion_tokens": 1.5}, [1], {"prompt_tokens": -1}]
)
async def test_counts_that_are_none_are_null(serve: Any, rubric: Rubric, usage: Any) -> None:
    url = await serve(_http(_completion({"content": "Yes."}, usage=usage)))
    said = await _answer(url)
    assert (said["text"], said["prompt_tokens"], said["completion_tokens"]) == ("Yes.", None, None)
    giant = b'{"completion_tokens": 1, "total_tokens": 1, "prompt_tokens": 1' + b"0" * 30 + b"}"
    huge = await serve(_http(GOOD.replace(b'"usage": null', b'"usage": ' + giant)))
    assert (await _answer(huge))["prompt_tokens"] is None
    assert (await _verdict(huge, rubric))[1].facts()["prompt_tokens"] == 0


async def test_parts_of_text_are_joined(serve: Any) -> None:
    url = await serve(_http(_completion({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]})))
    assert (await _answer(url))["text"] == "ab"


@pytest.mark.parametrize("thinking", ["Hm.", [{"type": "text", "text": "Hm"}, {"type": "text", "text": "."}]])
async def test_thinking_among_the_parts_is_no_part_of_the_answer(serve: Any, thinking: object) -> None:
    parts = [{"type": "thinking", "thinking": thinking}, {"type": "text", "text": "Yes."}]
    said = await _answer(await serve(_http(_completion({"content": parts}))))
    assert (said["text"], said["reasoning"]) == ("Yes.", "Hm.")


async def test_a_body_without_end_is_broken_off(serve: Any, rubric: Rubric) -> None:
    url = await serve(b"HTTP/1.1 200 OK\r\n\r\n{", endless=True)
    with pytest.raises(CallError, match="a reply of more than 16 MiB"):
        await _answer(url)
    with pytest.raises(CallError, match="a reply of more than 16 MiB"):
        await _verdict(url, rubric)


async def test_a_small_body_that_unpacks_to_a_giant_is_broken_off(serve: Any, rubric: Rubric) -> None:
    url = await serve(_http(gzip.compress(b" " * (20 * LARGEST_REPLY)), header="Content-Encoding: gzip"))
    with pytest.raises(CallError, match=r"a reply of more than 16 MiB|[Dd]ecompress"):
        await _answer(url)
    with pytest.raises(CallError, match="the reply is packed"):
        await _verdict(url, rubric)


@pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 500])
async def test_a_key_that_is_repeated_goes_nowhere(serve: Any, rubric: Rubric, status: int) -> None:
    """In a message, in JSON's escapes, in a header, in the answer itself."""
    told = _completion({"content": f"Your key is {KEY}."}) if status == 200 else json.dumps({"error": KEY}).encode()
    url = await serve(_http(told.replace(b"/", b"\\/"), status=status, header=f"X-Key: {KEY}"))
    said: list[object] = []
    for asked in (_answer(url), _verdict(url, rubric)):
        try:
            said.append(await asked)
        except (CallError, EndpointError) as problem:
            said += [str(problem), repr(problem), getattr(problem, "facts", None)]
    assert said
    assert "Very" not in repr(said)
