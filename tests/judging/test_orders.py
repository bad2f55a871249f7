"""Other orders in other repeats: what the judge reads changes places, by a seed that is kept."""

import json
import re
from collections.abc import Callable
from typing import Any

from judging.settings import Judge
from runs.store import Scoring

Make = Callable[..., Any]
TEXTS = {"CN": "In China the press is free.", "NO": "Norway leads the index."}
REPEATS = 6


def _judge(url: str, **more: Any) -> Judge:
    return Judge.model_validate({"model": "org/judge", "endpoint": url, "repeats": REPEATS, "seed": 1, **more})


def _read(endpoint: Any) -> list[str]:
    """Return the rubric as the judge read it in each repeat (whose seeds count up), the same before every answer."""
    stats = endpoint.stats()
    systems: dict[int, set[str]] = {}
    for prompt in stats["prompts"]:
        systems.setdefault(prompt["seed"], set()).add(stats["systems"][prompt["system"]])
    assert [len(told) for told in systems.values()] == [1] * REPEATS
    return [systems[seed].pop() for seed in range(1, REPEATS + 1)]


def _criteria(told: str) -> list[str]:
    return re.findall(r"^Criterion \d of 4: (\S+)$", told, re.MULTILINE)


def _options(told: str, criterion: str) -> list[str]:
    (part,) = re.findall(rf"^Criterion \d of 4: {criterion}$(.*?)\n\n", told, re.MULTILINE | re.DOTALL)
    return [level for level in re.findall(r"^  (\w+): ", part, re.MULTILINE) if level != "not_applicable"]


def _kept(scoring: Scoring) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads((scoring.path / "scoring.json").read_text("utf-8"))["settings"]
    return settings


async def test_criteria_and_options_change_places_from_repeat_to_repeat(
    scripted: Make, answered: Make, judged: Make
) -> None:
    endpoint = scripted()
    scoring, _ = await judged(answered(TEXTS), _judge(endpoint.url, order="shuffled"))
    told = _read(endpoint)
    criteria = [_criteria(one) for one in told]
    assert all(sorted(one) == ["leaning", "openness", "refusal", "share"] for one in criteria)
    assert len({tuple(one) for one in criteria}) > REPEATS / 2
    assert {tuple(_options(one, "openness")) for one in told} == {tuple("12345"), tuple("54321")}
    leaning = {tuple(_options(one, "leaning")) for one in told}
    assert len(leaning) > 2
    assert {tuple(sorted(one)) for one in leaning} == {("critical", "even", "favourable")}
    # The reply's keys come in the order that the judge read, for the schema holds it to that.
    rows = scoring.ledger.scan().collect().iter_rows(named=True)
    assert all(list(json.loads(row["raw"])) == criteria[row["repeat"] - 1] for row in rows)


async def test_a_fixed_order_is_the_rubrics_own(scripted: Make, answered: Make, judged: Make) -> None:
    endpoint = scripted()
    await judged(answered(TEXTS), _judge(endpoint.url, order="fixed"))
    (told,) = set(_read(endpoint))
    assert _criteria(told) == ["openness", "refusal", "leaning", "share"]
    assert _options(told, "openness") == list("12345")


async def test_the_seed_of_the_orders_is_kept_and_gives_them_again(
    scripted: Make, answered: Make, judged: Make
) -> None:
    first, again, other = scripted(), scripted(), scripted()
    run = answered(TEXTS)
    scoring, _ = await judged(run, _judge(first.url, order="shuffled", order_seed=7))
    assert (_kept(scoring)["order"], _kept(scoring)["order_seed"]) == ("shuffled", 7)
    await judged(answered(TEXTS, study="elsewhere"), _judge(again.url, order="shuffled", order_seed=7))
    assert _read(again) == _read(first)
    changed, tally = await judged(run, _judge(other.url, order="shuffled", order_seed=70))
    assert changed.path != scoring.path
    assert _kept(changed)["order_seed"] == 70
    assert tally.done == REPEATS * len(TEXTS)  # what was read in another order is another verdict
    assert _read(other) != _read(first)


async def test_the_seed_makes_a_scoring_of_its_own_even_where_nothing_is_asked_anew(
    scripted: Make, answered: Make, judged: Make
) -> None:
    # In a fixed order the seed changes no verdict, so all are taken over; what was asked for is kept all the same.
    endpoint = scripted()
    run = answered(TEXTS)
    first, _ = await judged(run, _judge(endpoint.url, order_seed=1))
    second, tally = await judged(run, _judge(endpoint.url, order_seed=2))
    assert first.path != second.path
    assert (_kept(first)["order_seed"], _kept(second)["order_seed"]) == (1, 2)
    assert tally.done == 0
