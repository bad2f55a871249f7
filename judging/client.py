"""Ask a judge for a reply that fits a form, and say why if none comes."""

import os
from collections.abc import Callable, Iterator, Sequence

import aiohttp
import httpx2
import openai
from instructor.core.exceptions import IncompleteOutputException, InstructorRetryException
from pydantic import BaseModel

from judging.lines import Line, Meter, OpenAILine, ProviderLine, first_lines
from judging.settings import ROOM, Judge
from runs.calls import CallError
from runs.chat import http_failure
from runs.errors import EndpointError
from runs.frames import FailureKind
from runs.gate import retry_after
from runs.keys import hide
from runs.terms import UNFIT, Terms

_BROKEN_OFF = (
    aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, ConnectionResetError, BrokenPipeError,
    httpx2.ReadError, httpx2.RemoteProtocolError,
)  # fmt: skip
_NO_CONNECTION = (aiohttp.ClientConnectorError, httpx2.ConnectError)


class JudgeClient:
    """One judge, ready to be asked. Use it as an async context manager."""

    def __init__(
        self,
        judge: Judge,
        urls: Sequence[str],
        api_key: str | None,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`urls`: where the judge answers (its engine's, if we started one); none for instructor's other providers.

        `warn` is told which default settings the endpoint does not take.
        """
        self.terms = Terms(judge.may_go, lambda told: warn(f"judge {judge.name!r}: {told}"))
        self.judge = judge
        self._key = api_key
        self._line: Line
        if judge.endpoint == "provider":
            self._key = api_key or os.environ.get(f"{judge.model.partition('/')[0].upper()}_API_KEY")
            self._line = ProviderLine(judge, self._key, self.terms)
        else:
            self._line = OpenAILine(judge, urls, api_key, self.terms)

    async def __aenter__(self) -> "JudgeClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._line.close()

    async def ask(self, form: type[BaseModel], messages: list[dict[str, str]], repeat: int, meter: Meter) -> BaseModel:
        """Return the judge's reply as a `form`.

        Raises:
            CallError: there is no such reply; the kind says why, and whether asking again may help.
            EndpointError: there will be none, for the key, the model or the address is wrong.
        """
        rooms = [factor * self.judge.max_tokens for factor in ROOM]
        for room in rooms:
            try:
                return await self._line.ask(
                    meter, room, response_model=form, messages=messages, **self.judge.settings(repeat)
                )
            except CallError as error:
                raise self._failure(error, meter) from None
            except IncompleteOutputException:
                continue
            except InstructorRetryException as error:
                cause = error.__cause__ or error
                if room > rooms[0] and getattr(cause, "status_code", None) in UNFIT:
                    break  # more room than the model has
                raise self._failure(cause, meter) from None
        message = f"the verdict did not fit into {room} tokens, or the endpoint gives no more; raise `max_tokens`."
        raise CallError(FailureKind.TRUNCATED_OUTPUT, message, **meter.facts())

    def _failure(self, error: BaseException, meter: Meter) -> CallError | EndpointError:
        """Return what went wrong, as a row's kind or as the end of the scoring."""
        failure = self._named(error, meter)
        if isinstance(failure, CallError):
            failure.facts = {**meter.facts(), **failure.facts}
        return failure

    def _named(self, error: BaseException, meter: Meter) -> CallError | EndpointError:
        if isinstance(error, CallError):
            return error
        status = getattr(error, "status_code", None)
        if isinstance(status, int):
            response = getattr(error, "response", None)
            body = hide(getattr(response, "text", None) or "", self._key)
            meter.saw_other(body)
            after = retry_after(getattr(response, "headers", {}))
            told = body or hide(str(error), self._key)
            return http_failure(meter.where, self.judge.served_model, status, told, after)
        if isinstance(error, TypeError):  # an SDK that does not know one of our arguments
            return CallError(FailureKind.ENDPOINT, f"{meter.where}: {first_lines(error)}")
        if isinstance(error, ValueError) and not isinstance(error, openai.OpenAIError):
            kind = FailureKind.JUDGE_REFUSAL if meter.refused else FailureKind.INVALID_OUTPUT
            return CallError(kind, first_lines(error))
        kind, told = _told(list(_causes(error)))
        return CallError(kind, f"{meter.where}: {hide(told, self._key)}", again=True)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield `error`, what it was raised from, what that was raised from, and so on.

    What was merely being handled meanwhile is no cause: it may be the caller's, from long before the call.
    """
    while error is not None:
        yield error
        error = error.__cause__


def _told(causes: Sequence[BaseException]) -> tuple[FailureKind, str]:
    """Return what happened to a connection, by what lies underneath the client's error.

    openai calls a server that hung up a timeout, and one that timed out an error of the connection.
    """
    innermost = causes[-1]
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return FailureKind.TIMEOUT, "no reply in time; raise `timeout` or lower `concurrency`."
    if any(isinstance(cause, _BROKEN_OFF) for cause in causes):
        return FailureKind.ENDPOINT, "the server broke off its reply."
    told = getattr(innermost, "strerror", None) or first_lines(innermost)
    if any(isinstance(cause, _NO_CONNECTION) for cause in causes):
        return FailureKind.ENDPOINT, f"cannot connect ({told})."
    return FailureKind.ENDPOINT, told
