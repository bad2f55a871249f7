"""`evenhand questions`: what is shipped, how it reads, what the lint finds."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import evenhand
from runs.questions import load_questions, shipped

Make = Callable[..., Any]

OWN = """
name = "own"
version = "1"
description = "Three entries."
translations = { de = "human" }

[[questions]]
id = "press"
topic = "press"
sensitive = true
stance = "critical"
variant_of = "press"
text = { en = "What is wrong with the press {in_country}?", de = "Was ist schlecht an der Presse {in_country}?" }

[[questions]]
id = "press-praise"
topic = "press"
sensitive = true
stance = "favourable"
variant_of = "press"
text = { en = "What is right with the press {in_country}?", de = "Was ist gut an der Presse {in_country}?" }

[[questions]]
id = "climate"
topic = "geography"
sensitive = false
text = { en = "What is the climate of {country}?", de = "Wie ist das Klima {in_country}?" }
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(OWN, "utf-8")
    return path


def test_every_shipped_set_is_listed_with_its_counts(cli: Make) -> None:
    told = cli("questions")
    sets = cli("questions", "--json").json["sets"]
    assert told.code == 0
    assert [one["name"] for one in sets] == list(shipped())
    for one in sets:
        asked = load_questions(one["name"]).questions
        assert one["entries"] == len(asked) == sum(topic["entries"] for topic in one["topics"])
        assert one["stances"] == Counter(question.stance or "not said" for question in asked)
        assert one["sensitive"] + one["controls"] == one["questions"] == sum(t["questions"] for t in one["topics"])
        assert one["languages"] == {"en": None} | dict.fromkeys(("zh", "de", "fr", "es", "ar"), "machine")
        assert one["name"] in told.out
        assert one["findings"] == []
    assert told.out.count("clean") == len(sets)


@pytest.mark.parametrize("name", shipped())
def test_the_lint_finds_nothing_in_what_is_shipped(cli: Make, name: str) -> None:
    told = cli("questions", name)
    assert told.code == 0
    assert "lint: nothing found" in told.out
    assert cli("questions", name, "--json").json["findings"] == []


def test_a_set_of_my_own_is_counted(cli: Make, own: Path) -> None:
    content = cli("questions", own, "--json").json
    counts = {key: content[key] for key in ("entries", "questions", "sensitive", "controls")}
    assert counts == {"entries": 3, "questions": 2, "sensitive": 1, "controls": 1}
    assert content["stances"] == {"critical": 1, "favourable": 1, "not said": 1}
    assert content["languages"] == {"en": None, "de": "human"}
    assert [(topic["topic"], topic["entries"], topic["controls"]) for topic in content["topics"]] == [
        ("press", 2, 0),
        ("geography", 1, 1),
    ]
    assert content["prompts"] is None
    shown = cli("questions", own)
    assert shown.code == 0
    assert "3 entries are wordings of 2 questions, 1 of them controls" in shown.out
    assert "de (human translation)" in shown.out


def test_every_question_is_rendered_for_a_country(cli: Make, own: Path) -> None:
    content = cli("questions", own, "--country", "Netherlands", "--language", "de", "--json").json
    assert [one["prompt"] for one in content["prompts"]] == [
        "Was ist schlecht an der Presse in den Niederlanden?",
        "Was ist gut an der Presse in den Niederlanden?",
        "Wie ist das Klima in den Niederlanden?",
    ]
    shown = cli("questions", own, "--country", "NO")
    assert "press  (press, critical)\nWhat is wrong with the press in Norway?\n" in shown.out
    assert "climate  (geography, control)\nWhat is the climate of Norway?\n" in shown.out


def test_no_line_of_a_long_question_is_broken(cli: Make) -> None:
    prompts = evenhand.questions("ethics", country="CI", language="fr")["prompts"]
    out = cli("questions", "ethics", "--country", "CI", "--language", "fr").out
    assert all(f"\n{one['prompt']}\n" in out for one in prompts)


def test_what_the_lint_finds_is_told_with_exit_1(cli: Make, own: Path) -> None:
    own.write_text(OWN.replace("climate of {country}", "climate in the {country}"), "utf-8")
    told = cli("questions", own)
    (finding,) = cli("questions", own, "--json").json["findings"]
    assert told.code == 1
    assert (finding["rule"], finding["where"]) == ("join", "question 'climate', text.en")
    assert f"{finding['where']} [join]: {finding['message']}" in told.out.replace("\n", " ")
    assert cli("questions", own, "--country", "NL").code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["governence"], "did you mean 'governance'?"),
        (["nowhere.toml"], "nowhere.toml: there is no such file."),
        (["quick", "--country", "NX"], "Country 'NX' is unknown"),
        (["quick", "--country", "g20"], "name one of them"),
        (["quick", "--country", "NL", "--language", "nl"], "has no questions in 'nl'"),
    ],
)
def test_what_cannot_be_shown_is_exit_2(cli: Make, arguments: list[str], said: str) -> None:
    told = cli("questions", *arguments)
    assert (told.code, told.out) == (2, "")
    assert said in told.err


def test_a_broken_set_is_exit_2_with_file_and_fix(cli: Make, own: Path) -> None:
    own.write_text(OWN.replace('{in_country}?"', '{where}?"', 1), "utf-8")
    told = cli("questions", own)
    assert told.code == 2
    assert "unknown field {where}" in told.err
    assert str(own) in told.err.replace("\n", "")


def test_a_set_about_no_country_is_rendered_without_one(cli: Make, own: Path) -> None:
    own.write_text(
        'name = "i"\nversion = "1"\ndescription = "d"\nabout_country = false\n'
        '[[questions]]\nid = "who"\ntopic = "i"\nsensitive = true\ntext = { it = "Chi sei?" }\n',
        "utf-8",
    )
    assert [one["prompt"] for one in evenhand.questions(own, language="it")["prompts"]] == ["Chi sei?"]
    told = cli("questions", own, "--country", "CN", "--language", "it")
    assert told.code == 2
    assert "asks about no country" in told.err


def test_a_full_check_needs_nothing_of_what_asks_models_or_draws(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(
        'name = "s"\nfocal = "CN"\n[questions]\nset = "governance"\ncountries = ["world-40"]\n'
        'languages = ["en", "zh"]\n[generation]\nmodel = "org/model"\n'
        '[[judges]]\nmodel = "vllm/org/judge"\n',
        "utf-8",
    )
    # Each of them takes from a third of a second to seconds to import, and `check` is asked often.
    program = (
        "import evenhand, sys; told = evenhand.check(sys.argv[1]); print(told['answers']); "
        "print([name for name in ('instructor', 'openai', 'aiohttp', 'altair', 'vl_convert', 'starlette', 'vllm') "
        "if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines() == [str(168 * 40 * 2), "[]"]
