"""Identity by content: equal content, equal digest, whatever the order of its keys."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.digest import digest, short

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=12,
)


def _reversed(content: Any) -> Any:
    """Return the same content with the keys of every table in the opposite order."""
    if isinstance(content, dict):
        return {key: _reversed(content[key]) for key in reversed(content)}
    return [_reversed(one) for one in content] if isinstance(content, list) else content


def test_a_digest_is_the_sha256_of_compact_sorted_json() -> None:
    expected = hashlib.sha256('{"a":[1,null],"b":"é"}'.encode()).hexdigest()
    assert digest({"b": "é", "a": [1, None]}) == expected
    assert short(expected) == expected[:12]


@given(JSON)
def test_the_order_of_keys_does_not_count(content: Any) -> None:
    assert digest(_reversed(content)) == digest(content)


@given(st.lists(st.text(), min_size=2, max_size=3))
def test_where_one_text_ends_and_the_next_begins_counts(texts: list[str]) -> None:
    merged = [texts[0] + texts[1], *texts[2:]]
    assert digest(texts) != digest(merged)


def test_characters_that_utf8_cannot_say_and_nobody_sees_count() -> None:
    texts = ["a", "a\ud800", "a\udfff", "a\x00", "a\u202e", "a?", "a\ufffd"]
    assert len({digest(text) for text in texts}) == len(texts)


@pytest.mark.parametrize("content", [float("nan"), float("inf"), [float("-inf")]])
def test_nan_and_infinity_have_none(content: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest(content)


def test_what_json_cannot_say_has_none() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        digest({1, 2})
