"""Scorings of one run that stand side by side: which count, what tables call them, what is compared with what."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from rubrics import dump_toml, load_rubric

Make = Callable[..., Any]


@pytest.fixture
def score(cli: Make, finished: Path, scripted: Make, tmp_path: Path) -> Callable[..., None]:
    """Return a function that has the finished run scored by a judge with the settings given."""
    url = scripted().url

    def call(*flags: object, rubric: str = "refusal", **settings: object) -> None:
        judge = tmp_path / "judge.toml"
        told = {"name": "b", "model": "judge-b", "endpoint": url, **settings}
        judge.write_text(tomli_w.dumps(told), "utf-8")
        assert cli("score", finished, "--judge", judge, "--rubric", rubric, *flags).code == 0

    return call


def _judges(told: dict[str, Any], criterion: str = "disclosure") -> set[str]:
    """Return who scored a criterion; by default one that the run's own judge has not scored."""
    return {row["judge"] for row in told["contrasts"] if row["criterion"] == criterion}


def _analyzed(cli: Make, run: Path) -> Any:
    told = cli("analyze", run, "--json")
    assert told.code == 0
    return told.json


def test_more_repeats_take_the_place_of_fewer_and_another_name_makes_no_second_judge(
    cli: Make, finished: Path, score: Make
) -> None:
    score()
    score(repeats=3)
    assert _judges(_analyzed(cli, finished)) == {"b"}
    score(name="renamed", repeats=3)
    told = _analyzed(cli, finished)
    assert _judges(told) == {"renamed"}
    assert {row["rows"] for row in told["missing"] if row["judge"] == "renamed" and row["reason"] is None} == {36}


def test_settings_of_one_judge_are_told_apart_and_are_no_panel(cli: Make, finished: Path, score: Make) -> None:
    score()
    score(temperature=0.5)
    found = _judges(_analyzed(cli, finished))
    assert len(found) == 2
    assert all(name.startswith("b#") for name in found)


def test_two_versions_of_a_rubric_are_two_criteria(cli: Make, finished: Path, score: Make, tmp_path: Path) -> None:
    first = load_rubric("refusal")
    (criterion,) = [one for one in first.criteria if one.id == "refusal"]
    edited = criterion.model_copy(update={"question": "Does the answer turn the question down?"})
    others = tuple(one for one in first.criteria if one.id != "refusal")
    second = first.model_copy(update={"version": "99", "criteria": (edited, *others)})
    third = second.model_copy(update={"criteria": (*others, edited.model_copy(update={"question": "Does it refuse?"}))})
    score()
    for number, rubric in enumerate((second, third)):
        path = tmp_path / f"{number}.toml"
        path.write_text(dump_toml(rubric), "utf-8")
        score(rubric=str(path))
    score("--placebo", "mask")  # of one of them alone
    told = _analyzed(cli, finished)
    names = {row["criterion"] for row in told["contrasts"]} - {"outcome", "disclosure"}
    ours = {name for name in names if name.endswith(".refusal") and name.startswith("refusal@")}
    twins = {f"refusal@99#{rubric.digest[:6]}.refusal" for rubric in (second, third)}
    assert ours == {f"refusal@{first.version}.refusal", *twins}
    assert {judge for name in ours for judge in _judges(told, name)} == {"b"}
    assert {row["criterion"] for row in told["moved_mask"]} >= {f"refusal@{first.version}.refusal"}


def test_a_placebo_is_compared_with_the_same_settings_and_with_no_others(
    cli: Make, finished: Path, score: Make
) -> None:
    score()
    score("--placebo", "mask", temperature=0.5)
    told = _analyzed(cli, finished)
    assert "moved_mask" not in told
    (folder,) = told["unpaired"]
    assert "b-mask" in folder
    assert "nothing to compare it with" in cli("analyze", finished).err
    score(temperature=0.5, repeats=2)  # how often a verdict was asked for changes nothing in what it hangs on
    told = _analyzed(cli, finished)
    assert told["unpaired"] == []
    (plain,) = {row["judge"] for row in told["moved_mask"]}
    assert plain.startswith("b#")
    assert plain in _judges(told)


def test_the_thinking_has_its_placebo_and_the_panel_moves_as_a_judge(cli: Make, scripted: Make, tmp_path: Path) -> None:
    answers = tmp_path / "answers.csv"
    rows = [
        f'q{n},{country},"In {name} they are free, {n}.","They ask about {name}; {n}."'
        for n in range(6)
        for country, name in (("CN", "China"), ("US", "the United States"))
    ]
    answers.write_text("\n".join(["question_id,country,text,reasoning", *rows]) + "\n", "utf-8")
    run = cli("import", answers, "--focal", "CN", "--out", tmp_path / "r").out.split()[-1]
    url = scripted(lean={"China": -4}).url
    both = ("--judge", "a", "--judge", "b", "--endpoint", url, "--rubric", "candour", "--on", "both")
    assert cli("score", run, *both).code == cli("score", run, *both, "--placebo", "mask").code == 0
    told = cli("analyze", run, "--json").json
    for name in ("moved_mask", "moved_reasoning", "moved_reasoning_mask"):
        assert {row["judge"] for row in told[name]} == {"a", "b", "panel"}
    (panel,) = [
        row for row in told["moved_reasoning_mask"]
        if (row["judge"], row["criterion"], row["country"]) == ("panel", "evasion", "focal - others")
    ]  # fmt: skip
    assert panel["mean_before"] < -1  # every mention of China takes four levels away, or as many as there are
    assert panel["moved"] > 1
    assert {row["judge"] for row in told["omnibus"]} == {row["judge"] for row in told["missing"]} == {"a", "b", "panel"}


def test_given_levels_in_the_place_of_expected_scores_are_counted(
    cli: Make, finished: Path, score: Make, scripted: Make
) -> None:
    score(logprobs=True)
    assert "unexpected" not in _analyzed(cli, finished)
    score(logprobs=True, endpoint=scripted(refuses=["logprobs"]).url)
    told = _analyzed(cli, finished)
    (row,) = told["unexpected"]
    assert (row["criterion"], row["reason"], row["given_instead"], row["scores"]) == ("refusal", "no_logprobs", 36, 36)
    assert "no expected score could be had" in cli("analyze", finished).out
    report = cli("report", finished, "--json").json["report"]
    assert "no expected score could be had" in Path(report).read_text("utf-8")


def test_a_placebo_alone_says_what_is_missing(cli: Make, scripted: Make, tmp_path: Path) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text("question_id,country,text\nq,CN,China is free.\nq,US,America is free.\n", "utf-8")
    run = cli("import", answers, "--focal", "CN", "--out", tmp_path / "r").out.split()[-1]
    judge = ("--judge", "a", "--endpoint", scripted().url, "--rubric", "refusal")
    assert cli("score", run, *judge, "--placebo", "mask").code == 0
    told = cli("analyze", run)
    assert told.code == 2
    assert "no judge has scored the answers as they are" in told.err
