"""The manual keeps up with the program."""

import re
from pathlib import Path

import pytest

import evenhand
from evenhand.cli import app

ROOT = Path(__file__).parents[2]
VERBS = (
    *("init", "questions", "rubrics", "check", "power", "run", "generate", "score", "analyze", "agree", "report"),
    *("list", "show", "view", "label", "import", "verify"),
)


def test_the_manual_has_every_verb_and_no_other():
    described = set(
        re.findall(r"^\| `evenhand (\w+)", (ROOT / "docs" / "commands.md").read_text("utf-8"), re.MULTILINE)
    )
    assert described == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb, capsys):
    with pytest.raises(SystemExit) as ended:
        app([verb, "--help"])
    assert ended.value.code == 0
    assert "Usage" in capsys.readouterr().out


def test_every_public_name_is_there_and_documented():
    for name in evenhand.__all__:
        assert (getattr(evenhand, name).__doc__ or "").strip(), name


@pytest.mark.parametrize(
    "page", sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]), ids=lambda path: path.name
)
def test_links_in_the_manual_lead_somewhere(page):
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / link).exists(), link
