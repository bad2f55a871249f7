"""Thinking and answer, told apart whatever part of the tags is missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.thinking import Split, opened_by_template, split_thinking

WORDS = st.text(st.characters(exclude_characters="<>", exclude_categories=("Cs",)), min_size=1).filter(str.strip)
TAG = st.sampled_from(["think", "thinking", "reasoning"])
SPACE = st.sampled_from(["", " ", "\n", "\n\n"])


@given(WORDS, WORDS, TAG, SPACE, SPACE)
def test_both_tags_part_thinking_from_answer(thought: str, said: str, tag: str, before: str, after: str) -> None:
    content = f"{before}<{tag}>{before}{thought}</{tag}>{after}{said}"
    assert split_thinking(content) == Split(thought.strip(), said.strip())


@given(WORDS, WORDS, TAG, st.booleans())
def test_a_closing_tag_alone_is_enough(thought: str, said: str, tag: str, opened: bool) -> None:
    assert split_thinking(f"{thought}</{tag}>{said}", opened=opened) == Split(thought.strip(), said.strip())


@given(WORDS, st.booleans())
def test_without_any_tag_all_of_it_is_the_answer(said: str, opened: bool) -> None:
    assert split_thinking(said, opened=opened) == Split(None, said.strip())


@given(WORDS)
def test_thinking_that_the_template_opened_and_the_limit_cut_off_is_no_answer(thought: str) -> None:
    assert split_thinking(thought, opened=True, cut_off=True) == Split(thought.strip(), None)
    assert split_thinking(f"<think>{thought}", cut_off=True) == Split(thought.strip(), None)


@given(WORDS)
def test_an_answer_that_the_limit_cut_off_stays_an_answer(said: str) -> None:
    assert split_thinking(said, cut_off=True) == Split(None, said.strip())
    assert split_thinking(f"<think>so</think>{said}", opened=True, cut_off=True) == Split("so", said.strip())


@given(WORDS, WORDS)
def test_tags_inside_an_answer_belong_to_the_answer(first: str, second: str) -> None:
    said = f"{first} <think>{second}"
    assert split_thinking(said) == Split(None, said.strip())
    said = f"{first}</think>{second}"
    assert split_thinking(f"<think>so</think>{said}") == Split("so", said.strip())


@given(st.text(), st.booleans(), st.booleans())
def test_no_text_is_lost_but_tags_and_outer_space(content: str, opened: bool, cut_off: bool) -> None:
    split = split_thinking(content, opened=opened, cut_off=cut_off)
    kept = (split.reasoning or "") + (split.text or "")
    if "<" not in content:
        assert kept == content.strip()
    assert all(part is None or part.strip() == part != "" for part in (split.reasoning, split.text))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, Split(None, None)),
        ("", Split(None, None)),
        ("<think></think>", Split(None, None)),
        ("<think>\n\n</think>\n\nYes.", Split(None, "Yes.")),
        ("<think>never closed", Split("never closed", None)),
    ],
)
def test_edges(content: str | None, expected: Split) -> None:
    assert split_thinking(content) == expected


@pytest.mark.parametrize(
    ("model", "opened"),
    [
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", True),
        ("casperhansen/deepseek-r1-distill-llama-70b-awq", True),
        ("Qwen/QwQ-32B", True),
        ("Qwen/Qwen3-4B-Thinking-2507", True),
        ("deepseek-ai/DeepSeek-V3", False),
        ("Qwen/Qwen3-32B", False),
        ("meta-llama/Llama-3.3-70B-Instruct", False),
    ],
)
def test_which_templates_open_the_thinking_is_known_by_name(model: str, opened: bool) -> None:
    assert opened_by_template(model) is opened


def test_a_model_s_name_of_any_length_is_looked_at_once() -> None:
    assert not opened_by_template("deepseek" * 125_000)  # the pattern alone takes an hour for it
    assert opened_by_template("deepseek-v3.2-speciale" + "x" * 1_000_000)
