"""The frames that data passes through, and the closed worlds in them.

    study → ITEMS → RESPONSES → VERDICTS → SCORES → contrasts

Every frame is a polars frame with exactly the schema declared here. Missing is null; NaN never occurs.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import polars as pl


class Status(StrEnum):
    """How a response ended. A refusal is `ok`: refusing is measured by the rubric, it is no gap in the data."""

    OK = "ok"
    EMPTY = "empty"
    """The model ended by itself without an answer."""
    TRUNCATED = "truncated"
    """Out of tokens, thinking included."""
    FILTERED = "filtered"
    """Held back by the endpoint's content filter."""
    ERROR = "error"
    """No response came; `kind` says why."""


class FailureKind(StrEnum):
    """Why a response or a verdict did not come."""

    TIMEOUT = "timeout"
    RATE_LIMIT = "rate_limit"
    ENDPOINT = "endpoint"
    """The server refused, broke off, or answered with something that is no reply."""
    INVALID_OUTPUT = "invalid_output"
    """A reply that does not fit the rubric, after all repair attempts."""
    TRUNCATED_OUTPUT = "truncated_output"
    """The judge ran out of tokens before its verdict was complete."""
    JUDGE_REFUSAL = "judge_refusal"
    ABSTAINED = "abstained"
    """The judge answered "not applicable" where the rubric allows it."""


ITEMS = pl.Schema(
    {
        "item_id": pl.String,  # question/country/language
        "question_id": pl.String,
        "topic": pl.String,  # null: the question has none
        "sensitive": pl.Boolean,  # false: a control question; null: not said
        "stance": pl.String,  # neutral, critical, favourable; null: not said
        "variant_of": pl.String,  # the question whose wordings these are; null: it has one wording
        "country": pl.String,
        "language": pl.String,
        "prompt": pl.String,  # null: not known (imported answers)
    }
)

RESPONSES = pl.Schema(
    {
        "key": pl.String,  # digest of what determines the answer: prompt, model, settings, seed
        "item_id": pl.String,
        "epoch": pl.Int64,  # counted from 1
        "model": pl.String,
        "status": pl.String,  # Status
        "kind": pl.String,  # FailureKind; null unless status is error
        "text": pl.String,  # the answer; null if none came
        "reasoning": pl.String,  # the thinking; null if none came
        "finish_reason": pl.String,
        "prompt_tokens": pl.Int64,
        "completion_tokens": pl.Int64,
        "cost": pl.Float64,  # US dollars; null: no public price
        "seconds": pl.Float64,  # from request to reply; null: not asked for here, but taken over or imported
        "message": pl.String,  # what the endpoint said instead of an answer; null if one came
    }
)

SCORE: pl.DataType = pl.Struct(
    {
        "criterion": pl.String,
        "score": pl.Float64,  # null for nominal scales and abstentions
        "label": pl.String,  # nominal scales only
        "expected": pl.Float64,  # mean over the levels, weighted by the judge's probabilities (G-Eval); null: none
        "unexpected": pl.String,  # why there is no expected score although it was asked for; null otherwise
        "reason": pl.String,
        "kind": pl.String,  # FailureKind of this criterion alone, such as abstained; null if there is a score or label
    }
)

VERDICTS = pl.Schema(
    {
        "key": pl.String(),  # digest of response text, item, epoch, rubric, judge settings, prompt version, repeat
        "item_id": pl.String(),
        "epoch": pl.Int64(),
        "repeat": pl.Int64(),  # counted from 1
        "kind": pl.String(),  # FailureKind of the whole verdict; null if it came
        "scores": pl.List(SCORE),  # if it did not come: the criteria alone
        "attempts": pl.Int64(),  # requests made for it, failed ones included
        "prompt_tokens": pl.Int64(),  # of all attempts
        "completion_tokens": pl.Int64(),
        "cost": pl.Float64(),  # US dollars, of all attempts; null: no public price
        "seconds": pl.Float64(),  # from request to reply; null: not asked for here, but taken over or imported
        "raw": pl.String(),  # the judge's last reply as it came; null if none did
        "message": pl.String(),  # what was wrong, in words; null if nothing was
    }
)

SCORES = pl.Schema(
    {
        "question_id": pl.String,
        "variant_of": pl.String,  # the question whose wordings these are: the unit of analysis; null: question_id is
        "topic": pl.String,
        "sensitive": pl.Boolean,
        "stance": pl.String,
        "country": pl.String,
        "language": pl.String,
        "epoch": pl.Int64,
        "repeat": pl.Int64,
        "judge": pl.String,
        "criterion": pl.String,
        "score": pl.Float64,  # null for nominal scales and where `missing` says why
        "label": pl.String,  # nominal scales only
        "missing": pl.String,  # Status, FailureKind, pending, or no_thinking; null if there is a score or a label
    }
)
"""What analysis reads: one row for every score that the design calls for, whether it came or not."""

CAME: pl.Expr = pl.col("score").is_not_null() | pl.col("label").is_not_null()
"""Whether a row of SCORES has a score: a number, or on nominal criteria a label."""


def frame(rows: Iterable[Mapping[str, Any]], schema: pl.Schema) -> pl.DataFrame:
    """Return `rows` under `schema`: absent keys are null, keys outside it are left out.

    Half a surrogate pair, which JSON can hold and a frame cannot, becomes U+FFFD; the journal keeps it.
    """
    content = [{name: row.get(name) for name in schema} for row in rows]
    try:
        return pl.DataFrame(content, schema=schema, orient="row")
    except UnicodeEncodeError:
        return pl.DataFrame([whole_characters(row) for row in content], schema=schema, orient="row")


def fits(value: object, kind: Any) -> bool:
    """Whether a column of the data type `kind` can hold `value`, as JSON gives it."""
    if isinstance(value, list):
        return isinstance(kind, pl.List) and all(fits(entry, kind.inner) for entry in value)
    if isinstance(value, dict):
        return isinstance(kind, pl.Struct) and all(fits(value.get(field.name), field.dtype) for field in kind.fields)
    if isinstance(value, int) and not isinstance(value, bool):
        return kind in (pl.Int64, pl.Float64) and -(2**63) <= value < 2**63
    return value is None or kind == {bool: pl.Boolean, float: pl.Float64, str: pl.String}[type(value)]


def whole_characters(content: Any) -> Any:
    """Return `content` (as JSON gives it) with U+FFFD for every half of a surrogate pair, which no frame can hold."""
    if isinstance(content, str):
        return content.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(content, Mapping):
        return {whole_characters(key): whole_characters(value) for key, value in content.items()}
    return [whole_characters(value) for value in content] if isinstance(content, list) else content
