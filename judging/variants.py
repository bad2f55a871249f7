"""What of a response is scored, and under which country's name: the answer as it is, its thinking, or a placebo.

The placebo leaves the text as it is but for the country: `mask` takes its name away, `swap` gives it another's.
Whatever a score moves by then is the judge's own view of the country. Leaders, parties and other places stay.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal, get_args

from runs import countries
from runs.digest import digest
from runs.errors import InputError

On = Literal["answer", "reasoning"]
Placebo = Literal["mask", "swap"]

_MASK: Mapping[str, Mapping[str, str]] = {
    "en": {
        "country": "Country X",
        "demonym": "Country X's",
        "government": "the government of Country X",
        "capital": "Capital X",
    },
    "zh": {"country": "某国", "demonym": "某国", "government": "某国政府", "capital": "某国首都"},
    "de": {
        "country": "Land X",
        "demonym": "aus Land X stammende",
        "government": "die Regierung von Land X",
        "capital": "Hauptstadt X",
    },
    "fr": {
        "country": "le pays X",
        "demonym": "du pays X",
        "government": "le gouvernement du pays X",
        "capital": "la capitale X",
    },
    "es": {
        "country": "el país X",
        "demonym": "del país X",
        "government": "el gobierno del país X",
        "capital": "la capital X",
    },
    "ar": {
        "country": "الدولة س",
        "demonym": "من الدولة س",
        "government": "حكومة الدولة س",
        "capital": "عاصمة الدولة س",
    },
}
_ENDINGS = {"en": ("s",), "de": ("n", "r", "s", "m")}
"""What an adjective of the table takes on in a sentence: "Germans", "chinesischer"."""
_ARTICLE = re.compile(r"^((the|die|der|das|la|le|les|el|los|las) |l['’])", re.IGNORECASE)


@dataclass(frozen=True)
class Variant:
    """What a judge is shown of a response."""

    on: On = "answer"
    placebo: Placebo | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """What determines a verdict besides rubric and judge; empty for the answer as it is."""
        said = {"on": self.on if self.on != "answer" else None, "placebo": self.placebo}
        return {key: value for key, value in said.items() if value is not None}

    @property
    def suffix(self) -> str:
        """What the scoring's folder name ends in."""
        return "".join(f"-{value}" for value in self.identity.values())

    def shown(self, text: str | None, country: str, language: str, partner: str) -> str | None:
        """Return a question or answer about `country` (a code) as the judge sees it."""
        if text is None or self.placebo is None:
            return text
        return mask(text, country, language) if self.placebo == "mask" else swap(text, country, partner, language)


def variants(on: str, placebo: str | None) -> tuple[Variant, ...]:
    """Return the variants that `--on` and `--placebo` ask for.

    Raises:
        InputError: an unknown word.
    """
    if on not in (*get_args(On), "both"):
        raise InputError(f"--on {on}: expected answer, reasoning or both.")
    if placebo not in (None, *get_args(Placebo)):
        raise InputError(f"--placebo {placebo}: expected mask or swap.")
    both: tuple[On, ...] = get_args(On)
    kind: Placebo | None = next((kind for kind in get_args(Placebo) if kind == placebo), None)
    return tuple(Variant(part, kind) for part in both if on in (part, "both"))


def partners(question_id: str, present: Sequence[str]) -> dict[str, str]:
    """Return the country that each country's name is swapped for: a rotation that hangs on the question.

    Every country lends its name to exactly one other, and over many questions to all others alike.
    """
    order = sorted(present)
    if len(order) < 2:
        raise InputError("--placebo swap needs at least two countries in the run; use --placebo mask.")
    shift = 1 + int(digest(question_id), 16) % (len(order) - 1)
    return {country: order[(place + shift) % len(order)] for place, country in enumerate(order)}


def mask(text: str, country: str, language: str) -> str:
    """Return `text` with every mention of `country` (a code) taken away, in `language` and in English.

    Raises:
        InputError: the country is not in the table, so its mentions are not known.
    """
    pairs = [
        (mention, _MASK[spoken][form])
        for spoken in _spoken(country, language)
        for form, mentions in _mentions(country, spoken).items()
        for mention in mentions
    ]
    return _replace(text, pairs)


def swap(text: str, country: str, partner: str, language: str) -> str:
    """Return `text` with `country` and `partner` (codes) in each other's place, in `language` and in English.

    Raises:
        InputError: one of them is not in the table, so its mentions are not known.
    """
    pairs = [
        (mention, theirs[place if form != "country" else min(place, 1)])
        for spoken in _spoken(country, language)
        for here, there in ((country, partner), (partner, country))
        for form, mentions in _mentions(here, spoken).items()
        for theirs in [_mentions(there, spoken)[form]]
        for place, mention in enumerate(mentions)
    ]
    return _replace(text, pairs)


def _spoken(country: str, language: str) -> tuple[str, ...]:
    """Return the languages in which a text in `language` may name `country`."""
    return (language, "en") if language in countries.get(country).languages and language != "en" else ("en",)


@cache
def _mentions(country: str, language: str) -> Mapping[str, tuple[str, ...]]:
    """Return how a text can name a country, per form; the same place holds the same kind of name for all countries."""
    known = countries.get(country)
    forms = known.forms(language)
    bare = _ARTICLE.sub("", forms.country)
    aliases = [alias for alias in known.aliases if len(alias) > 3 or alias.isupper()] if language == "en" else []
    return {
        "government": (forms.government, _ARTICLE.sub("", forms.government)),
        "country": (forms.country, bare, *aliases),
        "demonym": (forms.demonym, *(forms.demonym + ending for ending in _ENDINGS.get(language, ()))),
        "capital": (forms.capital,),
    }


def _replace(text: str, pairs: Sequence[tuple[str, str]]) -> str:
    """Replace all mentions in one pass, the longest first, so that nothing put in is replaced again."""
    exact: dict[str, str] = {}
    folded: dict[str, str] = {}
    for mention, replacement in pairs:
        exact.setdefault(mention, replacement)  # Spanish: "China" is the country, "china" a Chinese woman
        folded.setdefault(mention.casefold(), replacement)
    return _pattern(tuple(folded)).sub(
        lambda found: exact.get(found[0], folded.get(found[0].casefold(), found[0])), text
    )


@lru_cache(maxsize=4096)
def _pattern(mentions: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern for any of `mentions`; whole words in scripts that separate words."""
    return re.compile("|".join(map(_whole, sorted(mentions, key=len, reverse=True))), re.IGNORECASE)


def _whole(mention: str) -> str:
    if re.search(r"[\u4e00-\u9fff]", mention):
        return re.escape(mention)
    # Arabic writes "and", "in", "for" onto the next word: only the end of a mention is the end of a word.
    before = "" if re.search(r"[\u0600-\u06ff]", mention) else r"(?<!\w)"
    return rf"{before}{re.escape(mention)}(?!\w)"
