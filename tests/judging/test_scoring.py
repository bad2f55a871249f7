"""Responses → verdicts: every verdict that the design calls for, once; and every way in which one does not come."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from judging.score import pending
from judging.settings import Judge
from judging.variants import Variant
from rubrics import Rubric
from runs.budget import Budget
from runs.calls import Tally
from runs.errors import EndpointError
from runs.frames import VERDICTS
from runs.store import Run, Scoring

Make = Callable[..., Any]
TEXTS = {"CN": "In China the press is free.", "US": "In the United States it is.", "NO": "Norway leads the index."}


def _judge(url: str, **more: Any) -> Judge:
    return Judge.model_validate({"model": "org/judge", "endpoint": url, **more})


def _verdicts(scoring: Scoring) -> list[dict[str, Any]]:
    return scoring.ledger.scan().sort("item_id", "epoch", "repeat", "key").collect().to_dicts()


def _given(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a verdict says per criterion."""
    return {one["criterion"]: one["label"] if one["score"] is None else one["score"] for one in row["scores"]}


async def test_every_answer_is_scored_on_every_criterion_in_every_repeat(
    scripted: Make, answered: Make, judged: Make
) -> None:
    endpoint = scripted()
    run = answered({**TEXTS, "DE": None})
    scoring, tally = await judged(run, _judge(endpoint.url, repeats=2, seed=5))
    assert tally == Tally(done=6)  # an answer that did not come is not scored
    rows = _verdicts(scoring)
    assert scoring.ledger.scan().collect_schema() == VERDICTS
    assert [(row["item_id"], row["repeat"]) for row in rows] == [
        (f"q/{country}/en", repeat) for country in ("CN", "NO", "US") for repeat in (1, 2)
    ]
    for row in rows:
        given = _given(row)
        assert given["openness"] in {1, 2, 3, 4, 5}
        assert given["refusal"] in {0, 1}
        assert given["leaning"] in {"critical", "even", "favourable"}
        assert 0 <= given["share"] <= 100
        assert all(one["reason"] for one in row["scores"])
        assert (row["kind"], row["attempts"], row["message"]) == (None, 1, None)
        assert row["prompt_tokens"] > row["completion_tokens"] > 0
        told = json.loads(row["raw"])
        assert {name: entry["score"] for name, entry in told.items()} == given
    assert {one["seed"] for one in endpoint.stats()["prompts"]} == {5, 6}
    assert {one["requests"] for one in endpoint.stats()["prompts"]} == {1}


async def test_one_call_each_and_all_in_one_score_the_same_criteria(
    scripted: Make, answered: Make, judged: Make
) -> None:
    endpoint = scripted()
    run = answered(TEXTS)
    together, _ = await judged(run, _judge(endpoint.url))
    apart, tally = await judged(run, _judge(endpoint.url, calls="criterion"))
    assert tally == Tally(done=12)
    assert apart.path != together.path
    single: dict[str, dict[str, Any]] = {}
    for row in _verdicts(apart):
        assert len(row["scores"]) == 1
        single.setdefault(row["item_id"], {}).update(_given(row))
    assert single == {row["item_id"]: _given(row) for row in _verdicts(together)}


async def test_scores_without_reasons(scripted: Make, answered: Make, judged: Make) -> None:
    scoring, tally = await judged(answered(TEXTS), _judge(scripted().url, reasons=False))
    assert tally == Tally(done=3)
    assert {one["reason"] for row in _verdicts(scoring) for one in row["scores"]} == {None}


async def test_an_abstention_is_a_verdict_without_a_score(scripted: Make, answered: Make, judged: Make) -> None:
    scoring, tally = await judged(answered(TEXTS), _judge(scripted(abstain=1.0).url))
    assert tally == Tally(done=3)
    for row in _verdicts(scoring):
        by_criterion = {one["criterion"]: one for one in row["scores"]}
        assert row["kind"] is None
        assert (by_criterion["openness"]["score"], by_criterion["openness"]["kind"]) == (None, "abstained")
        assert (by_criterion["refusal"]["kind"], by_criterion["leaning"]["kind"]) == (None, None)


