"""Where a text names a country: what the tables state and rules inflect, found in one pass over the text.

A name is found as a whole word and as it is spelt: "Polish" is no "polish", "Turkey" no "turkey". Only a sentence's
first letter, capitals throughout, and missing accents are looked through. The longest name wins, those of all other
countries included, so that "North Korea" is not one more Korea and "Northern Ireland" not in Ireland.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from pydantic import Field, RootModel

from judging.inflection import Stated, inflected
from runs import countries
from runs.grammar import LANGUAGES
from runs.tomlfile import Table, load


@dataclass(frozen=True, slots=True)
class Mention:
    """One way to name a country."""

    country: str
    """Its code."""
    language: str
    kind: str
    """What the form is: see `judging.inflection`."""


def rewrite(text: str, named: Sequence[str], language: str, said: Callable[[Mention], str]) -> str:
    """Return `text` with every mention of the countries `named` (codes) replaced, in `language` and in English.

    Nothing put in is replaced again.

    Args:
        text: what names them.
        named: codes; where one form names two of them, it is taken for the first.
        language: of the text; of one that has no table, only the English mentions are found.
        said: what stands in a mention's place.

    Raises:
        InputError: a country is not in the table, so its mentions are not known.
    """
    spoken = language.casefold().partition("-")[0]
    languages = tuple(dict.fromkeys((spoken, "en"))) if spoken in LANGUAGES else ("en",)
    found = [(*one.span(), one, mention) for code in named for one, mention in _finder(code, languages).find(text)]
    parts, done = [], 0
    for start, end, one, mention in sorted(found, key=lambda place: (place[0], -place[1])):
        if start >= done:
            parts += [text[done:start], _in_place(one, said(mention))]
            done = end
    return "".join([*parts, text[done:]])


def _in_place(found: re.Match[str], new: str) -> str:
    """Return `new` as it stands where something was `found`: with what hung on it, and its capital letter."""
    lead = found["lead"] or ""
    if found[0].startswith("لل", len(lead)):
        lead += "ل"
    if lead.endswith("ل") and new.startswith("ال"):  # "for" and "the" merge
        new = f"ل{new.removeprefix('ال')}"
    if found[0].endswith(tuple(_HYPHENS)):
        new += "-"
    if found[0][0].isupper() and _opens_sentence(found.string, found.start()):
        new = new[:1].upper() + new[1:]
    return lead + new


class _Stated(Table):
    names: tuple[str, ...] = ()
    adjectives: tuple[str, ...] = ()
    inflected: tuple[str, ...] = Field(default=(), max_length=4)
    people: tuple[str, ...] = ()
    capital: tuple[str, ...] = ()
    government: tuple[str, ...] = ()
    spare: tuple[str, ...] = ()
    short: str | None = Field(default=None, min_length=1, max_length=1)


class _MentionTable(RootModel[dict[str, dict[str, _Stated]]]):
    pass


@cache
def _table() -> Mapping[str, Mapping[str, _Stated]]:
    return load(_MentionTable, countries.DATA / "mentions.toml").root


def _stated(country: str, language: str) -> _Stated:
    return _table().get(country, {}).get(language, _Stated())


@cache
def forms_of(country: str, language: str) -> Mapping[str, tuple[str, ...]]:
    """Return every form in which a text in `language` names `country` (a code), under its kind."""
    known, more = countries.get(country), _stated(country, language)
    forms = known.forms(language)
    names = more.names
    if language == "en":
        article = "the " if forms.country.startswith("the ") else ""
        names = (*names, *(f"{article}{alias}" for alias in known.aliases if len(alias) > 3 or alias.isupper()))
    return inflected(
        language,
        Stated(forms, names, more.adjectives, more.inflected, more.people, more.capital, more.government),
    )


@dataclass(frozen=True, slots=True)
class _Finder:
    """What finds one country."""

    pattern: re.Pattern[str]
    mentions: Mapping[str, Mention]
    """By the plain spelling that is found; what is found and not here means something else."""

    def find(self, text: str) -> Iterator[tuple[re.Match[str], Mention]]:
        """Yield every mention in `text` and where it stands."""
        for found in self.pattern.finditer(text):
            mention = self.mentions.get(_plain(found[0][len(found["lead"] or "") :]))
            if mention is not None:
                yield found, mention


@cache
def _finder(country: str, spoken: tuple[str, ...]) -> _Finder:
    exact = {
        form: Mention(country, language, kind)
        for language in reversed(spoken)
        for kind, forms in reversed(tuple(forms_of(country, language).items()))
        for form in forms
    }
    mentions = dict(exact)
    for form, mention in exact.items():
        for spelling in _spellings(form, mention.language):
            mentions.setdefault(spelling, mention)
    ours = _pattern(list(mentions))
    others = {
        spelling
        for language in spoken
        for form in _spared(country, language, ours)
        for spelling in (form, *_spellings(form, language))
    }
    words, short = [*mentions, *(others - mentions.keys())], _stated(country, "zh").short
    if "zh" not in spoken or short is None:
        return _Finder(_pattern(words), mentions)
    return _Finder(_pattern(words, _paired(short)), mentions | {short: Mention(country, "zh", "country")})


def _spared(country: str, language: str, ours: re.Pattern[str]) -> Iterator[str]:
    """Yield what holds a name of `country` and does not mean it: names of others first of all."""
    forms = forms_of(country, language)
    for spare in _stated(country, language).spare:
        yield spare
        for name in forms.get("bare", ()):  # "au Soudan" is a form, and would begin before "Soudan du Sud"
            if spare.startswith(name):
                ending = spare.removeprefix(name)
                yield from (form + ending for kind in forms.values() for form in kind if form.endswith(name))
    everything, places, owners = _everything(language)
    for found in ours.finditer(everything):
        place = bisect_right(places, found.start()) - 1
        if owners[place] != country:
            yield everything[places[place] : places[place + 1] - 1]


@cache
def _everything(language: str) -> tuple[str, Sequence[int], Sequence[str]]:
    """Return all forms of all countries, one after the other, where each begins, and whose it is."""
    owned = [(form, code) for code in countries.codes() for kind in forms_of(code, language).values() for form in kind]
    places = list(accumulate((len(form) + 1 for form, _ in owned), initial=0))
    return "".join(f"{form}\0" for form, _ in owned), places, [code for _, code in owned]


_SIMPLE, _TRADITIONAL = (
    "国华罗罚马亚丽韩兰阿联尔叶约鲁纳乌孙汉宾维缅塞贝达东庆闻长门岛台内诺会宁华盛顿饶",
    "國華羅罰馬亞麗韓蘭阿聯爾葉約魯納烏孫漢賓維緬塞貝達東慶聞長門島臺內諾會寧華盛頓饒",
)


def _spellings(form: str, language: str) -> Iterator[str]:
    """Yield other spellings of a form: opening a sentence, in capitals, without accents, in traditional characters."""
    if language == "zh":
        yield form.translate(str.maketrans(_SIMPLE, _TRADITIONAL))
        return
    if language == "ar":
        yield from _arabic_spellings(form)
        return
    plain = _without_accents(form, language)
    for one in (form, plain):
        yield from (one, one[:1].upper() + one[1:], one.upper())


def _without_accents(form: str, language: str) -> str:
    if language == "de":
        form = re.sub("[äöü]", lambda found: {"ä": "ae", "ö": "oe", "ü": "ue"}[found[0]], form)
        return re.sub("[ÄÖÜ]", lambda found: {"Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}[found[0]], form).replace("ß", "ss")
    return "".join(letter for letter in unicodedata.normalize("NFKD", form) if not unicodedata.combining(letter))


def _arabic_spellings(form: str) -> Iterator[str]:
    """Yield a form without hamza, and as "for" merges with its article: "ل" and "الصين" are "للصين"."""
    for one in (form, re.sub("[أإآ]", "ا", form)):
        yield one
        if one.startswith("ال"):
            yield f"لل{one.removeprefix('ال')}"


_PAIRED = "关系|贸易|两国|双方|之间|双边|冲突|战争|合作|竞争|对抗|边境|边界|建交|经贸|摩擦|谈判|交流|友好|同盟|领导人"


def _paired(short: str) -> str:
    """Return a pattern for the character of a country beside another's ("中美关系"); alone it is any word."""
    others = "".join(sorted({_stated(code, "zh").short or "" for code in _table()} - {short}))
    return rf"{short}(?=[{others}](?:{_PAIRED}))|(?<=[{others}]){short}(?={_PAIRED})"


