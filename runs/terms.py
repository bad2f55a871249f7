"""What an endpoint does not take of a request: it is left out of all further ones, and that is said.

Endpoints refuse what others need: OpenAI's reasoning models a temperature, Anthropic a seed, DeepSeek a JSON schema.
Defaults give way to that. What the user chose does not: the request fails, in the endpoint's own words.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

UNFIT = (400, 422)
"""HTTP statuses of a request that the endpoint understood and will not serve."""

_AS_TOLD = {
    "response_format": "response[_ ]format|json[_ ]schema",
    "logprobs": "(top_)?logprobs",
    "top_logprobs": "(top_)?logprobs",
}
"""What endpoints call a key of the request where they do not call it by its name."""
_SAYING = ("message", "param", "code", "type", "error", "detail", "loc", "msg")
"""Keys of an error under which endpoints say what is wrong; pydantic's `input` and `ctx` repeat the request."""
_REPEATED = re.compile(r"""['"]input['"]\s*:.*|\binput_value\s*=.*""", re.DOTALL)
_INSTEAD: Mapping[str, tuple[Any, ...]] = {"response_format": ({"type": "json_object"},)}
"""What is sent in place of a key before nothing is."""


class Terms:
    """The terms of one endpoint, as they turn out."""

    def __init__(self, may_go: Iterable[str] = (), warn: Callable[[str], None] = lambda _: None) -> None:
        """`may_go`: keys of a request that may be left out; `warn`: is told what was."""
        self._may_go = tuple(may_go)
        self.warn = warn
        self._instead: dict[str, Any] = {}

    @property
    def left_out(self) -> list[str]:
        """The keys that are not sent, or not as they were meant."""
        return sorted(self._instead)

    def kept(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return `request` as the endpoint takes it."""
        sent = ((name, self._instead.get(name, value)) for name, value in request.items())
        return {name: value for name, value in sent if value is not None}

    def gave_way(self, sent: Mapping[str, Any], told: str) -> bool:
        """Whether `sent`, which was refused in the words `told`, is worth sending again as `kept` gives it now."""
        told = in_its_words(told)
        refused = [name for name in self._may_go if name in sent and _names(told, name)]
        for name in refused:
            if sent[name] == self._instead.get(name, sent[name]):  # else another request has found out meanwhile
                self._instead[name] = instead = self._next(name)
                now = f"sending {instead}" if instead else "leaving it out"
                self.warn(f"the endpoint does not take {name!r}; {now} ({' '.join(told.split())[:200]})")
        return bool(refused)

    def _next(self, name: str) -> Any:
        """Return what is sent for `name` after what was refused; null: nothing."""
        stages = (*_INSTEAD.get(name, ()), None)
        return stages[stages.index(self._instead[name]) + 1 if name in self._instead else 0]


def in_its_words(body: str) -> str:
    """Return what an error's body says, without what it repeats of the request: that is other people's text."""
    try:
        said = " ".join(_said(json.loads(body)))
    except (ValueError, RecursionError):
        said = body
    return _REPEATED.sub("", said)


def _said(content: object, key: str = "") -> Iterator[str]:
    if isinstance(content, dict):
        for name, value in content.items():
            yield from _said(value, name)
    elif isinstance(content, list):
        for value in content:
            yield from _said(value, key)
    elif isinstance(content, str) and key in _SAYING:
        yield content


def _names(told: str, name: str) -> bool:
    return re.search(rf"\b({_AS_TOLD.get(name, name)})\b", told, re.IGNORECASE) is not None