@pytest.mark.parametrize(
    ("rule", "judge", "kind", "attempts", "raw"),
    [
        ({"fault": "prose"}, {}, "invalid_output", 3, "This answer seems balanced to me"),
        ({"fault": "wrong_keys"}, {}, "invalid_output", 3, '{"verdict": "good"'),
        ({"fault": "out_of_scale"}, {}, "invalid_output", 3, '"score": 99'),
        ({"fault": "prose"}, {"repairs": 0}, "invalid_output", 1, "This answer"),
        ({"fault": "refusal_prose"}, {}, "judge_refusal", 1, "I'm sorry, but I can't"),
        ({"fault": "refusal_field"}, {}, "judge_refusal", 1, "I'm sorry, but I can't"),
        ({"fault": "content_filter"}, {}, "judge_refusal", 1, None),
        ({"fault": "truncated"}, {}, "truncated_output", 3, '{"openness": '),
        ({"fault": "text", "text": ""}, {}, "invalid_output", 3, None),
        ({"fault": "rate_limit", "retry_after": 0.01}, {"attempts": 2}, "rate_limit", 2, "Rate limit reached."),
        ({"fault": "http", "retry_after": 0.01}, {"attempts": 2}, "endpoint", 2, "The server had an error."),
        ({"fault": "http", "status": 400}, {"attempts": 2}, "endpoint", 1, "The server had an error."),
        ({"fault": "hang"}, {"attempts": 2, "timeout": 0.3}, "timeout", 2, None),
        ({"fault": "cut_headers"}, {"attempts": 2}, "endpoint", 2, None),
        ({"fault": "cut_body"}, {"attempts": 2}, "endpoint", 2, None),
        ({"fault": "malformed_json"}, {"attempts": 2}, "endpoint", 2, "chatcmpl-scripted"),
        ({"fault": "no_completion"}, {"attempts": 2}, "endpoint", 2, '{"object": "list"'),
        ({"fault": "no_choices"}, {"attempts": 2}, "endpoint", 2, '"choices": []'),
    ],
    ids=lambda value: value.get("fault", "") if isinstance(value, dict) else "",
)
async def test_a_verdict_that_does_not_come_is_a_row_with_its_kind_and_what_was_said(
    scripted: Make, answered: Make, judged: Make,
    rule: dict[str, Any], judge: dict[str, Any], kind: str, attempts: int, raw: str | None,
) -> None:  # fmt: skip
    endpoint = scripted(rules=[rule])
    scoring, tally = await judged(answered({"CN": "Yes."}), _judge(endpoint.url, max_tokens=100, **judge))
    assert tally == Tally(failed=1, kinds={kind: 1})
    (row,) = _verdicts(scoring)
    assert row["kind"] == kind
    assert row["attempts"] == attempts == endpoint.stats()["requests"]
    assert row["message"]
    assert (row["raw"] is None) == (raw is None)
    assert raw is None or raw in row["raw"]
    assert [one["criterion"] for one in row["scores"]] == ["openness", "refusal", "leaning", "share"]
    assert all(one["score"] is None and one["label"] is None for one in row["scores"])


@pytest.mark.parametrize(
    ("rule", "attempts"),
    [
        ({"fault": "in_reasoning"}, 1),
        ({"fault": "fenced"}, 1),
        ({"fault": "thinking"}, 1),
        ({"fault": "no_usage"}, 1),
        ({"fault": "prose", "first": 2}, 3),
        ({"fault": "out_of_scale", "first": 1}, 2),
        ({"fault": "truncated", "fits": 200}, 2),
        ({"fault": "truncated", "fits": 400}, 3),
        ({"fault": "rate_limit", "first": 2, "retry_after": 0.01}, 3),
        ({"fault": "cut_body", "first": 1}, 2),
        ({"fault": "no_choices", "first": 1}, 2),
    ],
    ids=lambda value: value["fault"] if isinstance(value, dict) else "",
)
async def test_a_verdict_that_comes_in_another_way_or_late_is_the_same_verdict(
    scripted: Make, answered: Make, judged: Make, rule: dict[str, Any], attempts: int
) -> None:
    plain, spoilt = scripted(), scripted(rules=[rule])
    run = answered({"CN": "Yes."})
    expected, _ = await judged(run, _judge(plain.url, max_tokens=100))
    scoring, tally = await judged(run, _judge(spoilt.url, max_tokens=100))
    assert tally == Tally(done=1)
    (row,), (usual,) = _verdicts(scoring), _verdicts(expected)
    assert row["scores"] == usual["scores"]
    assert row["attempts"] == attempts == spoilt.stats()["requests"]


