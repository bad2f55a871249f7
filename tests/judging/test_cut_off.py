"""A verdict that the endpoint says it cut off, though its JSON is whole: it may be a draft, and is asked for again."""

import json
from collections.abc import Callable
from typing import Any

from judging.settings import Judge
from runs.calls import Tally

Make = Callable[..., Any]


def _judge(url: str) -> Judge:
    return Judge.model_validate({"model": "org/judge", "endpoint": url, "max_tokens": 100})


async def test_a_whole_verdict_that_is_said_to_be_cut_off_is_a_failure_with_its_raw_reply(
    scripted: Make, answered: Make, judged: Make
) -> None:
    endpoint = scripted(rules=[{"fault": "length"}])
    scoring, tally = await judged(answered({"CN": "Yes."}), _judge(endpoint.url))
    assert tally == Tally(failed=1, kinds={"truncated_output": 1})
    (row,) = scoring.ledger.scan().collect().to_dicts()
    assert (row["kind"], row["attempts"]) == ("truncated_output", 3)
    assert all(one["score"] is None and one["label"] is None for one in row["scores"])
    assert list(json.loads(row["raw"])) == ["openness", "refusal", "leaning", "share"]  # nothing of it is lost


async def test_more_room_brings_the_verdict(scripted: Make, answered: Make, judged: Make) -> None:
    run = answered({"CN": "Yes."})
    usual, _ = await judged(run, _judge(scripted().url))
    endpoint = scripted(rules=[{"fault": "length", "fits": 200}])
    # Another run, or the verdict would be taken over.
    scoring, tally = await judged(answered({"CN": "Yes."}, study="elsewhere"), _judge(endpoint.url))
    assert tally == Tally(done=1)
    (row,), (expected,) = (one.ledger.scan().collect().to_dicts() for one in (scoring, usual))
    assert row["scores"] == expected["scores"]
    assert row["attempts"] == endpoint.stats()["requests"] == 2
