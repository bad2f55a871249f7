"""Which answers a page shows: what its address says, and back."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from runs.errors import InputError, nearest

PLACES = ("text", "reasoning", "reason")
"""Where a text can be searched: the answer, the thinking, the judges' reasons."""
YES, NO = "yes", "no"


@dataclass(frozen=True)
class Filters:
    """What all answers of a page have in common; what is empty or null does not count."""

    country: tuple[str, ...] = ()
    topic: tuple[str, ...] = ()
    question: str | None = None
    """A question's id, or that which its wordings share."""
    language: str | None = None
    stance: str | None = None
    sensitive: str | None = None
    """`yes` or `no`."""
    status: str | None = None
    """`Status`, or `pending`."""
    criterion: str | None = None
    judge: str | None = None
    """A judge's name, or `panel`: all that are no humans."""
    low: float | None = None
    """The lowest score, included."""
    high: float | None = None
    label: str | None = None
    """A category."""
    score: str | None = None
    """`yes`: a score came; `no`: none came, for whatever reason; or the reason why it did not."""
    paired: str | None = None
    """A country: only questions with a score about it and about another of the countries."""
    search: str | None = None
    """A text that occurs, in small or capital letters."""
    where: str = "text"
    """One of `PLACES`."""

    @property
    def about_scores(self) -> bool:
        """Whether it hangs on scores which answers are shown."""
        return any(
            value is not None
            for value in (self.criterion, self.judge, self.low, self.high, self.label, self.score, self.paired)
        )

    def query(self) -> dict[str, Any]:
        """Return what the address says, so that `read` gives these filters."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        return said | {"where": None if self.where == "text" or not self.search else self.where}

    def with_(self, **changes: Any) -> "Filters":
        """Return these filters with some changed."""
        return replace(self, **changes)


_MANY = ("country", "topic")
_NUMBERS = ("low", "high")


def read(query: Iterable[tuple[str, str]]) -> Filters:
    """Return the filters that a query says; names that are none of ours, such as `page`, are passed over.

    Raises:
        InputError: a value that cannot be meant.
    """
    known = {field.name for field in fields(Filters)}
    found: dict[str, Any] = {}
    for name, value in query:
        if name not in known or not value.strip():
            continue
        if name in _MANY:
            found[name] = (*found.get(name, ()), value)
        else:
            found[name] = _number(name, value) if name in _NUMBERS else value
    _check(found)
    return Filters(**found)


def _check(found: Mapping[str, Any]) -> None:
    if found.get("where", "text") not in PLACES:
        raise InputError(f"where={found['where']!r}: {nearest(found['where'], PLACES)}")
    if found.get("sensitive", YES) not in (YES, NO):
        raise InputError(f"sensitive={found['sensitive']!r}: expected yes or no.")


def _number(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not math.isfinite(number):
        raise InputError(f"{name}={value!r}: expected a number.")
    return number
