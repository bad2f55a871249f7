"""Where a model answers: of several servers one is enough to start."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evenhand.engines import Engines
from runs.errors import EndpointError
from runs.progress import Silent
from runs.settings import Endpoint

Make = Callable[..., Any]


class _Listening(Silent):
    def __init__(self) -> None:
        self.told: list[str] = []

    def warn(self, text: str) -> None:
        self.told.append(text)


@pytest.fixture
def nobody() -> Iterator[str]:
    """A URL where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


@pytest.mark.parametrize("first", [True, False])
async def test_one_server_that_answers_is_enough_to_start(
    scripted: Make, tmp_path: Path, nobody: str, first: bool
) -> None:
    sound, progress = scripted().url, _Listening()
    urls = (sound, nobody) if first else (nobody, sound)
    server = await Engines(progress).connect(Endpoint(endpoint=urls[0], replicas=urls[1:]), "m", tmp_path)
    assert server.urls == urls
    (told,) = progress.told
    assert told.startswith(f"{nobody}: cannot be reached")
    assert told.endswith("The other URLs take its calls until it answers.")


async def test_no_server_that_answers_is_an_error(tmp_path: Path, nobody: str) -> None:
    progress = _Listening()
    with pytest.raises(EndpointError, match="cannot be reached"):
        await Engines(progress).connect(Endpoint(endpoint=nobody, replicas=(nobody,)), "m", tmp_path)
    assert not progress.told


async def test_a_key_that_one_server_refuses_is_an_error(scripted: Make, tmp_path: Path) -> None:
    endpoint = Endpoint(endpoint=scripted().url, replicas=(scripted(key="right").url,))
    with pytest.raises(EndpointError, match="the API key was refused"):
        await Engines(Silent()).connect(endpoint, "m", tmp_path)
