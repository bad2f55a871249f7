"""Items: every question asked about every country in every language, as one frame."""

from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from runs import countries as world
from runs.errors import InputError
from runs.frames import ITEMS, frame
from runs.questions import Question, QuestionSet
from runs.templates import parse_template

NO_COUNTRY = "-"
"""The country of an item whose question is about none."""


def make_items(
    questions: QuestionSet, countries: Iterable[str] = (), languages: Iterable[str] = ("en",)
) -> pl.DataFrame:
    """Return the items of a study, in the order of questions, then countries, then languages.

    Args:
        questions: the set to ask.
        countries: codes, names or lists (see `runs.countries.resolve`); none for a set that asks about no country.
        languages: language codes, each one of the set's; or one of them.

    Returns:
        A frame with schema `runs.frames.ITEMS`, one row per question × country × language, or per question × language
        (its country `NO_COUNTRY`) for a set that asks about no country.

    Raises:
        InputError: an unknown country or language, none at all, or countries for a set that asks about none.
    """
    asked = _countries(questions, countries)
    spoken = tuple(dict.fromkeys([languages] if isinstance(languages, str) else languages))
    if not spoken:
        raise InputError(
            f"Question set {questions.name!r} is asked in no language; name one of {', '.join(questions.languages)}."
        )
    questions.check_languages(spoken)
    return frame(_rows(questions, asked, spoken), ITEMS)


def preview(questions: QuestionSet, country: str, language: str) -> dict[str, str]:
    """Return every question's text, by id, as asked about `country` in `language`.

    For a set that asks about no country, `country` does not count.

    Raises:
        InputError: an unknown country or language, or a list where one country is wanted.
    """
    questions.check_languages([language])
    codes = world.resolve([country]) if questions.about_country else (NO_COUNTRY,)
    if len(codes) != 1:
        raise InputError(f"{country!r} is {len(codes)} countries; name one of them: {', '.join(codes)}.")
    return {question.id: _prompt(question, codes[0], language) for question in questions.questions}


def _countries(questions: QuestionSet, countries: Iterable[str]) -> tuple[str, ...]:
    codes = world.resolve(countries)
    if questions.about_country:
        if not codes:
            raise InputError(f"Question set {questions.name!r} asks about countries; name at least one, or a list.")
        return codes
    if codes:
        raise InputError(f"Question set {questions.name!r} asks about no country; leave the countries out.")
    return (NO_COUNTRY,)


def _rows(questions: QuestionSet, codes: tuple[str, ...], languages: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for question in questions.questions:
        for code in codes:
            for language in languages:
                yield {
                    "item_id": f"{question.id}/{code}/{language}",
                    "question_id": question.id,
                    "topic": question.topic,
                    "sensitive": question.sensitive,
                    "stance": question.stance,
                    "variant_of": question.variant_of,
                    "country": code,
                    "language": language,
                    "prompt": _prompt(question, code, language),
                }


def _prompt(question: Question, code: str, language: str) -> str:
    forms = None if code == NO_COUNTRY else world.get(code).forms(language)
    return parse_template(question.text[language]).render(language, forms)
