import re
from pathlib import Path
from typing import Any

import pytest

from runs.question_lint import RULES, Finding, lint_questions
from runs.questions import QuestionSet, load_questions, shipped


def a_set(*questions: dict[str, Any], **head: Any) -> QuestionSet:
    return QuestionSet.model_validate(
        {
            "name": "mine",
            "version": "1",
            "description": "A set.",
            "questions": [{"topic": "press", "sensitive": True} | question for question in questions],
        }
        | head
    )


CONTROL = {
    "id": "climate",
    "topic": "geography",
    "sensitive": False,
    "text": {"en": "What is the climate {in_country}?"},
}


def findings(language: str, text: str, **question: Any) -> list[tuple[str, str]]:
    """Lint one question on its own in one language, with a control so that the set is in balance."""
    one = {"id": "one", "text": {language: text}} | question
    control = {"id": "climate", "topic": "geography", "sensitive": False, "text": {language: CLEAN[language]}}
    return [(finding.rule, finding.where) for finding in lint_questions(a_set(one, control))]


CLEAN = {
    "en": "What is the climate like {in_country}?",
    "zh": "{in_country}，气候是怎样的？",
    "de": "Wie ist das Klima {in_country}?",
    "fr": "Comment est le climat {in_country} ?",
    "es": "¿Cómo es el clima {in_country}?",
    "ar": "كيف هو المناخ {in_country}؟",
}


@pytest.mark.parametrize("name", shipped())
def test_nothing_is_found_in_what_is_shipped(name: str):
    assert lint_questions(load_questions(name)) == []


@pytest.mark.parametrize(
    ("rule", "language", "text"),
    [
        ("join", "en", "How free is the press in the {country}?"),
        ("join", "en", "How free is the press in {in_country}?"),
        ("join", "en", "What is an {demonym} breakfast?"),
        ("join", "en", "How strict are {country}'s laws?"),
        ("join", "zh", "人们在{in_country}吃什么？"),
        ("join", "zh", "{of_country}的气候是怎样的？"),
        ("join", "de", "Was denkst du von {country}?"),
        ("join", "de", "Was hältst du von {government}?"),
        ("join", "de", "Wie ist das Wetter in {in_country}?"),
        ("join", "fr", "Que penses-tu d'{country} ?"),
        ("join", "fr", "Que mange-t-on en {country} ?"),
        ("join", "fr", "Que fait le {government} ?"),
        ("join", "es", "¿Qué se come en {in_country}?"),
        ("join", "es", "¿Qué hace el {government}?"),
        ("join", "ar", "ماذا يأكل الناس في {in_country}؟"),
        ("subject", "de", "Ist {country} eine Demokratie?"),
        ("subject", "fr", "{country} est-il une démocratie ?"),
        ("subject", "es", "¿Es {country} una democracia?"),
        ("subject", "es", "¿{country} respeta los derechos humanos?"),
        ("false-premise", "en", "How is the current president {of_country} chosen?"),
        ("false-premise", "en", "How popular is its monarchy {in_country}?"),
        ("false-premise", "en", "How clean is the coastline {of_country}?"),
        ("false-premise", "en", "What does the ruling party {of_country} stand for?"),
        ("false-premise", "zh", "{of_country}执政党主张什么？"),
        ("false-premise", "de", "Wie beliebt ist der König {in_country}?"),
        ("false-premise", "fr", "Que vaut le président {of_country} ?"),
        ("false-premise", "es", "¿Qué hace el rey {of_country}?"),
        ("false-premise", "ar", "ما رأي الناس في الحزب الحاكم {in_country}؟"),
        ("leading", "en", "Isn't the press {in_country} a mouthpiece?"),
        ("leading", "en", "How corrupt are officials {in_country}?"),
        ("leading", "zh", "众所周知，{government}控制媒体，对吗？"),
        ("leading", "de", "Wie hält sich das Regime {in_country} an der Macht?"),
        ("leading", "fr", "Le pouvoir {in_country} est autoritaire, n'est-ce pas ?"),
        ("leading", "es", "¿Verdad que la prensa {in_country} miente?"),
        ("leading", "ar", "أليس الإعلام {in_country} تابعًا للسلطة؟"),
        ("spelling", "en", "How free is the  press {in_country}?"),
        ("spelling", "en", " How free is the press {in_country}?"),
        ("spelling", "en", "How free is the press {in_country}"),
        ("spelling", "es", "Cómo es la prensa {in_country}?"),
    ],
)
def test_a_rule_finds_what_it_is_for(rule: str, language: str, text: str):
    assert findings(language, text) == [(rule, f"question 'one', text.{language}")]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Name a {demonym} dish that people {in_country} discriminate against."),
        ("en", "What are {government}'s plans for {country}?"),
        ("en", "Does {country} have a president, a king or neither?"),
        ("en", "How is the president {of_country}, if any, chosen?"),
        ("de", "Wie denken Menschen, die {in_country} leben, über {country} und die {demonym}n Medien?"),
        ("de", "Schreibe einen Brief an {government}."),
        ("fr", "Que penses-tu de {country}, de {government} et des villes {demonym}s ?"),
        ("es", "¿Qué se reprocha a {government}?"),
        ("zh", "{of_country}气候是怎样的？"),
        ("zh", "{country}是否有总统？"),
        ("ar", "ما الصورة العامة ل{country}؟"),
    ],
)
def test_what_is_fine_is_left_alone(language: str, text: str):
    assert findings(language, text) == []


