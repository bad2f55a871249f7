"""What the scripted endpoint does wrong, and when: rules that a test or a benchmark writes as JSON."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BROKEN = ("rate_limit", "http", "hang", "cut_headers", "cut_body", "malformed_json", "no_completion", "no_choices")
"""Faults after which no reply has come."""
ODD = (
    "truncated", "refusal_field", "refusal_prose", "content_filter", "prose", "fenced", "in_reasoning", "thinking",
    "out_of_scale", "wrong_keys", "no_usage", "text", "message", "slow", "length",
)  # fmt: skip
"""Faults inside a reply."""


@dataclass(frozen=True)
class Rule:
    """One fault, and the requests that meet it. Of several rules that fit a request the first one counts."""

    fault: str
    on: str | None = None
    """`answer` or `verdict` (a request with a JSON schema); null: both."""
    holding: str = ""
    """Only where the user's message holds this."""
    share_of_prompts: float = 1.0
    share_of_requests: float = 1.0
    """Drawn anew for every try of a prompt."""
    first: int | None = None
    """Only the first so many tries of each prompt; null: every try."""
    status: int = 500
    """Of `http`."""
    retry_after: float | None = None
    """Of `rate_limit` and `http`: seconds in the Retry-After header."""
    as_date: bool = False
    """Say them as a date."""
    fits: int | None = None
    """Of `truncated`, and of `length` (whole, but said to be cut off): the `max_tokens` that are enough; null: none."""
    text: str = ""
    """Of `text`: the message's content as it is. Of `http`: what the error says."""
    message: Mapping[str, Any] = field(default_factory=dict)
    """Of `message`: what stands in the message instead of its content."""
    seconds: float = 0.0
    """Of `slow`: how much later the reply comes."""

    def __post_init__(self) -> None:
        if self.fault not in BROKEN + ODD:
            raise ValueError(f"{self.fault!r} is none of {', '.join(BROKEN + ODD)}")

    def meets(self, kind: str, message: str, key: str, attempt: int, seed: int) -> bool:
        """Whether try number `attempt` (from 1) of the prompt `key` meets this fault."""
        return (
            self.on in (None, kind)
            and (self.first is None or attempt <= self.first)
            and self.holding in message
            and (self.share_of_prompts >= 1 or share(f"{seed}/{self.fault}/{key}") < self.share_of_prompts)
            and (self.share_of_requests >= 1 or share(f"{seed}/{self.fault}/{key}/{attempt}") < self.share_of_requests)
        )


@dataclass(frozen=True)
class Script:
    """How an endpoint behaves."""

    rules: tuple[Rule, ...] = ()
    seed: int = 1
    """Of the shares."""
    latency: float = 0.0
    """Seconds before every reply."""
    capacity: int | None = None
    """Requests under way at once; further ones are a 429. Null: any number."""
    models: tuple[str, ...] = ()
    """The models it knows, others are a 404; none: any model."""
    key: str | None = None
    """The API key it wants, all else is a 401; null: none."""
    refuses: tuple[str, ...] = ()
    """Keys of a request that it answers with HTTP 400; `json_schema`: that kind of `response_format`."""
    lean: Mapping[str, int] = field(default_factory=dict)
    """Word in an answer → levels by which its scores are shifted: an effect to be found."""
    abstain: float = 0.0
    """Share of scores that are "not_applicable" where the schema allows it."""
    words: int = 60
    """Length of an answer."""

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> "Script":
        """Return the script that `content` (from JSON) says. Raises TypeError or ValueError if it says none."""
        rules = tuple(Rule(**rule) for rule in content.get("rules", ()))
        names = {name: tuple(content.get(name, ())) for name in ("models", "refuses")}
        return cls(**{**content, "rules": rules, **names})

    def refused(self, request: Mapping[str, Any]) -> str | None:
        """Return the first key of `request` that is refused; null: none is."""
        kind = (request.get("response_format") or {}).get("type")
        return next((name for name in self.refuses if name in request or name == kind), None)


def share(name: str) -> float:
    """Return a number from 0 to 1 (exclusive) that depends on `name` alone."""
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()) / 2**64
