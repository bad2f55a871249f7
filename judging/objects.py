"""Find the JSON object that a text ends up with, and the plain values in it, in time that grows with the length alone.

Judges write around their verdict: thinking, a braced word, a code fence, a first draft. What counts is the last object
that is complete and has a key. What is odd inside it is passed on: the rubric's model says better what is wrong.
"""

import re
from dataclasses import dataclass, field

_PIECE = re.compile(r'\s*+("[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}:,\[\]]|[^\s{}:,\[\]"]++)', re.DOTALL)
DEEPEST = 50
"""Objects and lists inside each other; a verdict has two. Deeper ones are no verdict."""

Path = tuple[str, ...]


@dataclass
class Found:
    """One object of a text."""

    start: int
    end: int = 0
    """Its first character, and the one after its last."""
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    """Path of keys → start and end of the plain value there; a value in a list has none."""
    keyed: bool = False
    """Whether it has a key; `{country}` has none."""


class _Object:
    """An object while it is read: what is open, and what may come next."""

    def __init__(self, start: int) -> None:
        self.found = Found(start)
        self._open = "{"  # the braces and brackets that are open
        self._path: list[str] = []
        self._key: str | None = None
        self._expecting_key = True

    def take(self, word: str, start: int, end: int) -> bool:
        """Take the next piece, and return whether it belongs to this object."""
        if word in "{[":
            if (self._key is None and self._open[-1] == "{") or len(self._open) == DEEPEST:
                return False  # nothing can stand here: what came before was no object
            self._open += word
            self._path.append(self._key or "")
            self._key, self._expecting_key = None, word == "{"
        elif word in "}]":
            self._open = self._open[:-1]
            del self._path[-1:]
            self._key, self._expecting_key = None, False
            self.found.end = end
        elif word == ",":
            self._key, self._expecting_key = None, self._open[-1] == "{"
        elif self._expecting_key and word[0] == '"':
            self._key, self._expecting_key, self.found.keyed = word[1:-1], False, True
        elif self._key is not None and word != ":":
            self.found.values[(*self._path, self._key)] = (start, end)
        return True

    @property
    def is_complete(self) -> bool:
        """Whether its last brace has come."""
        return not self._open


def last_object(text: str) -> Found | None:
    """Return the last complete object in `text` that stands in no other; null if there is none."""
    last: Found | None = None
    position = text.find("{")
    while position >= 0:
        read, position = _Object(position), position + 1
        while not read.is_complete:
            piece = _PIECE.match(text, position)
            if piece is None:  # the text ends, or a string never does: no later one will either
                return last
            if not read.take(piece[1], *piece.span(1)):
                break
            position = piece.end()
        else:
            last = read.found if read.found.keyed else last
        position = text.find("{", position)
    return last
