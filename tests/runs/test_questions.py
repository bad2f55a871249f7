import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs import countries
from runs.errors import InputError
from runs.grammar import join
from runs.items import preview
from runs.questions import load_questions, shipped
from runs.templates import parse_template

AWKWARD = [
    "NL",
    "US",
    "CI",
    "PH",
    "IR",
    "GB",
    "CH",
    "TR",
    "UA",
    "IQ",
    "LB",
    "SD",
    "AE",
    "CD",
    "DO",
    "SV",
    "HT",
    "IL",
    "CU",
    "SG",
]

HEAD = """
name = "mine"
version = "1"
description = "A set."
"""


def question(question_id: str = "press", **text: str) -> str:
    texts = "\n".join(f"{language} = {template!r}" for language, template in text.items())
    return f'[[questions]]\nid = "{question_id}"\ntopic = "press"\nsensitive = true\n[questions.text]\n{texts}\n'


def write(folder: Path, *parts: str) -> Path:
    path = folder / "mine.toml"
    path.write_text("\n".join(parts), "utf-8")
    return path


def error_of(path: Path | str) -> str:
    with pytest.raises(InputError) as error:
        load_questions(path)
    return str(error.value)


def test_a_set_of_ones_own_is_read_from_its_path(tmp_path: Path):
    path = write(
        tmp_path, HEAD, question(en="How free is the press {in_country}?", de="Wie frei ist die Presse {in_country}?")
    )
    questions = load_questions(path)
    assert (questions.name, questions.version, questions.languages) == ("mine", "1", ("en", "de"))
    assert questions.questions[0].stance is None


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            [HEAD, question(en="How free is {contry}?")],
            "Question 'press', text.en: 'How free is {contry}?' has the unknown field {contry}; did you mean "
            "'country'? Fields are {country}, {in_country}, {of_country}, {demonym}, {government}, {capital}.",
        ),
        (
            [HEAD, question(en="How free is the press?")],
            "Question 'press', text.en: 'How free is the press?' names no country; add a field such as {country} or "
            "{in_country}, or set about_country = false if the set asks about no country.",
        ),
        (
            [HEAD, "about_country = false", question(en="Who made {country}?")],
            "Question 'press', text.en: {country} in a set with about_country = false; "
            "take the field or that line out.",
        ),
        (
            [HEAD, question(en="How {country:>9}?")],
            "Question 'press', text.en: 'How {country:>9}?' formats {country}; write {country} alone.",
        ),
        (
            [HEAD, question(en="How {country?")],
            "Question 'press', text.en: 'How {country?' has a single brace; "
            "write '{{' or '}}' for a brace that is meant.",
        ),
        (
            [HEAD, "about_country = false", question(en=" ")],
            "Question 'press', text.en: the text is empty; write the question.",
        ),
        (
            [HEAD, question(en="In {country}?"), question(en="And {in_country}?")],
            "Question 'press' stands 2 times; give each its own id.",
        ),
        (
            [HEAD, question(en="In {country}?", de="In {country}?"), question("b", en="And {in_country}?")],
            "Question 'b' has no text in 'de', which the first question has; add it.",
        ),
        (
            [HEAD, question(en="In {country}?"), question("b", en="And {in_country}?", de="In {country}?")],
            "Question 'b' has text in 'de', which the first question has not; add it there.",
        ),
        (
            [HEAD, question(it="In {country}?")],
            "Question 'press' has text in 'it', in which countries have no names; "
            "languages are en, zh, de, fr, es, ar.",
        ),
        (
            [HEAD, '[translations]\nde = "human"', question(en="In {country}?")],
            "[translations] names 'de', in which there is no text; known: en.",
        ),
        (
            [HEAD, "about_countries = true", question(en="In {country}?")],
            "unknown key 'about_countries'; did you mean 'about_country'?",
        ),
        (
            [HEAD, question("Press Freedom", en="In {country}?")],
            "'questions[1].id' is 'Press Freedom': string should match",
        ),
        ([HEAD, "questions = []"], "'questions' is []: tuple should have at least 1 item"),
        (
            [HEAD, question(en="In {country}?").replace("topic", 'stance = "angry"\ntopic')],
            "'questions[1].stance' is 'angry': input",
        ),
    ],
)
def test_what_does_not_fit_is_named_with_file_and_fix(tmp_path: Path, parts: list[str], message: str):
    path = write(tmp_path, *parts)
    assert error_of(path).startswith(f"{path}: {message}")


def test_an_unknown_set_names_the_nearest(tmp_path: Path):
    assert error_of("quik") == "Question set 'quik' is not shipped; did you mean 'quick'?"
    assert error_of(tmp_path / "none.toml").endswith("none.toml: there is no such file.")


def test_a_language_that_a_set_lacks_is_named():
    with pytest.raises(
        InputError, match=r"Question set 'quick' has no questions in 'it'; known: ar, de, en, es, fr, zh"
    ):
        load_questions("quick").check_languages(["en", "it"])


@given(st.text())
def test_text_without_fields_is_rendered_as_it_stands(text: str):
    escaped = text.replace("{", "{{").replace("}", "}}")
    assert parse_template(escaped).render("en", None) == text


