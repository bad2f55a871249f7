"""What the lint rules know of English: telling words, and what an anchor says once its filler is taken out."""

import math
import re


def _any_of(*words: str) -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(words)})\b", re.IGNORECASE)


JOINING = _any_of("and/or", "and", "as well as")
"""Joins two constructs in one question."""

RANKING = _any_of("high(er|est)?", "low(er|est)?", "more", "most", "less", "least")
"""Says which way a scale runs without naming a level."""

WAY_OUT = _any_of("other", "else", "none", "no", "nothing", "neither", "nobody", "unclear")
"""Marks a category for what fits no other."""

LOADED = _any_of(
    *(
        r"propagand\w*",
        "regimes?",
        r"brainwash\w*",
        r"dictator\w*",
        "puppets?",
        r"whitewash\w*",
        "cover[- ]?up",
        "woke",
    ),
    *("lies", "lying", r"shameful\w*", r"outrageous\w*", r"ridiculous\w*"),
)
"""Judges what it names."""

PRESUMING = _any_of(
    *(r"obvious\w*", "clearly", "of course", "surely", "undoubtedly", "rightly", "wrongly", "unfairly", "biased"),
    *("fails? to", "admits?", "how badly", "(is|does|do|are)n['’]t", "should(n['’]t| not)? have"),
)
"""Takes the answer to a question for granted."""

GOOD = _any_of("good", "excellent", "great", "superb", "positive", "favou?rable", "agree", "satisfactory")
BAD = _any_of("bad", "poor", "terrible", "awful", "negative", "unfavou?rable", "disagree", "unsatisfactory")

_FILLER = _any_of(
    *("a", "an", "the", "is", "are", "it", "its", "this", "that", "of", "to", "in", "on", "at", "by", "for", "with"),
    *("answer", "response", "text", "does", "do", "be", "has", "have", "very", "quite", "rather", "somewhat", "some"),
)

_NUMERALS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBER = rf"\b(\d{{1,9}}|{'|'.join(_NUMERALS)})"


def words(text: str) -> tuple[str, ...]:
    """Return the words of `text` in lower case."""
    return tuple(re.findall(r"\w+", text.casefold()))


def gist(text: str) -> tuple[str, ...]:
    """Return the words of `text` that could tell it from another text, in their order."""
    return words(_FILLER.sub(" ", text))


def span(text: str) -> tuple[float, float] | None:
    """Return the counts that an anchor covers, both ends included; None unless it states exactly one span.

    "two or three" is (2, 3), "7 or more" is (7, ∞), "up to 4" is (0, 4).
    """
    lower = text.casefold()
    spans = [
        (_count(low), _count(high)) for low, high in re.findall(rf"{_NUMBER}\s*(?:to|or|-|–)\s*{_NUMBER}\b", lower)
    ]
    spans += [(_count(low), math.inf) for low in re.findall(rf"{_NUMBER} or more\b", lower)]
    spans += [(_count(low), math.inf) for low in re.findall(rf"\bat least {_NUMBER}\b", lower)]
    spans += [(_count(low) + 1, math.inf) for low in re.findall(rf"\bmore than {_NUMBER}\b", lower)]
    spans += [(0.0, _count(high)) for high in re.findall(rf"{_NUMBER} or (?:fewer|less)\b", lower)]
    spans += [(0.0, _count(high)) for high in re.findall(rf"\b(?:up to|at most) {_NUMBER}\b", lower)]
    return spans[0] if len(spans) == 1 else None


def _count(text: str) -> float:
    return float(_NUMERALS.index(text) if text in _NUMERALS else text)
