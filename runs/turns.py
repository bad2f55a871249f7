"""Whose turn it is, of several servers of the same model; one whose calls fail rests while the others take them."""

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass

import aiohttp

from runs.calls import CallError
from runs.frames import FailureKind

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
    time, and is then tried again with one call. With one server, or where all rest, calls go on as if none did.
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
            if _failed_there(error):
                self._failed(place)
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

    def _failed(self, place: _Place) -> None:
        _failed_at.set(place.url)
        place.failures += 1
        now = time.monotonic()
        if place.failures >= FAILURES and place.rests_until <= now:
            rest = min(LONGEST_REST, FIRST_REST * 2**place.rests) * random.uniform(1, 1.5)  # noqa: S311
            place.rests += 1
            place.rests_since, place.rests_until = now, now + rest
            if place.rests == 1:
                self._warn(f"{place.url}: {place.failures} calls in a row failed; the other URLs take its calls.")

    def _answered(self, place: _Place, began: float) -> None:
        _failed_at.set(None)
        if began < place.rests_since:  # it says nothing of how the server is now
            return
        if place.rests:
            self._warn(f"{place.url}: answers again.")
        place.failures = place.rests = 0
        place.rests_until = 0.0


def _failed_there(error: BaseException) -> bool:
    """Whether a call failed for the server's sake: another server may answer it. instructor wraps what happened."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, CallError):
            return cause.again and cause.kind in {FailureKind.ENDPOINT, FailureKind.TIMEOUT}
        status = getattr(cause, "status_code", None)
        if isinstance(status, int):
            return status >= 500
        if isinstance(cause, (OSError, aiohttp.ClientError)):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
