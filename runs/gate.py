"""How hard a server may be pressed: how many calls are under way, and from when on."""

import asyncio
import email.utils
import math
import random
import time
from collections import deque
from collections.abc import Mapping

FIRST_HOLD = 0.1
"""Seconds for which the first call that is refused for the rate holds all, where the server does not say how long."""
LONGEST_HOLD = 60.0
"""Seconds for which a refused call holds all, at the most, unless the server asks for more."""


class Gate:
    """How many calls may be under way, and when the next one may begin.

    Halved when the server pushes back. Opened by one after every full round of replies; faster below the half of what
    was under way when the trouble began, so that a short one costs little.

    A pause that the server asks for (Retry-After) holds for all calls, so that nobody storms it meanwhile. Where it
    asks for none and refuses calls for their rate, the pause doubles as long as it does, and halves with every reply.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.width = float(most)
        self.under_way = 0
        self._safe = 0.0
        self._in_trouble = False
        self._last_cut = 0.0
        self._closed_until = 0.0
        self._spread = 0.0
        self._hold = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        while True:
            if self.under_way >= int(self.width):
                turn = asyncio.get_running_loop().create_future()
                self._waiting.append(turn)
                await turn
            elif (pause := self.closed_for()) > 0:
                # Spread over half as long again, so that the doors do not open for all in the same instant.
                await asyncio.sleep(pause + random.uniform(0, self._spread))  # noqa: S311
            else:
                break
        self.under_way += 1

    async def __aexit__(self, *_: object) -> None:
        self.under_way -= 1
        free = int(self.width) - self.under_way
        while free > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1

    def closed_for(self) -> float:
        """Return for how many seconds no call may begin; not positive: one may."""
        return self._closed_until - time.monotonic()

    def replied(self) -> None:
        """Open a little: a reply came."""
        self._in_trouble = False
        self._hold /= 2
        if self.width < self.most:
            self.width = min(self.most, self.width + (1 if self.width < self._safe else 1 / self.width))

    def pushed_back(self, after: float | None = None, *, refused: bool = False) -> None:
        """Close halfway, at most once a second: the server is overloaded.

        `after`: seconds it asks for, in which no call begins; `refused`: it would not take a call at this rate.
        """
        now = time.monotonic()
        if now - self._last_cut > 1:
            if not self._in_trouble:
                self._safe = self.width / 2
            self.width = max(1.0, self.width / 2)
            self._last_cut, self._in_trouble = now, True
        if refused and not after and now >= self._closed_until:  # once for all that were refused together
            after = self._hold = min(LONGEST_HOLD, max(FIRST_HOLD, 2 * self._hold))
        if after and now + after > self._closed_until:
            self._closed_until = now + after
            self._spread = min(after, LONGEST_HOLD) / 2


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds the `Retry-After` header asks for (a number or a date); null if it says nothing."""
    value = headers.get("Retry-After")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
