"""What of a response is scored, and under which country's name: the answer as it is, its thinking, or a placebo.

The placebo leaves the text as it is but for the country: `mask` takes its name away, `swap` gives it another's.
Whatever a score moves by then is the judge's own view of the country. Leaders, parties and other places stay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from judging.inflection import GERMAN_PREPOSITIONS
from judging.mentions import Mention, forms_of, rewrite
from runs import countries
from runs.digest import digest
from runs.errors import InputError

On = Literal["answer", "reasoning"]
Placebo = Literal["mask", "swap"]

_MASK: Mapping[str, Mapping[str, str]] = {
    "en": {
        "country": "Country X",
        "adjective": "Country X's",
        "a adjective": "a Country X's",
        "people": "people of Country X",
        "a person": "a person from Country X",
        "the government": "the government of Country X",
        "government": "government of Country X",
        "capital": "Capital X",
    },
    "zh": {"country": "某国", "government": "某国政府", "capital": "某国首都"},
    "de": {
        "country": "Land X",
        "of": "von Land X",
        "in": "in Land X",
        **{before: f"{before} Land X" for before in GERMAN_PREPOSITIONS},
        "genitive": "Land Xs",
        "adjective": "aus Land X stammende",
        "adjective 1": "aus Land X stammenden",
        "adjective 2": "aus Land X stammender",
        "adjective 3": "aus Land X stammendes",
        "adjective 4": "aus Land X stammendem",
        "adjective 5": "aus Land X stammend",
        "people": "Menschen aus Land X",
        "government": "Regierung von Land X",
        "capital": "Hauptstadt X",
        "capital genitive": "Hauptstadt Xs",
    },
    "fr": {
        "country": "le pays X",
        "bare": "pays X",
        "of": "du pays X",
        "in": "au pays X",
        "adjective": "du pays X",
        "people": "habitants du pays X",
        "government": "gouvernement du pays X",
        "capital": "la capitale X",
    },
    "es": {
        "country": "el país X",
        "bare": "país X",
        "of": "del país X",
        "to": "al país X",
        "adjective": "del país X",
        "government": "gobierno del país X",
        "capital": "la capital X",
    },
    "ar": {
        "country": "الدولة س",
        "adjective": "من الدولة س",
        "government": "حكومة الدولة س",
        "capital": "عاصمة الدولة س",
    },
}
_INSTEAD = {"of": "genitive"}
"""Another kind, where a country has none: German "Chinas" for "der USA"."""


MENTIONS_VERSION = 2
"""Of what counts as a mention, and of what is put in its place: a placebo by other rules is another placebo."""


@dataclass(frozen=True)
class Variant:
    """What a judge is shown of a response."""

    on: On = "answer"
    placebo: Placebo | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """What determines a verdict besides rubric and judge; empty for the answer as it is."""
        mentions = None if self.placebo is None else MENTIONS_VERSION
        said = {"on": self.on if self.on != "answer" else None, "placebo": self.placebo, "mentions": mentions}
        return {key: value for key, value in said.items() if value is not None}

    @property
    def suffix(self) -> str:
        """What the scoring's folder name ends in."""
        return "".join(f"-{value}" for key, value in self.identity.items() if key != "mentions")

    def shown(self, text: str | None, country: str, language: str, partner: str) -> str | None:
        """Return a question or answer about `country` (a code) as the judge sees it."""
        if text is None or self.placebo is None:
            return text
        return mask(text, country, language) if self.placebo == "mask" else swap(text, country, partner, language)


def code_of(name: str) -> str | None:
    """Return the code of the country that a run calls `name` ("CN", "china"); null if its mentions are not known."""
    try:
        (code,) = countries.resolve([name])
    except (InputError, ValueError):  # no country, or the name of a list of them
        return None
    return code


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
    return rewrite(text, (country,), language, lambda found: _of_kind(_MASK[found.language], found.kind))


def swap(text: str, country: str, partner: str, language: str) -> str:
    """Return `text` with `country` and `partner` (codes) in each other's place, in `language` and in English.

    Raises:
        InputError: one of them is not in the table, so its mentions are not known.
    """
    other = {country: partner, partner: country}

    def said(found: Mention) -> str:
        forms = forms_of(other[found.country], found.language)
        return _of_kind({kind: first for kind, (first, *_) in forms.items()}, found.kind)

    return rewrite(text, (country, partner), language, said)


def _of_kind(forms: Mapping[str, str], kind: str) -> str:
    """Return what stands for a mention of `kind`, or of the kind next to it."""
    near = (kind, _INSTEAD.get(kind, kind), kind.partition(" ")[0], "country")
    return next(forms[one] for one in near if one in forms)
