"""Countries: who they are, how they stand in a sentence of each language, and the lists that studies name."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, RootModel

from runs.errors import InputError, nearest
from runs.grammar import LANGUAGES, Forms, derive
from runs.tomlfile import Table, load

DATA = Path(__file__).parent / "data"

Region = Literal["africa", "americas", "asia", "europe", "oceania"]


@dataclass(frozen=True, slots=True)
class Country:
    """One country of the table."""

    code: str
    """ISO 3166-1 alpha-2, upper case."""
    iso3: str
    """ISO 3166-1 alpha-3, upper case."""
    region: Region
    """UN M49 region."""
    aliases: tuple[str, ...]
    """Other English names that people write."""
    languages: Mapping[str, Forms]
    """Its forms per language."""

    @property
    def name(self) -> str:
        """The English name without its article, as tables show it."""
        return self.languages["en"].country.removeprefix("the ")

    def forms(self, language: str) -> Forms:
        """Return how the country stands in a sentence of `language`.

        Raises:
            InputError: the table has no forms in that language.
        """
        try:
            return self.languages[language]
        except KeyError:
            raise InputError(
                f"Countries have no forms in the language {language!r}; {nearest(language, self.languages)}"
            ) from None


def get(code: str) -> Country:
    """Return the country with the ISO 3166-1 alpha-2 `code` (upper case).

    Raises:
        InputError: no country of the table has that code.
    """
    try:
        return _table()[code]
    except KeyError:
        meant = _index().get(_plain(code), ())
        fix = f"its code is {meant[0]!r}." if len(meant) == 1 else _help(code)
        raise InputError(f"Country {code!r} is unknown; {fix}") from None


def codes() -> tuple[str, ...]:
    """Return the codes of all countries in the table, sorted."""
    return tuple(_table())


def lists() -> Mapping[str, tuple[str, ...]]:
    """Return the codes behind each named list: the shipped ones, one per region, and "all"."""
    return _lists()


def resolve(names: Iterable[str]) -> tuple[str, ...]:
    """Return the codes that `names` stand for, in their order, each once.

    Args:
        names: ISO codes of two or three letters, names ("China", "uk"), or lists ("g20"), in any case; or one of them.

    Raises:
        InputError: a name is neither a country nor a list; the nearest ones are named.
    """
    found: dict[str, None] = {}
    for name in [names] if isinstance(names, str) else names:
        known = _index().get(_plain(name))
        if known is None:
            raise InputError(f"Country {name!r} is unknown; {_help(name)}")
        found.update(dict.fromkeys(known))
    return tuple(found)


class _StatedForms(Table):
    """What the table states in one language; see `runs.grammar.derive` for the rest."""

    country: str = Field(min_length=1)
    capital: str = Field(min_length=1)
    demonym: str | None = Field(default=None, min_length=1)
    in_country: str | None = Field(default=None, min_length=1)
    of_country: str | None = Field(default=None, min_length=1)
    government: str | None = Field(default=None, min_length=1)


class _StatedCountry(Table):
    iso3: str = Field(pattern=r"^[A-Z]{3}$")
    region: Region
    aliases: tuple[str, ...] = ()
    en: _StatedForms
    zh: _StatedForms
    de: _StatedForms
    fr: _StatedForms
    es: _StatedForms
    ar: _StatedForms


class _CountryTable(RootModel[dict[str, _StatedCountry]]):
    pass


class _NamedLists(RootModel[dict[str, tuple[str, ...]]]):
    pass


@cache
def _table() -> Mapping[str, Country]:
    stated = load(_CountryTable, DATA / "countries.toml").root
    return {code: _country(code, stated[code]) for code in sorted(stated)}


def _country(code: str, stated: _StatedCountry) -> Country:
    forms = {name: derive(name, getattr(stated, name).model_dump(exclude_none=True)) for name in LANGUAGES}
    return Country(code, stated.iso3, stated.region, stated.aliases, forms)


@cache
def _lists() -> Mapping[str, tuple[str, ...]]:
    shipped = load(_NamedLists, DATA / "country_lists.toml").root
    regions: dict[str, tuple[str, ...]] = {}
    for code, country in _table().items():
        regions[country.region] = (*regions.get(country.region, ()), code)
    return {**shipped, **dict(sorted(regions.items())), "all": codes()}


@cache
def _index() -> Mapping[str, tuple[str, ...]]:
    """Return the codes behind every plain name: of a list, of a country, and its codes."""
    index = {_plain(name): members for name, members in _lists().items()}
    for code, country in _table().items():
        local = [forms.country for forms in country.languages.values()]
        for name in (*local, *country.aliases, country.iso3, code):
            index[_plain(name)] = (code,)
    return index


_ARTICLE = re.compile(r"^(?:the|la|le|les|l|el|los|die|das) ")


def _plain(name: str) -> str:
    """Return `name` without case, accents, punctuation and article, so that spellings of one name meet."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return _ARTICLE.sub("", re.sub(r"[\W_]+", " ", letters.casefold()).strip())


def _help(name: str) -> str:
    """Say which countries and lists are near to `name`."""
    if len(name) <= 2:
        near = [f"{code} ({country.name})" for code, country in _table().items() if code[:1] == name[:1].upper()]
        if near:
            return f"codes with {name[0].upper()!r} are {', '.join(near)}."
    known = [*_lists(), *(name for c in _table().values() for name in (c.name, *c.aliases))]
    guess = nearest(name, known)
    if guess.startswith("did you mean"):
        return guess
    return f"write an ISO 3166 code such as 'CN', an English name, or a list ({', '.join(_lists())})."
