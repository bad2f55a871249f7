"""How six languages put a country's name into a sentence: forms derived by rule, and words that merge at a join.

A table of countries states what no rule can know (names, articles, adjectives) and, as an exception, any form
that a rule would get wrong; everything else follows here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

LANGUAGES = ("en", "zh", "de", "fr", "es", "ar")
"""The languages in which countries have forms."""


@dataclass(frozen=True, slots=True)
class Forms:
    """One country in one language; the names are the fields of a question's template."""

    country: str
    """Subject or object, with article where the language wants one: "the Netherlands"."""
    in_country: str
    """Place: "in China", "aux Pays-Bas", "im Iran"."""
    of_country: str
    """Belonging: "of China", "de la Chine", "Chinas"; Chinese carries its particle: "中国的"."""
    demonym: str
    """Attributive adjective: "Chinese"; German in -e, French and Spanish feminine, Arabic feminine definite."""
    government: str
    """Noun phrase, nominative, singular: "the Chinese government", "die Regierung Chinas"."""
    capital: str


FIELDS = tuple(field.name for field in fields(Forms))
"""Every field that a template may hold."""


def derive(language: str, stated: Mapping[str, str]) -> Forms:
    """Return all forms of a country, from those that its table states.

    Args:
        language: one of `LANGUAGES`.
        stated: `country`, `capital`, and (except in Chinese) `demonym`; any other form stated wins over its rule.

    Raises:
        KeyError: a form is neither stated nor derivable.
    """
    forms = dict(stated)
    for name, rule in _RULES[language].items():
        if name not in forms:
            forms[name] = rule(forms)
    return Forms(**{name: forms[name] for name in FIELDS})


def join(language: str, before: str, value: str) -> str:
    """Return `before` followed by `value`, merged where the language merges them, capitalised where a sentence starts.

    English: "a" + "Egyptian" is "an Egyptian". French: "de" + "les Pays-Bas" is "des Pays-Bas", "que" + "Israël" is
    "qu'Israël". Spanish: "a" + "el Reino Unido" is "al Reino Unido", "y" + "Irán" is "e Irán". Arabic: "ل" + "الصين" is
    "للصين".
    """
    whole = f"{before}\0{value}"
    for pattern, merged in _MERGERS.get(language, ()):
        found = pattern.search(whole)
        if found:
            return whole[: found.start()] + _like(found[0], merged) + whole[found.end() :]
    if _SENTENCE_START.search(before):
        value = value[:1].upper() + value[1:]
    return before + value


def _like(original: str, merged: str) -> str:
    """Return `merged` with the capital letter that `original` started with."""
    return merged[:1].upper() + merged[1:] if original[:1].isupper() else merged


def _german_genitive(form: Mapping[str, str]) -> str:
    name = form["country"]
    if name.startswith(("die ", "das ", "der ")):
        raise KeyError("of_country")
    return f"von {name}" if name.endswith(("s", "ß", "x", "z")) else f"{name}s"


def _german_place(form: Mapping[str, str]) -> str:
    if form["country"].startswith(("die ", "das ", "der ")):
        raise KeyError("in_country")
    return f"in {form['country']}"


def _french_place(form: Mapping[str, str]) -> str:
    name = form["country"]
    for article, preposition in (("le ", "au "), ("les ", "aux "), ("la ", "en "), ("l'", "en ")):
        if name.startswith(article):
            return preposition + name.removeprefix(article)
    raise KeyError("in_country")


_Rule = Callable[[Mapping[str, str]], str]

_RULES: dict[str, dict[str, _Rule]] = {
    "en": {
        "in_country": lambda form: f"in {form['country']}",
        "of_country": lambda form: f"of {form['country']}",
        "government": lambda form: f"the {form['demonym']} government",
    },
    "zh": {
        "in_country": lambda form: f"在{form['country']}",
        "of_country": lambda form: f"{form['country']}的",
        "demonym": lambda form: form["country"],
        "government": lambda form: f"{form['country']}政府",
    },
    "de": {
        "in_country": _german_place,
        "of_country": _german_genitive,
        "government": lambda form: f"die Regierung {form['of_country']}",
    },
    "fr": {
        "in_country": _french_place,
        "of_country": lambda form: join("fr", "de ", form["country"]),
        "government": lambda form: f"le gouvernement {form['of_country']}",
    },
    "es": {
        "in_country": lambda form: f"en {form['country']}",
        "of_country": lambda form: join("es", "de ", form["country"]),
        "government": lambda form: f"el gobierno {form['of_country']}",
    },
    "ar": {
        "in_country": lambda form: f"في {form['country']}",
        "of_country": lambda form: form["country"],
        "government": lambda form: f"حكومة {form['country']}",
    },
}

_SENTENCE_START = re.compile(r"(?:^|[.!?…]\s+|\n)[\"“„«¿¡]*$")

# \0 marks the join, so that a rule never touches words that the template's author put together.
_MERGERS: dict[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    # Before the sound of "you" ("a Ugandan") the article stays; "Uz" does not have it.
    "en": ((re.compile(r"\ba \0(?=[aeio]|uz)", re.IGNORECASE), "an "),),
    "fr": (
        (re.compile(r"\bde \0le ", re.IGNORECASE), "du "),
        (re.compile(r"\bde \0les ", re.IGNORECASE), "des "),
        (re.compile(r"\bà \0le ", re.IGNORECASE), "au "),
        (re.compile(r"\bà \0les ", re.IGNORECASE), "aux "),
        (re.compile(r"\bde \0(?=[aâeéèêiîoôu])", re.IGNORECASE), "d'"),
        (re.compile(r"(?:\b|(?<=\blors)|(?<=\bpuis))que \0(?=[aàâeéèêiîoôu])", re.IGNORECASE), "qu'"),
    ),
    "es": (
        # The article of a name is small ("el Reino Unido"); a capital one belongs to it ("de El Salvador").
        (re.compile(r"\b[Dd]e \0el "), "del "),
        (re.compile(r"\b[Aa] \0el "), "al "),
        (re.compile(r"\by \0(?=[ií])", re.IGNORECASE), "e "),
    ),
    "ar": ((re.compile(r"(?<!\w)لـ?\0ال"), "لل"),),
}
