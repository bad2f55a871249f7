"""Ask a judge for a reply that fits a form, and say why if none comes."""

import os
import re
from collections.abc import Callable, Iterator, Sequence

import openai
from instructor.core.exceptions import IncompleteOutputException, InstructorRetryException
from pydantic import BaseModel

from judging.lines import Line, Meter, OpenAILine, ProviderLine, first_lines
from judging.settings import Judge
from runs.calls import CallError
from runs.chat import http_failure, retry_after
from runs.errors import EndpointError
from runs.frames import FailureKind
from runs.keys import hide
from runs.terms import UNFIT, Terms

ROOM = (1, 2, 4)
"""Factors of `max_tokens` that a verdict may take: one that is cut off is asked for again with more room."""

_REFUSAL = re.compile(
    r"\b(i('m| am) sorry|i can(no|')t (help|assist|comply|provide|evaluate|score)|as an ai\b|unable to (assist|comply))"
    r"|抱歉|无法(提供|回答|评)",
    re.IGNORECASE,
)


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
        self._where = urls[0] if urls else judge.model
        self._key = api_key
        self._line: Line
        seconds = judge.seconds_for(ROOM[-1] * judge.max_tokens)
        if judge.endpoint == "provider":
            self._key = api_key or os.environ.get(f"{judge.model.partition('/')[0].upper()}_API_KEY")
            self._line = ProviderLine(judge, self._key, seconds, self.terms)
        else:
            self._line = OpenAILine(judge, urls, api_key, seconds, self.terms)

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
                    meter,
                    room,
                    response_model=form,
                    messages=messages,
                    max_retries=self.judge.repairs,
                    **self.judge.settings(repeat),
                )
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
            body = hide(getattr(response, "text", None) or str(error), self._key)
            after = retry_after(getattr(response, "headers", {}))
            return http_failure(self._where, self.judge.served_model, status, body, after)
        if isinstance(error, TypeError):  # an SDK that does not know one of our arguments
            return CallError(FailureKind.ENDPOINT, f"{self._where}: {first_lines(error)}")
        if isinstance(error, ValueError) and not isinstance(error, openai.OpenAIError):
            refused = meter.refused or ("{" not in (meter.raw or "{") and _REFUSAL.search(meter.raw or ""))
            return CallError(FailureKind.JUDGE_REFUSAL if refused else FailureKind.INVALID_OUTPUT, first_lines(error))
        causes = list(_causes(error))
        # openai calls a server that hung up a timeout as well; only what lies underneath tells them apart.
        if any(isinstance(cause, TimeoutError) for cause in causes):
            message = f"{self._where}: no reply in time; raise `timeout` or lower `concurrency`."
            return CallError(FailureKind.TIMEOUT, message, again=True)
        told = hide(first_lines(causes[-1]), self._key)
        return CallError(FailureKind.ENDPOINT, f"{self._where}: {told}", again=True)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield `error`, what caused it, what caused that, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
