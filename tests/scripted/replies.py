"""What the scripted endpoint says: answers, and verdicts that fill in any JSON schema, the same on every run."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.scripted.script import Rule, Script, share

_ANSWER = re.compile(r"\[BEGIN ANSWER[^\]]*\]\n(.*)\n\[END ANSWER", re.DOTALL)
_TOKEN = re.compile(r"[A-Za-z]{1,4}|[0-9]|\s+|.", re.DOTALL)
_WORDS = ("law", "state", "press", "people", "court", "report", "year", "public", "office", "group", "rule", "budget")
STRAY = 0.02
"""Probability of a token that begins no level, wherever a level is said."""
PROSE = "This answer seems balanced to me, and I would give it a good mark overall."
REFUSAL = "I'm sorry, but I can't help with that."


@dataclass(frozen=True, slots=True)
class Level:
    """A level that was chosen among others, each as it stands in JSON."""

    chosen: int
    options: tuple[str, ...]

    def probability(self, option: int) -> float:
        """Return how likely option number `option` was: half as likely with every step away from the chosen one."""
        weights = [0.5 ** abs(number - self.chosen) for number in range(len(self.options))]
        return weights[option] / sum(weights)


Part = str | Level


@dataclass(frozen=True, slots=True)
class Said:
    """What a message says, before a rule spoils it."""

    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The message's content."""
        return "".join(part if isinstance(part, str) else part.options[part.chosen] for part in self.parts)


def answer(prompt: str, seed: object, model: str, words: int) -> Said:
    """Return an answer of about so many words that quotes the prompt."""
    start = int(share(f"{model}/{seed}/{prompt}") * 2**32)
    body = " ".join(_WORDS[(start >> (number % 27)) % len(_WORDS)] for number in range(words))
    return Said((f"On {prompt!r} ({start:08x}): {body}.",))


def verdict(schema: Mapping[str, Any], message: str, model: str, script: Script) -> Said:
    """Return a reply that fits `schema`; its scores depend on the answer in `message`, the criterion and the judge."""
    found = _ANSWER.search(message)
    about = found.group(1) if found else message
    shift = sum(levels for word, levels in script.lean.items() if word in about)
    draw = _Draw(f"{model}/{share(about)}", shift, script.abstain)
    return Said(tuple(gap if isinstance(gap, str) else gap.fill(draw) for gap in _plan(json.dumps(schema))))


@dataclass(frozen=True, slots=True)
class _Draw:
    about: str
    shift: int
    abstain: float

    def share(self, path: str) -> float:
        return share(self.about + path)


@dataclass(frozen=True, slots=True)
class _Text:
    path: str

    def fill(self, draw: _Draw) -> Part:
        return f'"It says so in words number {draw.share(self.path):.6f}."'


@dataclass(frozen=True, slots=True)
class _Number:
    path: str
    low: float
    high: float

    def fill(self, draw: _Draw) -> Part:
        return str(round(self.low + draw.share(self.path) * (self.high - self.low)))


@dataclass(frozen=True, slots=True)
class _Choice:
    path: str
    options: tuple[str, ...]
    """As they stand in JSON: numbers ascending, then names, then "not_applicable"."""
    ordered: bool
    may_abstain: bool

    def fill(self, draw: _Draw) -> Part:
        if self.may_abstain and draw.share(f"{self.path}/abstain") < draw.abstain:
            return Level(len(self.options) - 1, self.options)
        last = len(self.options) - 1 - self.may_abstain
        drawn = int(draw.share(self.path) * (last + 1))
        return Level(min(max(drawn + draw.shift, 0), last) if self.ordered else drawn, self.options)


Gap = str | _Text | _Number | _Choice


@cache
def _plan(schema: str) -> tuple[Gap, ...]:
    """Return the reply that fits `schema` (JSON), with gaps where something is to be drawn."""
    plan: list[Gap] = []
    for gap in _gaps(json.loads(schema), ""):
        if isinstance(gap, str) and plan and isinstance(plan[-1], str):
            plan[-1] += gap
        else:
            plan.append(gap)
    return tuple(plan)


def _gaps(schema: Mapping[str, Any], path: str) -> Iterator[Gap]:
    values = _options(schema)
    if values:
        yield _choice(path, values)
    elif "anyOf" in schema:
        yield from _gaps(schema["anyOf"][0], path)
    elif schema.get("type") == "object":
        for number, (name, inside) in enumerate(schema.get("properties", {}).items()):
            yield (", " if number else "{") + json.dumps(name) + ": "
            yield from _gaps(inside, f"{path}/{name}")
        yield "}"
    elif schema.get("type") in {"integer", "number"}:
        yield _Number(path, schema.get("minimum", 0), schema.get("maximum", 100))
    elif schema.get("type") == "array":
        yield "[]"
    else:
        yield _Text(path)


def _choice(path: str, values: Sequence[Any]) -> _Choice:
    numbers = sorted(value for value in values if isinstance(value, int))
    abstention = [value for value in values if value == "not_applicable"]
    names = [value for value in values if value not in numbers + abstention]
    options = tuple(json.dumps(value) for value in [*numbers, *names, *abstention])
    return _Choice(path, options, bool(numbers), bool(abstention))


def _options(schema: Mapping[str, Any]) -> list[Any]:
    """Return all values that fit, or none if they are not listed."""
    if "const" in schema:
        return [schema["const"]]
    if "enum" in schema:
        return list(schema["enum"])
    inside = [_options(one) for one in schema.get("anyOf", ())]
    return [value for options in inside for value in options] if all(inside) else []