async def test_tokens_of_failed_attempts_count(scripted: Make, answered: Make, judged: Make) -> None:
    run = answered({"CN": "Yes."})
    once, _ = await judged(run, _judge(scripted().url))
    rules = [{"fault": "out_of_scale", "first": 1}]
    repaired, _ = await judged(run, _judge(scripted(rules=rules).url))
    broken, _ = await judged(run, _judge(scripted(rules=[{"fault": "out_of_scale"}]).url))
    tokens = [_verdicts(one)[0]["completion_tokens"] for one in (once, repaired, broken)]
    # A spoilt reply is about as long as a good one: one, two and three replies.
    assert tokens[0] * 1.9 < tokens[1] < tokens[0] * 2.1
    assert tokens[0] * 2.8 < tokens[2] < tokens[0] * 3.2
    prompts = [_verdicts(one)[0]["prompt_tokens"] for one in (once, repaired, broken)]
    assert prompts[1] > 2 * prompts[0]  # a repair sends the conversation so far
    assert prompts[2] > 3 * prompts[0]


async def test_a_reply_before_a_broken_connection_still_counts(scripted: Make, answered: Make, judged: Make) -> None:
    # Try 1 does not fit the rubric, its repair (try 2) is cut off, and the call starts anew (tries 3 and 4).
    rules = [{"fault": "prose", "first": 1}, {"fault": "cut_body", "first": 2}, {"fault": "prose", "first": 3}]
    scoring, tally = await judged(answered({"CN": "Yes."}), _judge(scripted(rules=rules).url))
    assert tally == Tally(done=1)
    (row,) = _verdicts(scoring)
    assert row["attempts"] == 4
    assert row["completion_tokens"] > len(row["raw"]) // 4 + 1


@pytest.mark.parametrize(("script", "told"), [({"key": "k"}, "HTTP 401"), ({"models": ["another"]}, "HTTP 404")])
async def test_a_judge_that_cannot_be_asked_ends_the_scoring(
    scripted: Make, answered: Make, judged: Make, script: dict[str, Any], told: str
) -> None:
    endpoint = scripted(**script)
    texts = {f"C{number}": f"Text {number}." for number in range(200)}
    with pytest.raises(EndpointError, match=told):
        await judged(answered(texts), _judge(endpoint.url, concurrency=4))
    assert endpoint.stats()["requests"] < 20


async def test_failed_verdicts_are_asked_again_and_others_are_not(scripted: Make, answered: Make, judged: Make) -> None:
    endpoint = scripted(rules=[{"fault": "prose", "holding": "in China the", "first": 1}])
    run = answered({**TEXTS, "CN": "For in China the press is free."})
    judge = _judge(endpoint.url, repairs=0)
    scoring, tally = await judged(run, judge)
    assert tally == Tally(done=2, failed=1, kinds={"invalid_output": 1})
    again, tally = await judged(Run(run.path), judge)
    assert tally == Tally(done=1)
    assert again.path == scoring.path
    assert {row["kind"] for row in _verdicts(again)} == {None}
    assert len(list(again.ledger.failures.read())) == 1  # the old failure stays on record
    _, tally = await judged(Run(run.path), judge)
    assert tally == Tally()
    assert endpoint.stats()["requests"] == 4


