"""What there is to ask and to score on: question sets and rubrics, shipped or of one's own, read and linted."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import rubrics as scales
from rubrics import Criterion, Rubric, instructions, lint_rubric, load_rubric
from runs import countries
from runs import questions as sets
from runs.errors import InputError
from runs.items import preview
from runs.question_lint import lint_questions
from runs.questions import Question, QuestionSet, load_questions


def questions(name: Path | str | None = None, *, country: str | None = None, language: str = "en") -> dict[str, Any]:
    """Return the shipped question sets, or one set with what its lint finds, or that set as a country is asked it.

    Args:
        name: a shipped set, or the path of a TOML file; null: all that are shipped.
        country: a code or name; null: nothing is rendered, unless the set asks about no country.
        language: the language that is rendered.

    Returns:
        A set's counts and `findings` (`rule`, `where`, `message`; empty: none), without a name as a list, `sets`; with
        one also `prompts` (`id`, `topic`, `sensitive`, `stance`, `prompt`; null: nothing is rendered).

    Raises:
        InputError: the set cannot be read, or has no such language; there is no such country.
    """
    if name is None:
        return {"sets": [_set(load_questions(shipped)) for shipped in sets.shipped()]}
    asked = load_questions(name)
    return {**_set(asked), "prompts": _prompts(asked, country, language)}


def rubrics(name: Path | str | None = None, *, reasons: bool = True) -> dict[str, Any]:
    """Return the shipped rubrics, or one rubric with what its lint finds and what a judge reads.

    Args:
        name: a shipped rubric, or the path of a TOML file; null: all that are shipped.
        reasons: whether the judge is asked for a reason before each score, as `reasons` of a judge says.

    Returns:
        A rubric's facts and `findings` (`rule`, `where`, `message`; empty: none), without a name as a list, `rubrics`;
        with one also `instructions`, the judge's system prompt to the letter.

    Raises:
        InputError: the rubric cannot be read.
    """
    if name is None:
        return {"rubrics": [_rubric(load_rubric(shipped)) for shipped in scales.shipped()]}
    rubric = load_rubric(name)
    return {**_rubric(rubric), "instructions": instructions(rubric.criteria, reason=reasons)}


def _set(asked: QuestionSet) -> dict[str, Any]:
    """Return the counts of a set: entries are templates, questions are what several wordings may share."""
    topics: dict[str, list[Question]] = {}
    for question in asked.questions:
        topics.setdefault(question.topic, []).append(question)
    return {
        "name": asked.name,
        "version": asked.version,
        "description": asked.description.strip(),
        "about_country": asked.about_country,
        **_counts(asked.questions),
        "stances": dict(Counter(question.stance or "not said" for question in asked.questions)),
        "languages": {language: asked.translations.get(language) for language in asked.languages},
        "topics": [{"topic": topic, **_counts(entries)} for topic, entries in topics.items()],
        "findings": [asdict(finding) for finding in lint_questions(asked)],
    }


def _counts(entries: Iterable[Question]) -> dict[str, int]:
    kinds = [(question.variant_of or question.id, question.sensitive) for question in entries]
    return {
        "entries": len(kinds),
        "questions": len({name for name, _ in kinds}),
        "sensitive": len({name for name, sensitive in kinds if sensitive}),
        "controls": len({name for name, sensitive in kinds if not sensitive}),
    }


def _prompts(asked: QuestionSet, country: str | None, language: str) -> list[dict[str, Any]] | None:
    if country is None and asked.about_country:
        return None
    if country is not None and not asked.about_country:
        raise InputError(f"Question set {asked.name!r} asks about no country; leave the country out.")
    texts = preview(asked, country or "", language)
    facts = [question.model_dump(include={"id", "topic", "sensitive", "stance"}) for question in asked.questions]
    return [{**fact, "prompt": texts[fact["id"]]} for fact in facts]


def _rubric(rubric: Rubric) -> dict[str, Any]:
    return {
        "name": rubric.name,
        "version": rubric.version,
        "description": rubric.description.strip(),
        "digest": rubric.digest,
        "criteria": [_criterion(criterion) for criterion in rubric.criteria],
        "findings": [asdict(finding) for finding in lint_rubric(rubric, _names())],
    }


def _criterion(criterion: Criterion) -> dict[str, Any]:
    facts = criterion.model_dump(mode="json", include={"id", "question", "scale", "direction", "not_applicable"})
    ends = {"lowest": criterion.lowest, "highest": criterion.highest}
    return {**facts, "levels": criterion.levels, **ends, "weight": criterion.weight}


@cache
def _names() -> tuple[str, ...]:
    """Return every country's English names and adjectives: a rubric that holds one treats countries differently."""
    known = [countries.get(code) for code in countries.codes()]
    forms = [country.forms("en") for country in known]
    aliases = [alias for country in known for alias in country.aliases]
    return (*(country.name for country in known), *aliases, *(form.demonym for form in forms))
