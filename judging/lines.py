"""Two lines to a judge, both through instructor, and the meter that counts what goes over them.

Judges on OpenAI's protocol (vLLM among them) are asked over the openai client's aiohttp transport and its plain `post`,
the fast path by measurement (`benchmarks/judging.py`); all others through `instructor.from_provider`.
"""

import asyncio
import inspect
import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, cast

import httpx2
import instructor
import openai
from instructor.core.exceptions import InstructorRetryException
from instructor.core.hooks import Hooks
from openai.types.chat import ChatCompletionTokenLogprob
from pydantic import BaseModel
from pydantic_core import to_json
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

from judging.replies import Completion, prose, refusal, said, verdict_text
from judging.settings import Judge
from runs.calls import CallError
from runs.chat import LARGEST_REPLY
from runs.errors import InputError
from runs.frames import FailureKind
from runs.keys import hide
from runs.terms import UNFIT, Terms
from runs.turns import Turns

# instructor logs every failed attempt as an error; here failures are rows, and their text is hostile.
logging.getLogger("instructor").setLevel(logging.CRITICAL + 1)

LONGEST_RAW = 10_000
"""Characters kept of a body that is no chat completion, such as a proxy's page."""


@dataclass
class Meter:
    """What one verdict took, over all its attempts."""

    attempts: int = 0
    """Requests made, those that brought no reply included."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    where: str = ""
    """The URL that was asked last, or the model's name where none is known."""
    raw: str | None = None
    """The last reply as it came, or the beginning of what came in its place; null if nothing did."""
    tokens: list[ChatCompletionTokenLogprob] | None = None
    """The last reply's tokens with their alternatives; null if the endpoint gave none."""
    refused: bool = False
    """Whether the last reply says of itself that it is a refusal."""

    def asked(self, *_: Any, **__: Any) -> None:
        """Count one request."""
        self.attempts += 1

    def saw(self, completion: Any) -> None:
        """Count one reply of any provider."""
        self._took(getattr(completion, "usage", None))
        choices = getattr(completion, "choices", None)
        self.raw = said(choices[0].message) if choices else str(getattr(completion, "content", completion))
        self.tokens = getattr(getattr(choices[0], "logprobs", None), "content", None) if choices else None
        self.refused = getattr(completion, "stop_reason", None) == "refusal"  # Anthropic

    def saw_other(self, body: str, usage: object = None) -> None:
        """Keep what came in place of a chat completion, and count what it says that it took."""
        self._took(usage)
        self.raw = body[:LONGEST_RAW] or self.raw

    def _took(self, usage: object) -> None:
        self.prompt_tokens += _count(usage, "prompt_tokens", "input_tokens")
        self.completion_tokens += _count(usage, "completion_tokens", "output_tokens")

    def facts(self) -> dict[str, Any]:
        """Return the columns of VERDICTS that this meter fills."""
        return {
            "attempts": self.attempts,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "raw": self.raw,
        }


class Line(Protocol):
    """A way to ask a judge."""

    async def ask(self, meter: Meter, room: int, **request: Any) -> BaseModel:
        """Return the reply, fitted to `response_model`; `meter` sees every reply on the way.

        `room`: tokens that the reply may take.
        """

    async def close(self) -> None:
        """Let all connections go."""


class OpenAILine:
    """A judge behind a URL that speaks OpenAI's protocol."""

    def __init__(self, judge: Judge, urls: Sequence[str], api_key: str | None, terms: Terms) -> None:
        """`urls`: where the judge answers."""
        self._terms = terms
        self._turns = Turns(urls, terms.warn)
        self._model = judge.served_model
        self._limit_key = judge.limit_key
        kept = httpx2.Limits(max_connections=judge.concurrency, max_keepalive_connections=judge.concurrency)
        self._key = api_key
        self._repairs, self._seconds_for = judge.repairs, judge.seconds_for
        self._client = openai.AsyncOpenAI(
            base_url=urls[0],
            api_key=api_key or "none",
            max_retries=0,  # retries are one decision, made in runs.calls
            timeout=None,  # its own starts anew with every byte; ours is in `_post`
            default_headers={"Accept-Encoding": "identity"},
            http_client=openai.DefaultAioHttpClient(limits=kept, event_hooks={"response": [_bound]}),
        )
        self._create = instructor.patch(create=self._complete, mode=instructor.Mode.JSON_SCHEMA)

    async def ask(self, meter: Meter, room: int, **request: Any) -> BaseModel:
        """Ask with the reply's JSON schema as a constraint."""
        request[self._limit_key] = room
        seconds = self._seconds_for(room)
        with self._turns.next() as meter.where:
            reply: BaseModel = await self._create(
                meter=meter, seconds=seconds, model=self._model, max_retries=self._repairs, **request
            )
        return reply

    async def close(self) -> None:
        """Let all connections go."""
        await self._client.close()

    async def _complete(self, meter: Meter, seconds: float, **request: Any) -> Completion:
        """Create a chat completion, with the verdict in `content` wherever the model put it."""
        completion = self._read(await self._post(meter, seconds, request), meter)
        choice = completion.choices[0]
        message = choice.message
        if message.refusal or choice.finish_reason == "content_filter":
            raise CallError(FailureKind.JUDGE_REFUSAL, message.refusal or "held back by a content filter")
        verdict = verdict_text(message)
        # A repair would be refused as well. What was cut off is asked for with more room before it counts.
        if verdict is None and choice.finish_reason != "length" and (refused := refusal(message.content)):
            raise CallError(FailureKind.JUDGE_REFUSAL, first_lines(refused))
        message.content = verdict if verdict is not None else message.content or ""
        return completion

    async def _post(self, meter: Meter, seconds: float, request: dict[str, Any]) -> str:
        """Return the reply's body; the request is made as the endpoint takes it."""
        while True:
            sent = self._terms.kept(request)
            meter.asked()
            try:
                async with asyncio.timeout(seconds):
                    response = await self._client.post(
                        f"{meter.where}/chat/completions", cast_to=httpx2.Response, content=to_json(sent)
                    )
                return hide(response.content.decode("utf-8", "replace"), self._key)
            except TimeoutError:
                raise _late(meter, seconds) from None
            except openai.APIStatusError as error:
                if not gave_way(self._terms, sent, error, self._key):
                    raise

    @staticmethod
    def _read(body: str, meter: Meter) -> Completion:
        content: Any = None
        try:
            content = json.loads(body)
            # openai's own ChatCompletion takes as long to build as all the rest of the call; we read four fields of it.
            completion = Completion.model_validate(content)
        except (ValueError, RecursionError) as error:
            meter.saw_other(body, content.get("usage") if isinstance(content, dict) else None)
            told = f"{meter.where}: not a chat completion: {first_lines(error)}"
            raise CallError(FailureKind.ENDPOINT, told, again=True) from None
        meter.saw(completion)
        return completion


