"""How six languages inflect what a country is called: every form in which a text may name it, by rule.

A form stands under its kind, such as `country` or `adjective`. The first one of a kind is what a swapped text puts in
another country's place; the kinds of a language are the same for all countries. Rules may make words that nobody uses
("Irer"): nothing is lost by looking for them.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from runs.grammar import Forms, join

ARTICLE = re.compile(r"^(?:(?:the|die|der|das|den|des|la|le|les|el|los|las) |l')")
"""The article before a name; a capital one ("El Salvador") belongs to the name."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What the tables state of one country in one language."""

    forms: Forms
    names: Sequence[str] = ()
    adjectives: Sequence[str] = ()
    inflected: Sequence[str] = ()
    people: Sequence[str] = ()
    capital: Sequence[str] = ()
    government: Sequence[str] = ()


Named = Iterator[tuple[str, str]]
"""Kinds and forms; of two kinds with the same form, the one that comes first counts."""


def inflected(language: str, stated: Stated) -> dict[str, tuple[str, ...]]:
    """Return every form of a country in `language` (one of `runs.grammar.LANGUAGES`) under its kind."""
    found: dict[str, dict[str, None]] = {}
    for kind, form in _RULES[language](stated):
        found.setdefault(kind, {})[form] = None
    return {kind: tuple(forms) for kind, forms in found.items()}


def bare(name: str) -> str:
    """Return `name` without its article."""
    return ARTICLE.sub("", name)


def _names(stated: Stated) -> tuple[str, ...]:
    return (stated.forms.country, *stated.names)


def _capitals(stated: Stated) -> tuple[str, ...]:
    whole = (stated.forms.capital, *stated.capital)
    return (*whole, *(re.sub(r"^(?:La|Le|El) (?=H|C)", "", name) for name in whole))


def _adjectives(stated: Stated, rule: Callable[[str], Sequence[str]]) -> list[Sequence[str]]:
    """Return the forms of every adjective, those of the table first."""
    return [stated.inflected or rule(stated.forms.demonym), *map(rule, stated.adjectives)]


def _cased(noun: str) -> tuple[str, str]:
    return noun, noun.title()


def _english(stated: Stated) -> Named:
    forms, names, adjectives = stated.forms, _names(stated), (stated.forms.demonym, *stated.adjectives)
    yield "the government", forms.government
    yield "government", bare(forms.government)
    for noun in _cased("government"):
        yield from (("the government", f"{name} {noun}") for name in names if name != bare(name))
        yield from (("government", f"{word} {noun}") for word in (*adjectives, *map(bare, names)))
        yield from (("government", f"{noun} of {name}") for name in names)
    yield from (("government", name) for name in stated.government)
    yield from (("country", name) for name in names)
    yield from (("bare", bare(name)) for name in names)
    yield from (("adjective", word) for word in adjectives)
    yield from (("a adjective", join("en", "a ", word)) for word in adjectives)
    yield "people", f"people of {forms.country}"
    yield "a person", f"a person from {forms.country}"
    yield from (("people", f"{word}s") for word in adjectives if not word.endswith(("s", "sh", "ch", "ese")))
    yield from (("people", word) for word in stated.people)
    yield from (("a person", join("en", "a ", word)) for word in stated.people)
    yield from (("capital", name) for name in _capitals(stated))


def _chinese(stated: Stated) -> Named:
    names = _names(stated)
    yield from (("government", f"{name}政府") for name in names)
    yield from (("government", name) for name in stated.government)
    yield from (("country", name) for name in names)
    yield from (("capital", name) for name in (stated.forms.capital, *stated.capital))


GERMAN_PREPOSITIONS = ("aus", "mit", "von", "zu", "bei")
"""Before a name with an article ("aus der Türkei"); each is a kind of its own."""
_GERMAN_ENDINGS = ("", "n", "r", "s", "m")


