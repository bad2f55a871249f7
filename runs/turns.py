"""Whose turn it is, of several servers of the same model; one whose calls fail rests while the others take them."""

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass

import aiohttp

from runs.calls import CallError, another_takes_it
from runs.frames import FailureKind
from runs.gate import retry_after

FAILURES = 3
"""Failed calls in a row after which a server rests."""
FIRST_REST = 1.0
"""Seconds until it is tried again for the first time; every further rest is twice as long."""
LONGEST_REST = 60.0
"""Seconds until it is tried again, at the most."""

_failed_at: ContextVar[str | None] = ContextVar("_failed_at", default=None)
"""Where the last call of this task failed: its next one goes elsewhere."""


@dataclass
class _Place:
    url: str
    under_way: int = 0
    failures: int = 0
    """In a row."""
    rests: int = 0
    """In a row."""
    rests_since: float = 0.0
    rests_until: float = 0.0


class Turns:
    """Several servers of the same model: whoever has the fewest calls under way is next.

    A server that fails `FAILURES` calls in a row (no connection, HTTP 5xx, no reply in time) rests, twice as long each
    time, and is then tried again with one call. One that refuses a call for its rate (HTTP 429), or asks to wait, rests
    at once, and as long as it asks. With one server, or where all rest, calls go on as if none did.
    """

    def __init__(self, urls: Sequence[str], warn: Callable[[str], None] = lambda _: None) -> None:
        """`warn` is told when a server is rested, and when it is back."""
        self._places = [_Place(url) for url in urls]
        self._warn = warn

    @contextlib.contextmanager
    def next(self) -> Iterator[str]:
        """Give the URL whose turn it is, and count a call as under way there until the block ends."""
        if len(self._places) == 1:
            yield self._places[0].url
            return
        began = time.monotonic()
        place = self._choose(began)
        place.under_way += 1
        try:
            yield place.url
        except Exception as error:
            trouble = _trouble(error)
            if trouble is not None:
                self._failed(place, trouble)
            else:
                self._answered(place, began)
            raise
        else:
            self._answered(place, began)
        finally:
            place.under_way -= 1

    def _choose(self, now: float) -> _Place:
        awake = [place for place in self._places if place.rests_until <= now and not (place.rests and place.under_way)]
        others = [place for place in awake if place.url != _failed_at.get()]
        return min(others or awake or self._places, key=lambda place: place.under_way)

    def _failed(self, place: _Place, trouble: "_Trouble") -> None:
        _failed_at.set(place.url)
        place.failures += 1
        now = time.monotonic()
        if (trouble.asks or place.failures >= FAILURES) and place.rests_until <= now:
            rest = min(LONGEST_REST, FIRST_REST * 2**place.rests) * random.uniform(1, 1.5)  # noqa: S311
            place.rests += 1
            place.rests_since, place.rests_until = now, now + (trouble.after or rest)
            if place.rests == 1:
                self._warn(f"{place.url}: {trouble.told(place.failures)}; the other URLs take its calls.")
        another_takes_it.set(any(one is not place and one.rests_until <= now for one in self._places))

    def _answered(self, place: _Place, began: float) -> None:
        _failed_at.set(None)
        if began < place.rests_since:  # it says nothing of how the server is now
            return
        if place.rests:
            self._warn(f"{place.url}: answers again.")
        place.failures = place.rests = 0
        place.rests_until = 0.0


@dataclass(frozen=True)
class _Trouble:
    """Why a call failed for the server's sake, so that another one may answer it."""

    asks: bool = False
    """Whether it refused the call for its rate, or asks to wait."""
    after: float | None = None
    """Seconds that it asks to wait."""

    def told(self, failures: int) -> str:
        return "refuses calls for their rate" if self.asks else f"{failures} calls in a row failed"


def _trouble(error: BaseException) -> _Trouble | None:
    """Return what is wrong with the server; null: nothing is, or not for this call. instructor wraps what happened."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, CallError):
            asks = cause.kind == FailureKind.RATE_LIMIT or bool(cause.after)
            fails = cause.again and cause.kind in {FailureKind.ENDPOINT, FailureKind.TIMEOUT}
            return _Trouble(asks, cause.after) if asks or fails else None
        status = getattr(cause, "status_code", None)
        if isinstance(status, int):
            after = retry_after(getattr(getattr(cause, "response", None), "headers", {}))
            return _Trouble(status == 429 or bool(after), after) if status == 429 or status >= 500 else None
        if isinstance(cause, (OSError, aiohttp.ClientError)):
            return _Trouble()
        cause = cause.__cause__ or cause.__context__
    return None
