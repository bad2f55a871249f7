"""The tree of errors, and the help for a misspelt name."""

import pytest

from runs.errors import EndpointError, EvenhandError, InputError, StoreError, nearest


@pytest.mark.parametrize("kind", [InputError, StoreError, EndpointError])
def test_every_error_is_caught_as_one(kind: type[EvenhandError]) -> None:
    with pytest.raises(EvenhandError, match="what was wrong"):
        raise kind("what was wrong")


def test_the_nearest_name_is_told_as_it_is_written() -> None:
    assert nearest("Candor", ["ethics", "candour"]) == "did you mean 'candour'?"
    assert nearest("qwen3", ["Qwen3-8B", "gpt"]) == "did you mean 'Qwen3-8B'?"


def test_where_nothing_is_near_all_names_are_told() -> None:
    assert nearest("zzz", ["ethics", "candour"]) == "known: candour, ethics."
    assert nearest("zzz", []) == "none are known here."
