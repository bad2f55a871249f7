"""What was spent, what a budget holds back, and what `check` says ahead: against the endpoint's own counts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import evenhand
from analysis.report.making import spent
from evenhand.checking import tokens_in
from runs.store import Run

Make = Callable[..., Any]


@pytest.fixture
def generated(cli: Make, study: Make, scripted: Make, tmp_path: Path) -> Callable[..., str]:
    """Return a function that makes a run of 36 answers for judges at `verdicts`."""

    def make(verdicts: str, *, more: str = "", **script: Any) -> str:
        path = study(scripted(**script).url, verdicts, more=more)
        return str(cli("generate", path, "--out", tmp_path / "r", "--json").json["run"])

    return make


def test_what_failed_before_a_verdict_came_was_spent_too(cli: Make, generated: Make, scripted: Make) -> None:
    # Three tries of each prompt about China fail, then it is scored: the first start asks 3 × 12 times for nothing.
    judge = scripted(rules=[{"fault": "prose", "holding": "in China", "first": 3}])
    run = generated(judge.url)
    first = cli("score", run, "--json")
    assert (first.code, first.json["scorings"][0]["failed"]) == (1, 12)
    assert first.json["scorings"][0]["tokens"] == judge.stats()["tokens"]
    second = cli("score", run, "--json")
    (told,) = second.json["scorings"]
    assert (second.code, told["scored"]) == (0, 12)
    stats = judge.stats()
    assert (told["tokens"], told["attempts"]) == (stats["tokens"], stats["requests"]) == (stats["tokens"], 24 + 48)
    assert f"({stats['tokens']:,} tokens)" in cli("score", run).err
    answers, row = spent(Run(Path(run))).to_dicts()
    assert row["prompt_tokens"] + row["completion_tokens"] == stats["tokens"]
    assert (row["came"], row["failed"], row["attempts"]) == (36, 0, stats["requests"])
    assert answers["attempts"] is None


def test_verdicts_taken_over_are_paid_for_once(cli: Make, generated: Make, scripted: Make) -> None:
    judge = scripted()
    run = generated(judge.url)
    (once,) = cli("score", run, "--json").json["scorings"]
    (twice,) = cli("score", run, "--repeats", 2, "--json").json["scorings"]
    assert (once["attempts"], twice["attempts"], judge.stats()["requests"]) == (36, 36, 72)
    assert once["tokens"] + twice["tokens"] == judge.stats()["tokens"]
    again = evenhand.score(run, repeats=2)[0].scoring
    assert pl.read_parquet(again.path / "verdicts.parquet")["completion_tokens"].gt(0).sum() == 72


@pytest.mark.parametrize("concurrency", [1, 64])
def test_a_budget_is_a_total_over_all_starts(cli: Make, generated: Make, scripted: Make, concurrency: int) -> None:
    judge = scripted(latency=0.02)
    run = generated(judge.url, more=f"concurrency = {concurrency}\n")
    most = 20_000
    first = cli("score", run, "--max-tokens-total", most)
    assert first.code == 1
    stats = judge.stats()
    assert 0 < stats["requests"] < 36
    assert most <= stats["tokens"] < most + 2 * stats["tokens"] / stats["requests"]
    again = cli("score", run, "--max-tokens-total", most)
    assert again.code == 1
    assert f"the budget is spent: {36 - stats['requests']} calls were not made" in again.err
    assert judge.stats()["requests"] == stats["requests"]
    more = cli("score", run, "--max-tokens-total", 2 * most)
    assert stats["tokens"] < judge.stats()["tokens"]
    assert more.code == (judge.stats()["requests"] < 36)
    assert cli("score", run).code == 0
    assert judge.stats()["requests"] == 36


def test_a_budget_of_a_study_holds_for_answers_and_verdicts_together(
    cli: Make, study: Make, scripted: Make, tmp_path: Path
) -> None:
    endpoint = scripted()
    asked = ("run", study(endpoint.url), "--out", tmp_path / "r", "--max-tokens-total")
    assert cli(*asked, 15_000).code == 1
    stats = endpoint.stats()
    assert 36 < stats["requests"] < 72
    assert 15_000 <= stats["tokens"] < 18_000
    assert cli(*asked, 15_000).code == 1
    assert endpoint.stats()["requests"] == stats["requests"]


def test_money_is_counted_by_the_public_price_and_limited(
    cli: Make, generated: Make, scripted: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = scripted(key="sk-ant-scripted")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", endpoint.at)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-scripted")
    run = generated(scripted().url)
    told = cli("score", run, "--judge", "anthropic/claude-haiku-4-5", "--max-cost", 0.02, "--json")
    assert told.code == 1
    (scoring,) = told.json["scorings"]
    verdicts = pl.read_parquet(Path(scoring["scoring"]) / "verdicts.parquet")
    # Claude Haiku 4.5 takes 1 US dollar for a million tokens read, and 5 for a million written.
    cost = verdicts["prompt_tokens"].sum() * 1e-6 + verdicts["completion_tokens"].sum() * 5e-6
    assert scoring["cost"] == pytest.approx(cost)
    assert 0.02 <= scoring["cost"] < 0.02 + 2 * cost / verdicts.height
    requests = endpoint.stats()["requests"]
    assert cli("score", run, "--judge", "anthropic/claude-haiku-4-5", "--max-cost", 0.02).code == 1
    assert endpoint.stats()["requests"] == requests
    assert f"{cost:.4f} US dollars" in cli("score", run, "--judge", "anthropic/claude-haiku-4-5", "--max-cost", 0).err


def test_a_budget_that_cannot_be_kept_is_refused(
    cli: Make, study: Make, generated: Make, scripted: Make, tmp_path: Path
) -> None:
    judge = scripted()
    run = generated(judge.url)
    told = cli("score", run, "--max-cost", 5)
    assert (told.code, judge.stats()["requests"]) == (2, 0)
    assert f"judge 'first': 'judge-a' at {judge.url} has no public price" in told.err
    assert "use --max-tokens-total" in told.err
    told = cli("generate", study(judge.url), "--out", tmp_path / "other", "--max-cost", 5)
    assert (told.code, judge.stats()["requests"]) == (2, 0)
    assert "the answers: 'org/model'" in told.err

    silent = scripted(rules=[{"fault": "no_usage"}])
    told = cli("score", run, "--judge", "j", "--endpoint", silent.url, "--max-tokens-total", 100_000)
    assert (told.code, silent.stats()["requests"]) == (2, 1)
    assert "does not say how many tokens a reply takes" in told.err
    assert cli("score", run, "--judge", "j", "--endpoint", silent.url).code == 0
    assert silent.stats()["requests"] == 36


def test_check_says_what_is_expected_and_the_most(cli: Make, study: Make, generated: Make, scripted: Make) -> None:
    path = study()
    content = cli("check", path, "--json").json
    # "How free is the press in China, in respect number 1?" has 52 characters, 13 tokens; "in the United States" and
    # "in Norway" make it 64 and 53, 16 and 14. Six questions, two epochs.
    assert content["prompt_tokens"] == 6 * 2 * (13 + 16 + 14)
    assert content["answer_tokens_expected"] == content["answer_tokens_at_most"] == 36 * 200  # max_tokens
    (judge,) = content["judges"]
    # Six criteria with a reason of 40 tokens and a score of 15; at most three replies in each room.
    assert judge["verdict_tokens_expected"] == 36 * 6 * 55
    assert judge["verdict_tokens_at_most"] == 36 * 3 * (1024 + 2048 + 4096)
    parts = [judge[f"{name}_tokens_expected"] for name in ("prompt", "verdict")]
    assert content["total"]["tokens_expected"] == 6 * 2 * 43 + 36 * 200 + sum(parts)
    assert content["total"]["cost_at_most"] is None
    assert "total tokens at most" in cli("check", path).out

    for rule in ({"fault": "truncated"}, {"fault": "prose"}, {"fault": "slow"}):
        endpoint = scripted(rules=[rule])
        run = generated(endpoint.url)
        scored = evenhand.score(run, judges=[evenhand.Judge(model=rule["fault"], endpoint=endpoint.url)])[0]
        told = evenhand.show_scoring(scored.scoring)
        assert told["tokens"] == endpoint.stats()["tokens"]
        most = judge["prompt_tokens_at_most"] + judge["verdict_tokens_at_most"]
        assert told["tokens"] < most
        if rule["fault"] == "slow":
            assert sum(parts) / 2 < told["tokens"] < sum(parts) * 2


def test_check_adds_up_the_money_that_has_a_price(cli: Make, study: Make) -> None:
    hosted = '[[judges]]\nname = "second"\nmodel = "anthropic/claude-haiku-4-5"\n'
    content = cli("check", study(more=hosted), "--json").json
    first, second = content["judges"]
    assert first["cost_at_most"] is None
    for bound in ("expected", "at_most"):
        # 1 and 5 US dollars for a million tokens read and written; the answers and the other judge have no price.
        cost = second[f"prompt_tokens_{bound}"] * 1e-6 + second[f"verdict_tokens_{bound}"] * 5e-6
        assert second[f"cost_{bound}"] == content["total"][f"cost_{bound}"] == pytest.approx(cost)


def test_tokens_are_estimated_by_script() -> None:
    assert tokens_in("") == 0
    assert tokens_in("How free is the press?") == 6  # 22 / 4, rounded up
    assert tokens_in("新闻自由吗") == 5
    assert tokens_in("プレスは自由か") == 7
    assert tokens_in("حرية") == 2
    assert tokens_in("Presse in 中国") == 5  # 10 / 4 + 2, rounded up


def test_repeats_at_temperature_0_are_warned_of_once(cli: Make, study: Make, scripted: Make, tmp_path: Path) -> None:
    told = "repeats at temperature 0 mostly repeat themselves"
    path = study(scripted().url, more="repeats = 2\n")
    checked = cli("check", path, "--json")
    assert (checked.err.count(told), len(checked.json["warnings"])) == (0, 1)
    assert cli("check", path).err.count(told) == 1
    run = cli("generate", path, "--out", tmp_path / "r", "--json").json["run"]
    assert cli("score", run).err.count(told) == 1
    path = study(more='repeats = 2\norder = "shuffled"\n[[judges]]\nmodel = "b"\nrepeats = 2\ntemperature = 0.5\n')
    text = path.read_text("utf-8").replace('model = "b"', 'model = "b"\nendpoint = "http://127.0.0.1:9/v1"')
    path.write_text(text, "utf-8")
    assert cli("check", path, "--json").json["warnings"] == []
