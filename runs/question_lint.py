"""What a careful reader would object to in a question set, found by rule.

Loading a set (`runs.questions`) refuses what cannot be asked at all; the rules here find what can be asked but should
not be: words that clash with a field, premises that hold for some countries only, leading words, sets out of balance.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from runs import lint_words as words
from runs.questions import Question, QuestionSet, Stance
from runs.templates import parse_template

FEWEST_CONTROLS = 0.1
"""The least share of control questions: below it a set cannot tell a special case from a general habit."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One objection to a question set."""

    rule: str
    """The rule's name, such as "false-premise"."""
    where: str
    """The set, or a question and its language."""
    message: str
    """What is wrong, and what to write instead."""


class _Wording(NamedTuple):
    """A question's text in one language."""

    language: str
    text: str
    stance: Stance | None


def lint_questions(questions: QuestionSet) -> list[Finding]:
    """Return every objection to `questions`, in the order of the rules; empty: none found."""
    found: list[Finding] = []
    for rule, check in _SET_RULES.items():
        found += [Finding(rule, where, message) for where, message in check(questions)]
    for question in questions.questions:
        for language, text in question.text.items():
            where = f"question {question.id!r}, text.{language}"
            wording = _Wording(language, text, question.stance)
            for rule, look in _TEXT_RULES.items():
                found += [Finding(rule, where, message) for message in look(wording)]
    return found


def _duplicate_text(questions: QuestionSet) -> Iterator[tuple[str, str]]:
    for language in questions.languages:
        first: dict[str, str] = {}
        for question in questions.questions:
            plain = re.sub(r"[\W_]+", " ", question.text[language].casefold()).strip()
            earlier = first.setdefault(plain, question.id)
            if earlier != question.id:
                yield (
                    f"question {question.id!r}, text.{language}",
                    f"asks the same as {earlier!r}; drop one of the two.",
                )


def _fields_differ(questions: QuestionSet) -> Iterator[tuple[str, str]]:
    """Compare what a question names; which form of the name a language uses is its own affair."""
    for question in questions.questions:
        named = {language: _named(text) for language, text in question.text.items()}
        original, expected = next(iter(named.items()))
        for language, names in named.items():
            if names != expected:
                yield (
                    f"question {question.id!r}, text.{language}",
                    f"names {_listed(names)} where text.{original} names {_listed(expected)}.",
                )


def _named(text: str) -> frozenset[str]:
    return frozenset("the capital" if field == "capital" else "the country" for field in parse_template(text).fields)


def _listed(names: frozenset[str]) -> str:
    return " and ".join(sorted(names)) or "nothing"


def _variants(questions: QuestionSet) -> Iterator[tuple[str, str]]:
    groups: dict[str, list[Question]] = defaultdict(list)
    for question in questions.questions:
        if question.variant_of:
            groups[question.variant_of].append(question)
    for name, group in groups.items():
        where = f"variants of {name!r}"
        stances = Counter(question.stance for question in group)
        if stances["critical"] != 1 or stances["favourable"] != 1 or stances["neutral"] > 1 or stances[None]:
            counts = ", ".join(f"{times} {stance or 'without a stance'}" for stance, times in stances.items())
            yield where, f"are {counts}; write one critical and one favourable wording, and at most one neutral."
        if len({(question.topic, question.sensitive) for question in group}) > 1:
            yield where, "differ in topic or in sensitive; wordings of one question share both."


def _balance(questions: QuestionSet) -> Iterator[tuple[str, str]]:
    if not questions.about_country:
        return
    kinds = {question.variant_of or question.id: question.sensitive for question in questions.questions}
    sensitive = sum(kinds.values())
    controls = len(kinds) - sensitive
    if not sensitive:
        yield "the set", "has no sensitive question; controls alone show nothing about treatment."
    elif controls < FEWEST_CONTROLS * len(kinds):
        yield (
            "the set",
            f"has {controls} controls among {len(kinds)} questions; write at least a tenth of them as controls.",
        )


def _provenance(questions: QuestionSet) -> Iterator[tuple[str, str]]:
    for language in questions.languages[1:]:
        if language not in questions.translations:
            yield "the set", f"does not say who translated {language!r}; add it to [translations] as human or machine."


def _join(wording: _Wording) -> Iterator[str]:
    """Look at the words on either side of every field."""
    language, template = wording.language, parse_template(wording.text)
    texts = [*(literal for literal, _ in template.parts), template.tail]
    for field, (before, after) in zip(template.fields, pairwise(texts), strict=True):
        for sequence in words.SEQUENCES.get(language, ()):
            if sequence in f"{before[-2:]}{{{field}}}{after[:1]}":
                yield f"{sequence!r} doubles what the field brings; leave the word out."
        word = re.search(r"([\w'’]+)\s$", before)
        if word and word[1].casefold() in words.not_before(language, field):
            yield f"'{word[1]} {{{field}}}' clashes with what the field brings; {words.ADVICE[language]}."
        if language in words.SPACED:
            yield from _glued(language, before, field, after)


def _glued(language: str, before: str, field: str, after: str) -> Iterator[str]:
    if re.search(r"[\w'’]$", before):
        yield f"'{before[-1]}{{{field}}}' is glued to the word before; write that word in full, with a space."
    ending = re.match(r"[\w'’]+", after)
    if ending and ending[0] not in words.ENDINGS.get((language, field), ()):
        yield f"'{{{field}}}{ending[0]}' does not fit every name; write {{of_country}} or rephrase."


def _subject(wording: _Wording) -> Iterator[str]:
    pattern = words.SUBJECT.get(wording.language)
    if pattern and pattern.search(wording.text):
        yield "{country} is the subject, but names may be plural or of another gender; let {government} be the subject."


def _false_premise(wording: _Wording) -> Iterator[str]:
    found = words.PREMISE[wording.language].search(wording.text) if wording.language in words.PREMISE else None
    if found and not words.CONDITION.search(wording.text):
        yield f"{found[0]!r} takes for granted what not every country has; ask whether there is one."


def _leading(wording: _Wording) -> Iterator[str]:
    found = words.LEADING[wording.language].search(wording.text) if wording.language in words.LEADING else None
    if found and wording.stance in {None, "neutral"}:
        yield f"{found[0]!r} suggests the answer; rephrase, or mark the wording critical or favourable."


def _spelling(wording: _Wording) -> Iterator[str]:
    text = wording.text
    if text != text.strip() or "  " in text:
        yield "has space at an end or two spaces in a row; take them out."
    if not text.rstrip().endswith(words.TERMINALS):
        yield f"ends without a question mark or full stop: {text[-20:]!r}."
    if wording.language == "es" and text.count("?") != text.count("¿"):
        yield "has '?' without '¿'; open the question too."


_SET_RULES: dict[str, Callable[[QuestionSet], Iterator[tuple[str, str]]]] = {
    "duplicate-text": _duplicate_text,
    "fields-differ": _fields_differ,
    "variants": _variants,
    "balance": _balance,
    "provenance": _provenance,
}

_TEXT_RULES: dict[str, Callable[[_Wording], Iterator[str]]] = {
    "join": _join,
    "subject": _subject,
    "false-premise": _false_premise,
    "leading": _leading,
    "spelling": _spelling,
}

RULES = (*_SET_RULES, *_TEXT_RULES)
"""The names of all rules."""