@pytest.mark.parametrize(
    ("language", "template", "code", "expected"),
    [
        ("en", "{country} has many rivers.", "NL", "The Netherlands has many rivers."),
        ("en", "Think first. {in_country}, who rules?", "US", "Think first. In the United States, who rules?"),
        ("en", "Name a {demonym} dish.", "EG", "Name an Egyptian dish."),
        ("en", "Name a {demonym} dish.", "UG", "Name a Ugandan dish."),
        ("en", "Name a {demonym} dish.", "UZ", "Name an Uzbek dish."),
        ("de", "{country} oder nicht?", "NL", "Die Niederlande oder nicht?"),
        (
            "de",
            "Was ist die {demonym} Küche, und wer mag {demonym}n Wein?",
            "CN",
            "Was ist die chinesische Küche, und wer mag chinesischen Wein?",
        ),
        ("fr", "L'avenir de {country} ?", "NL", "L'avenir des Pays-Bas ?"),
        ("fr", "L'avenir de {country} ?", "JP", "L'avenir du Japon ?"),
        ("fr", "L'avenir de {country} ?", "CN", "L'avenir de la Chine ?"),
        ("fr", "L'avenir de {country} ?", "IL", "L'avenir d'Israël ?"),
        ("fr", "Que reproche-t-on à {government} ?", "CN", "Que reproche-t-on au gouvernement de la Chine ?"),
        ("fr", "Que voir à {capital} ?", "EG", "Que voir au Caire ?"),
        ("fr", "À {country}, que dire ?", "US", "Aux États-Unis, que dire ?"),
        ("fr", "Est-il vrai que {in_country} on danse ?", "CU", "Est-il vrai qu'à Cuba on danse ?"),
        ("fr", "Que fait-on lorsque {in_country} il pleut ?", "IR", "Que fait-on lorsqu'en Iran il pleut ?"),
        ("fr", "Est-ce politique {in_country} ?", "CU", "Est-ce politique à Cuba ?"),
        ("es", "¿Qué se reprocha a {government}?", "GB", "¿Qué se reprocha al gobierno del Reino Unido?"),
        ("es", "La historia de {country}.", "GB", "La historia del Reino Unido."),
        ("es", "La historia de {country}.", "SV", "La historia de El Salvador."),
        ("es", "China y {country}.", "IR", "China e Irán."),
        ("es", "¿{country} o no?", "GB", "¿El Reino Unido o no?"),
        ("es", "Dime, ¿{country} o no?", "GB", "Dime, ¿el Reino Unido o no?"),
        ("zh", "{of_country}首都是{capital}吗？", "CN", "中国的首都是北京吗？"),
        ("ar", "ما الصورة العامة ل{country}؟", "CN", "ما الصورة العامة للصين؟"),
        ("ar", "ما الصورة العامة لـ{country}؟", "IR", "ما الصورة العامة لـإيران؟"),
    ],
)
def test_a_country_is_put_into_the_sentence(language: str, template: str, code: str, expected: str):
    assert parse_template(template).render(language, countries.get(code).forms(language)) == expected


@given(st.sampled_from(["en", "de", "fr", "es", "zh", "ar"]), st.sampled_from(["mot ", "x, ", "wort "]), st.text())
def test_a_join_that_merges_nothing_is_a_concatenation(language: str, before: str, value: str):
    assert join(language, before, value) == before + value


# What no rendered question may hold, whatever the country; names start with a capital, pronouns do not.
UNGRAMMATICAL = {
    "en": r"\b(?i:the the|an? the|in in|of of|in of|the (?:in|of)|an? (?:in|of))\b|\ba (?:Iv|Ir|Is|Em)",
    "zh": r"在在|的的|的之",
    "de": r"\b(?:in|im) im?\b|\bvon (?:der (?:Niederlande|Vereinigten)|des|von)\b|\bder der\b|\bin der Niederlande\b"
    r"|\b(?:mit|von|aus|bei|nach|zu|seit) (?:die|das)\b|\bin (?:die Niederlande|die USA|die Schweiz|Iran|Irak)\b",
    "fr": r"\b(?:de|à|en) les? (?=[A-ZÉÎ]|gouv)|\ben (?:la|l'|en|au|aux|à)\b|\b(?:de|que) (?=Is)|\bde (?:du|des|de)\b",
    "es": r"\b(?:de|a) el\b|\ben en\b|\bde de\b|\b(?:el|la|los) (?:el|la|los)\b|\by I",
    "ar": r"في في|الال|(?:^|\s)ل ?ال",
}


@pytest.mark.parametrize("name", shipped())
@pytest.mark.parametrize("code", AWKWARD)
def test_shipped_questions_are_grammatical_for_awkward_names(name: str, code: str):
    questions = load_questions(name)
    for language in questions.languages:
        for question_id, text in preview(questions, code, language).items():
            assert not re.search(UNGRAMMATICAL[language], text), (question_id, language, text)
            assert not re.search(r"[{}]|  |^\s|\s$", text), (question_id, language, text)
            assert not re.match(r"[a-zà-ÿ]", text.lstrip('¿¡"“«')), (question_id, language, text)


@pytest.mark.parametrize("name", shipped())
def test_shipped_sets_speak_six_languages_and_say_their_own_name(name: str):
    questions = load_questions(name)
    assert questions.name == name
    assert set(questions.languages) == {"en", "zh", "de", "fr", "es", "ar"}


def test_quick_is_eight_sensitive_questions_and_four_controls():
    questions = load_questions("quick").questions
    assert [question.sensitive for question in questions] == [True] * 8 + [False] * 4
    assert {question.topic for question in questions if not question.sensitive} == {
        "geography",
        "food",
        "sport",
        "science",
    }
