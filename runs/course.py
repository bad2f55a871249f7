"""How the work on many calls goes: whether there is hope, and who is at work."""

import asyncio
import time
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from runs.errors import EndpointError, Unresponsive
from runs.frames import FailureKind

if TYPE_CHECKING:
    from runs.calls import CallError

HOPELESS = 20
"""Failures at the endpoint without one reply in between after which the work stops."""
MANY = 200
"""Requests refused for what they hold, without one reply in between, after which they count: credit may be used up."""
PATIENCE = 600.0
"""Seconds of nothing but refusals for the rate (HTTP 429) after which the work stops, or a few last calls fail."""
GRACE = 30.0
"""Seconds for the calls under way to come when an error stops the work."""
LONGEST_ASKED = 600.0
"""Seconds that a server's Retry-After is obeyed; where it asks for more, the work stops."""


class Course:
    """How the work goes: whether there is hope, and who is at work.

    It is hopeless after `HOPELESS` failures at the endpoint without one reply in between. A request that is refused for
    what it holds (HTTP 400, 413, 422: asking again cannot help) says nothing of the others, so it counts only while no
    reply at all has come in this start, for a setting may be wrong that all requests share, or beyond `MANY` of them;
    and only where it has not failed in an earlier start already, for else a few such requests would stop every start.

    It is hopeless as well when calls are refused for their rate (HTTP 429), and nothing else has come for `PATIENCE`.
    """

    def __init__(self, failed: Collection[str]) -> None:
        """`failed`: the keys that failed in earlier starts."""
        self.lost: EndpointError | None = None
        """Why the work is hopeless."""
        self.ended = False
        self.asking: set[asyncio.Task[Any]] = set()
        """Callers whose call is under way, or has come and waits to be written."""
        self._failed = failed
        self._replied = False
        self._failures = self._refusals = self._unfit = 0
        self._heard = time.monotonic()

    def replied(self) -> None:
        """A reply came."""
        self._replied = True
        self._failures = self._unfit = 0
        self._heard_of()

    def went_wrong(self, failure: "CallError") -> None:
        """An attempt failed."""
        if failure.after is not None and failure.after > LONGEST_ASKED:
            told = f"{failure} It asks to wait {how_long(failure.after)}; run the same command then. Nothing is lost."
            raise EndpointError(told) from None
        if failure.kind != FailureKind.RATE_LIMIT:
            self._heard_of()
            return
        self._refusals += 1
        if self._refusals >= HOPELESS and self.only_refused():
            told = f"nothing else for {how_long(PATIENCE)}; stopped. Nothing is lost: run the same command later."
            raise EndpointError(f"{failure} ({told})") from None

    def gave_up(self, failure: "CallError", key: str) -> None:
        """A call came to a failure."""
        if failure.kind not in {FailureKind.ENDPOINT, FailureKind.TIMEOUT}:
            return
        self._unfit += not failure.again
        if failure.again or (key not in self._failed and (not self._replied or self._unfit > MANY)):
            self._failures += 1
        if self._failures >= HOPELESS:
            # What is refused at once is answered: a new start of the engine would not help.
            lost = Unresponsive if failure.again else EndpointError
            self.lost = lost(
                f"{failure} ({self._failures} failures in a row; stopped. Nothing is lost: run the same command again.)"
            )

    def only_refused(self) -> bool:
        """Whether nothing has come for long but refusals for the rate."""
        return time.monotonic() - self._heard >= PATIENCE

    async def end(self, callers: Iterable[asyncio.Task[None]]) -> None:
        """Let the calls under way come, for they are paid for, and no new ones begin."""
        self.ended = True
        for caller in callers:
            if caller not in self.asking:
                caller.cancel()
        await asyncio.wait(callers, timeout=GRACE)

    def _heard_of(self) -> None:
        self._refusals = 0
        self._heard = time.monotonic()


def how_long(seconds: float) -> str:
    """Return a duration as one says it."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
