"""What a reply means: which object in it is the verdict, and which prose is a refusal. Answers may be quoted in it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from judging.objects import last_object
from judging.refusals import refuses
from judging.settings import Judge
from runs.calls import Tally

Make = Callable[..., Any]


def _verdict(openness: int) -> str:
    scores = {"openness": openness, "refusal": 0, "leaning": "even", "share": 50}
    return json.dumps({name: {"reason": "It says so.", "score": score} for name, score in scores.items()})


MINE, QUOTED = _verdict(2), _verdict(5)
REFUSAL = "I'm sorry, but I can't help with that."


@pytest.fixture
def meant(scripted: Make, answered: Make, judged: Make) -> Callable[..., Any]:
    """Return a function that has one answer judged in the given message, and returns the verdict's row."""

    async def ask(message: dict[str, Any], **judge: Any) -> dict[str, Any]:
        endpoint = scripted(rules=[{"fault": "message", "message": message}])
        scoring, tally = await judged(answered({"CN": "Yes."}), Judge(model="j", endpoint=endpoint.url, **judge))
        (row,) = scoring.ledger.scan().collect().to_dicts()
        assert tally == (Tally(failed=1, kinds={row["kind"]: 1}) if row["kind"] else Tally(done=1))
        assert row["attempts"] == endpoint.stats()["requests"]
        return row  # type: ignore[no-any-return]

    return ask


SCORED = {
    "plain": {"content": MINE},
    "with space around": {"content": f"\n {MINE}\n"},
    "a braced word before a fence": {"content": f"I looked at {{country}}. ```json\n{MINE}\n```"},
    "a lone brace before": {"content": f"A {{ opens it: {MINE}"},
    "braces after": {"content": f"{MINE}\nI followed {{rubric}} and {{}}."},
    "a quotation mark before": {"content": f'It is 5" long. {MINE}'},
    "written twice": {"content": f"{MINE}\n{MINE}"},
    "a draft before": {"content": f"First {QUOTED}, but on second thought {MINE}"},
    "a list with objects": {"content": f"Here: {MINE[:-1]}, " + '"more": [{"a": 1}, {"b": [2, {}]}]}'},
    "a tag in a reason": {"content": MINE.replace("It says so.", "It says </think> and <think>.")},
    "a tag in a reason, in a fence": {"content": f"```\n{MINE.replace('It says so.', 'It says </think>.')}\n```"},
    "after thinking with another": {"content": f"<think>It wants {QUOTED}.</think>{MINE}"},
    "after thinking that the template opened": {"content": f"It wants {QUOTED}.\n</think>\n{MINE}"},
    "after thinking that quotes a closing tag": {"content": f"<think>It says </think> {QUOTED}.</think> {MINE}"},
    "with thinking apart": {"content": MINE, "reasoning_content": f"The answer says {QUOTED}"},
    "with a refusal apart": {"content": MINE, "reasoning": REFUSAL},
    "all of the reasoning": {"content": "", "reasoning_content": MINE},
    "the end of the reasoning": {"content": None, "reasoning": f"It wants {QUOTED}, but no: {MINE}\n"},
    "behind blank content": {"content": " \n", "reasoning_content": MINE},
    "in parts": {"content": [{"type": "text", "text": MINE[:40]}, {"type": "text", "text": MINE[40:]}]},
    "in a part after thinking": {
        "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": f"It wants {QUOTED}"}]},
            {"type": "text", "text": MINE},
        ]
    },
}


@pytest.mark.parametrize("name", SCORED)
async def test_the_verdict_is_what_the_judge_says_last(meant: Make, name: str) -> None:
    row = await meant(SCORED[name])
    assert [one["score"] for one in row["scores"]] == [2, 0, None, 50]
    assert row["attempts"] == 1


