"""The small client that questions go through: OpenAI's chat protocol over aiohttp."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from runs.calls import CallError, HeldBack
from runs.errors import EndpointError, Unresponsive
from runs.frames import FailureKind
from runs.gate import retry_after
from runs.keys import hide
from runs.terms import UNFIT, Terms, in_its_words
from runs.turns import Turns

LARGEST_REPLY = 16 * 2**20
"""Bytes of a reply's body, unpacked; a million tokens are a third of it. An endpoint may send for ever."""
ONE_FAILED_ASK_AGAIN = {408, 409, 425, 429, 500, 502, 503, 504, 529}
"""HTTP statuses after which the same request may succeed."""
OVERLOADED = {429, 502, 503, 504, 529}
"""HTTP statuses of a server that has too much to do."""
NONE_WILL_SUCCEED = {401, 402, 403, 404}
"""HTTP statuses that every further request will meet as well."""

_HELD_BACK = re.compile(
    r"content[_ ]filter|content exists risk|data_?inspection_?failed|content_policy|敏感内容", re.IGNORECASE
)
"""How Azure, DeepSeek, DashScope, OpenAI and Zhipu say that a filter met, with HTTP 400 instead of a reply."""


class ChatClient:
    """One model behind one or more OpenAI-compatible URLs. Use it as an async context manager."""

    def __init__(
        self,
        urls: Sequence[str],
        model: str,
        api_key: str | None,
        *,
        concurrency: int,
        timeout: float,
        terms: Terms | None = None,
    ) -> None:
        """`urls`: bases, with `/v1`; `timeout`: seconds for one request, connecting and waiting included."""
        self.model = model
        self._terms = terms or Terms()
        self._turns = Turns(urls, self._terms.warn)
        self._key = api_key
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._limit = concurrency
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=30)

    async def __aenter__(self) -> "ChatClient":
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._limit, keepalive_timeout=60),
            headers=self._headers,
            timeout=self._timeout,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def complete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the endpoint's reply to `request` (without `model`, which is added).

        Raises:
            CallError: this reply did not come; it says whether asking again may help.
            EndpointError: no reply will come, for the key, the model or the address is wrong.
        """
        with self._turns.next() as url:
            while True:
                sent = self._terms.kept({"model": self.model, **request})
                status, body, after = await self._post(url, sent)
                if status < 400:
                    return _completion(url, body)
                if status not in UNFIT or not self._terms.gave_way(sent, body):
                    raise http_failure(url, self.model, status, body, after)

    async def _post(self, url: str, request: Mapping[str, Any]) -> tuple[int, str, float | None]:
        """Return the HTTP status, the body, and the seconds that `Retry-After` asks for."""
        try:
            async with self._session.post(f"{url}/chat/completions", json=request) as reply:
                return reply.status, hide(await _body(url, reply), self._key), retry_after(reply.headers)
        except TimeoutError:
            message = f"{url}: no reply within {self._timeout.total:.0f} s; raise `timeout` or lower `concurrency`."
            raise CallError(FailureKind.TIMEOUT, message, again=True) from None
        except aiohttp.ClientError as error:
            raise CallError(FailureKind.ENDPOINT, f"{url}: {_told(error)}.", again=True) from None


async def reach(url: str, api_key: str | None, *, seconds: float = 15) -> None:
    """Return once something answers HTTP at `url`.

    Raises:
        Unresponsive: nothing does.
        EndpointError: the key is refused.
    """
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=seconds), headers=headers) as session,
            session.get(f"{url}/models") as reply,
        ):
            if reply.status == 401:
                raise EndpointError(f"{url}: the API key was refused (HTTP 401); check the variable that holds it.")
    except (TimeoutError, aiohttp.ClientError) as error:
        raise Unresponsive(
            f"{url}: cannot be reached ({_told(error)}); expected a server that speaks OpenAI's protocol. "
            "Start it or correct `endpoint`."
        ) from None


def http_failure(url: str, model: str, status: int, body: str, after: float | None) -> CallError | EndpointError:
    """Return what an HTTP error status means: for one request, or for all of them."""
    told = f"{url}: HTTP {status} for model {model!r}: {_error_text(body)}"
    if status in NONE_WILL_SUCCEED or "insufficient_quota" in body:
        return EndpointError(
            f"{told} Correct the model's name, the key or the address, and run the same command again."
        )
    if status in UNFIT and _HELD_BACK.search(in_its_words(body)):
        return HeldBack(told)
    kind = FailureKind.RATE_LIMIT if status == 429 else FailureKind.ENDPOINT
    again, overload = status in ONE_FAILED_ASK_AGAIN, status in OVERLOADED
    return CallError(kind, told, again=again, after=after, overload=overload)


async def _body(url: str, reply: aiohttp.ClientResponse) -> str:
    """Return the body as text: JSON is UTF-8, whatever encoding the header names (some that it can name are none)."""
    body = bytearray()
    async for part in reply.content.iter_any():
        body += part
        if len(body) > LARGEST_REPLY:
            told = f"{url}: a reply of more than {LARGEST_REPLY // 2**20} MiB; lower max_tokens."
            raise CallError(FailureKind.ENDPOINT, told)
    return body.decode("utf-8", "replace")


def _completion(url: str, body: str) -> dict[str, Any]:
    try:
        reply = json.loads(body)
        choice = reply["choices"][0]
        if isinstance(choice["message"], dict):
            return dict(reply)
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        pass
    raise CallError(FailureKind.ENDPOINT, f"{url}: not a chat completion: {_short(body)}", again=True, raw=body)


def _error_text(body: str) -> str:
    try:
        error = json.loads(body)
        error = error.get("error", error)
        return _short(str(error.get("message", error) if isinstance(error, dict) else error))
    except (ValueError, AttributeError, RecursionError):
        return _short(body)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return (line if len(line) <= 300 else line[:297] + "...") or "(nothing)"


def _told(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect ({error.strerror or error.os_error})"
    return _short(str(error)) if str(error) else type(error).__name__