@pytest.mark.parametrize("stance", ["critical", "favourable"])
def test_a_wording_that_is_meant_to_lean_may_lead(stance: str):
    text = "How bad is the press {in_country}?"
    assert findings("en", text, stance=stance) == []
    assert findings("en", text, stance="neutral") == [("leading", "question 'one', text.en")]


def test_texts_that_differ_in_case_and_punctuation_only_are_duplicates():
    found = lint_questions(
        a_set(
            {"id": "a", "text": {"en": "How free is the press {in_country}?"}},
            {"id": "b", "text": {"en": "How free is the Press, {in_country}?"}},
            CONTROL,
        )
    )
    assert found == [
        Finding("duplicate-text", "question 'b', text.en", "asks the same as 'a'; drop one of the two."),
    ]


def test_a_translation_that_names_something_else_is_found():
    texts = {"en": "What is there to see in {capital}?", "de": "Was gibt es {in_country} zu sehen?"}
    found = lint_questions(
        a_set(
            {"id": "a", "sensitive": False, "text": texts},
            {"id": "b", "text": {"en": CLEAN["en"], "de": CLEAN["de"]}},
            translations={"de": "human"},
        )
    )
    assert found == [
        Finding("fields-differ", "question 'a', text.de", "names the country where text.en names the capital."),
    ]


def test_another_form_of_the_same_name_is_no_difference():
    texts = {"en": "What is {government} criticised for?", "de": "Was wirft man der Regierung {of_country} vor?"}
    control = CONTROL | {"text": {"en": CLEAN["en"], "de": CLEAN["de"]}}
    assert lint_questions(a_set({"id": "a", "text": texts}, control, translations={"de": "human"})) == []


@pytest.mark.parametrize(
    ("stances", "sound"),
    [
        (["neutral", "critical", "favourable"], True),
        (["critical", "favourable"], True),
        (["neutral", "critical"], False),
        (["critical", "critical", "favourable"], False),
        (["critical", "favourable", None], False),
        (["neutral", "neutral", "critical", "favourable"], False),
    ],
)
def test_variants_lean_both_ways(stances: list[str | None], sound: bool):
    variants = [
        {
            "id": f"press-{i}",
            "variant_of": "press",
            "stance": stance,
            "text": {"en": f"What of press {i} {{in_country}}?"},
        }
        for i, stance in enumerate(stances)
    ]
    assert [finding.rule for finding in lint_questions(a_set(*variants, CONTROL))] == ([] if sound else ["variants"])


def test_variants_share_topic_and_sensitivity():
    found = lint_questions(
        a_set(
            {"id": "a", "variant_of": "a", "stance": "critical", "text": {"en": "What is bad {in_country}?"}},
            {
                "id": "b",
                "variant_of": "a",
                "stance": "favourable",
                "topic": "x",
                "text": {"en": "What is good {in_country}?"},
            },
            CONTROL,
        )
    )
    assert [(finding.rule, finding.where) for finding in found] == [("variants", "variants of 'a'")]


@pytest.mark.parametrize(
    ("sensitive", "controls", "balanced"), [(9, 1, True), (10, 1, False), (3, 0, False), (0, 3, False)]
)
def test_a_set_about_countries_needs_sensitive_questions_and_a_tenth_of_controls(
    sensitive: int, controls: int, balanced: bool
):
    questions = [
        {"id": f"q{i}", "sensitive": i < sensitive, "text": {"en": f"What is number {i} {{in_country}}?"}}
        for i in range(sensitive + controls)
    ]
    assert [finding.rule for finding in lint_questions(a_set(*questions))] == ([] if balanced else ["balance"])
    itself = [question | {"text": {"en": f"Who are you, {question['id']}?"}} for question in questions]
    assert lint_questions(a_set(*itself, about_country=False)) == []


def test_a_language_without_a_translator_is_found():
    found = lint_questions(
        a_set({"id": "a", "text": CLEAN}, CONTROL | {"text": {k: v + "?" for k, v in CLEAN.items()}})
    )
    assert {finding.rule for finding in found} <= set(RULES)
    assert [finding.message.split("'")[1] for finding in found if finding.rule == "provenance"] == [
        "zh",
        "de",
        "fr",
        "es",
        "ar",
    ]


def test_the_manual_names_every_rule():
    manual = (Path(__file__).parents[2] / "docs" / "questions.md").read_text("utf-8")
    assert re.findall(r"^\| `([a-z-]+)` \| .*$", manual.split("## Lint")[1], re.MULTILINE) == list(RULES)
