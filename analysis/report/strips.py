"""Plots of lines below each other: a value with its interval, or a dot for every country; judges side by side.

Words stand where pixels are known, in a column of their own, so that one drawing fits a screen and a phone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import altair as alt

from analysis.report.drawing import NARROW, WORDS, Colours, literal, marks, pixels, plain
from analysis.verdict import Finding

LINE, HEADER, GAP, HALF = 20, 22, 8, 7
"""Pixels: from line to line, above the lines of a group, below them, and half the height of a margin's band."""
_COLOURS = {Finding.DIFFERS: "focal", Finding.EQUIVALENT: "good", Finding.INCONCLUSIVE: "fg", None: "reference"}


@dataclass(frozen=True)
class Line:
    """One line of a plot."""

    axis: str
    """What its axis says."""
    units: str
    """Lines in the same units stand on one axis."""
    group: str
    """The heading it stands under, such as the criterion."""
    label: str
    """What tells it from its neighbours, such as the judge."""
    value: float
    told: str
    """What stands at its end where there is room."""
    finding: Finding | None = None
    """How the value is marked; null: there is nothing to be found."""
    low: float | None = None
    """Null: the interval has no end on this side; only with `has_interval`."""
    high: float | None = None
    has_interval: bool = False
    margin: float | None = None
    dots: tuple[float, ...] = ()
    """Where the others lie."""


@dataclass(frozen=True)
class _Placed:
    """A panel with its lines in their places."""

    title: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, Any]] = field(default_factory=list)
    height: int = 0
    domain: tuple[float, float] = (0.0, 1.0)


def strips(lines: Sequence[Line]) -> Callable[[int, Colours], Any]:
    """Return what draws `lines` at a width; lines of one axis, and there of one group, must stand together."""
    alone = len({line.label for line in lines}) == 1

    def draw(width: int, colours: Colours) -> Any:
        narrow = width <= NARROW
        beside = alone and not narrow
        left = (250 if beside else 150) if not narrow else (6 if alone else 96)
        right = width - (6 if narrow else 190)
        panels = [
            _placed(axis, list(own), beside=beside, named=not alone)
            for (axis, _), own in groupby(lines, key=lambda line: (line.axis, line.units))
        ]
        drawn = [_panel(panel, width, (left, right), colours) for panel in panels]
        return drawn[0] if len(drawn) == 1 else alt.vconcat(*drawn)

    return draw


def _placed(title: str, lines: Sequence[Line], *, beside: bool, named: bool) -> _Placed:
    rows, headers, y = [], [], 4
    for group, own in groupby(lines, key=lambda line: line.group):
        if not beside:
            headers.append({"y": y + HEADER / 2, "words": plain(group)})
            y += HEADER
        for line in own:
            label = plain(group if beside else line.label) if beside or named else ""
            rows.append({"y": y + LINE / 2, "line": line, "label": label})
            y += LINE
        y += GAP if not beside else 0
    return _Placed(title, rows, headers, y, _domain(lines))


def _domain(lines: Sequence[Line]) -> tuple[float, float]:
    ends = [0.0]
    for line in lines:
        found = (line.value, line.low, line.high, *line.dots, line.margin, -line.margin if line.margin else None)
        ends.extend(value for value in found if value is not None)
    room = 0.04 * (max(ends) - min(ends)) or 0.1
    return min(ends) - room, max(ends) + room


