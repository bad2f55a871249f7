"""The expected score from lists of tokens: its value by hand, and every reason why there is none."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from openai.types.chat import ChatCompletionTokenLogprob
from openai.types.chat.chat_completion_token_logprob import TopLogprob

from judging.levels import Expected, expected_scores
from judging.settings import Judge
from rubrics import Criterion, Rubric, Scale, load_rubric
from runs.calls import Tally

Make = Callable[..., Any]
Token = str | tuple[str, Mapping[str, float]]
"""A token, with the probabilities of all that might have stood there (itself among them) where they are known."""


def _ordinal(low: int, high: int) -> Criterion:
    anchors = {str(level): f"level {level}" for level in range(low, high + 1)}
    return Criterion(id="c", question="How?", scale=Scale.ORDINAL, anchors=anchors, direction="more")


def _expected(criterion: Criterion, *tokens: Token) -> Expected:
    """Return the expected score in `{"c":` + tokens + `}`."""
    said: list[ChatCompletionTokenLogprob] = []
    for token in ('{"', "c", '":', *tokens, "}"):
        text, likely = (token, {}) if isinstance(token, str) else token
        top = [TopLogprob(token=one, logprob=math.log(p) if p else -math.inf) for one, p in likely.items()]
        own = math.log(likely.get(text, 1.0))
        said.append(ChatCompletionTokenLogprob(token=text, logprob=own, top_logprobs=top))
    return expected_scores(said, [criterion], reasons=False)["c"]


ONE_TO_FIVE, SIGNED = _ordinal(1, 5), _ordinal(-2, 2)


@pytest.mark.parametrize(
    ("criterion", "token", "expected"),
    [
        # (2 × 0.2 + 4 × 0.6) / 0.8: what is no level has no share.
        (ONE_TO_FIVE, ("4", {"4": 0.6, "2": 0.2, "x": 0.2}), 3.5),
        # Both spellings of 4 count: (4 × (0.5 + 0.25) + 1 × 0.25) / 1.
        (ONE_TO_FIVE, ("4", {"4": 0.5, "4 ": 0.25, "1": 0.25}), 3.25),
        # A blank before it is the token's, not the level's: (3 × 0.5 + 5 × 0.5) / 1.
        (ONE_TO_FIVE, (" 3", {" 3": 0.5, " 5": 0.5}), 4.0),
        # The levels below 0 are single tokens: (-2 × 0.25 - 1 × 0.25 + 0 × 0.25 + 1 × 0.15 + 2 × 0.1) / 1.
        (SIGNED, ("0", {"-2": 0.25, "-1": 0.25, "0": 0.25, "1": 0.15, "2": 0.1}), -0.4),
        # - begins no level whose probability is not known: (-2 × 0.2 - 1 × 0.2 + 0 + 1 × 0.2 + 2 × 0.2) / 0.9.
        (SIGNED, ("0", {"-2": 0.2, "-1": 0.2, "0": 0.1, "1": 0.2, "2": 0.2, "-": 0.1}), 0.0),
        # "1," is a 1 that ends, and begins no 10: (1 × 0.5 + 2 × 0.5) / 1.
        (_ordinal(1, 10), ("2", {"2": 0.5, "1,": 0.5}), 1.5),
        # More than half is not little: (5 × 0.4 + 4 × 0.2) / 0.6.
        (ONE_TO_FIVE, ("5", {"5": 0.4, "4": 0.2, "x": 0.4}), 14 / 3),
        # A blank may come before any level, and favours none: (3 × 0.6 + 5 × 0.3) / 0.9.
        (ONE_TO_FIVE, (" 3", {" 3": 0.6, " 5": 0.3, " ": 0.1}), 11 / 3),
        # What cannot stand there is no part of it.
        (ONE_TO_FIVE, ("5", {"5": 1.0, "1": 0.0}), 5.0),
    ],
)
def test_the_mean_is_over_the_levels(criterion: Criterion, token: Token, expected: float) -> None:
    found = _expected(criterion, token)
    assert found.score == pytest.approx(expected, abs=1e-9)
    assert found.why is None


@pytest.mark.parametrize(
    ("criterion", "tokens", "why"),
    [
        # The tokenizer parts - from the digit: of -2 and -1 only their sum, 0.5, is known.
        (SIGNED, [("0", {"0": 0.3, "-": 0.5, "1": 0.1, "2": 0.1})], "levels_begin_alike"),
        # 1 is the whole of 1, or the first of two tokens that write 10.
        (_ordinal(1, 10), [("3", {"3": 0.6, "1": 0.4})], "levels_begin_alike"),
        (SIGNED, [("-", {"-": 0.6, "1": 0.4}), ("1", {"1": 1.0})], "level_spans_tokens"),
        (_ordinal(1, 10), [("1", {"1": 1.0}), ("0", {"0": 1.0})], "level_spans_tokens"),
        (ONE_TO_FIVE, ["4"], "no_alternatives"),
        (ONE_TO_FIVE, [("4", {"4": 0.4, "x": 0.6})], "little_mass"),
        # 0.02 of probability may not pass for all of it: the mean over 1 and 4 would be 2.5.
        (ONE_TO_FIVE, [("4", {"4": 0.01, "1": 0.01, "x": 0.98})], "little_mass"),
        (ONE_TO_FIVE, [("9", {"9": 1.0})], "no_level_among_alternatives"),
        (ONE_TO_FIVE, ["["], "no_score"),
        (ONE_TO_FIVE, ["{}"], "no_score"),
    ],
)
def test_where_the_levels_probabilities_are_not_known_there_is_no_expected_score(
    criterion: Criterion, tokens: list[Token], why: str
) -> None:
    assert _expected(criterion, *tokens) == Expected(None, why)


@pytest.mark.parametrize("tokens", [None, []])
def test_without_probabilities_there_is_no_expected_score(tokens: list[Any] | None) -> None:
    assert expected_scores(tokens, [ONE_TO_FIVE], reasons=True) == {"c": Expected(None, "no_logprobs")}


@pytest.mark.parametrize("logprob", [math.nan, -math.inf, 1e9])
def test_a_probability_that_is_none_makes_no_number_that_is_none(logprob: float) -> None:
    tops = [TopLogprob(token="2", logprob=logprob), TopLogprob(token="4", logprob=math.log(0.8))]
    tokens = [
        ChatCompletionTokenLogprob(token=text, logprob=math.log(0.8), top_logprobs=tops) for text in ('{"c":', "4", "}")
    ]
    score = expected_scores(tokens, [ONE_TO_FIVE], reasons=False)["c"].score
    # Not known, or 0: 4 alone. More than certain is certain: (2 × 1 + 4 × 0.8) / 1.8.
    assert score == pytest.approx(5.2 / 1.8 if logprob > 0 else 4.0)


RUBRIC = """
name = "signed"
version = "1"
description = "Levels on both sides of 0."
[[criteria]]
id = "stance"
question = "For or against?"
scale = "ordinal"
direction = "for"
not_applicable = true
anchors = {"-1" = "against", "0" = "neither", "1" = "for"}
"""


@pytest.fixture
def signed(tmp_path: Path) -> Rubric:
    path = tmp_path / "signed.toml"
    path.write_text(RUBRIC, "utf-8")
    return load_rubric(path)


async def test_a_tokenizer_that_parts_the_sign_from_the_digit_costs_the_expected_score(
    scripted: Make, answered: Make, judged: Make, signed: Rubric
) -> None:
    run = answered({f"C{number}": f"Text {number}." for number in range(30)})
    scoring, tally = await judged(run, Judge(model="j", endpoint=scripted().url, logprobs=True), scale=signed)
    assert tally == Tally(done=30)
    scores = [row["scores"][0] for row in scoring.ledger.scan().collect().to_dicts()]
    # The scripted endpoint's tokens are single characters here: -1 is two of them, and - stands beside 0 and 1.
    assert {one["score"] for one in scores} == {-1.0, 0.0, 1.0}
    for one in scores:
        why = "level_spans_tokens" if one["score"] == -1 else "levels_begin_alike"
        assert (one["expected"], one["unexpected"]) == (None, why)


@pytest.mark.parametrize("refuses", [[], ["logprobs"]])
async def test_an_abstention_has_no_expected_score_and_lacks_none(
    scripted: Make, answered: Make, judged: Make, signed: Rubric, refuses: list[str]
) -> None:
    endpoint = scripted(abstain=1.0, refuses=refuses)
    asks = signed.model_copy(update={"logprobs": True})
    scoring, tally = await judged(answered({"CN": "Yes."}), Judge(model="j", endpoint=endpoint.url), scale=asks)
    assert tally == Tally(done=1)
    (row,) = scoring.ledger.scan().collect().to_dicts()
    (score,) = row["scores"]
    assert score["kind"] == "abstained"
    assert (score["score"], score["expected"], score["unexpected"]) == (None, None, None)
