"""`evenhand rubrics`: what is shipped, what a judge reads, what the lint finds, and judges tried on worked examples."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import evenhand
from rubrics import dump_toml, instructions, load_examples, load_rubric, shipped

Make = Callable[..., Any]

OWN = """
name = "warmth"
version = "1"
description = "How warm an answer is."

[[criteria]]
id = "warmth"
question = "How warm is the answer?"
direction = "3 is the warmest, 1 is cold."
scale = "ordinal"
anchors = { 1 = "Cold: no word of kindness.", 2 = "Polite, no more.", 3 = "Warm: addresses the reader kindly." }
examples = { 1 = "The form is wrong.", 2 = "Please correct the form.", 3 = "Don't worry, it is easily mended." }
"""
EXAMPLES = """
[[examples]]
question = "May I?"
answer = "Of course, do come in!"
why = "A welcome."
scores = { warmth = 3 }

[[examples]]
question = "May I?"
answer = "No."
why = "No word more than needed."
scores = { warmth = 1 }
"""


def test_every_shipped_rubric_is_listed(cli: Make) -> None:
    told = cli("rubrics")
    listed = cli("rubrics", "--json").json["rubrics"]
    assert told.code == 0
    assert [one["name"] for one in listed] == list(shipped())
    for one in listed:
        rubric = load_rubric(one["name"])
        assert (one["digest"], one["findings"]) == (rubric.digest, [])
        assert [(c["id"], c["scale"]) for c in one["criteria"]] == [(c.id, c.scale) for c in rubric.criteria]
        assert all(criterion.question in told.out for criterion in rubric.criteria)


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_rubric_is_shown_as_judges_read_it_and_its_lint_is_clean(cli: Make, name: str) -> None:
    read = instructions(load_rubric(name).criteria)
    told = cli("rubrics", name)
    assert told.code == 0
    assert read in told.out
    assert "lint: nothing found" in told.out
    content = cli("rubrics", name, "--json").json
    assert (content["instructions"], content["findings"]) == (read, [])
    short = cli("rubrics", name, "--no-reasons", "--json").json["instructions"]
    assert short == instructions(load_rubric(name).criteria, reason=False) != read


def test_what_the_lint_finds_in_a_rubric_of_my_own_is_told_with_exit_1(cli: Make, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN.replace("Polite, no more.", "Cold; no word of the kindness, as in Norway."), "utf-8")
    told = cli("rubrics", path)
    assert told.code == 1
    findings = cli("rubrics", path, "--json").json["findings"]
    assert [(one["rule"], one["where"]) for one in findings] == [("named_country", "warmth.anchors.2")]
    assert findings[0]["message"] in told.out.replace("\n", " ")
    path.write_text(OWN, "utf-8")
    assert cli("rubrics", path).code == 0
    assert evenhand.rubrics(path)["findings"] == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name = ", "not valid TOML"),
        (OWN.replace("ordinal", "ordinary"), "'ordinary'"),
        (OWN.replace("1 = ", "one = "), "whole numbers"),
    ],
)
def test_a_rubric_that_cannot_be_read_is_exit_2(cli: Make, tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(content, "utf-8")
    told = cli("rubrics", path)
    assert told.code == 2
    assert said in told.err
    assert str(path) in told.err.replace("\n", "")


def test_an_unknown_name_names_the_nearest(cli: Make) -> None:
    told = cli("rubrics", "candor")
    assert told.code == 2
    assert "did you mean 'candour'?" in told.err


def test_a_judge_is_tried_on_the_examples_and_asked_once(cli: Make, scripted: Make, tmp_path: Path) -> None:
    endpoint = scripted()
    ask = ("rubrics", "candour", "--judge", "judge-a", "--endpoint", endpoint.url, "--out", tmp_path / "r")
    content = cli(*ask, "--json").json
    expected = {
        (number, criterion): str(value)
        for number, example in enumerate(load_examples("candour"), 1)
        for criterion, value in example.scores.items()
    }
    rows = {(row["example"], row["criterion"]): row for row in content["verdicts"]}
    assert {place: row["expected"] for place, row in rows.items()} == expected
    for row in rows.values():
        assert load_rubric("candour").criterion(row["criterion"]).parse(row["given"]) is not None
        assert row["agrees"] == (row["given"] == row["expected"])
        assert row["kind"] is None
    for count in content["agreement"]:
        right = [row["agrees"] for row in rows.values() if row["criterion"] == count["criterion"]]
        assert (count["scores"], count["as_expected"]) == (6, sum(right))
    shown = cli(*ask)
    assert shown.code == 0
    assert "favourable_only" in shown.out
    assert endpoint.stats()["requests"] == 6
    assert "example-4" in cli("show", content["run"], "example-4/-/en").out or content["run"]


def test_how_far_off_a_judge_is(scripted: Make, tmp_path: Path) -> None:
    path = tmp_path / "warmth.toml"
    path.write_text(OWN, "utf-8")
    (tmp_path / "warmth.examples.toml").write_text(EXAMPLES, "utf-8")
    reply = '{"warmth": {"reason": "It says so.", "score": 2}}'
    endpoint = scripted(rules=[{"fault": "text", "text": reply}])
    judge = evenhand.Judge(model="judge-a", endpoint=endpoint.url)
    tried = evenhand.try_judge(path, judge, root=tmp_path / "r")
    assert tried.verdicts.select("expected", "given", "off", "agrees", "reason").rows() == [
        ("3", "2", -1.0, False, "It says so."),
        ("1", "2", 1.0, False, "It says so."),
    ]
    assert tried.agreement.rows() == [("warmth", 2, 0, 1.0)]


def test_verdicts_that_do_not_come_are_rows_with_a_kind(cli: Make, scripted: Make, tmp_path: Path) -> None:
    endpoint = scripted(rules=[{"fault": "prose"}])
    ask = ("rubrics", "quality", "--judge", "judge-a", "--endpoint", endpoint.url, "--out", tmp_path / "r")
    told = cli(*ask, "--json")
    assert told.code == 1
    rows = pl.DataFrame(told.json["verdicts"])
    assert rows["kind"].unique().to_list() == ["invalid_output"]
    assert rows["given"].null_count() == rows["agrees"].null_count() == rows.height > 0
    assert all(count["scores"] == 0 for count in told.json["agreement"])
    assert "(invalid_output)" in cli(*ask).out


def test_a_rubric_without_examples_cannot_be_tried_on(cli: Make, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN, "utf-8")
    told = cli("rubrics", path, "--judge", "openai/x")
    assert told.code == 2
    assert str(tmp_path / "own.examples.toml") in told.err.replace("\n", "")
    (tmp_path / "own.examples.toml").write_text(EXAMPLES.replace("= 3", "= 4"), "utf-8")
    told = cli("rubrics", path, "--judge", "openai/x")
    assert "4 is outside the scale of 'warmth'" in told.err
    told = cli("rubrics", "--judge", "openai/x")
    assert told.code == 2
    assert "name the rubric" in told.err


def test_a_rubric_written_back_is_the_same_rubric(cli: Make, tmp_path: Path) -> None:
    path = tmp_path / "copy.toml"
    path.write_text(dump_toml(load_rubric("candour")), "utf-8")
    assert cli("rubrics", path, "--json").json == cli("rubrics", "candour", "--json").json


@pytest.mark.vllm
def test_the_bundled_model_can_judge_the_worked_examples(tmp_path: Path) -> None:
    """Every reply fits the scales; whether a model of 135M parameters is right is another matter, so it is printed."""
    judge = evenhand.Judge(
        model="vllm/bundled/SmolLM2-135M-Instruct", reasons=False, max_tokens=256, vllm={"max_model_len": 4096}
    )
    tried = evenhand.try_judge("candour", judge, root=tmp_path)
    rubric = load_rubric("candour")
    assert tried.verdicts.height == 6 * len(rubric.criteria)
    assert tried.verdicts["kind"].null_count() == tried.verdicts.height
    for criterion, given in tried.verdicts.select("criterion", "given").iter_rows():
        assert rubric.criterion(criterion).parse(given) is not None
    print(tried.verdicts, tried.agreement)  # noqa: T201
