"""Every judge is asked, each that cannot be says why, and scorings are told apart wherever they are listed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import evenhand

Make = Callable[..., Any]
THOUGHT = "<think>They ask about the press there; better to say nothing.</think>"


def _judges(url: str, *names: str) -> str:
    return "".join(f'[[judges]]\nname = "{name}"\nmodel = "{name}"\nendpoint = "{url}"\n' for name in names)


@pytest.fixture
def generated(cli: Make, study: Make, tmp_path: Path) -> Callable[..., str]:
    """Return a function that makes a run of 36 answers from `answers`."""

    def make(answers: str, verdicts: str, more: str = "") -> str:
        return str(cli("generate", study(answers, verdicts, more=more), "--out", tmp_path / "r", "--json").json["run"])

    return make


def test_each_judge_at_one_address_is_tried_and_each_error_is_told(cli: Make, generated: Make, scripted: Make) -> None:
    endpoint = scripted(models=["judge-b"])
    run = generated(scripted().url, endpoint.url, _judges(endpoint.url, "judge-b", "judge-c"))
    told = cli("score", run, "--json")
    assert told.code == 2
    assert all(f"HTTP 404 for model '{name}'" in told.err for name in ("judge-a", "judge-c"))
    (scoring,) = told.json["scorings"]
    assert (scoring["scored"], "judge-b" in scoring["scoring"]) == (36, True)
    assert ["first" in one["scoring"] for one in told.json["errors"]] == [True, False]
    # Who could not be asked leaves nothing behind.
    assert [path.name.split("-")[1] for path in (Path(run) / "scorings").iterdir()] == ["judge"]
    assert str(scoring["scoring"]) in cli("score", run).err

    with pytest.raises(evenhand.EndpointError) as raised:
        evenhand.score(run)
    assert str(raised.value).count("HTTP 404") == 2
    with pytest.raises(evenhand.EndpointError, match="model 'judge-c'") as raised:
        evenhand.score(run, judges=["judge-c"], on="answer", placebo="mask")
    error: BaseException | None = raised.value
    while error is not None:
        assert "no running event loop" not in str(error)
        error = error.__context__


def test_who_has_no_key_takes_no_other_judge_along(
    cli: Make, generated: Make, scripted: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    run = generated(scripted().url, scripted().url, '[[judges]]\nmodel = "openai/gpt-5"\n')
    told = cli("score", run, "--json")
    assert told.code == 2
    assert "OPENAI_API_KEY" in told.err
    assert [one["scored"] for one in told.json["scorings"]] == [36]


def test_variants_and_repeats_are_told_apart(cli: Make, generated: Make, scripted: Make, tmp_path: Path) -> None:
    judge = scripted(abstain=0.3, rules=[{"fault": "prose", "holding": "Country X, in respect number 2"}])
    run = generated(scripted().url, judge.url)
    for more in ((), ("--placebo", "mask"), ("--repeats", 2)):
        cli("score", run, *more)
    (entry,) = cli("list", "--out", tmp_path / "r", "--json").json["runs"]
    assert sorted((one["judge"], one["on"], one["placebo"] or "", one["repeats"]) for one in entry["scorings"]) == [
        ("first", "answer", "", 1), ("first", "answer", "", 2), ("first", "answer", "mask", 1),
    ]  # fmt: skip
    listed = cli("list", "--out", tmp_path / "r").out
    digests = {one["scoring"][-12:][:6] for one in entry["scorings"] if one["placebo"] is None}
    assert "first (mask)" in listed
    assert all(f"first #{digest}" in listed for digest in digests)

    item = cli("show", run, "q1/CN/en", "--json").json
    (answer, _) = item["answers"]
    rows = {(one["scoring"], one["repeat"], one["criterion"]) for one in answer["verdicts"]}
    assert len(rows) == len(answer["verdicts"]) == 4 * 6
    assert {one["placebo"] for one in answer["verdicts"]} == {None, "mask"}
    shown = cli("show", run, "q1/CN/en").out
    assert "first (mask) · evasion:" in shown
    assert ", repeat 2 · evasion:" in shown

    told = cli("show", run, "--failures", "--json").json
    assert {(one["kind"], one["placebo"], one["attempts"]) for one in told["failures"]} == {
        ("invalid_output", "mask", 3)
    }
    assert all(one["prompt_tokens"] > one["completion_tokens"] > 0 for one in told["failures"])
    counted = sum(one["verdicts"] for one in told["abstained"])
    table = cli("show", run, "--failures").out
    assert "invalid_output" in table
    assert counted == 0 or "abstained" in table


def test_abstentions_are_counted(cli: Make, generated: Make, scripted: Make, tmp_path: Path) -> None:
    rubric = tmp_path / "may.toml"
    rubric.write_text(
        'name = "may"\nversion = "1"\ndescription = "One criterion."\n[[criteria]]\nid = "open"\n'
        'question = "How open is it?"\nscale = "binary"\nanchors = {"0" = "no", "1" = "yes"}\nnot_applicable = true\n',
        "utf-8",
    )
    run = generated(scripted().url, scripted(abstain=1.0).url)
    assert cli("score", run, "--rubric", rubric).code == 0
    (row,) = cli("show", run, "--failures", "--json").json["abstained"]
    assert (row["judge"], row["criterion"], row["verdicts"]) == ("first", "open", 36)
    assert "abstained" in cli("show", run, "--failures").out


def test_without_any_thinking_there_is_nothing_to_score(cli: Make, generated: Make, scripted: Make) -> None:
    judge = scripted()
    run = generated(scripted().url, judge.url)
    told = cli("score", run, "--on", "reasoning")
    assert told.code == 2
    assert "no response holds any thinking" in told.err
    assert judge.stats()["requests"] == 0
    assert not (Path(run) / "scorings").exists()
    both = cli("score", run, "--on", "both", "--json")
    assert both.code == 0
    assert [one["scored"] for one in both.json["scorings"]] == [36]  # the answers, which are there
    assert "36 responses hold no thinking" in both.err


def test_thinking_is_scored_where_nothing_was_said(cli: Make, generated: Make, scripted: Make) -> None:
    judge = scripted()
    rule = {"fault": "text", "text": THOUGHT, "on": "answer", "holding": "in China"}
    run = generated(scripted(rules=[rule]).url, judge.url)
    statuses = {(row["country"], row["status"]) for row in cli("show", run, "--json").json["answers"]}
    assert statuses == {("CN", "empty"), ("NO", "ok"), ("US", "ok")}
    told = cli("score", run, "--on", "reasoning", "--json")
    assert told.code == 0
    assert "24 responses hold no thinking" in told.err
    assert [one["scored"] for one in told.json["scorings"]] == [12]
    assert all("better to say nothing" in one["prompt"] for one in judge.stats()["prompts"])


def test_the_report_says_how_a_judge_was_asked(cli: Make, finished: Path) -> None:
    html = Path(cli("report", finished, "--json").json["report"]).read_text("utf-8")
    for name in ("order", "order_seed", "reasons", "repairs"):
        assert f">{name}<" in html
