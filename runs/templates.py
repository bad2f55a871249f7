"""A question's template: text with fields such as `{in_country}`, and how a country is put into it."""

import string
from dataclasses import dataclass
from functools import lru_cache

from runs.errors import nearest
from runs.grammar import FIELDS, Forms, join

LOOK_BACK = 200
"""Characters before a field that decide how it joins on: an article, a preposition, the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template, parsed: every field follows its own literal text, then comes the tail."""

    parts: tuple[tuple[str, str], ...]
    """Literal text and the field after it, in order."""
    tail: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields in the order in which they stand, repeats included."""
        return tuple(field for _, field in self.parts)

    def render(self, language: str, forms: Forms | None) -> str:
        """Return the text with `forms` in its fields (None: the template has none)."""
        done, text = [], ""
        for literal, field in self.parts:
            text += literal
            # Looking back over all of the text at every field takes the square of its length.
            done.append(text[:-LOOK_BACK])
            text = join(language, text[-LOOK_BACK:], getattr(forms, field))
        return "".join(done) + text + self.tail


@lru_cache(maxsize=4096)
def parse_template(text: str) -> Template:
    """Return `text` as a template.

    Raises:
        ValueError: an unknown field, a conversion or format such as `{country!r}`, or a single brace.
    """
    try:
        pieces = list(string.Formatter().parse(text))
    except ValueError:
        raise ValueError("has a single brace; write '{{' or '}}' for a brace that is meant") from None
    parts, tail = [], ""
    for literal, field, spec, conversion in pieces:
        if field is None:
            tail += literal
            continue
        if field not in FIELDS:
            raise ValueError(f"has the unknown field {{{field}}}; {_help(field)}")
        if spec or conversion:
            raise ValueError(f"formats {{{field}}}; write {{{field}}} alone")
        parts.append((tail + literal, field))
        tail = ""
    return Template(tuple(parts), tail)


def _help(field: str) -> str:
    known = ", ".join(f"{{{name}}}" for name in FIELDS)
    guess = nearest(field, FIELDS)
    return f"{guess} Fields are {known}" if guess.startswith("did you mean") else f"fields are {known}"
