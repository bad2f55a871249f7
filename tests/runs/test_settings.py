"""The `[generation]` table: what an endpoint may be, what identifies an answer, and where keys come from."""

from typing import Any

import pytest

from judging.settings import Judge
from runs.errors import InputError
from runs.settings import Endpoint, Generation
from runs.tomlfile import parse


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("http://localhost:8000", "http://localhost:8000/v1"),
        ("http://localhost:8000/", "http://localhost:8000/v1"),
        ("https://api.deepseek.com/v1/", "https://api.deepseek.com/v1"),
        ("https://host/openai/v3", "https://host/openai/v3"),
        ("vllm", "vllm"),
    ],
)
def test_an_endpoint_is_vllm_or_a_base_url(given: str, base: str) -> None:
    assert Endpoint(endpoint=given).endpoint == base


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("localhost:8000", 'expected "vllm" or a URL such as "http://localhost:8000/v1"'),
        ("vlm", 'expected "vllm" or a URL'),
        ("http://h:99999999", 'expected "vllm" or a URL'),
        ("http://[::1", 'expected "vllm" or a URL'),
        ("http://h/a\nb", 'expected "vllm" or a URL'),
        ("http://ｈ/", 'expected "vllm" or a URL'),
    ],
)
def test_what_is_no_endpoint_is_told(given: str, told: str) -> None:
    with pytest.raises(InputError) as problem:
        parse(Generation, {"model": "m", "endpoint": given}, "study.toml")
    assert f"study.toml: 'endpoint' is {given!r}: {told}" in str(problem.value)


@pytest.mark.parametrize(
    ("where", "setting"),
    [
        ("endpoint", "https://me:hunter22@host/v1"),
        ("endpoint", "https://hunter22@host/v1"),
        ("endpoint", "https://host/v1?api_key=hunter22"),
        ("endpoint", "https://host/v1#hunter22"),
        ("replicas", ["http://ok", "https://me:hunter22@host/v1"]),
        ("api_key_env", "sk-hunter22"),
        ("extra", {"api_key": "hunter22"}),
        ("extra", {"extra_headers": {"Authorization": "Bearer hunter22"}}),
        ("vllm", {"hf-token": "hunter22"}),
        ("vllm", {"api_key": ["hunter22"]}),
    ],
)
def test_a_key_in_a_study_is_refused_and_not_repeated(where: str, setting: object) -> None:
    for model in (Generation, Judge):
        with pytest.raises(InputError) as problem:
            parse(model, {"model": "m", where: setting}, "study.toml")
        told = str(problem.value)
        assert told.startswith(f"study.toml: '{where}")
        assert "environment" in told
        assert "hunter22" not in told


@pytest.mark.parametrize("value", ["sk-1\nX-Admin: 1", "sk-\u20ac", "two words", "a\x7fb"])
def test_a_key_that_fits_no_header_is_told_and_not_repeated(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("MY_KEY", value)
    with pytest.raises(InputError, match="variable MY_KEY holds characters that no key has") as problem:
        Endpoint(endpoint="http://h", api_key_env="MY_KEY").api_key()
    assert value not in str(problem.value)
    monkeypatch.setenv("MY_KEY", "  sk-1\r\n")  # a file's last line end
    assert Endpoint(endpoint="http://h", api_key_env="MY_KEY").api_key() == "sk-1"


def test_a_key_comes_from_the_variable_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "k1")
    monkeypatch.setenv("DEEPSEEK_API_KEY", "k2")
    assert Endpoint(endpoint="http://h", api_key_env="MY_KEY").api_key() == "k1"
    assert Endpoint(endpoint="https://api.deepseek.com").api_key() == "k2"
    assert Endpoint(endpoint="http://h").api_key() is None
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(InputError, match="set the environment variable MY_KEY"):
        Endpoint(endpoint="http://h", api_key_env="MY_KEY").api_key()


def test_a_key_stands_in_no_dump_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    settings = Generation(model="m", endpoint="http://h", api_key_env="MY_KEY")
    assert settings.api_key() == "sk-very-secret"
    assert "very-secret" not in f"{settings!r}{settings.model_dump_json()}{settings.identity}"


@pytest.mark.parametrize(
    "change",
    [
        {"model": "n"}, {"temperature": 0.5}, {"top_p": 0.5}, {"max_tokens": 7}, {"seed": 2}, {"system": "Be brief."},
        {"extra": {"min_p": 0.1}}, {"vllm": {"quantization": "awq"}}, {"endpoint": "http://h"},
    ],
)  # fmt: skip
def test_what_determines_an_answer_is_part_of_its_identity(change: dict[str, Any]) -> None:
    assert Generation(**{"model": "m", **change}).identity != Generation(model="m").identity


@pytest.mark.parametrize("change", [{"concurrency": 3}, {"timeout": 3}, {"attempts": 3}, {"api_key_env": "K"}])
def test_how_hard_an_endpoint_is_pressed_is_not(change: dict[str, Any]) -> None:
    assert Generation(**{"model": "m", **change}).identity == Generation(model="m").identity


def test_a_request_says_what_is_set_and_nothing_else() -> None:
    assert Generation(model="m", seed=None).request("Why?", 2) == {
        "messages": [{"role": "user", "content": "Why?"}],
        "max_tokens": 2048,
    }
    full = Generation(model="m", system="Be brief.", temperature=0, top_p=0.5, seed=7, extra={"min_p": 0.1})
    assert full.request("Why?", 3) == {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}],
        "max_tokens": 2048,
        "temperature": 0,
        "top_p": 0.5,
        "seed": 9,  # the third epoch: 7 + 3 − 1
        "min_p": 0.1,
    }


def test_a_request_may_take_a_minute_and_a_second_for_every_ten_tokens() -> None:
    assert Generation(model="m").seconds_for(1000) == 160
    assert Generation(model="m", timeout=5).seconds_for(1000) == 5
