"""Judges at endpoints that do not take everything: what is left out, what is not, and other protocols than OpenAI's."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from judging.client import JudgeClient
from judging.score import pending, score
from judging.settings import Judge
from judging.variants import Variant
from rubrics import Rubric
from runs.budget import Budget
from runs.calls import Tally
from runs.chat import ChatClient
from runs.errors import EndpointError
from runs.progress import Silent
from runs.terms import Terms

Make = Callable[..., Any]
TEXTS = {"CN": "In China the press is free.", "US": "In the United States it is.", "NO": "Norway leads the index."}
FITS = {"openness": 2, "refusal": 0, "leaning": "even", "share": 50}
VERDICT = json.dumps({name: {"reason": "It says so.", "score": score} for name, score in FITS.items()})


def _judge(url: str, **more: Any) -> Judge:
    return Judge.model_validate({"model": "org/judge", "endpoint": url, "concurrency": 1, **more})


def _verdicts(scoring: Any) -> list[dict[str, Any]]:
    return scoring.ledger.scan().sort("item_id").collect().to_dicts()  # type: ignore[no-any-return]


async def test_default_settings_that_the_endpoint_does_not_take_are_left_out_and_that_is_said(
    scripted: Make, answered: Make, judged: Make
) -> None:
    endpoint, told = scripted(refuses=["temperature", "seed"]), []
    scoring, tally = await judged(answered(TEXTS), _judge(endpoint.url), warn=told.append)
    assert tally == Tally(done=3)
    assert [one.partition(";")[0] for one in told] == [
        "judge 'judge': the endpoint does not take 'temperature'",
        "judge 'judge': the endpoint does not take 'seed'",
    ]
    assert endpoint.stats()["requests"] == 5  # each is found out once
    assert sorted(row["attempts"] for row in _verdicts(scoring)) == [1, 1, 3]


async def test_requests_that_were_under_way_find_out_together(scripted: Make, answered: Make, judged: Make) -> None:
    endpoint, told = scripted(refuses=["temperature", "json_schema"], latency=0.02), []
    texts = {f"C{n}": f"Text {n}." for n in range(12)}
    judge = _judge(endpoint.url, concurrency=12, repairs=0)
    _, tally = await judged(answered(texts), judge, warn=told.append)
    # Without a schema this endpoint makes conversation; every request was sent until it was taken.
    assert tally == Tally(failed=12, kinds={"invalid_output": 12})
    assert len(told) == 2
    assert endpoint.stats()["requests"] == 36


@pytest.mark.parametrize(("name", "value"), [("temperature", 0.7), ("seed", 5), ("top_p", 0.9)])
async def test_a_setting_that_the_user_chose_does_not_give_way(
    scripted: Make, answered: Make, judged: Make, name: str, value: float
) -> None:
    told: list[str] = []
    judge = _judge(scripted(refuses=[name]).url, **{name: value})
    scoring, tally = await judged(answered(TEXTS), judge, warn=told.append)
    assert tally == Tally(failed=3, kinds={"endpoint": 3})
    assert all(
        f"HTTP 400 for model 'org/judge': Unsupported parameter: '{name}'" in r["message"] for r in _verdicts(scoring)
    )
    assert told == []


@pytest.mark.parametrize("refuses", ["json_schema", "response_format"])
async def test_where_no_schema_is_taken_the_verdict_is_asked_for_as_json_or_in_words(
    scripted: Make, answered: Make, judged: Make, refuses: str
) -> None:
    told: list[str] = []
    endpoint = scripted(refuses=[refuses], rules=[{"fault": "text", "text": f"```json\n{VERDICT}\n```"}])
    scoring, tally = await judged(answered(TEXTS), _judge(endpoint.url), warn=told.append)
    assert tally == Tally(done=3)
    assert {one["criterion"]: one["label"] or one["score"] for one in _verdicts(scoring)[0]["scores"]} == FITS
    ways = [one.split("; ")[1].partition(" (")[0] for one in told]
    assert ways == ["sending {'type': 'json_object'}", "leaving it out"][: 1 if refuses == "json_schema" else 2]


async def test_a_rubric_may_ask_for_expected_scores_and_a_judge_may_decline(
    scripted: Make, answered: Make, judged: Make, rubric: Rubric
) -> None:
    asks = rubric.model_copy(update={"logprobs": True})
    run = answered(TEXTS)

    async def openness(judge: Judge, scale: Rubric) -> tuple[Any, dict[str, Any]]:
        scoring, tally = await judged(run, judge, scale=scale)
        assert tally == Tally(done=3)
        return scoring, _verdicts(scoring)[0]["scores"][0]

    scoring, given = await openness(_judge(scripted().url), asks)
    assert given["expected"] is not None
    assert scoring.manifest["settings"]["logprobs"] is True
    assert [(await openness(_judge(scripted().url), rubric))[1]["expected"]] == [None]
    _, declined = await openness(_judge(scripted().url, logprobs=False), asks)
    assert (declined["expected"], declined["unexpected"]) == (None, None)
    _, without = await openness(_judge(scripted(refuses=["logprobs"]).url), asks)
    assert (without["expected"], without["unexpected"]) == (None, "no_logprobs")


async def test_a_filter_that_refuses_with_an_http_error_is_a_refusal(
    scripted: Make, answered: Make, judged: Make
) -> None:
    rules = [{"fault": "http", "status": 400, "text": "The response was filtered (content_filter)."}]
    scoring, tally = await judged(answered(TEXTS), _judge(scripted(rules=rules).url))
    assert tally == Tally(failed=3, kinds={"judge_refusal": 3})
    assert {row["attempts"] for row in _verdicts(scoring)} == {1}


async def test_what_an_error_repeats_of_the_answer_is_not_what_the_endpoint_says(
    scripted: Make, answered: Make, judged: Make
) -> None:
    echo = "[{'loc': ('body',), 'msg': 'bad', 'input': 'a content filter, the temperature, a seed, response_format'}]"
    told: list[str] = []
    rules = [{"fault": "http", "status": 422, "text": echo}]
    scoring, tally = await judged(answered(TEXTS), _judge(scripted(rules=rules).url), warn=told.append)
    assert tally == Tally(failed=3, kinds={"endpoint": 3})
    assert {row["attempts"] for row in _verdicts(scoring)} == {1}
    assert told == []


async def test_what_a_call_took_is_kept_when_a_later_try_ends_the_scoring(
    scripted: Make, answered: Make, rubric: Rubric
) -> None:
    endpoint = scripted(rules=[{"fault": "truncated", "first": 1}, {"fault": "http", "status": 402}])
    todo = pending(answered({"CN": "Yes."}), rubric, _judge(endpoint.url, max_tokens=100), Variant())
    async with JudgeClient(todo.judge, [endpoint.url], None) as client:
        with pytest.raises(EndpointError, match="HTTP 402"):
            await score(todo, client, Silent(), Budget())
    (row,) = todo.scoring.ledger.scan().collect().to_dicts()
    todo.scoring.ledger.close()
    assert (row["kind"], row["attempts"]) == ("endpoint", 2)
    assert row["prompt_tokens"] + row["completion_tokens"] == endpoint.stats()["tokens"]


async def test_a_model_without_more_room_has_truncated_its_verdict(
    scripted: Make, answered: Make, judged: Make
) -> None:
    overflow = {"fault": "http", "status": 400, "text": "maximum context length is 150 tokens"}
    rules = [{"fault": "truncated", "first": 1}, overflow]
    scoring, tally = await judged(answered(TEXTS), _judge(scripted(rules=rules).url, max_tokens=100))
    assert tally == Tally(failed=3, kinds={"truncated_output": 3})
    (row, *_) = _verdicts(scoring)
    assert row["attempts"] == 2
    assert row["raw"].startswith('{"openness": ')


async def test_generation_leaves_out_what_is_not_taken(scripted: Make) -> None:
    told: list[str] = []
    terms = Terms(["seed"], told.append)
    endpoint = scripted(refuses=["seed"])
    async with ChatClient([endpoint.url], "m", None, concurrency=1, timeout=20, terms=terms) as client:
        for _ in range(2):
            reply = await client.complete({"messages": [{"role": "user", "content": "Why?"}], "seed": 1})
            assert reply["choices"][0]["message"]["content"].startswith("On 'Why?' (")
    assert endpoint.stats()["requests"] == 3
    assert terms.left_out == ["seed"]
    assert len(told) == 1


@pytest.fixture
def claude(scripted: Make, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Any, Judge]]:
    """Return a function that makes an endpoint on Anthropic's protocol, and a judge whom its SDK asks there."""

    def make(judge: dict[str, Any] | None = None, **script: Any) -> tuple[Any, Judge]:
        endpoint = scripted(key="sk-ant-scripted", **script)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", endpoint.at)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-scripted")
        return endpoint, Judge.model_validate({"model": "anthropic/claude-sonnet-5", "concurrency": 2, **(judge or {})})

    return make


