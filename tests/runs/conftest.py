"""Real processes for the tests, told by the log that they write to."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest


class Processes:
    """Looks at the processes of a Linux machine."""

    @staticmethod
    def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
        """Return when `condition` holds; fail if it does not within `seconds`."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"still not so after {seconds} s"
            time.sleep(0.02)

    @staticmethod
    def writing(log: Path) -> set[int]:
        """Return the pids of all processes whose standard output is `log`, whatever they are called."""
        return {int(out.parts[2]) for out in Path("/proc").glob("[0-9]*/fd/1") if _target(out) == str(log)}


def _target(link: Path) -> str | None:
    try:
        return str(link.readlink())
    except OSError:  # it has ended, or is another user's
        return None


@pytest.fixture(scope="session")
def processes() -> Processes:
    return Processes()
