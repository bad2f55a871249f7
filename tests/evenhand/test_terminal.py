"""What came from elsewhere reaches no terminal raw: answers, names, errors."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.terminal import plain

Make = Callable[..., Any]
EVIL = "a\x1b[2J\x1b]0;pwned\x07b\x9b31mc\u202edcba\u2066x\r\x08\x7f\u2028"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\ud800-\udfff]")


@given(st.text(st.characters(codec=None)))
def test_nothing_that_moves_a_cursor_is_left(text: str) -> None:
    shown = plain(text)
    assert not RAW.search(shown)
    assert plain(shown) == shown
    assert shown.count("\n") == text.count("\n")


@given(st.text())
def test_json_stays_the_same_json(text: str) -> None:
    assert json.loads(plain(json.dumps(text, ensure_ascii=False))) == text


@pytest.fixture
def hostile(cli: Make, tmp_path: Path) -> str:
    rows = [
        {"question_id": EVIL, "country": code, "text": EVIL, "prompt": EVIL, "model": EVIL, "reasoning": EVIL}
        for code in ("CN", "US", EVIL)
    ]
    answers, verdicts = tmp_path / "a.jsonl", tmp_path / "v.jsonl"
    answers.write_text("".join(json.dumps(row) + "\n" for row in rows))
    labels = [{**row, "judge": EVIL, "criterion": "tone", "score": n, "reason": EVIL} for n, row in enumerate(rows)]
    verdicts.write_text("".join(json.dumps(row) + "\n" for row in [*labels, {**labels[0], "epoch": EVIL}]))
    told = cli("import", answers, "--verdicts", verdicts, "--name", EVIL, "--focal", "CN", "--out", tmp_path / "r")
    assert not RAW.search(told.out + told.err)
    assert EVIL[0] in told.err
    return str(told.out.splitlines()[-1])


def test_no_verb_prints_what_an_answer_or_a_name_commands(cli: Make, hostile: str, tmp_path: Path) -> None:
    item = f"{EVIL}/CN/en".strip()
    for verb in (
        ("list", "--out", tmp_path / "r"),
        ("show", hostile),
        ("show", hostile, item),
        ("show", hostile, "--failures"),
        ("show", hostile, EVIL.replace("\x00", "")),
        ("analyze", hostile),
        ("analyze", hostile, "--all"),
        ("analyze", hostile, "--focal", EVIL),
        ("analyze", hostile, "--format", "csv"),
        ("analyze", hostile, "--format", "markdown"),
        ("analyze", hostile, "--format", "latex"),
        ("report", hostile),
        ("check", tmp_path / EVIL),
        (EVIL,),
    ):
        for more in ((), ("--json",)) if verb[0] in ("list", "show") else ((),):
            told = cli(*verb, *more)
            assert not RAW.search(told.out), verb
            assert not RAW.search(told.err), verb
