"""What a judge's reply says: where the verdict stands in it, and whether it is a refusal.

Only what the judge says is its verdict. What it thinks may quote an answer, and an answer may hold a verdict itself.
"""

from typing import Annotated, Any

from openai.types import CompletionUsage
from openai.types.chat.chat_completion import ChoiceLogprobs
from pydantic import BaseModel, Field, model_validator
from pydantic_core import from_json

from judging.objects import last_object
from judging.refusals import refuses
from runs.thinking import in_thinking, parts_joined, spoken

# What a server adds in a form of its own costs no verdict.
_OR_WHATEVER_COMES = Field(union_mode="left_to_right")


class Message(BaseModel):
    """What the judge said; servers put it in different places."""

    role: str = "assistant"
    content: str | None = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None

    @model_validator(mode="before")
    @classmethod
    def _one_text(cls, message: Any) -> Any:
        return parts_joined(message) if isinstance(message, dict) else message


class Choice(BaseModel):
    """One reply of a chat completion."""

    message: Message
    finish_reason: str | None = None
    logprobs: Annotated[ChoiceLogprobs | Any, _OR_WHATEVER_COMES] = None


class Completion(BaseModel):
    """What is read of a chat completion. Its usage has openai's type, for instructor adds up no other."""

    choices: list[Choice] = Field(min_length=1)
    usage: Annotated[CompletionUsage | Any, _OR_WHATEVER_COMES] = None


def said(message: object) -> str | None:
    """Return what the judge said in a chat message, wherever it stands; null if it said nothing."""
    return next(iter(_texts(message, "content", "refusal", "reasoning_content", "reasoning")), None)


def prose(completion: object) -> str:
    """Return what any provider's reply says in words, beside the tool that it may call."""
    choices = getattr(completion, "choices", None)
    content = getattr(choices[0].message if choices else completion, "content", None)
    parts = content if isinstance(content, list) else [content]
    words = (part if isinstance(part, str) else getattr(part, "text", None) for part in parts)
    return "".join(word for word in words if isinstance(word, str))


def verdict_text(message: Message) -> str | None:
    """Return the JSON object that the judge said last; null if it said none.

    Behind vLLM's reasoning parsers a constrained verdict can arrive in the reasoning field, with nothing in `content`.
    Then it is the end of that field: an object in the middle of thinking is a quotation or a draft.
    """
    content = message.content or ""
    if not content.strip():
        thought = next(iter(_texts(message, "reasoning_content", "reasoning")), "").rstrip()
        found = last_object(thought)
        return thought[found.start :] if found and found.end == len(thought) else None
    if _is_object(content):
        return content
    found = last_object(content)
    if found is None or in_thinking(content, found.start, found.end):
        return None
    return content[found.start : found.end]


def refusal(content: str | None) -> str | None:
    """Return the refusal that a reply without a verdict is, without the thinking before it; null if it is none."""
    prose = spoken(content or "").strip()
    return prose if refuses(prose) and last_object(prose) is None else None


def _is_object(text: str) -> bool:
    """Whether `text` is a JSON object and nothing else: the usual case, for which the text need not be searched."""
    try:
        return isinstance(from_json(text), dict)
    except (ValueError, TypeError):  # half a surrogate pair is no text to it
        return False


def _texts(message: object, *names: str) -> list[str]:
    places = (getattr(message, name, None) for name in names)
    return [place for place in places if place and isinstance(place, str)]
