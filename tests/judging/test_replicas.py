"""Several servers of one judge: whatever befalls one of them, every verdict comes from the others."""

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
from runs.progress import Silent
from runs.turns import FAILURES

Make = Callable[..., Any]


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": "http"},
        {"fault": "http", "status": 503},
        {"fault": "cut_headers"},
        {"fault": "cut_body"},
        {"fault": "malformed_json"},
        {"fault": "hang"},
        {"fault": "rate_limit"},
        {"fault": "rate_limit", "retry_after": 86_400},
        {"fault": "http", "status": 503, "retry_after": 86_400},
    ],
    ids=lambda rule: "-".join(map(str, rule.values())),
)
async def test_every_verdict_comes_where_one_server_fails(
    scripted: Make, answered: Make, rubric: Rubric, monkeypatch: pytest.MonkeyPatch, rule: dict[str, Any]
) -> None:
    monkeypatch.setattr("runs.turns.FIRST_REST", 60.0)
    broken, sound, told = scripted(rules=[rule]), scripted(), list[str]()
    judge = Judge(model="j", endpoint=broken.url, replicas=(sound.url,), concurrency=8, timeout=1, attempts=3)
    todo = pending(answered({f"C{number}": f"answer {number}" for number in range(20)}), rubric, judge, Variant())
    async with JudgeClient(todo.judge, [broken.url, sound.url], None, told.append) as client:
        tally = await score(todo, client, Silent(), Budget())
    todo.scoring.ledger.close()
    assert tally == Tally(done=20)
    asks = "retry_after" in rule or rule["fault"] == "rate_limit"  # then it rests at once
    assert (1 if asks else FAILURES) <= broken.stats()["requests"] <= 8  # as many are under way at once
    why = "refuses calls for their rate" if asks else f"{FAILURES} calls in a row failed"
    assert told == [f"judge 'j': {broken.url}: {why}; the other URLs take its calls."]
