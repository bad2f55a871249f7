"""What reaches a terminal: text that came from elsewhere may move its cursor, colour it, or turn what stands there.

Control characters (ESC opens a terminal's commands, also as the one character U+009B), bidirectional controls and
half surrogate pairs are shown as they would be written in Python. Line ends and tabs stay.
"""

import re
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_HIDDEN = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff\\ud800-\\udfff]"
)


def plain(text: str) -> str:
    """Return `text` as a terminal may see it; JSON stays the same JSON."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Terminal(Console):
    """A console on which whatever is rendered is `plain`; colours and cursor are its own."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of `renderable`."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(plain(segment.text), segment.style)