def _panel(panel: _Placed, width: int, between: tuple[int, int], colours: Colours) -> Any:
    narrow = width <= NARROW
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, panel.height], range=[0, panel.height], nice=False))
    axis = alt.Axis(
        title=panel.title, tickCount=4 if narrow else 7, labelOverlap="greedy", labelFlush=False, titleAnchor="middle"
    )
    scale = alt.Scale(domain=list(panel.domain), range=list(between), nice=False, zero=False)
    x = alt.X("value:Q", scale=scale, axis=axis)
    low, high = alt.X("low:Q", scale=scale, axis=axis), alt.X2("high:Q")
    rows = [_row(row["line"], row["y"], panel.domain, colours) for row in panel.rows]
    intervals = _only(("y", "low", "high", "colour"), [row for row in rows if row["interval"]])
    values = _only(("y", "value", "colour", "fill", "shape"), rows)
    words = {"align": "left", "baseline": "middle"}
    layers = [
        marks(
            [{"low": -r["margin"], "high": r["margin"], "y": r["y"] - HALF, "y2": r["y"] + HALF}
             for r in rows if r["margin"]],
            "rect", "margins", {"color": colours["band"]}, x=low, x2=high, y=y, y2=alt.Y2("y2:Q"),
        ),
        marks([{"value": 0.0}], "rule", "zero", {"color": colours["muted"], "strokeDash": [3, 3]}, x=x),
        marks(
            intervals, "rule", "intervals", {"strokeWidth": 2},
            x=low, x2=high, y=y, color=literal(alt.Color, "colour"),
        ),
        marks(
            [{"value": at, "y": r["y"]} for r in rows for at in r["dots"]], "point", "others",
            {"shape": "circle", "size": 26, "color": colours["reference"], "filled": False, "strokeWidth": 1.2},
            x=x, y=y,
        ),
        marks(
            values, "point", "values", {"size": 70, "strokeWidth": 2, "opacity": 1},
            x=x, y=y, shape=literal(alt.Shape, "shape"), fill=literal(alt.Fill, "fill"),
            stroke=literal(alt.Stroke, "colour"),
        ),
        marks(
            [{"value": end, "y": r["y"], "words": sign} for r in rows for end, sign in r["open"]],
            "text", "unbounded", {"fontSize": 14, "baseline": "middle"}, x=x, y=y, text=WORDS,
        ),
        marks(
            panel.headers, "text", "headers", {**words, "fontWeight": "bold", "limit": width},
            x=pixels(alt.XValue, 0), y=y, text=WORDS,
        ),
        marks(
            [{"y": row["y"], "words": row["label"]} for row in panel.rows if row["label"]], "text", "labels",
            {**words, "limit": between[0] - 8, "color": colours["fg"]}, x=pixels(alt.XValue, 0), y=y, text=WORDS,
        ),
    ]  # fmt: skip
    if not narrow:
        told = [{"y": r["y"], "words": r["told"]} for r in rows if r["told"]]
        layers.append(
            marks(
                told, "text", "told", {**words, "limit": 180, "fontSize": 11, "color": colours["muted"]},
                x=pixels(alt.XValue, between[1] + 8), y=y, text=WORDS,
            )
        )  # fmt: skip
    there = [layer for layer in layers if len(layer.data)]
    return alt.layer(*there).properties(width=width, height=panel.height)


def _only(names: Sequence[str], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: row[name] for name in names} for row in rows]


def _row(line: Line, y: float, domain: tuple[float, float], colours: Colours) -> dict[str, Any]:
    """Return a line as a row of data: where, and in which colours and shape."""
    colour = "focal" if line.dots else _COLOURS[line.finding]
    hollow = line.finding is Finding.INCONCLUSIVE
    low, high = (domain[0] if line.low is None else line.low), (domain[1] if line.high is None else line.high)
    ends = ((domain[0], "◂", line.low), (domain[1], "▸", line.high))
    return {
        "y": y,
        "value": line.value,
        "low": low,
        "high": high,
        "interval": line.has_interval,
        "open": [(at, sign) for at, sign, end in ends if line.has_interval and end is None],
        "margin": line.margin,
        "dots": line.dots,
        "told": plain(line.told),
        "colour": colours[colour],
        "fill": colours["bg"] if hollow else colours[colour],
        "shape": "diamond" if line.dots else "square" if line.finding is Finding.EQUIVALENT else "circle",
    }
