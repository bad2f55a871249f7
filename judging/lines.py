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
from typing import Annotated, Any, Protocol, cast

import httpx2
import instructor
import openai
from instructor.core.exceptions import InstructorRetryException
from instructor.core.hooks import Hooks
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionTokenLogprob
from openai.types.chat.chat_completion import ChoiceLogprobs
from pydantic import BaseModel, Field
from pydantic_core import to_json

from judging.settings import Judge
from runs.calls import CallError
from runs.chat import LARGEST_REPLY
from runs.errors import InputError
from runs.frames import FailureKind
from runs.keys import hide
from runs.terms import UNFIT, Terms
from runs.thinking import split_thinking
from runs.turns import Turns

# instructor logs every failed attempt as an error; here failures are rows, and their text is hostile.
logging.getLogger("instructor").setLevel(logging.CRITICAL + 1)


@dataclass
class Meter:
    """What one verdict took, over all its attempts."""

    attempts: int = 0
    """Requests made, those that brought no reply included."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    raw: str | None = None
    """The last reply as it came; null if none did."""
    tokens: list[ChatCompletionTokenLogprob] | None = None
    """The last reply's tokens with their alternatives; null if the endpoint gave none."""
    refused: bool = False
    """Whether the last reply says of itself that it is a refusal."""

    def asked(self, *_: Any, **__: Any) -> None:
        """Count one request."""
        self.attempts += 1

    def saw(self, completion: Any) -> None:
        """Count one reply of any provider."""
        usage = getattr(completion, "usage", None)
        self.prompt_tokens += _count(usage, "prompt_tokens", "input_tokens")
        self.completion_tokens += _count(usage, "completion_tokens", "output_tokens")
        choices = getattr(completion, "choices", None)
        self.raw = said(choices[0].message) if choices else str(getattr(completion, "content", completion))
        self.tokens = getattr(getattr(choices[0], "logprobs", None), "content", None) if choices else None
        self.refused = getattr(completion, "stop_reason", None) == "refusal"  # Anthropic

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


# What a server adds in a form of its own costs no verdict.
_OR_WHATEVER_COMES = Field(union_mode="left_to_right")


class Message(BaseModel):
    """What the judge said; servers put it in different places."""

    role: str = "assistant"
    content: str | None = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None


class Choice(BaseModel):
    """One reply of a chat completion."""

    message: Message
    finish_reason: str | None = None
    logprobs: Annotated[ChoiceLogprobs | Any, _OR_WHATEVER_COMES] = None


class Completion(BaseModel):
    """What is read of a chat completion. Its usage has openai's type, for instructor adds up no other."""

    choices: list[Choice] = Field(min_length=1)
    usage: Annotated[CompletionUsage | Any, _OR_WHATEVER_COMES] = None


