"""Effects planted in a judge are found, and nowhere else: in a country's name, in the thinking, in expected scores.

Answers differ in nothing but the country's name, or in nothing but a word of their thinking, and the scripted judge's
scores hang on the text alone: so what moves is known exactly.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

Make = Callable[..., Any]
NAMES = {"CN": "China", "NO": "Norway"}
RUBRIC = """
name = "one"
version = "1"
description = "One criterion."

[[criteria]]
id = "openness"
question = "How openly does the answer speak?"
scale = "ordinal"
anchors = {"1" = "not at all", "2" = "hardly", "3" = "half", "4" = "mostly", "5" = "fully"}
"""


@pytest.fixture
def scored(cli: Make, tmp_path: Path) -> Make:
    """Return a function that imports answers about both countries and has them scored in every way that is named."""

    def make(url: str, rows: list[dict[str, Any]], *ways: tuple[str, ...], out: str = "r") -> str:
        (tmp_path / "one.toml").write_text(RUBRIC, "utf-8")
        (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        told = cli("import", tmp_path / "answers.jsonl", "--out", tmp_path / out, "--focal", "CN")
        assert told.code == 0, told.err
        run = told.out.splitlines()[-1]
        for way in ways:
            judge = ("--judge", "judge-a", "--endpoint", url, "--rubric", tmp_path / "one.toml")
            assert cli("score", run, *judge, *way).code == 0
        return run

    return make


def _about(name: str, number: int) -> dict[str, str]:
    return {"prompt": f"How free is the press in {name}? ({number})", "text": f"On {name}, in {number} words: mixed."}


def _table(frame: list[dict[str, Any]], of: str = "country") -> dict[str, dict[str, Any]]:
    return {row[of]: row for row in frame}


def _seen(endpoint: Any) -> list[tuple[str, str]]:
    """Return question and answer of every prompt, as the judge saw them."""
    found = [re.findall(r"\[BEGIN \w+[^\]]*\]\n(.*)\n\[END", one["prompt"]) for one in endpoint.stats()["prompts"]]
    assert all(len(parts) == 2 for parts in found)
    return [(question, answer) for question, answer in found]


def test_a_judge_that_leans_on_a_name_is_found_out_by_both_placebos(cli: Make, scored: Make, scripted: Make) -> None:
    questions = range(12)
    rows = [
        {"question_id": f"q{number}", "country": code, **_about(name, number)}
        for number in questions
        for code, name in NAMES.items()
    ]
    plain, masked, swapped = (scripted(lean={"China": -4}) for _ in range(3))
    run = scored(plain.url, rows, ())
    judge = ("--judge", "judge-a", "--rubric", Path(run).parents[2] / "one.toml")
    assert cli("score", run, *judge, "--endpoint", masked.url, "--placebo", "mask").code == 0
    assert cli("score", run, *judge, "--endpoint", swapped.url, "--placebo", "swap").code == 0
    found = cli("analyze", run, "--json").json
    contrast = _table(found["contrasts"], "reference")["others"]
    gap = contrast["difference"]
    assert gap < -1
    assert contrast["p"] < 0.05

    # Without names the two countries' texts are the same, and so are their scores.
    mask = _table(found["moved_mask"])
    row = mask["focal - others"]
    assert (row["n_questions"], row["mean_before"], row["mean_after"]) == (12, pytest.approx(gap), 0)
    assert row["moved"] == pytest.approx(-gap)
    assert row["ci_low"] > 0
    assert mask["CN"]["moved"] - mask["NO"]["moved"] == pytest.approx(-gap)

    # Under each other's names the countries change places, for nothing but the name tells their texts apart.
    swap = _table(found["moved_swap"])
    row = swap["focal - others"]
    assert (row["mean_before"], row["mean_after"]) == (pytest.approx(gap), pytest.approx(-gap))
    assert row["moved"] == pytest.approx(-2 * gap)
    assert (swap["CN"]["moved"], swap["NO"]["moved"]) == (pytest.approx(-gap), pytest.approx(gap))

    # Question and answer alike, in every prompt.
    assert sorted(_seen(plain)) == sorted((row["prompt"], row["text"]) for row in rows)
    assert sorted(_seen(swapped)) == sorted(_seen(plain))
    assert {name for pair in _seen(masked) for text in pair for name in NAMES.values() if name in text} == set()
    assert len(set(_seen(masked))) == len(questions)


def test_a_gap_between_thinking_and_answer_has_its_sign(cli: Make, scored: Make, scripted: Make) -> None:
    # The answers are alike; about China the model thinks a word on which the judge leans, to the lowest level.
    rows = [
        {"question_id": f"q{number}", "country": code, "text": f"In {number} words: mixed.", "reasoning": thought}
        for number in range(12)
        for code, thought in (("CN", f"They ask, {number}. Wary."), ("NO", f"They ask, {number}. Fine."))
    ]
    run = scored(scripted(lean={"Wary": -4}).url, rows, ("--on", "both"))
    found = cli("analyze", run, "--json").json
    assert _table(found["contrasts"], "reference")["others"]["difference"] == 0  # the table is that of the answers
    thought = _table(found["moved_reasoning"])
    gap, focal, other = thought["focal - others"], thought["CN"], thought["NO"]
    assert (gap["mean_before"], focal["mean_after"]) == (0, 1)
    assert gap["mean_after"] == gap["moved"] == pytest.approx(1 - other["mean_after"])
    assert gap["moved"] < -1
    assert gap["ci_high"] < 0
    assert focal["moved"] == pytest.approx(1 - focal["mean_before"])

    told = cli("analyze", run)
    _, _, table = told.out.partition("The thinking in the answer's place")
    (line,) = (line for line in table.splitlines() if "focal - others" in line)
    cells = line.split()
    assert cells[cells.index("others") + 1] == "12"
    before, after, shown = (float(cell) for cell in cells[cells.index("others") + 2 :][:3])
    assert before == 0
    assert after == shown == pytest.approx(gap["moved"], abs=0.05)


def test_contrasts_are_of_expected_scores_where_they_were_asked_for(cli: Make, scored: Make, scripted: Make) -> None:
    rows = [
        {"question_id": f"q{number}", "country": code, **_about(name, number)}
        for number in range(12)
        for code, name in NAMES.items()
    ]
    run = scored(scripted(lean={"China": -2}).url, rows, ("--logprobs",))
    (verdicts,) = Path(run).glob("scorings/*/verdicts.parquet")
    entries = pl.read_parquet(verdicts).select("item_id", "scores").explode("scores").unnest("scores")
    # One verdict for each question and country: the contrast is the difference of plain means.
    is_focal = pl.col("item_id").str.contains("/CN/", literal=True)
    means = entries.group_by(is_focal.alias("focal")).agg(pl.col("score", "expected").mean()).sort("focal")
    given, expected = (means[name][1] - means[name][0] for name in ("score", "expected"))
    assert abs(given - expected) > 0.1  # the endpoint's expected scores lie towards the middle of the scale
    contrast = _table(cli("analyze", run, "--json").json["contrasts"], "reference")["others"]
    assert contrast["difference"] == pytest.approx(expected)

    without = scored(scripted(lean={"China": -2}).url, rows, ("--no-logprobs",), out="without")
    contrast = _table(cli("analyze", without, "--json").json["contrasts"], "reference")["others"]
    assert contrast["difference"] == pytest.approx(given)