_LETTER = r"[^\W_\u4e00-\u9fff]"
"""A letter or digit of a script that separates words."""
_HYPHENS = "-‐‑–"
_LOOSE = {" ": r"\s{1,3}", "-": f"[{_HYPHENS}]", "'": "['’]"}
"""Characters that a text may write otherwise; `_plain` undoes it."""


def _plain(found: str) -> str:
    """Return what was found as the tables spell it."""
    return " ".join(re.sub(_LOOSE["-"], "-", found).replace("’", "'").split())


def _pattern(spellings: Sequence[str], paired: str | None = None) -> re.Pattern[str]:
    """Return a pattern for the longest of `spellings`; whole words in scripts that separate words.

    Before an Arabic word may stand "and", "in", "for", "as", which are written onto it.
    """
    joined = [spelling for spelling in spellings if "\u4e00" <= spelling[0] <= "\u9fff"]
    apart = set(spellings) - set(joined)
    lead = "[وف]?[بكل]?" if any("\u0600" <= spelling[0] <= "\u06ff" for spelling in apart) else ""
    words = rf"(?<!{_LETTER})(?P<lead>{lead}){_trie(sorted(apart))}(?!(?<={_LETTER}){_LETTER})"
    return re.compile("|".join([*([_trie(sorted(joined))] if joined else ()), *([paired] if paired else ()), words]))


def _trie(spellings: Sequence[str]) -> str:
    """Return a pattern that tries no two spellings with the same beginning apart: one step a letter, however many."""
    rests: dict[str, list[str]] = {}
    for spelling in spellings:
        if spelling:
            rests.setdefault(spelling[0], []).append(spelling[1:])
    parts = [_LOOSE.get(letter, re.escape(letter)) + _trie(rest) for letter, rest in rests.items()]
    if "" in spellings:
        parts.append("")  # the last to be tried: a longer one comes first
    return f"(?:{'|'.join(parts)})" if len(parts) > 1 else parts[0]


_OPENING = re.compile(r"(?:^|[.!?…]\s+|\n)[#*\"“„«¿¡\s]*$")


def _opens_sentence(text: str, place: int) -> bool:
    """Say whether a sentence or a heading begins at `place`, from the few characters before it."""
    before = text[max(0, place - 8) : place]
    return bool(_OPENING.search(before if place <= 8 else f",{before}"))
