"""Progress on a terminal: bars and a status line on stderr, a few plain lines where there is none."""

import os
import sys
import time

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.status import Status
from rich.table import Column
from rich.text import Text

from evenhand.terminal import Terminal

console = Terminal(stderr=True, highlight=False)
"""Where progress, notes and warnings go; tables go to stdout."""

SPARSE = 20.0
"""Seconds between two notes where there is no terminal."""


def refuse_colour() -> None:
    """Let nothing be coloured from now on: every console, and every program that is started, heeds NO_COLOR."""
    os.environ["NO_COLOR"] = "1"
    console.no_color = True


def can_draw() -> bool:
    """Whether stderr is a terminal on which a line can be drawn anew; into anything else go plain lines only."""
    return sys.stderr.isatty() and console.is_terminal and not console.is_dumb_terminal


class Bars:
    """A bar for each stage under way, and a status line while nothing can be counted."""

    def __init__(self) -> None:
        self._draws = can_draw()
        self._bars = Progress(*_columns(console.width), console=console, transient=True, disable=not self._draws)
        self._status: Status | None = None
        self._noted = -SPARSE

    def stage(self, name: str, total: int, done: int) -> "Bar":
        """Draw a bar: done of total, tokens per second, failures, time left."""
        if self._status is not None:
            self._status.stop()
            self._status = None
        self._bars.start()
        return Bar(self, self._bars, name, total, done)

    def warn(self, text: str) -> None:
        """Leave a line behind that must be read."""
        console.print(f"warning: {text}", style="yellow", markup=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Show what is going on: in the status line, or every twenty seconds where there is no terminal."""
        if not self._draws:
            if time.monotonic() - self._noted >= SPARSE:
                self._noted = time.monotonic()
                console.print(text, markup=False, soft_wrap=True)
        elif self._bars.live.is_started:
            return
        elif self._status is None:
            self._status = console.status(_one_line(text))
            self._status.start()
        else:
            self._status.update(_one_line(text))


def _columns(width: int) -> list[ProgressColumn]:
    """Return what fits into a line of `width`: how many always, then the time left, the bar, tokens and failures."""
    name = TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1))
    columns: list[ProgressColumn] = [name, MofNCompleteColumn()]
    if width >= 50:
        columns.append(TimeRemainingColumn(compact=True))
    if width >= 64:
        columns.insert(1, BarColumn(bar_width=min(30, width // 4)))
    if width >= 90:
        columns.append(TextColumn("{task.fields[speed]}"))
    return columns


def _one_line(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")


class Bar:
    """One stage's bar."""

    def __init__(self, bars: Bars, drawn: Progress, name: str, total: int, done: int) -> None:
        self._bars, self._drawn, self._name = bars, drawn, name
        self._total, self._done, self._failed, self._tokens = total, done, 0, 0
        self._started = time.monotonic()
        self._task = drawn.add_task(name, total=total, completed=done, speed="")

    def advance(self, *, done: int, failed: int, tokens: int) -> None:
        """Move the bar."""
        self._done += done
        self._failed += failed
        self._tokens += tokens
        speed = f"{self._tokens / max(time.monotonic() - self._started, 1e-3):.0f} tokens/s{self._failures()}"
        self._drawn.update(self._task, completed=self._done + self._failed, speed=speed)
        if not self._drawn.live.is_started:
            self._bars.note(f"{self._name}: {self._done + self._failed} of {self._total}, {speed}")

    def end(self) -> None:
        """Leave the last state behind as a line."""
        self._drawn.remove_task(self._task)
        if not self._drawn.tasks:
            self._drawn.stop()
        seconds = time.monotonic() - self._started
        told = f"{self._name}: {self._done} of {self._total}{self._failures()} ({seconds:.0f} s)"
        console.print(told, markup=False, soft_wrap=True)

    def _failures(self) -> str:
        return f", {self._failed} failed" if self._failed else ""