async def test_a_judge_of_anthropic_scores_through_its_own_protocol(
    claude: Callable[..., tuple[Any, Judge]], scripted: Make, answered: Make, judged: Make
) -> None:
    endpoint, judge = claude()
    assert (judge.endpoint, judge.name) == ("provider", "claude-sonnet-5")
    told: list[str] = []
    run = answered(TEXTS)
    scoring, tally = await judged(run, judge, warn=told.append)
    assert tally == Tally(done=3)
    assert "judge 'claude-sonnet-5': the endpoint does not take 'seed'" in [one.partition(";")[0] for one in told]
    assert endpoint.stats()["requests"] == 3  # its SDK knows before anything is sent
    for row in _verdicts(scoring):
        assert row["prompt_tokens"] > row["completion_tokens"] > 0
        assert row["cost"] > 0
        assert all(one["score"] is not None or one["label"] for one in row["scores"])
    with_openai, _ = await judged(run, Judge(model="claude-sonnet-5", endpoint=scripted().url))
    assert [row["scores"] for row in _verdicts(scoring)] == [row["scores"] for row in _verdicts(with_openai)]


@pytest.mark.parametrize(
    ("rule", "kind", "requests"),
    [
        ({"fault": "refusal_field"}, "judge_refusal", 1),
        ({"fault": "refusal_prose"}, "judge_refusal", 1),
        ({"fault": "truncated"}, "truncated_output", 3),
        ({"fault": "prose"}, "invalid_output", 3),
        ({"fault": "out_of_scale"}, "invalid_output", 3),
        ({"fault": "http", "status": 500}, "endpoint", 2),
        ({"fault": "rate_limit", "retry_after": 0.01}, "rate_limit", 2),
    ],
    ids=lambda value: value["fault"] if isinstance(value, dict) else "",
)
async def test_why_a_judge_of_anthropic_gave_no_score(
    claude: Callable[..., tuple[Any, Judge]],
    answered: Make,
    judged: Make,
    rule: dict[str, Any],
    kind: str,
    requests: int,
) -> None:
    endpoint, judge = claude({"attempts": 2, "max_tokens": 100}, rules=[rule])
    scoring, tally = await judged(answered({"CN": "Yes."}), judge)
    assert tally == Tally(failed=1, kinds={kind: 1})
    # Neither the SDK nor instructor asks again on its own.
    assert endpoint.stats()["requests"] == requests
    (row,) = _verdicts(scoring)
    assert row["message"]
    assert row["raw"]


