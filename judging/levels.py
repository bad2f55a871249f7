"""The expected score over the closed set of levels, from the judge's token probabilities (G-Eval, arXiv 2303.16634).

Exact about positions: the score's characters are found in the reply, then the one token that holds them. Where that
fails (no probabilities, a level that spans tokens, levels that begin alike) there is no expected score, and it is said.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openai.types.chat import ChatCompletionTokenLogprob

from rubrics import Criterion, Scale

_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}:,\[\]]|[^\s{}:,\[\]"]+')


@dataclass(frozen=True)
class Expected:
    """An expected score, or why there is none."""

    score: float | None
    why: str | None


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
    spans = value_spans("".join(token.token for token in tokens))
    paths = {criterion.id: (criterion.id, "score") if reasons else (criterion.id,) for criterion in ranked}
    return {c.id: _expected(tokens, spans.get(paths[c.id]), c) for c in ranked}


def value_spans(text: str) -> dict[tuple[str, ...], tuple[int, int]]:
    """Return where the plain values of the last JSON object in `text` stand: path of keys → start and end.

    Text around the object (thinking, a code fence) is passed over.
    """
    spans: dict[tuple[str, ...], tuple[int, int]] = {}
    path: list[str] = []
    key: str | None = None
    expecting_key = False
    for piece in _PIECE.finditer(text):
        word = piece[0]
        if word == "{":
            if key is None:  # an object of its own: what came before was not the reply
                spans, path = {}, []
            else:
                path.append(key)
            key, expecting_key = None, True
        elif word == "}":
            del path[-1:]
            key, expecting_key = None, False
        elif word == ",":
            key, expecting_key = None, True
        elif expecting_key and word.startswith('"'):
            key, expecting_key = word[1:-1], False
        elif key is not None and word not in ":[]":
            spans[(*path, key)] = piece.span()
    return spans


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
            return _mean(_masses(token, token.token[: start - position], criterion), criterion)
        position += len(token.token)
    return Expected(None, "no_score")


def _masses(token: ChatCompletionTokenLogprob, before: str, criterion: Criterion) -> Mapping[int, float]:
    """Return the probability of each level at one token: of all alternatives that write it in the same place."""
    masses: dict[int, float] = {}
    seen = {token.token: token.logprob} | {other.token: other.logprob for other in token.top_logprobs}
    for text, logprob in seen.items():
        written = re.fullmatch(r"(-?\d{1,15})\D*", text.removeprefix(before)) if text.startswith(before) else None
        level = int(written[1]) if written else None
        if level is not None and level in (criterion.levels or ()):
            masses[level] = masses.get(level, 0.0) + math.exp(logprob)
    return masses


def _mean(masses: Mapping[int, float], criterion: Criterion) -> Expected:
    levels = [str(level) for level in criterion.levels or ()]
    absent = [level for level in levels if int(level) not in masses]
    if any(level.startswith(str(other)) for level in absent for other in masses):
        return Expected(None, "levels_begin_alike")  # the first token of 10 is also the whole of 1
    total = sum(masses.values())
    if total == 0:
        return Expected(None, "no_level_among_alternatives")
    return Expected(sum(level * mass for level, mass in masses.items()) / total, None)