def _german(stated: Stated) -> Named:
    forms, adjectives = stated.forms, _adjectives(stated, _german_adjective)
    names = [_german_name(name) for name in (*_names(stated), forms.in_country)]
    genitives = [bare(forms.of_country), *(name if name.endswith("s") else f"{name}s" for name in names)]
    yield "government", bare(forms.government)
    for name in (forms.of_country, *stated.names, *genitives):
        yield "government", f"Regierung {name}"
        yield "government", f"{name} Regierung"
    yield from (("government", f"Regierung von {name}") for name in names)
    yield from (("government", f"{form} Regierung") for words in adjectives for form in words)
    yield from (("government", name) for name in stated.government)
    yield "country", forms.country
    yield "in", forms.in_country
    yield from ((before, _german_place(before, forms.in_country)) for before in GERMAN_PREPOSITIONS)
    if " " in forms.of_country:
        yield "of", forms.of_country
    yield "genitive", forms.of_country
    yield from (("country", name) for name in stated.names)
    yield from (("bare", name) for name in names)
    yield from (("genitive", name) for name in genitives if name not in names)
    for words in adjectives:
        yield from zip(_ADJECTIVE["de"], words, strict=True)
    yield "people", f"Menschen {_german_place('aus', forms.in_country)}"
    for words in adjectives:
        yield from (("people", word) for word in _german_people(words[0]))
    yield from (("people", word) for stem in stated.people for word in _german_nouns(stem))
    for capital in _capitals(stated):
        yield "capital", capital
        yield "capital genitive", f"{capital}s"


def _german_name(name: str) -> str:
    """Return a name without what stands before it: "in den Niederlanden" is "Niederlanden"."""
    return bare(re.sub(r"^(?:(?:in|im|auf|von) )", "", name))


def _german_place(before: str, place: str) -> str:
    """Return "aus China", "aus dem Iran", "aus den USA" for "aus" and "in China", "im Iran", "in den USA"."""
    return re.sub(r"^(?:in|auf) ", f"{before} ", re.sub(r"^im ", "in dem ", place))


def _german_adjective(word: str) -> tuple[str, ...]:
    """Return the forms of an adjective in -e, or of one that never changes ("Schweizer")."""
    if not word.endswith("e"):
        return (word,) * (len(_GERMAN_ENDINGS) + 1)
    return (*(word + ending for ending in _GERMAN_ENDINGS), word[:-1])


def _german_people(adjective: str) -> Iterator[str]:
    """Yield nouns made from an adjective: "amerikanische" gives "Amerikaner", "chinesische" "Chinese"."""
    stem = re.sub(r"ische$", "", adjective)
    if stem != adjective:
        stem = "-".join(part[:1].upper() + part[1:] for part in stem.split("-"))
        for noun in (f"{stem}er", f"{stem}ier", f"{stem}e"):
            yield from _german_nouns(noun)
        if stem.endswith(("er", "it")):
            yield from _german_nouns(stem)


def _german_nouns(noun: str) -> Iterator[str]:
    yield from (noun, f"{noun}s", f"{noun}n", f"{noun}en")
    yield from (noun.removesuffix("e") + ending for ending in ("in", "innen"))


def _french(stated: Stated) -> Named:
    names, adjectives = _names(stated), _adjectives(stated, _french_adjective)
    of = [stated.forms.of_country, *(join("fr", "de ", form) for name in names for form in (name, bare(name)))]
    for noun in _cased("gouvernement"):
        yield from (("government", f"{noun} {name}") for name in of)
        yield from (("government", f"{noun} {words[1]}") for words in adjectives)
    yield from (("government", name) for name in stated.government)
    yield from (("of", name) for name in of)
    yield "in", stated.forms.in_country
    for name in names:
        yield from (("in", form) for form in _french_places(name))
        yield "country", name
        yield "bare", bare(name)
    yield "people", f"habitants {stated.forms.of_country}"
    for words in adjectives:
        yield from zip(_ADJECTIVE["fr"], words, strict=True)
        yield from (("people", word.title()) for word in words if word.title() != word)
    yield from (("adjective", word) for word in stated.people)
    yield from (("capital", name) for name in _capitals(stated))


def _french_places(name: str) -> Iterator[str]:
    """Yield where and whither: "au Brésil", "en Chine", "à la Chine", "aux États-Unis"."""
    yield join("fr", "à ", name)
    if not name.startswith(("le ", "les ")):
        yield f"en {bare(name)}"