class _Bounded(httpx2.AsyncByteStream):
    """A body of bounded length."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        length = 0
        async for part in self._stream:
            length += len(part)
            if length > LARGEST_REPLY:
                raise ValueError(f"a reply of more than {LARGEST_REPLY // 2**20} MiB")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _bound(response: httpx2.Response) -> None:
    """Hold a reply's length in bounds, and let none be packed, for a small one may unpack to a giant."""
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise ValueError("the reply is packed (Content-Encoding), which was not asked for")
    assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101 — the client is an asynchronous one
    response.stream = _Bounded(response.stream)


class ProviderLine:
    """A judge at one of instructor's other providers."""

    def __init__(self, judge: Judge, api_key: str | None, terms: Terms) -> None:
        """Raise `InputError` if package, key or model is missing."""
        self._key, self._terms, self._model = api_key, terms, judge.model
        self._repairs, self._seconds_for = judge.repairs, judge.seconds_for
        try:
            self._client = instructor.from_provider(judge.model, async_client=True)
        except Exception as error:  # every provider's SDK has its own errors for a missing package, key or name
            extra = judge.model.partition("/")[0]
            raise InputError(
                f"judge {judge.name!r}: {judge.model!r} cannot be used ({first_lines(error)}). Check the name, the "
                f"key, and that `pip install 'instructor[{extra}]'` was done; or give `endpoint` a URL."
            ) from None
        self._sdk = sdk = cast("Any", self._client.client)
        if hasattr(sdk, "max_retries"):
            sdk.max_retries = 0  # retries are one decision, made in runs.calls

    async def ask(self, meter: Meter, room: int, **request: Any) -> BaseModel:
        """Ask in the way that instructor has for this provider."""
        hooks = Hooks()
        hooks.on("completion:kwargs", meter.asked)
        hooks.on("completion:response", partial(self._saw, meter))
        meter.where = self._model
        seconds = self._seconds_for(room) * (self._repairs + 1)  # instructor's own requests cannot be told apart
        while True:
            sent = self._terms.kept(request)
            try:
                async with asyncio.timeout(seconds):
                    reply: BaseModel = await self._client.create(
                        hooks=hooks, max_tokens=room, max_retries=self._retries(meter), **sent
                    )
                return reply
            except TimeoutError:
                raise _late(meter, seconds) from None
            except InstructorRetryException as error:
                if not gave_way(self._terms, sent, error.__cause__, self._key):
                    raise

    @staticmethod
    def _saw(meter: Meter, completion: Any) -> None:
        meter.saw(completion)
        meter.refused = meter.refused or refusal(prose(completion)) is not None

    def _retries(self, meter: Meter) -> AsyncRetrying:
        """Return instructor's repairs of a reply that does not fit; a refusal is none to be repaired."""

        def helps(error: BaseException) -> bool:
            return isinstance(error, ValueError) and not meter.refused

        return AsyncRetrying(stop=stop_after_attempt(self._repairs + 1), retry=retry_if_exception(helps), reraise=True)

    async def close(self) -> None:
        """Close the provider's client, if it can be."""
        closing = close() if callable(close := getattr(self._sdk, "close", None)) else None
        if inspect.isawaitable(closing):
            await closing


def gave_way(terms: Terms, sent: Mapping[str, Any], error: BaseException | None, key: str | None) -> bool:
    """Whether `sent`, which met `error`, is worth sending again without what it was refused for."""
    unfit = isinstance(error, TypeError) or getattr(error, "status_code", None) in UNFIT  # an SDK's arguments, or HTTP
    told = getattr(getattr(error, "response", None), "text", None) or str(error)
    return unfit and terms.gave_way(sent, hide(told, key))


def first_lines(told: object) -> str:
    """Return the beginning of what an error or a judge says, on one line."""
    lines = [line.strip() for line in str(told).splitlines() if line.strip()]
    return " ".join(lines[:3])[:300] or type(told).__name__


def _late(meter: Meter, seconds: float) -> CallError:
    told = f"{meter.where}: no reply within {seconds:g} s; raise `timeout` or lower `concurrency`."
    return CallError(FailureKind.TIMEOUT, told, again=True)


def _count(usage: object, *names: str) -> int:
    """Return how many tokens `usage` says under one of `names`; 0 where it says no number that can be one."""
    values = (usage.get(name) if isinstance(usage, dict) else getattr(usage, name, None) for name in names)
    return next((value for value in values if isinstance(value, int) and 0 <= value < 2**31), 0)
