"""Question sets: what is asked about every country, read from TOML and checked before anything is generated."""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from runs.errors import InputError, nearest
from runs.grammar import LANGUAGES
from runs.templates import parse_template
from runs.tomlfile import Table, load

SHIPPED = Path(__file__).parent / "data" / "questions"

Stance = Literal["neutral", "critical", "favourable"]
Translation = Literal["human", "machine"]


class Question(Table):
    """One question, as a template per language; the unit of analysis."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    """Lower-case letters, digits, dots, hyphens and underscores; part of the item's id."""
    topic: str = Field(min_length=1)
    sensitive: bool
    """False: a control question, on which no country has reason to be treated differently."""
    stance: Stance | None = None
    """The wording's leaning; null: not said."""
    variant_of: str | None = None
    """An id shared by the wordings of one question."""
    text: dict[str, str]
    """A template per language code."""


class QuestionSet(Table):
    """Questions that are asked together, each of every country in every language.

    Every question has text in the same languages. In a set about countries (`about_country`) every template names the
    country by a field; in any other (such as questions to the model about itself) no template does, and each question
    is asked once per language.
    """

    name: str
    version: str
    description: str
    about_country: bool = True
    translations: dict[str, Translation] = Field(default_factory=dict)
    """Who translated each language from the first; absent: the language was not translated, or it is not said."""
    questions: tuple[Question, ...] = Field(min_length=1)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the set, in the order of its first question."""
        return tuple(self.questions[0].text)

    def check_languages(self, languages: Iterable[str]) -> None:
        """Raise an InputError for the first of `languages` that the set does not have."""
        for language in languages:
            if language not in self.languages:
                raise InputError(
                    f"Question set {self.name!r} has no questions in {language!r}; {nearest(language, self.languages)}"
                )

    @model_validator(mode="after")
    def _check(self) -> Self:
        for problem in (self._duplicate(), self._language(), self._template()):
            if problem:
                raise ValueError(problem)
        return self

    def _duplicate(self) -> str | None:
        for question_id, times in Counter(question.id for question in self.questions).items():
            if times > 1:
                return f"Question {question_id!r} stands {times} times; give each its own id"
        return None

    def _language(self) -> str | None:
        for question in self.questions:
            here = f"Question {question.id!r}"
            for language in self.languages:
                if language not in question.text:
                    return f"{here} has no text in {language!r}, which the first question has; add it"
            for language in question.text:
                if language not in self.languages:
                    return f"{here} has text in {language!r}, which the first question has not; add it there"
                if self.about_country and language not in LANGUAGES:
                    known = ", ".join(LANGUAGES)
                    return f"{here} has text in {language!r}, in which countries have no names; languages are {known}"
        for language in self.translations:
            if language not in self.languages:
                help_ = nearest(language, self.languages)
                return f"[translations] names {language!r}, in which there is no text; {help_}"
        return None

    def _template(self) -> str | None:
        for question in self.questions:
            for language, text in question.text.items():
                where = f"Question {question.id!r}, text.{language}:"
                try:
                    fields = parse_template(text).fields
                except ValueError as error:
                    return f"{where} {text!r} {error}"
                if not text.strip():
                    return f"{where} the text is empty; write the question"
                if self.about_country and not fields:
                    return (
                        f"{where} {text!r} names no country; add a field such as {{country}} or {{in_country}}, "
                        "or set about_country = false if the set asks about no country"
                    )
                if fields and not self.about_country:
                    return (
                        f"{where} {{{fields[0]}}} in a set with about_country = false; take the field or that line out"
                    )
        return None


def shipped() -> tuple[str, ...]:
    """Return the names of the shipped question sets, sorted."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.toml")))


def load_questions(name_or_path: str | Path) -> QuestionSet:
    """Return a question set: a shipped one by name, or a TOML file of one's own by path.

    Raises:
        InputError: there is no such set or file, or it does not fit; file, question and fix are named.
    """
    if str(name_or_path) in shipped():
        return _shipped(str(name_or_path))
    path = Path(name_or_path)
    if path.suffix or len(path.parts) > 1:
        return load(QuestionSet, path)
    raise InputError(f"Question set {str(name_or_path)!r} is not shipped; {nearest(str(name_or_path), shipped())}")


@cache
def _shipped(name: str) -> QuestionSet:
    return load(QuestionSet, SHIPPED / f"{name}.toml")
