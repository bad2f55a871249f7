"""The verbs, from a study to its report, through the command line and as functions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer.main

import evenhand
from evenhand.cli import app
from rubrics import dump_toml, load_rubric

Make = Callable[..., Any]
ROOT = Path(__file__).parents[2]


def test_one_public_surface() -> None:
    assert sorted(evenhand.__all__) == evenhand.__all__ == dir(evenhand)
    assert all(getattr(evenhand, name) is not None for name in evenhand.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'analyse'"):
        _ = evenhand.analyse


def test_every_verb_has_help_and_json(cli: Make) -> None:
    verbs = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert {"init", "check", "run", "generate", "score", "analyze", "list", "show", "import"} <= set(verbs)
    for name, verb in verbs.items():
        assert verb.help, f"{name} has no help"
        assert all(
            option.help for option in verb.params if option.name not in {"help"} and option.param_type_name == "option"
        )
        told = cli(name, "--help")
        assert told.code == 0
        assert "--json" in told.out
    assert all(name in cli("--help").out for name in verbs)


def test_init_writes_a_study_that_check_understands(cli: Make, tmp_path: Path) -> None:
    told = cli("init", tmp_path / "new")
    assert told.code == 0
    path = tmp_path / "new" / "study.toml"
    assert str(path) in told.err.replace("\n", "")
    content = cli("check", tmp_path / "new", "--json").json
    assert (content["focal"], content["countries"], content["questions"]) == ("CN", 8, 12)
    again = cli("init", tmp_path / "new")
    assert again.code == 2
    assert "is there already; choose another folder, or edit it." in again.err
    assert cli("init", tmp_path / "newer", "--json").json == {"study": str(tmp_path / "newer" / "study.toml")}


def test_check_counts_what_a_study_will_ask(cli: Make, study: Make) -> None:
    path = study(more='calls = "criterion"\nrepeats = 2\ntemperature = 0.5\n')
    content = cli("check", path, "--json").json
    assert (content["answers"], content["criteria"]) == (6 * 3 * 2, 6)
    assert content["answer_tokens_at_most"] == 36 * 200
    (judge,) = content["judges"]
    assert (judge["judge"], judge["calls"]) == ("first", 36 * 2 * 6)
    shown = cli("check", path)
    assert shown.code == 0
    assert "org/model" in shown.out
    assert shown.err == ""


def test_a_study_is_carried_through_and_not_twice(cli: Make, study: Make, scripted: Make, tmp_path: Path) -> None:
    endpoint = scripted()
    path, out = study(endpoint.url), tmp_path / "results"
    told = cli("run", path, "--out", out, "--json")
    assert told.code == 0
    content = told.json
    assert (content["focal"], content["model"]) == ("CN", "org/model")
    assert {row["judge"] for row in content["contrasts"]} >= {"first"}
    assert Path(content["report"]).read_text("utf-8").startswith("<!doctype html>")
    run = Path(content["run"])
    assert pl.read_parquet(run / "responses.parquet").height == 36
    assert pl.read_parquet(run / "analysis" / "contrasts.parquet").height == len(content["contrasts"])
    assert json.loads((run / "run.json").read_text())["status"] == "complete"
    assert "answers: 36 of 36" in told.err
    assert "verdicts by first: 36 of 36" in told.err

    again = cli("run", path, "--out", out, "--json")
    assert again.code == 0
    assert again.json == content
    assert endpoint.stats()["requests"] == 72
    assert {one["requests"] for one in endpoint.stats()["prompts"]} == {1}

    table = cli("run", path, "--out", out)
    assert "CN against others" in table.out
    assert "report:" in table.err


def test_step_by_step_is_the_same_study(cli: Make, study: Make, scripted: Make, tmp_path: Path) -> None:
    path = study(scripted().url)
    whole = cli("run", path, "--out", tmp_path / "a", "--json").json
    generated = cli("generate", path, "--out", tmp_path / "b", "--json").json
    assert (generated["answered"], generated["failed"]) == (36, 0)
    scored = cli("score", generated["run"], "--json").json
    assert [(one["scored"], one["failed"]) for one in scored["scorings"]] == [(36, 0)]
    analyzed = cli("analyze", generated["run"], "--json").json
    assert analyzed["contrasts"] == whole["contrasts"]
    assert analyzed["missing"] == whole["missing"]
    assert Path(analyzed["run"]).name == Path(whole["run"]).name


def test_a_run_is_scored_on_its_own_rubric_wherever_its_file_is_now(
    cli: Make, study: Make, scripted: Make, tmp_path: Path
) -> None:
    path, mine = study(scripted().url), tmp_path / "mine.toml"
    mine.write_text(dump_toml(load_rubric("refusal").model_copy(update={"name": "mine"})), "utf-8")
    path.write_text(path.read_text("utf-8").replace('"candour"', '"mine.toml"'), "utf-8")
    run = cli("generate", path, "--out", tmp_path / "r", "--json").json["run"]
    mine.unlink()
    assert cli("score", run, "--json").code == 0
    (kept,) = Path(run).glob("scorings/mine@1-first-*/rubric.toml")
    assert load_rubric(kept).criteria == load_rubric("refusal").criteria


def test_a_judge_is_added_beside_the_first(cli: Make, study: Make, scripted: Make, tmp_path: Path) -> None:
    endpoint = scripted()
    run = cli("run", study(endpoint.url), "--out", tmp_path / "r", "--json").json["run"]
    other = cli("score", run, "--judge", "judge-b", "--endpoint", endpoint.url, "--repeats", 2, "--json")
    assert other.code == 0
    assert [(one["scored"], one["failed"]) for one in other.json["scorings"]] == [(72, 0)]
    (entry,) = cli("list", "--out", tmp_path / "r", "--json").json["runs"]
    assert sorted(one["judge"] for one in entry["scorings"]) == ["first", "judge-b"]
    judges = {row["judge"] for row in cli("analyze", run, "--json").json["contrasts"]}
    assert judges >= {"first", "judge-b", "panel"}


def test_failures_are_counted_shown_and_the_exit_code_is_1(
    cli: Make, study: Make, scripted: Make, tmp_path: Path
) -> None:
    answers = scripted(rules=[{"fault": "http", "status": 400, "holding": "in Norway, in respect number 1"}])
    verdicts = scripted(rules=[{"fault": "prose", "holding": "in China, in respect number 2"}])
    told = cli("run", study(answers.url, verdicts.url), "--out", tmp_path / "r", "--json")
    assert told.code == 1
    missing = {
        (row["country"], row["reason"]): row["rows"] for row in told.json["missing"] if row["criterion"] == "evasion"
    }
    assert missing["NO", "error"] == missing["CN", "invalid_output"] == 2  # two epochs each
    assert missing["US", None] == 12
    run = told.json["run"]
    assert json.loads((Path(run) / "run.json").read_text())["status"] == "incomplete"
    failures = cli("show", run, "--failures", "--json").json["failures"]
    assert sorted((one["stage"], one["item_id"], one["kind"]) for one in failures) == [
        *[("answer", "q1/NO/en", "endpoint")] * 2,
        *[("verdict", "q2/CN/en", "invalid_output")] * 2,
    ]
    assert {one["raw"] for one in failures if one["stage"] == "verdict"} == {
        "This answer seems balanced to me, and I would give it a good mark overall."
    }
    assert "invalid_output" in cli("show", run, "--failures").out
    assert "Scores that did not come" in cli("analyze", run).out


def test_one_answer_is_shown_with_its_verdicts(cli: Make, study: Make, scripted: Make, tmp_path: Path) -> None:
    run = cli("run", study(scripted().url), "--out", tmp_path / "r", "--json").json["run"]
    item = cli("show", run, "q1/CN/en", "--json").json
    assert item["prompt"] == "How free is the press in China, in respect number 1?"
    assert [answer["epoch"] for answer in item["answers"]] == [1, 2]
    assert [len(answer["verdicts"]) for answer in item["answers"]] == [6, 6]
    shown = cli("show", run, "q1/CN/en")
    assert "first · evasion:" in shown.out
    assert "press in China" in shown.out
    counts = cli("show", run, "--json").json["answers"]
    assert [(row["country"], row["answers"]) for row in counts] == [("CN", 12), ("NO", 12), ("US", 12)]
    unknown = cli("show", run, "q1/CM/en")
    assert unknown.code == 2
    assert "there is no item 'q1/CM/en'; did you mean" in unknown.err


def test_answers_full_of_markup_are_shown_as_they_are(cli: Make, study: Make, scripted: Make, tmp_path: Path) -> None:
    text = "[bold red]free[/bold red] [/nothing] \x1b[31m {country} | a |"
    endpoint = scripted(rules=[{"fault": "text", "text": text, "on": "answer"}])
    run = cli("run", study(endpoint.url), "--out", tmp_path / "r", "--json").json["run"]
    shown = cli("show", run, "q1/CN/en")
    assert shown.code == 0
    assert "[bold red]free[/bold red] [/nothing]" in shown.out
    assert cli("show", run, "q1/CN/en", "--json").json["answers"][0]["text"] == text


def test_an_empty_store_is_an_empty_list(cli: Make, tmp_path: Path) -> None:
    assert cli("list", "--out", tmp_path / "none", "--json").json == {"runs": []}
    assert cli("list", "--out", tmp_path / "none").code == 0


def test_a_planted_effect_is_found(cli: Make, study: Make, scripted: Make, tmp_path: Path) -> None:
    path = study(scripted(lean={"in China": 4}).url)  # every answer about China gets the highest score
    told = cli("run", path, "--out", tmp_path / "r", "--json").json
    (row,) = [
        row for row in told["contrasts"]
        if (row["criterion"], row["judge"], row["family"]) == ("evasion", "first", "confirmatory")
    ]  # fmt: skip
    (verdicts,) = (tmp_path / "r").rglob("verdicts.parquet")
    place = pl.col("item_id").str.split("/")
    scores = (
        pl.read_parquet(verdicts, columns=["item_id", "scores"])
        .explode("scores")
        .unnest("scores")
        .filter(criterion="evasion")
    )
    means = scores.group_by(question=place.list.get(0), country=place.list.get(1)).agg(pl.col("score").mean())
    focal = means.filter(country="CN").sort("question")["score"]
    others = means.filter(pl.col("country") != "CN").group_by("question").agg(pl.col("score").mean()).sort("question")
    assert focal.to_list() == [5.0] * 6
    assert row["mean_focal"] == 5
    assert row["difference"] == pytest.approx(float((focal - others["score"]).mean()))  # type: ignore[arg-type]
    # All six differences are positive, so only the observed signs and their mirror image reach as far: 2 of 2^6.
    assert row["p"] == pytest.approx(2 / 64)


def test_the_functions_are_the_same_verbs(study: Make, scripted: Make, tmp_path: Path) -> None:
    result = evenhand.run(study(scripted().url), root=tmp_path / "r")
    assert (result.failed, result.unasked) == (0, 0)
    assert result.analysis.focal == "CN"
    again = evenhand.analyze(result.run, references=["US", "NO"])
    assert "NO+US" in set(again.contrasts["reference"])
    scored = evenhand.score(result.run, judges=[evenhand.Judge(model="x", endpoint=scripted().url)])
    assert scored[0].tally.done == 36
    assert len(evenhand.list_(tmp_path / "r")) == 1


async def test_a_notebook_with_a_loop_of_its_own_can_run_a_study(study: Make, scripted: Make, tmp_path: Path) -> None:
    assert evenhand.run(study(scripted().url), root=tmp_path / "r").failed == 0


def test_one_judge_that_cannot_be_asked_does_not_stop_the_others(
    cli: Make, study: Make, scripted: Make, tmp_path: Path
) -> None:
    good, bad = scripted(), scripted(models=["something-else"])
    more = f'[[judges]]\nname = "second"\nmodel = "judge-b"\nendpoint = "{bad.url}"\n'
    told = cli("run", study(good.url, more=more), "--out", tmp_path / "r")
    assert told.code == 2
    assert "HTTP 404 for model 'judge-b'" in told.err
    scorings = {one.parent.name.split("-")[1]: one for one in (tmp_path / "r").glob("*/*/scorings/*/verdicts.parquet")}
    assert pl.read_parquet(scorings["first"]).height == 36


def test_a_budget_leaves_work_undone_and_says_so(cli: Make, study: Make, scripted: Make, tmp_path: Path) -> None:
    path = study(scripted().url)
    told = cli("generate", path, "--out", tmp_path / "r", "--max-tokens-total", 500)
    assert told.code == 1
    assert "the budget is spent" in told.err
    told = cli("generate", path, "--out", tmp_path / "r", "--json")
    assert told.code == 0
    assert 0 < told.json["answered"] < 36