class OpenAILine:
    """A judge behind a URL that speaks OpenAI's protocol."""

    def __init__(self, judge: Judge, urls: Sequence[str], api_key: str | None, seconds: float, terms: Terms) -> None:
        """`urls`: where the judge answers; `seconds`: how long one request may take."""
        self._terms = terms
        self._turns = Turns(urls, terms.warn)
        self._model = judge.served_model
        self._limit_key = judge.limit_key
        kept = httpx2.Limits(max_connections=judge.concurrency, max_keepalive_connections=judge.concurrency)
        self._key, self._seconds = api_key, seconds
        self._client = openai.AsyncOpenAI(
            base_url=urls[0],
            api_key=api_key or "none",
            max_retries=0,  # retries are one decision, made in runs.calls
            timeout=seconds,
            default_headers={"Accept-Encoding": "identity"},
            http_client=openai.DefaultAioHttpClient(limits=kept, event_hooks={"response": [_bound]}),
        )
        self._create = instructor.patch(create=self._complete, mode=instructor.Mode.JSON_SCHEMA)

    async def ask(self, meter: Meter, room: int, **request: Any) -> BaseModel:
        """Ask with the reply's JSON schema as a constraint."""
        request[self._limit_key] = room
        with self._turns.next() as url:
            reply: BaseModel = await self._create(meter=meter, url=url, model=self._model, **request)
        return reply

    async def close(self) -> None:
        """Let all connections go."""
        await self._client.close()

    async def _complete(self, meter: Meter, url: str, **request: Any) -> Completion:
        """Create a chat completion, with the verdict in `content` wherever the model put it."""
        while True:
            sent = self._terms.kept(request)
            meter.asked()
            try:
                response = await self._post(f"{url}/chat/completions", sent)
                break
            except openai.APIStatusError as error:
                if not gave_way(self._terms, sent, error, self._key):
                    raise
        body = hide(response.content.decode("utf-8", "replace"), self._key)
        try:
            # openai's own ChatCompletion takes as long to build as all the rest of the call; we read four fields of it.
            completion = Completion.model_validate(json.loads(body))
        except (ValueError, RecursionError) as error:
            told = f"{url}: not a chat completion: {first_lines(error)}"
            raise CallError(FailureKind.ENDPOINT, told, again=True) from None
        meter.saw(completion)
        choice = completion.choices[0]
        if choice.message.refusal or choice.finish_reason == "content_filter":
            raise CallError(FailureKind.JUDGE_REFUSAL, choice.message.refusal or "held back by a content filter")
        choice.message.content = verdict_text(choice.message)
        return completion

    async def _post(self, url: str, request: dict[str, Any]) -> httpx2.Response:
        async with asyncio.timeout(self._seconds):  # the client's own timeout starts anew with every byte
            return await self._client.post(url, cast_to=httpx2.Response, content=to_json(request))


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

    def __init__(self, judge: Judge, api_key: str | None, seconds: float, terms: Terms) -> None:
        """`seconds`: how long one request may take. Raise `InputError` if package, key or model is missing."""
        self._key, self._seconds, self._terms = api_key, seconds * (judge.repairs + 1), terms
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
        hooks.on("completion:response", meter.saw)
        while True:
            sent = self._terms.kept(request)
            try:
                async with asyncio.timeout(self._seconds):
                    reply: BaseModel = await self._client.create(hooks=hooks, max_tokens=room, **sent)
                return reply
            except InstructorRetryException as error:
                if not gave_way(self._terms, sent, error.__cause__, self._key):
                    raise

    async def close(self) -> None:
        """Close the provider's client, if it can be."""
        closing = close() if callable(close := getattr(self._sdk, "close", None)) else None
        if inspect.isawaitable(closing):
            await closing


def gave_way(terms: Terms, sent: Mapping[str, Any], error: BaseException | None, key: str | None) -> bool:
    """Whether `sent`, which met `error`, is worth sending again without what it was refused for."""
    unfit = isinstance(error, TypeError) or getattr(error, "status_code", None) in UNFIT  # an SDK's arguments, or HTTP
    return unfit and terms.gave_way(sent, hide(str(error), key))


def said(message: object) -> str | None:
    """Return what the judge said in a chat message, wherever it stands; null if it said nothing."""
    return next(iter(_places(message)), None)


def verdict_text(message: Message) -> str:
    """Return the JSON object in a chat message: without thinking or a code fence around it, from wherever it stands.

    Behind vLLM's reasoning parsers a constrained verdict can arrive in the reasoning field, with empty content.
    """
    for place in _places(message):
        text = split_thinking(place).text or ""
        start, end = text.find("{"), text.rfind("}")
        if 0 <= start < end:
            return text[start : end + 1]
    return message.content or ""


def _places(message: object) -> list[str]:
    names = ("content", "refusal", "reasoning_content", "reasoning")
    places = (getattr(message, name, None) for name in names)
    return [place for place in places if place and isinstance(place, str)]


def first_lines(error: BaseException) -> str:
    """Return the beginning of what an error says, on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3])[:300] or type(error).__name__


def _count(usage: object, *names: str) -> int:
    """Return how many tokens `usage` says under one of `names`; 0 where it says no number that can be one."""
    values = (getattr(usage, name, None) for name in names)
    return next((value for value in values if isinstance(value, int) and 0 <= value < 2**31), 0)
