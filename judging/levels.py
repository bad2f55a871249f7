"""The expected score over the closed set of levels, from the judge's token probabilities (G-Eval, arXiv 2303.16634).

Exact about positions: the score's characters are found in the reply, then the one token that holds them. Where that
fails there is no expected score, the one given counts, and `Expected.why` says so:

    no_logprobs, no_alternatives     the endpoint gave no probabilities, or those of what was said alone
    no_score                         the tokens hold no score of this criterion
    level_spans_tokens               the level that was given takes more than one token
    levels_begin_alike               a token in its place may be a level or begin another, of unknown probability
    no_level_among_alternatives      no token in its place is a level
    little_mass                      less than half the probability is the levels'
"""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from openai.types.chat import ChatCompletionTokenLogprob

from judging.objects import last_object
from rubrics import Criterion, Scale

LEAST = 0.5
"""Probability that the levels must hold together; below it the judge was about to write something else."""


@dataclass(frozen=True)
class Expected:
    """An expected score, or why there is none."""

    score: float | None
    """Within the levels; null: there is none."""
    why: str | None
    """One of the words above; null where there is an expected score."""


def expected_scores(
    tokens: Sequence[ChatCompletionTokenLogprob] | None, criteria: Sequence[Criterion], *, reasons: bool
) -> dict[str, Expected]:
    """Return the expected score of each ordinal and binary criterion in a reply.

    Args:
        tokens: the reply's tokens with their alternatives; null: the endpoint gave none.
        criteria: what the reply scores.
        reasons: whether each score stands in an object beside its reason.
    """
    ranked = [criterion for criterion in criteria if criterion.scale in (Scale.ORDINAL, Scale.BINARY)]
    if not tokens:
        return {criterion.id: Expected(None, "no_logprobs") for criterion in ranked}
    found = last_object("".join(token.token for token in tokens))
    values = found.values if found else {}
    paths = {criterion.id: (criterion.id, "score") if reasons else (criterion.id,) for criterion in ranked}
    return {c.id: _expected(tokens, values.get(paths[c.id]), c) for c in ranked}


def _expected(
    tokens: Sequence[ChatCompletionTokenLogprob], span: tuple[int, int] | None, criterion: Criterion
) -> Expected:
    if span is None:
        return Expected(None, "no_score")
    start, end = span
    position = 0
    for token in tokens:
        if position <= start < position + len(token.token):
            if end > position + len(token.token):
                return Expected(None, "level_spans_tokens")
            if not token.top_logprobs:
                return Expected(None, "no_alternatives")
            return _mean(
                _alternatives(token, token.token[: start - position]), [int(level) for level in criterion.levels or ()]
            )
        position += len(token.token)
    return Expected(None, "no_score")


def _alternatives(token: ChatCompletionTokenLogprob, before: str) -> Mapping[str, float]:
    """Return what could have stood in the score's place, with its probability: all that begins with `before`."""
    seen = {token.token: token.logprob} | {other.token: other.logprob for other in token.top_logprobs}
    return {
        text.removeprefix(before): math.exp(min(logprob, 0.0))
        for text, logprob in seen.items()
        if text.startswith(before) and not math.isnan(logprob)
    }


def _mean(alternatives: Mapping[str, float], levels: Collection[int]) -> Expected:
    """Return the mean over the levels, each as probable as all alternatives together that write it in this place."""
    masses: dict[int, float] = {}
    for text, mass in alternatives.items():
        written = re.fullmatch(r"(-?\d{1,15})\D*", text)
        if written and int(written[1]) in levels:
            masses[int(written[1])] = masses.get(int(written[1]), 0.0) + mass
    absent = [str(level) for level in levels if level not in masses]
    # The token 1 is also the first one of 10, and - the first one of all that is below 0. A blank begins all alike.
    if any(level.startswith(text) for level in absent for text in alternatives if text.strip()):
        return Expected(None, "levels_begin_alike")
    total = sum(masses.values())
    if total == 0:
        return Expected(None, "no_level_among_alternatives")
    if total < LEAST:
        return Expected(None, "little_mass")
    return Expected(sum(level * mass for level, mass in masses.items()) / total, None)