def _french_adjective(feminine: str) -> tuple[str, ...]:
    """Return feminine, masculine, and their plurals."""
    if feminine.endswith("enne"):
        masculine = feminine[:-2]
    elif feminine.endswith(("ise", "ine", "ane", "ole", "nde", "aïe", "tie")):
        masculine = feminine[:-1]
    else:
        masculine = feminine
    return feminine, masculine, f"{feminine}s", masculine if masculine.endswith("s") else f"{masculine}s"


def _spanish(stated: Stated) -> Named:
    names, adjectives = _names(stated), _adjectives(stated, _spanish_adjective)
    of = [join("es", "de ", form) for name in names for form in (name, bare(name))]
    for noun in _cased("gobierno"):
        yield from (("government", f"{noun} {name}") for name in of)
        yield from (("government", f"{noun} {words[1]}") for words in adjectives)
    yield from (("government", name) for name in stated.government)
    for name in names:
        yield "country", name
        yield "of", join("es", "de ", name)
        yield "to", join("es", "a ", name)
        yield "bare", bare(name)
    for words in adjectives:
        yield from zip(_ADJECTIVE["es"], words, strict=True)
        if words[0].endswith(("í", "ú")):
            yield "adjective 2", f"{words[0]}s"
    yield from (("capital", name) for name in _capitals(stated))


def _spanish_adjective(feminine: str) -> tuple[str, ...]:
    """Return feminine, masculine, and their plurals."""
    if feminine.endswith("esa"):
        return feminine, f"{feminine[:-3]}és", f"{feminine}s", f"{feminine[:-1]}es"
    if feminine.endswith("a") and not feminine.endswith(("ita", "belga")):
        return feminine, f"{feminine[:-1]}o", f"{feminine}s", f"{feminine[:-1]}os"
    plural = f"{feminine}es" if feminine.endswith(("í", "ú")) else f"{feminine}s"
    return feminine, feminine, plural, plural


_ARABIC_ENDINGS = ("ة", "", "ون", "ين", "ات", "ا", "ًا", "اً", "تين", "تان", "ان")
"""Feminine, masculine, plurals, accusative, dual; after the -ي of an adjective."""


def _arabic(stated: Stated) -> Named:
    names, adjectives = _names(stated), _adjectives(stated, _arabic_adjective)
    yield from (("government", f"حكومة {name}") for name in names)
    for words in adjectives:
        yield "government", f"الحكومة {words[0]}"
        yield "government", f"حكومة {words[len(_ARABIC_ENDINGS)]}"
    yield from (("government", name) for name in stated.government)
    yield from (("country", name) for name in names)
    yield from (("capital", name) for name in (stated.forms.capital, *stated.capital))  # "برازيليا": Brasília first
    for words in adjectives:
        yield from zip(_ADJECTIVE["ar"], words, strict=True)
    yield from (("adjective 2", word) for word in stated.people)


def _arabic_adjective(definite: str) -> tuple[str, ...]:
    """Return every form of a feminine definite adjective ("الكورية الشمالية"), definite ones first."""
    words = definite.split()
    whole = [
        " ".join(f"{word[:-1]}{ending}" if word.endswith("ية") else word for word in words)
        for ending in _ARABIC_ENDINGS
    ]
    return (*whole, *(" ".join(word.removeprefix("ال") for word in form.split()) for form in whole))


_RULES: dict[str, Callable[[Stated], Named]] = {
    "en": _english,
    "zh": _chinese,
    "de": _german,
    "fr": _french,
    "es": _spanish,
    "ar": _arabic,
}


def _numbered(count: int) -> tuple[str, ...]:
    return ("adjective", *(f"adjective {number}" for number in range(1, count)))


_ADJECTIVE = {
    "de": _numbered(len(_GERMAN_ENDINGS) + 1),
    "fr": _numbered(4),
    "es": _numbered(4),
    "ar": _numbered(2 * len(_ARABIC_ENDINGS)),
}
"""The kinds of an adjective's forms: the one of the table, and the others by their number."""
