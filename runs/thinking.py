"""Tell a model's thinking from its answer.

A server with a reasoning parser sends them apart. Elsewhere the thinking stands in the text between tags, of which the
opening one is missing where the chat template writes it (DeepSeek-R1), and the closing one where the tokens ran out.
"""

import re
from dataclasses import dataclass

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


def _part(text: str) -> str | None:
    return text.strip() or None