@pytest.mark.parametrize(
    ("fault", "kind", "told"),
    [
        ("hang", "timeout", "no reply within 0.2 s; raise `timeout` or lower `concurrency`."),
        ("cut_body", "endpoint", "the server broke off its reply."),
        ("cut_headers", "endpoint", "the server broke off its reply."),
    ],
)
async def test_a_judge_of_anthropic_that_breaks_off_is_a_failure_told_in_words(
    claude: Callable[..., tuple[Any, Judge]], answered: Make, judged: Make, fault: str, kind: str, told: str
) -> None:
    _, judge = claude({"attempts": 1, "repairs": 0, "timeout": 0.2}, rules=[{"fault": fault}])
    scoring, tally = await judged(answered({"CN": "Yes."}), judge)
    assert tally == Tally(failed=1, kinds={kind: 1})
    (row,) = _verdicts(scoring)
    assert row["message"] == f"anthropic/claude-sonnet-5: {told}"


@pytest.mark.parametrize(
    ("model", "host"),
    [
        ("google/gemini-2.5-flash", "generativelanguage.googleapis.com"),
        ("groq/llama-3.3-70b-versatile", "api.groq.com"),
        ("cohere/command-a", "api.cohere.ai"),
        ("xai/grok-4", "api.x.ai"),
        ("deepseek/deepseek-chat", "api.deepseek.com"),
    ],
)
def test_whoever_speaks_openais_protocol_is_asked_in_it(model: str, host: str) -> None:
    judge = Judge(model=model)
    assert judge.endpoint.split("/")[2] == host
    assert judge.served_model == model.partition("/")[2]
