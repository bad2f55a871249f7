"""A small plot in the terminal: a mark and its interval on a line per contrast, in ASCII where nothing else can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from analysis.verdict import number
from rubrics import Scale

FEWEST = 11
"""Characters below which a line is no plot."""
LONGEST = 60


@dataclass(frozen=True)
class Signs:
    """What a plot is written with."""

    line: str
    end: str
    left: str
    """An interval without bound on the left, and so on."""
    right: str
    zero: str
    cross: str
    """Where an interval crosses zero."""
    findings: dict[str, str]


FINE = Signs("─", "│", "◂", "▸", "┊", "┼", {"differs": "●", "equivalent": "■", "inconclusive": "○"})
ASCII = Signs("-", "|", "<", ">", ":", "+", {"differs": "*", "equivalent": "=", "inconclusive": "o"})


def signs_for(encoding: str | None) -> Signs:
    """Return the signs that text in `encoding` can hold."""
    every = "".join((FINE.line, FINE.end, FINE.left, FINE.right, FINE.zero, FINE.cross, *FINE.findings.values()))
    try:
        every.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return FINE


def legend(signs: Signs) -> str:
    """Return what the marks mean."""
    return ", ".join(f"{sign} {finding}" for finding, sign in signs.findings.items())


def plot(rows: Sequence[dict[str, Any]], width: int, signs: Signs) -> list[str]:
    """Return the lines of a plot, none longer than `width` as far as that leaves room to read.

    Args:
        rows: `criterion`, `scale`, `difference`, `interval_low` and `interval_high` (null: unbounded), `finding`.
        width: characters of a line.
        signs: what it is drawn with.
    """
    longest = max((len(row["criterion"]) for row in rows), default=0)
    names = max(len("points"), min(longest, width // 3))
    told = max((len(_told(row)) for row in rows), default=0)
    room = min(LONGEST, width - names - told - 4)
    if room < FEWEST:
        told, room = 0, max(FEWEST, width - names - 2)
    lines = []
    for unit, own in groupby(rows, key=_unit):
        group = list(own)
        low, high = _domain(group)
        ends = _between(number(low), number(high, sign=True), room)
        lines.append(f"{unit[:names]:<{names}}  {ends}")
        for row in group:
            drawn = _drawn(row, (low, high), room, signs)
            end = f"  {_told(row)}" if told else ""
            lines.append(f"{_cut(row['criterion'], names):<{names}}  {drawn}{end}".rstrip())
    return lines


def _drawn(row: dict[str, Any], domain: tuple[float, float], room: int, signs: Signs) -> str:
    low, high = domain

    def place(value: float) -> int:
        return round((value - low) / (high - low) * (room - 1))

    line = [" "] * room
    start = 0 if row["interval_low"] is None else place(row["interval_low"])
    stop = room - 1 if row["interval_high"] is None else place(row["interval_high"])
    line[start : stop + 1] = signs.line * (stop + 1 - start)
    line[place(0.0)] = signs.cross if start < place(0.0) < stop else signs.zero
    line[start] = signs.left if row["interval_low"] is None else signs.end
    line[stop] = signs.right if row["interval_high"] is None else signs.end
    line[place(row["difference"])] = signs.findings[row["finding"]]
    return "".join(line)


def _domain(rows: Sequence[dict[str, Any]]) -> tuple[float, float]:
    ends = [0.0]
    for row in rows:
        found = (row["difference"], row["interval_low"], row["interval_high"])
        ends.extend(value for value in found if value is not None)
    room = 0.05 * (max(ends) - min(ends)) or 0.1
    return min(ends) - room, max(ends) + room


def _between(left: str, right: str, room: int) -> str:
    return f"{left}{right:>{max(0, room - len(left))}}" if len(left) + len(right) < room else ""


def _told(row: dict[str, Any]) -> str:
    return f"{number(row['difference'], sign=True)} {row['finding']}"


def _unit(row: dict[str, Any]) -> str:
    if row["scale"] in (Scale.BINARY, Scale.NOMINAL):
        return "rates"
    return "points" if row["scale"] == Scale.ORDINAL else str(row["criterion"])


def _cut(name: str, length: int) -> str:
    return name if len(name) <= length else name[: max(1, length - 1)] + "~"
