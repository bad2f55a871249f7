"""Items → responses: how an answer ended is told by its status, and nothing is asked twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from runs.budget import Budget
from runs.calls import Tally
from runs.chat import ChatClient
from runs.errors import InputError
from runs.frames import ITEMS, RESPONSES, Status, frame
from runs.generate import generate, pending, read_reply
from runs.progress import Silent
from runs.settings import Generation
from runs.store import Run, create_run

Endpoint = Callable[..., Any]
COUNTRIES = ("China", "Brazil", "Norway")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runs.calls.LONGEST_PAUSE", 0.1)
    monkeypatch.setattr("runs.course.PATIENCE", 0)


def _items(prompts: list[str | None]) -> pl.DataFrame:
    rows = [
        {"item_id": f"q{n}/X/en", "question_id": f"q{n}", "country": "X", "language": "en", "prompt": prompt}
        for n, prompt in enumerate(prompts)
    ]
    return frame(rows, ITEMS)


def _run(root: Path, generation: Generation, prompts: list[str | None]) -> Run:
    facts = {"study": {"name": "s"}, "epochs": generation.epochs, "status": "running"}
    identity = {"generation": generation.identity, "epochs": generation.epochs}
    return create_run(root, "s", generation.model, _items(prompts), identity, facts)


async def _generate(run: Run, generation: Generation, budget: Budget | None = None) -> Tally:
    asked = pending(run, generation)
    async with ChatClient(
        [generation.endpoint], generation.model, None, concurrency=generation.concurrency, timeout=20
    ) as client:
        tally = await generate(run, generation, asked, client, Silent(), budget or Budget())
    run.ledger.close()
    return tally


def _prompts(number: int) -> list[str | None]:
    return [f"Question {one} about {COUNTRIES[one % 3]}?" for one in range(number)]


async def test_every_item_is_asked_in_every_epoch_with_a_seed_of_its_own(scripted: Endpoint, tmp_path: Path) -> None:
    endpoint = scripted()
    generation = Generation(model="m", endpoint=endpoint.url, epochs=3, seed=11, concurrency=8)
    run = _run(tmp_path, generation, _prompts(5))
    assert await _generate(run, generation) == Tally(done=15)
    rows = run.responses().collect()
    assert rows.schema == RESPONSES
    assert rows["key"].n_unique() == rows["text"].n_unique() == 15
    assert set(rows["status"]) == {"ok"}
    assert sorted(rows.select("item_id", "epoch").iter_rows()) == [
        (f"q{n}/X/en", e) for n in range(5) for e in (1, 2, 3)
    ]
    counts = endpoint.stats()["prompts"]
    assert sorted((one["prompt"], one["seed"], one["requests"]) for one in counts) == sorted(
        (prompt, seed, 1) for prompt in _prompts(5) for seed in (11, 12, 13)
    )
    assert (
        rows.select(pl.col("prompt_tokens", "completion_tokens", "seconds").is_not_null().all()).row(0) == (True,) * 3
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"fault": "truncated"}, {"status": "truncated", "finish_reason": "length"}),
        ({"fault": "content_filter"}, {"status": "filtered", "text": None, "finish_reason": "content_filter"}),
        (
            {"fault": "http", "status": 400, "text": "Content Exists Risk"},  # DeepSeek's filter
            {"status": "filtered", "text": None, "prompt_tokens": None},
        ),
        ({"fault": "text", "text": ""}, {"status": "empty", "text": None, "reasoning": None}),
        ({"fault": "text", "text": " \n "}, {"status": "empty", "text": None}),
        ({"fault": "refusal_field"}, {"status": "ok", "text": "I'm sorry, but I can't help with that."}),
        ({"fault": "refusal_prose"}, {"status": "ok", "text": "I'm sorry, but I can't help with that."}),
        ({"fault": "text", "text": "<think>so</think>Yes."}, {"status": "ok", "text": "Yes.", "reasoning": "so"}),
        ({"fault": "text", "text": "so</think>Yes."}, {"status": "ok", "text": "Yes.", "reasoning": "so"}),
        ({"fault": "text", "text": "<think>so</think>"}, {"status": "empty", "text": None, "reasoning": "so"}),
        ({"fault": "no_usage"}, {"status": "ok", "prompt_tokens": None, "completion_tokens": None}),
        ({"fault": "in_reasoning"}, {"status": "empty", "text": None}),
    ],
    ids=[
        "truncated",
        "filtered",
        "refused",
        "empty",
        "blank",
        "refusal",
        "prose",
        "tags",
        "tag",
        "thought",
        "usage",
        "reasoning",
    ],
)
async def test_how_an_answer_ended(
    scripted: Endpoint, tmp_path: Path, rule: dict[str, Any], expected: dict[str, Any]
) -> None:
    generation = Generation(model="m", endpoint=scripted(rules=[rule]).url)
    run = _run(tmp_path, generation, ["Why?"])
    assert await _generate(run, generation) == Tally(done=1)  # also an empty answer is a response, and is kept
    row = run.responses().collect().row(0, named=True)
    assert {name: row[name] for name in expected} == expected
    assert row["kind"] is None
    assert (row["message"] is not None) == (rule["fault"] == "http")


def test_a_model_that_ran_out_of_tokens_is_not_taken_for_a_silenced_one() -> None:
    cut: dict[str, Any] = {"choices": [{"message": {"content": "so I think"}, "finish_reason": "length"}]}
    told = read_reply(cut, opened=True)
    assert (told["status"], told["text"], told["reasoning"]) == (Status.TRUNCATED, None, "so I think")
    apart = {"choices": [{"message": {"content": "Yes", "reasoning": "so"}, "finish_reason": "length"}]}
    told = read_reply(apart, opened=True)
    assert (told["status"], told["text"], told["reasoning"]) == (Status.TRUNCATED, "Yes", "so")


async def test_what_failed_is_asked_again_and_what_came_is_not(scripted: Endpoint, tmp_path: Path) -> None:
    endpoint = scripted(rules=[{"fault": "http", "status": 400, "holding": "China", "first": 1}])
    generation = Generation(model="m", endpoint=endpoint.url, attempts=2)
    run = _run(tmp_path, generation, _prompts(9))
    assert await _generate(run, generation) == Tally(done=6, failed=3, kinds={"endpoint": 3})
    failed = run.responses().filter(pl.col("status") == "error").collect()
    assert set(failed["kind"]) == {"endpoint"}
    assert all("HTTP 400" in message for message in failed["message"])
    run.ledger.seal()

    again = Run(run.path)
    assert await _generate(again, generation) == Tally(done=3)
    assert set(again.responses().collect()["status"]) == {"ok"}
    assert {one["prompt"]: one["requests"] for one in endpoint.stats()["prompts"]} == {
        prompt: 2 if "China" in str(prompt) else 1 for prompt in _prompts(9)
    }
    assert await _generate(Run(run.path), generation) == Tally()
    assert endpoint.stats()["requests"] == 12


async def test_short_troubles_cost_retries_and_no_answers(scripted: Endpoint, tmp_path: Path) -> None:
    troubles = ["rate_limit", "http", "cut_headers", "cut_body", "malformed_json", "no_choices"]
    rules = [{"fault": fault, "share_of_prompts": 0.15, "first": 1, "retry_after": 0.05} for fault in troubles]
    endpoint = scripted(rules=rules, seed=3)
    generation = Generation(model="m", endpoint=endpoint.url, concurrency=16)
    run = _run(tmp_path, generation, _prompts(60))
    assert await _generate(run, generation) == Tally(done=60)
    stats = endpoint.stats()
    seen = {fault for one in stats["prompts"] for fault in one["faults"]}
    assert seen == set(troubles)
    assert {one["replies"] for one in stats["prompts"]} == {1}
    assert stats["most_under_way"] <= 16


async def test_answers_to_the_same_prompts_are_taken_over_from_other_runs(scripted: Endpoint, tmp_path: Path) -> None:
    endpoint = scripted()
    generation = Generation(model="m", endpoint=endpoint.url)
    small = _run(tmp_path, generation, _prompts(4))
    await _generate(small, generation)
    large = _run(tmp_path, generation, _prompts(6))
    assert large.path != small.path
    assert await _generate(large, generation) == Tally(done=2)
    assert endpoint.stats()["requests"] == 6
    taken = large.responses().filter(pl.col("key").is_in(small.ledger.keys())).collect()
    # What they took was paid for there, which a copy says by having no seconds.
    assert taken.equals(small.responses().with_columns(seconds=pl.lit(None, pl.Float64)).collect())

    warmer = generation.model_copy(update={"temperature": 1.0})
    assert await _generate(_run(tmp_path, warmer, _prompts(4)), warmer) == Tally(done=4)


async def test_more_epochs_of_the_same_keep_the_earlier_ones(scripted: Endpoint, tmp_path: Path) -> None:
    endpoint = scripted()
    one = Generation(model="m", endpoint=endpoint.url, epochs=1)
    three = one.model_copy(update={"epochs": 3})
    await _generate(_run(tmp_path, one, _prompts(3)), one)
    assert await _generate(_run(tmp_path, three, _prompts(3)), three) == Tally(done=6)


async def test_an_edited_prompt_is_another_question(scripted: Endpoint, tmp_path: Path) -> None:
    generation = Generation(model="m", endpoint=scripted().url)
    await _generate(_run(tmp_path, generation, ["Why?"]), generation)
    assert await _generate(_run(tmp_path, generation, ["Why not?"]), generation) == Tally(done=1)


async def test_a_budget_stops_the_asking_and_the_next_start_goes_on(scripted: Endpoint, tmp_path: Path) -> None:
    generation = Generation(model="m", endpoint=scripted().url, concurrency=1)
    run = _run(tmp_path, generation, _prompts(10))
    tally = await _generate(run, generation, Budget(tokens=1))
    assert (tally.done, tally.unasked) == (1, 9)
    assert await _generate(Run(run.path), generation) == Tally(done=9)


def test_imported_answers_cannot_be_generated_again(tmp_path: Path) -> None:
    generation = Generation(model="m", endpoint="http://localhost:9")
    with pytest.raises(InputError, match="item 'q1/X/en' has no prompt"):
        pending(_run(tmp_path, generation, ["Why?", None]), generation)
