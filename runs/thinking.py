"""Tell a model's thinking from its answer.

A server with a reasoning parser sends them apart. Elsewhere the thinking stands in the text between tags, of which the
opening one is missing where the chat template writes it (DeepSeek-R1), and the closing one where the tokens ran out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_OPEN = re.compile(r"\A\s*<(think|thinking|reasoning)>")
_CLOSE = re.compile(r"</(?:think|thinking|reasoning)>")
_OPENED_BY_TEMPLATE = re.compile(r"deepseek-r1|deepseek.*speciale|qwq|-thinking", re.IGNORECASE)

LONGEST_NAME = 1000
"""Characters of a model's name that are looked at: the pattern takes the square of them."""


@dataclass(frozen=True)
class Split:
    """What a model said, in two parts; null where a part is absent."""

    reasoning: str | None
    text: str | None


def opened_by_template(model: str) -> bool:
    """Whether the chat template of `model` (a name) is known to open the thinking itself."""
    return bool(_OPENED_BY_TEMPLATE.search(model[:LONGEST_NAME]))


def split_thinking(content: str | None, *, opened: bool = False, cut_off: bool = False) -> Split:
    """Split `content` into thinking and answer.

    Args:
        content: the message as it came.
        opened: whether the chat template opened the thinking.
        cut_off: whether the tokens ran out.

    Without any tag all of it is the answer, unless the template opened the thinking and the tokens ran out. Thinking
    that the model opened itself and never closed is all thinking, however it ended.
    """
    if content is None:
        return Split(None, None)
    opening = _OPEN.match(content)
    start = opening.end() if opening else 0
    closing = _CLOSE.search(content, start)
    if closing:
        return Split(_part(content[start : closing.start()]), _part(content[closing.end() :]))
    if opening or (opened and cut_off):
        return Split(_part(content[start:]), None)
    return Split(None, _part(content))


def spoken(content: str) -> str:
    """Return what `content` says after all thinking, also after some that quotes a closing tag; blank: nothing."""
    *closed, last = _CLOSE.split(content)
    return "" if not closed and _OPEN.match(content) else last


def in_thinking(content: str, start: int, end: int) -> bool:
    """Whether `content[start:end]` is thinking: a closing tag follows it, or one was opened before it and not closed.

    Tags inside it do not count: an answer that is quoted there may hold some.
    """
    opening = _OPEN.match(content)
    unclosed = opening is not None and not _CLOSE.search(content, opening.end(), start)
    return unclosed or _CLOSE.search(content, end) is not None


def parts_joined(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a chat message whose content may be a list of parts (Mistral's reasoning models) as others send theirs.

    Text is joined in `content`, thinking in `reasoning`. A message with parts of other kinds is returned as it is.
    """
    content = message.get("content")
    if not isinstance(content, list):
        return message
    kinds = [part.get("type") if isinstance(part, dict) else None for part in content]
    if any(kind not in ("text", "thinking") for kind in kinds):
        return message
    said = "".join(_text(part) for part in content if part["type"] == "text")
    thought = "".join(_thought(part) for part in content if part["type"] == "thinking")
    return {**message, "content": said or None, "reasoning": message.get("reasoning") or thought or None}


def _thought(part: Mapping[str, Any]) -> str:
    """Return the thinking in a part: a text, or a list of text parts in its turn."""
    value = part.get("thinking")
    parts = value if isinstance(value, list) else [{"text": value}]
    return "".join(_text(inner) for inner in parts if isinstance(inner, dict))


def _text(part: Mapping[str, Any]) -> str:
    value = part.get("text")
    return value if isinstance(value, str) else ""


def _part(text: str) -> str | None:
    return text.strip() or None