def logprobs(said: Said, alternatives: int) -> dict[str, Any]:
    """Return the tokens of `said` with so many alternatives each, as OpenAI's protocol says them.

    A digit is a token, letters come by four. Levels are said as an autoregressive model says them: the probability of
    a token is that of all levels that begin so, given what was said before.
    """
    content: list[dict[str, Any]] = []
    for number, part in enumerate(said.parts):
        if isinstance(part, str):
            content += [_token(token, {token: 1.0}, alternatives) for token in _TOKEN.findall(part)]
            continue
        after = said.parts[number + 1] if number + 1 < len(said.parts) else ""
        ending = _TOKEN.findall(after if isinstance(after, str) else "")[:1] or ["\n"]
        content += _level_tokens(part, ending[0], alternatives)
    return {"content": content}


def _level_tokens(level: Level, ending: str, alternatives: int) -> list[dict[str, Any]]:
    tokens = [_TOKEN.findall(option) for option in level.options]
    said = tokens[level.chosen]
    content = []
    for place, token in enumerate(said):
        ways: dict[str, float] = {}
        for option, spelt in enumerate(tokens):
            if spelt[:place] == said[:place]:
                following = spelt[place] if place < len(spelt) else ending
                ways[following] = ways.get(following, 0.0) + level.probability(option)
        total = sum(ways.values())
        likely = {way: weight / total * (1 - STRAY) for way, weight in ways.items()} | {"\u00a0": STRAY}
        content.append(_token(token, likely, alternatives))
    return content


def _token(said: str, likely: Mapping[str, float], alternatives: int) -> dict[str, Any]:
    ranked = sorted(likely, key=lambda token: -likely[token])[:alternatives]
    top = [{"token": token, "logprob": math.log(likely[token]), "bytes": None} for token in ranked]
    return {"token": said, "logprob": math.log(likely[said]), "bytes": None, "top_logprobs": top}


def body(said: Said, request: Mapping[str, Any], rule: Rule | None, prompt_tokens: int) -> dict[str, Any]:
    """Return a chat completion that says `said`, spoilt by `rule`."""
    text = said.text
    message: dict[str, Any] = {"role": "assistant", "content": text}
    finish = "stop"
    if rule is not None:
        changes, finish = _spoilt(text, request, rule)
        message |= changes
    choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": finish}
    if request.get("logprobs"):
        choice["logprobs"] = logprobs(said, int(request.get("top_logprobs") or 0))
    reply: dict[str, Any] = {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": request.get("model"),
        "choices": [choice],
    }
    if rule is None or rule.fault != "no_usage":
        tokens = len(text) // 4 + 1
        usage = {"prompt_tokens": prompt_tokens, "completion_tokens": tokens, "total_tokens": prompt_tokens + tokens}
        reply["usage"] = usage
    return reply


def _spoilt(text: str, request: Mapping[str, Any], rule: Rule) -> tuple[dict[str, Any], str]:
    """Return what a fault changes in the message, and how the reply ends."""
    if rule.fault in ("truncated", "length"):
        fits = rule.fits is not None and int(request.get("max_tokens") or 0) >= rule.fits
        cut = text[: len(text) // 2] if rule.fault == "truncated" else text
        return ({"content": text}, "stop") if fits else ({"content": cut}, "length")
    messages: dict[str, dict[str, Any]] = {
        "content_filter": {"content": None},
        "refusal_field": {"content": None, "refusal": REFUSAL},
        "message": {"content": None, **rule.message},
        "in_reasoning": {"content": "", "reasoning_content": text},
    }
    if rule.fault in messages:
        return messages[rule.fault], "content_filter" if rule.fault == "content_filter" else "stop"
    contents = {
        "refusal_prose": REFUSAL,
        "prose": PROSE,
        "fenced": f"Here is my verdict:\n```json\n{text}\n```",
        "thinking": f"<think>\nLet me think. {{not JSON}}\n</think>\n\n{text}",
        "out_of_scale": re.sub(r'("score": |: )(-?[0-9]+)', r"\g<1>99", text),
        "wrong_keys": json.dumps({"verdict": "good", "total": 5}),
        "text": rule.text,
    }
    return {"content": contents.get(rule.fault, text)}, "stop"


def as_message(completion: Mapping[str, Any], tool: str) -> dict[str, Any]:
    """Return a chat completion as a message of Anthropic's protocol that calls `tool`, if it can."""
    choice, usage = completion["choices"][0], completion.get("usage") or {}
    message = choice["message"]
    said = message["content"] or message.get("refusal") or ""
    reason = {"length": "max_tokens", "content_filter": "refusal"}.get(choice["finish_reason"], "tool_use")
    content: dict[str, Any] = {"type": "text", "text": said}
    try:
        content = {"type": "tool_use", "id": "toolu_scripted", "name": tool, "input": json.loads(said)}
    except ValueError:
        reason = "refusal" if message.get("refusal") else "end_turn" if reason == "tool_use" else reason
    tokens = {"input_tokens": usage.get("prompt_tokens", 0), "output_tokens": usage.get("completion_tokens", 0)}
    head = {"id": "msg_scripted", "type": "message", "role": "assistant", "model": completion["model"]}
    return {**head, "content": [content], "stop_reason": reason, "usage": tokens}


def prompt_of(request: Mapping[str, Any]) -> tuple[str, str]:
    """Return the system's and the first user's message of a conversation; repairs come after and do not count."""
    messages: Sequence[Mapping[str, Any]] = request["messages"]
    system = next((str(one["content"]) for one in messages if one["role"] == "system"), str(request.get("system", "")))
    return system, next((str(one["content"]) for one in messages if one["role"] == "user"), "")
