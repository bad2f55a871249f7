"""What an endpoint says goes on without the key that it was sent."""

import json

import pytest

from runs.keys import HIDDEN, hide

KEY = 'sk-proj/Ab+1="\\x'


@pytest.mark.parametrize(
    "said",
    [
        KEY,
        json.dumps({"error": KEY}),
        json.dumps({"error": f"Bearer {KEY}"}).replace("/", "\\/"),  # as PHP writes it
        "https://h/v1?key=sk-proj%2FAb%2B1%3D%22%5Cx",
    ],
)
def test_a_key_is_hidden_however_it_is_written(said: str) -> None:
    told = hide(said, KEY)
    assert HIDDEN in told
    assert "proj" not in told


@pytest.mark.parametrize("key", [None, "EMPTY", "none", "anything", "test1"])
def test_what_is_no_secret_is_left_in_answers(key: str | None) -> None:
    said = f"EMPTY none anything test1 {key}"
    assert hide(said, key) == said
