"""Progress on a terminal: bars and a status line on stderr, a few plain lines where nobody watches."""

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.status import Status
from rich.text import Text

console = Console(stderr=True, highlight=False)
"""Where progress, notes and warnings go; tables go to stdout."""

SPARSE = 20.0
"""Seconds between two notes where there is no terminal."""


class Bars:
    """One bar a stage (done of total, tokens per second, failures, time left), and a status line between stages."""

    def __init__(self) -> None:
        self._bars: Progress | None = None
        self._status: Status | None = None
        self._noted = -SPARSE

    def start(self, stage: str, total: int, done: int) -> None:
        """Draw the bar of `stage`."""
        self._hush()
        self._stage, self._total, self._done, self._failed, self._tokens = stage, total, done, 0, 0
        self._started = time.monotonic()
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
        )
        self._task = self._bars.add_task(stage, total=total, completed=done, speed="")
        if console.is_terminal:
            self._bars.start()

    def advance(self, *, done: int, failed: int, tokens: int) -> None:
        """Move the bar."""
        self._done += done
        self._failed += failed
        self._tokens += tokens
        if self._bars is not None:
            self._bars.update(self._task, completed=self._done + self._failed, speed=self._speed())
        if not console.is_terminal:
            self._say(f"{self._stage}: {self._done + self._failed} of {self._total}, {self._speed()}")

    def note(self, text: str) -> None:
        """Show what is going on: in the status line, or every twenty seconds where there is no terminal."""
        if not console.is_terminal:
            self._say(text)
        elif self._status is None:
            self._status = console.status(Text(text))
            self._status.start()
        else:
            self._status.update(Text(text))

    def end(self) -> None:
        """Leave the last state behind as a line."""
        if self._bars is not None:
            self._bars.stop()
        failed = f", {self._failed} failed" if self._failed else ""
        seconds = time.monotonic() - self._started
        console.print(f"{self._stage}: {self._done} of {self._total}{failed} ({seconds:.0f} s)", markup=False)

    def _say(self, text: str) -> None:
        if time.monotonic() - self._noted >= SPARSE:
            self._noted = time.monotonic()
            console.print(text, markup=False, soft_wrap=True)

    def _hush(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _speed(self) -> str:
        speed = f"{self._tokens / max(time.monotonic() - self._started, 1e-3):.0f} tokens/s"
        return f"{speed}, {self._failed} failed" if self._failed else speed
