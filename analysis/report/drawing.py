"""From a chart to SVG, PNG and PDF: Vega-Altair charts drawn by vl-convert, in the colours of the page or of paper.

Names come from files that others wrote. They reach a chart as data of its text marks and nowhere else (a scale's domain
or a title could be read as more than text), and only after `plain`: a control character would end the whole process.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl
import vl_convert
from altair.utils.schemapi import debug_mode

Colours = Mapping[str, str]

WORDS = alt.Text("words:N")
"""The channel of text marks. A name in its place would be looked up in Altair's schemas, for milliseconds."""

_NAMES = ("fg", "bg", "muted", "line", "grid", "focal", "reference", "good", "warn", "band", "heat-low-text")
_HEAT = tuple(f"heat-{step}" for step in range(7))
PAGE: Colours = {name: f"var(--{name})" for name in (*_NAMES, *_HEAT, "heat-high-text")}
"""The style sheet's custom properties, so that a drawing in the page is light or dark with it."""
PAPER: Colours = dict(
    zip(
        (*_NAMES, *_HEAT, "heat-high-text"),
        (
            *("#1b1f24", "#ffffff", "#59616b", "#b9c0c8", "#e6e9ed", "#b34700", "#0063a0", "#04694a", "#8a5a00"),
            *("#dfe5ec", "#1b1f24"),
            *("#f3f6fa", "#d6e4f2", "#aecbe6", "#7aabd6", "#3f7fb8", "#205f99", "#0d3f70", "#ffffff"),
        ),
        strict=True,
    )
)
"""The light colours as they are, for files."""
WIDE, NARROW = 900, 328
"""Widths in CSS pixels: for a screen or paper, and for a phone of 360 with margins."""
FONT = "'Liberation Sans', Arial, 'Noto Sans', sans-serif"
LONGEST = 120
"""Characters of a name that are shown."""


@dataclass(frozen=True)
class Figure:
    """One plot: what it is called, says and shows."""

    name: str
    """Of its files, and its id in the page."""
    title: str
    caption: str
    """How to read it, and what was left out of it."""
    says: str
    """What it shows, in words and numbers: its text alternative."""
    data: pl.DataFrame
    """What was drawn, one row per mark."""
    draw: Callable[[int, Colours], alt.TopLevelMixin]
    """Return the chart at a width in pixels, in these colours."""


def svg(figure: Figure, width: int, colours: Colours = PAGE) -> str:
    """Return the figure as an SVG element; screen readers are told by `Figure.says` instead."""
    drawn = vl_convert.vegalite_to_svg(_spec(figure, width, colours), allowed_base_urls=[])
    return re.sub(r"<[^>]*>", _slimmed, drawn, flags=re.DOTALL)


def png(figure: Figure) -> bytes:
    """Return the figure as a PNG of twice the pixels, on white."""
    return vl_convert.vegalite_to_png(_spec(figure, WIDE, PAPER, background="#ffffff"), scale=2, allowed_base_urls=[])


def pdf(figure: Figure) -> bytes:
    """Return the figure as a page of PDF, its text as text."""
    return vl_convert.vegalite_to_pdf(_spec(figure, WIDE, PAPER), allowed_base_urls=[])


def plain(text: object) -> str:
    """Return `text` as one short line that XML can hold; controls, halves of characters and direction marks are �."""
    line = " ".join(str(text).split())
    shown = "".join(
        mark if unicodedata.category(mark) not in _UNSHOWN or mark in _JOINERS else "\ufffd"
        for mark in line[: LONGEST + 1]
    )
    return shown if len(shown) <= LONGEST else shown[:LONGEST] + "…"


_UNSHOWN = {"Cc", "Cf", "Cs", "Cn", "Co"}
_JOINERS = "\u200c\u200d"
"""Format characters that Persian and the scripts of India are written with."""


def marks(rows: Sequence[Mapping[str, Any]], mark: str, name: str, settings: Mapping[str, Any], **at: Any) -> alt.Chart:
    """Return one layer: a `mark` for each of `rows`, in a group that the drawing calls `name`.

    Colours and shapes that stand in the rows are taken as they are; `x` and `y` are set by `at`.
    """
    frame = pl.DataFrame(list(rows), infer_schema_length=None)
    chart = getattr(alt.Chart(frame, name=name), f"mark_{mark}")(**settings)
    return chart.encode(**at)  # type: ignore[no-any-return]


def literal(channel: type[Any], column: str) -> Any:
    """Return a colour or shape that stands in `column`, taken as it is."""
    return channel(f"{column}:N", scale=None, legend=None)


def pixels(channel: type[Any], value: float) -> Any:
    """Return a place that is so many pixels from the panel's left or upper edge."""
    return channel(value)


def _spec(figure: Figure, width: int, colours: Colours, background: str = "transparent") -> dict[str, Any]:
    text = {"font": FONT, "fontSize": 12, "color": colours["fg"]}
    config = {
        "aria": False,
        "background": background,
        "padding": 2,
        "view": {"stroke": None},
        "text": text,
        "concat": {"spacing": 18},
        "axis": {
            "labelFont": FONT,
            "labelFontSize": 11,
            "labelColor": colours["muted"],
            "titleFont": FONT,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "titleColor": colours["fg"],
            "gridColor": colours["grid"],
            "domainColor": colours["line"],
            "tickColor": colours["line"],
        },
    }
    # Altair's check of every part against its schema takes most of a report's time; vl-convert refuses what is wrong.
    with debug_mode(False), alt.data_transformers.enable("default", max_rows=None):
        return {**figure.draw(width, colours).to_dict(validate=False), "config": config}


_UNREAD = re.compile(r' (?:role|aria-[a-z]+|pointer-events|xmlns:xlink)="[^"]*"')
_LONG_NUMBER = re.compile(r"(-?\d+\.\d{2})\d+")


def _slimmed(tag: re.Match[str]) -> str:
    """Return a tag without what nobody reads: roles (the drawing has a text alternative), thousandths of a pixel."""
    text = _UNREAD.sub("", _LONG_NUMBER.sub(r"\1", tag[0]))
    text = text.replace(f' font-family="{FONT}"', "")
    return text.replace("<svg ", f'<svg aria-hidden="true" focusable="false" font-family="{FONT}" ', 1)