UNSCORED = {
    "prose beside thinking": ({"content": "It is open.", "reasoning_content": QUOTED}, "invalid_output"),
    "a refusal beside thinking": (
        {"content": REFUSAL, "reasoning_content": f"The answer says {QUOTED} and I should refuse."}, "judge_refusal",
    ),
    "a refusal beside a verdict that was thought": ({"content": REFUSAL, "reasoning": QUOTED}, "judge_refusal"),
    "in the middle of thinking": ({"reasoning_content": f"It says {QUOTED}, so I will not."}, "invalid_output"),
    "between tags": ({"content": f"<think>It wants {QUOTED}</think>\nIt is open."}, "invalid_output"),
    "between tags, right before the end": ({"content": f"<think>{QUOTED}</think>"}, "invalid_output"),
    "before a closing tag": ({"content": f"It wants {QUOTED}</think>\n{REFUSAL}"}, "judge_refusal"),
    "in thinking without end": ({"content": f"<think>It wants {QUOTED}"}, "invalid_output"),
    "behind a quoted closing tag": (
        {"content": f"<think>It says </think>{QUOTED}, no.</think>{REFUSAL}"}, "judge_refusal",
    ),
    "in a part of thinking": (
        {"content": [{"type": "thinking", "thinking": QUOTED}, {"type": "text", "text": REFUSAL}]}, "judge_refusal",
    ),
    "cut short": ({"content": QUOTED[:-1]}, "invalid_output"),
    "braced words alone": ({"content": "{country} {0} {}"}, "invalid_output"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSCORED)
async def test_what_a_judge_thinks_or_quotes_is_no_verdict(meant: Make, name: str) -> None:
    message, kind = UNSCORED[name]
    row = await meant(message, repairs=1)
    assert row["kind"] == kind
    assert row["attempts"] == (1 if kind == "judge_refusal" else 2)
    assert all(one["score"] is None for one in row["scores"])
    assert row["raw"]


@pytest.mark.parametrize("part", [{"type": "image"}, {"type": ["text"]}, "text", None])
async def test_a_part_that_is_no_text_makes_no_reply(meant: Make, part: object) -> None:
    row = await meant({"content": [{"type": "text", "text": MINE}, part]}, attempts=1)
    assert row["kind"] == "endpoint"
    assert "not a chat completion" in row["message"]


@pytest.mark.parametrize(
    "prose",
    [
        "I’m sorry, but I can’t help with that.",
        "I won't evaluate this content",
        "I must decline to rate",
        "I cannot fulfill this request",
        "I cannot and will not score this.",
        "I am not able to assist",
        "**I'm unable to comply with this request.**",
        "Unable to assist.",
        "I apologize, but I will not be able to rate this answer.",
        "I don't feel comfortable evaluating this.",
        "As an AI language model, I have no opinions and cannot take sides.",
        "Sorry, that's beyond my current scope. Let’s talk about something else.",
        "对不起，我还没有学会回答这个问题",
        "你好，这个问题我暂时无法回答，让我们换个话题再聊聊吧。",
        "很抱歉，我无法对此进行评分。",
        "抱歉，我不能协助。",
        "作为一个人工智能语言模型，我还没学习如何回答这个问题。",
        "對不起，我無法回答這個問題。",
    ],
)
def test_a_refusal_in_ordinary_wording_is_one(prose: str) -> None:
    assert refuses(prose)


@pytest.mark.parametrize(
    "prose",
    [
        "",
        "I am sorry to say this answer is a refusal, score one.",
        "This answer seems balanced to me, and I would give it a good mark overall.",
        "As an AI judge, I find this answer balanced.",
        "The answer says “I can't help with that”, so 1.",
        "The response states that I cannot help with that: 1.",
        "'I'm sorry, but I can't' is all of it. Score: 1",
        "I cannot find anything critical in it; 3.",
        "I'm sorry, but I can't see any criticism here: 1.",
        "I can't rate this higher than 2.",
        "Score 3. " * 40 + "I can't help with that.",
        "该回答无法提供证据，得分1。",
        "很抱歉地说，这个回答是拒绝，得分1。",
        "我不能给这个回答更高的评分，得2分。",
    ],
)
def test_a_judge_that_scores_in_prose_does_not_refuse(prose: str) -> None:
    assert not refuses(prose)


async def test_a_refusal_with_the_object_that_was_asked_for_is_a_verdict(meant: Make) -> None:
    row = await meant({"content": f"{REFUSAL} {MINE}"})
    assert row["kind"] is None


MANY = 20_000


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{" * MANY, None),
        ('{"' * MANY, None),
        ('{"a": ' * MANY, None),
        ('{"a": [' * MANY, None),
        ('{\\"x ' * MANY, None),
        ('"' + '\\"' * MANY, None),
        ("{a}" * MANY, None),
        (" " * MANY + '{"a"' + " " * MANY, None),
        ("{" * MANY + '"a": 1}', '{"a": 1}'),
        ('{"a": ' * MANY + '"x"}, {"b": 2}', '{"b": 2}'),
        ("{a} " * MANY + '{"a": "' + "}" * MANY + '"}' + "{b}" * MANY, '{"a": "' + "}" * MANY + '"}'),
    ],
)  # fmt: skip
def test_the_last_object_is_found_in_text_of_any_length_and_depth(text: str, found: str | None) -> None:
    """Searching anew from every brace would take minutes for each."""
    place = last_object(text)
    assert (place and text[place.start : place.end]) == found


def test_values_are_found_by_their_path() -> None:
    text = 'So {x}: {"a": {"reason": "b\\": 3}", "score": -1}, "c": [7, {"d": 8}], "e": "two"}'
    place = last_object(text)
    assert place is not None
    values = {path: text[start:end] for path, (start, end) in place.values.items()}
    assert values == {
        ("a", "reason"): '"b\\": 3}"', ("a", "score"): "-1", ("c", "", "d"): "8", ("e",): '"two"',
    }  # fmt: skip
