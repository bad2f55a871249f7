"""Plots of countries against something: shades with their numbers, or bars with theirs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import altair as alt

from analysis.report.drawing import NARROW, WORDS, Colours, literal, marks, pixels, plain

ROW, COLUMN, NAMES = 20, 110, 150
"""Pixels: the height of a row, the most a column is wide, and what rows' names take."""
STEPS = 7
READABLE = 34
"""The width below which a number does not fit into a cell."""


@dataclass(frozen=True)
class Cell:
    """One cell that has something to show."""

    row: int
    column: int
    told: str
    share: float
    """0 to 1: how dark it is, or how long its bar."""


@dataclass(frozen=True)
class Matrix:
    """Rows and columns with names; cells that are not named are empty."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[Cell, ...]
    marked: int | None = None
    """The row of the focal country."""


def shades(matrix: Matrix) -> Callable[[int, Colours], Any]:
    """Return what draws the cells as shades, paler for less."""

    def draw(width: int, colours: Colours) -> Any:
        place = _Grid(matrix, width)
        rows = [
            {
                **place.corner(cell),
                "words": cell.told,
                "fill": colours[f"heat-{step}"],
                "ink": colours["heat-high-text" if step > 3 else "heat-low-text"],
            }
            for cell in matrix.cells
            for step in [min(STEPS - 1, int(cell.share * STEPS))]
        ]
        fill = literal(alt.Fill, "fill")
        layers = [marks(rows, "rect", "cells", {}, **place.box, fill=fill), *place.names(colours)]
        if place.column >= READABLE:
            centre = {"x": alt.X("mid:Q", **place.across), "y": alt.Y("middle:Q", **place.down)}
            ink = literal(alt.Color, "ink")
            words = {"align": "center", "baseline": "middle", "fontSize": 11}
            layers.insert(1, marks(rows, "text", "numbers", words, **centre, text=WORDS, color=ink))
        return alt.layer(*layers).properties(width=width, height=place.height)

    return draw


def bars(matrix: Matrix) -> Callable[[int, Colours], Any]:
    """Return what draws the cells as bars from the left end of their columns, each with its number."""

    def draw(width: int, colours: Colours) -> Any:
        place = _Grid(matrix, width)
        room = place.column - 8
        rows = [
            {**corner, "x2": corner["x"] + 1 + cell.share * room, "y": corner["y"] + 3, "y2": corner["y2"] - 3}
            for cell in matrix.cells
            for corner in [place.corner(cell)]
        ]
        words = [
            {"x": place.corner(cell)["x"] + 4, "middle": place.corner(cell)["middle"], "words": cell.told}
            for cell in matrix.cells
        ]
        settings = {"align": "left", "baseline": "middle", "fontSize": 11, "limit": place.column}
        at = {"x": alt.X("x:Q", **place.across), "y": alt.Y("middle:Q", **place.down)}
        layers = [
            marks(rows, "rect", "cells", {"color": colours["heat-2"]}, **place.box),
            marks(words, "text", "numbers", {**settings, "color": colours["heat-low-text"]}, **at, text=WORDS),
            *place.names(colours),
        ]
        return alt.layer(*layers).properties(width=width, height=place.height)

    return draw


class _Grid:
    """Where rows and columns lie at a width."""

    def __init__(self, matrix: Matrix, width: int) -> None:
        narrow = width <= NARROW
        self.matrix = matrix
        self.left = 76 if narrow else NAMES
        self.column = min(COLUMN, (width - self.left - 30) / max(1, len(matrix.columns)))
        longest = max((len(name) for name in matrix.columns), default=0)
        self.slanted = longest * 6.5 > self.column
        self.top = min(110, 14 + longest * 3.6) if self.slanted else 22
        self.height = self.top + ROW * len(matrix.rows) + 2
        self.across = _pixels(width)
        self.down = _pixels(self.height)
        self.box = {
            "x": alt.X("x:Q", **self.across),
            "x2": alt.X2("x2:Q"),
            "y": alt.Y("y:Q", **self.down),
            "y2": alt.Y2("y2:Q"),
        }

    def corner(self, cell: Cell) -> dict[str, float]:
        x, y = self.left + cell.column * self.column, self.top + cell.row * ROW
        middle = {"mid": x + self.column / 2, "middle": y + ROW / 2}
        return {"x": x, "x2": x + self.column - 1, "y": y, "y2": y + ROW - 1, **middle}

    def names(self, colours: Colours) -> list[alt.Chart]:
        """Return the names of rows and columns; that of the focal country is marked by a sign and by bold type too."""
        rows = [
            {"y": self.top + (at + 0.5) * ROW, "words": ("▸ " if at == self.matrix.marked else "") + plain(name)}
            for at, name in enumerate(self.matrix.rows)
        ]
        own = [row for at, row in enumerate(rows) if at == self.matrix.marked]
        others = [row for at, row in enumerate(rows) if at != self.matrix.marked]
        columns = [
            {"x": self.left + (at + (0.4 if self.slanted else 0.5)) * self.column, "words": plain(name)}
            for at, name in enumerate(self.matrix.columns)
        ]
        beside = {"align": "left", "baseline": "middle", "limit": self.left - 6}
        turned = {"angle": 325, "align": "left", "limit": self.top * 1.7} if self.slanted else {"align": "center"}
        y = {"x": pixels(alt.XValue, 0), "y": alt.Y("y:Q", **self.down), "text": WORDS}
        above = {"x": alt.X("x:Q", **self.across), "y": pixels(alt.YValue, self.top - 6), "text": WORDS}
        bold = {**beside, "fontWeight": "bold", "color": colours["focal"]}
        layers = [
            marks(others, "text", "rows", {**beside, "color": colours["fg"]}, **y),
            marks(own, "text", "focal", bold, **y),
            marks(columns, "text", "columns", {**turned, "fontSize": 11, "color": colours["fg"]}, **above),
        ]
        return [layer for layer in layers if len(layer.data)]


def _pixels(length: float) -> dict[str, Any]:
    """Return a channel's settings with which data are pixels."""
    return {"axis": None, "scale": alt.Scale(domain=[0, length], range=[0, length], nice=False)}