def _tree(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


async def test_swapping_the_judge_leaves_every_byte_of_what_is_there(
    scripted: Make, answered: Make, judged: Make
) -> None:
    run = answered(TEXTS)
    url = scripted(rules=[{"fault": "prose", "holding": "Norway leads"}]).url
    first, _ = await judged(run, _judge(url))
    before = _tree(run.path)
    others = [
        _judge(url, model="org/another"), _judge(url, temperature=0.5), _judge(url, seed=2), _judge(url, repairs=1),
        _judge(url, calls="criterion"), _judge(url, reasons=False), _judge(url, max_tokens=50), _judge(url, repeats=2),
    ]  # fmt: skip
    paths = {(await judged(Run(run.path), judge))[0].path for judge in others}
    assert len(paths) == len(others)
    assert first.path not in paths
    after = _tree(run.path)
    assert {path: after.get(path) for path in before} == before


async def test_how_hard_a_judge_is_pressed_makes_no_new_scoring(scripted: Make, answered: Make, judged: Make) -> None:
    endpoint = scripted()
    run = answered(TEXTS)
    first, _ = await judged(run, _judge(endpoint.url))
    again, tally = await judged(Run(run.path), _judge(endpoint.url, concurrency=3, timeout=99, attempts=1))
    assert again.path == first.path
    assert tally == Tally()


async def test_more_repeats_keep_the_earlier_ones(scripted: Make, answered: Make, judged: Make) -> None:
    endpoint = scripted()
    run = answered(TEXTS)
    await judged(run, _judge(endpoint.url))
    scoring, tally = await judged(Run(run.path), _judge(endpoint.url, repeats=3))
    assert tally == Tally(done=6)
    assert len(_verdicts(scoring)) == 9
    assert {one["requests"] for one in endpoint.stats()["prompts"]} == {1}


async def test_an_edited_answer_question_or_rubric_is_judged_anew(
    scripted: Make, answered: Make, judged: Make, rubric: Rubric
) -> None:
    endpoint = scripted()
    judge = _judge(endpoint.url)
    run = answered(TEXTS)
    await judged(run, judge)
    edited = answered({**TEXTS, "CN": "In China the press is not free."})
    _, tally = await judged(edited, judge)
    assert tally == Tally(done=1)  # the other two are taken over

    criterion = rubric.criteria[0].model_copy(update={"question": "Does the answer speak openly?"})
    changed = rubric.model_copy(update={"criteria": (criterion, *rubric.criteria[1:])})
    scoring, tally = await judged(Run(run.path), judge, scale=changed)
    assert tally == Tally(done=3)
    assert scoring.rubric_path.read_text("utf-8").count("Does the answer speak openly?") == 1
    renamed = rubric.model_copy(update={"description": "Said otherwise.", "version": "2"})
    _, tally = await judged(Run(run.path), judge, scale=renamed)
    assert tally == Tally()  # judges see neither; nothing is paid for twice


async def test_a_budget_stops_the_asking(scripted: Make, answered: Make, judged: Make) -> None:
    run = answered(TEXTS)
    judge = _judge(scripted().url, concurrency=1)
    _, tally = await judged(run, judge, budget=Budget(tokens=1))
    assert (tally.done, tally.unasked) == (1, 2)
    _, tally = await judged(Run(run.path), judge)
    assert tally == Tally(done=2)


async def test_thinking_is_scored_by_itself(scripted: Make, answered: Make, judged: Make) -> None:
    endpoint = scripted()
    run = answered(TEXTS, reasoning="They ask about the press; careful now.")
    answer, _ = await judged(run, _judge(endpoint.url))
    thought, tally = await judged(run, _judge(endpoint.url), on=Variant("reasoning"))
    assert tally == Tally(done=3)
    assert thought.path != answer.path
    shown = [one["prompt"] for one in endpoint.stats()["prompts"]]
    assert sum("careful now" in prompt for prompt in shown) == 3


async def test_the_expected_score_is_the_mean_over_the_levels(scripted: Make, answered: Make, judged: Make) -> None:
    scoring, _ = await judged(answered(TEXTS), _judge(scripted().url, logprobs=True))
    for row in _verdicts(scoring):
        by_criterion = {one["criterion"]: one for one in row["scores"]}
        for name, levels in {"openness": range(1, 6), "refusal": range(2)}.items():
            entry = by_criterion[name]
            # The endpoint halves the probability with every step from its choice; "not_applicable" is no level.
            weights = {level: 0.5 ** abs(level - entry["score"]) for level in levels}
            mean = sum(level * weight for level, weight in weights.items()) / sum(weights.values())
            assert entry["expected"] == pytest.approx(mean, abs=1e-9)
            assert entry["unexpected"] is None
        assert by_criterion["leaning"]["expected"] is None
        assert by_criterion["share"]["expected"] is None


async def test_scores_hang_on_the_answer_and_a_planted_lean_is_found(
    scripted: Make, answered: Make, judged: Make
) -> None:
    run = answered({f"C{n}": f"Text {n} about {'China' if n % 2 else 'Norway'}." for n in range(40)})
    plain, _ = await judged(run, _judge(scripted().url))
    leaning, _ = await judged(run, _judge(scripted(lean={"China": -2}).url))
    moved = {
        row["item_id"]: _given(other)["openness"] - _given(row)["openness"]
        for row, other in zip(_verdicts(plain), _verdicts(leaning), strict=True)
    }
    for row in _verdicts(plain):
        number = int(row["item_id"].split("/")[1][1:])
        expected = max(-2.0, 1 - _given(row)["openness"]) if number % 2 else 0
        assert moved[row["item_id"]] == expected


def test_a_design_lists_every_verdict_once(answered: Make, rubric: Rubric) -> None:
    judge = _judge("http://localhost:9", repeats=2, calls="criterion")
    todo = pending(answered(TEXTS), rubric, judge, Variant())
    assert todo.total == len(todo.wanted) == 3 * 2 * 4
    assert len({task.key for task in todo.wanted}) == 24
    assert pl.read_parquet(todo.scoring.path.parents[1] / "items.parquet").height == 3
