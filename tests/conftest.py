"""Settings of all tests, and the scripted endpoint: a server in a process of its own (`tests/scripted/endpoint.py`)."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# No deadline for examples: how long one takes says what else the machine is doing.
settings.register_profile("evenhand", deadline=None)
settings.load_profile("evenhand")

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Scripted:
    """One endpoint with a script and counts of its own."""

    at: str
    """Its address, without `/v1`."""

    @property
    def url(self) -> str:
        """What a study or a judge calls its endpoint."""
        return f"{self.at}/v1"

    def stats(self) -> dict[str, Any]:
        """Return what it was asked so far."""
        return _ask(f"{self.at}/stats")

    def wait(self, **count: int) -> None:
        """Return as soon as so many `requests` have come, or so many `replies` have gone out."""
        ((name, number),) = count.items()
        _ask(f"{self.at}/wait?{name}={number}")

    def release(self) -> int:
        """Answer the requests that hang, and return how many they were."""
        return int(_ask(f"{self.at}/release", {})["released"])


def _ask(url: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if content is None else json.dumps(content).encode()
    with urllib.request.urlopen(url, data, timeout=600) as reply:
        told: dict[str, Any] = json.load(reply)
        return told


@pytest.fixture(scope="session")
def scripted_process() -> Iterator[str]:
    """Start the server, and yield its address."""
    command = [sys.executable, "-m", "tests.scripted.endpoint"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


@pytest.fixture(scope="session")
def scripted(scripted_process: str) -> Callable[..., Scripted]:
    """Return a function that makes an endpoint of its own from the fields of `tests.scripted.script.Script`."""

    def make(**script: Any) -> Scripted:
        return Scripted(scripted_process + _ask(f"{scripted_process}/scripts", script)["path"])

    return make
