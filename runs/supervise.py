"""A command that is never left behind: it ends with us, even if we are killed."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from runs import _supervisor
from runs.errors import EndpointError

LINUX = sys.platform == "linux"


class Supervised:
    """A command in a session of its own, under a small process that ends all of it when we stop it or are gone.

    We hold one end of a pipe and the supervisor the other. It closes when we end in whatever way (SIGKILL included),
    and the supervisor then ends every descendant of the command. Ctrl-C in the terminal does not reach the command.
    POSIX only; outside Linux, processes that leave the command's process group are not found.

    Args:
        command: program and arguments; no shell.
        log: file that gets the command's output, appended.
        environment: all variables of the command; None: ours.
        grace: seconds between SIGTERM and SIGKILL when it is stopped.

    Raises:
        OSError: the log cannot be written.
    """

    def __init__(
        self, command: Sequence[str], log: Path, *, environment: Mapping[str, str] | None = None, grace: float = 10.0
    ) -> None:
        self._grace = grace
        self._swept = False
        arguments = [sys.executable, "-I", "-S", _supervisor.__file__, str(os.getpid()), str(grace), *command]
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours, without a shell
                arguments,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The supervisor's process id, which is also the id of the session that the command runs in."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the command runs, or its remains are being ended."""
        return self.exit_code is None

    @property
    def exit_code(self) -> int | None:
        """The command's exit code, 128 + n if signal n ended it; None while it runs."""
        code = self._process.poll()
        if code is None or code >= 0:
            return code
        if not self._swept:  # someone killed the supervisor: what is left of its session is ours to end
            _kill_session(self.pid)
            self._swept = True
        return 128 - code

    def let_go(self) -> None:
        """Ask for the end without waiting for it; it comes within the grace."""
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()

    async def wait(self) -> int:
        """Return the command's exit code when it and all its processes have ended."""
        while (code := self.exit_code) is None:  # noqa: ASYNC110 - the process outlives event loops, so it sets no event
            await asyncio.sleep(0.05)
        return code

    async def stop(self) -> None:
        """End the command with all its processes and return when they are gone; do nothing if they are.

        Raises:
            EndpointError: a process does not end (the kernel holds it, say in a broken driver).
        """
        self.let_go()
        deadline = time.monotonic() + self._grace + 10
        while self.alive:
            if time.monotonic() > deadline:
                raise EndpointError(
                    f"process {self.pid} does not end after {self._grace:.0f} s and SIGKILL; end it by hand."
                )
            await asyncio.sleep(0.05)


def _kill_session(session: int) -> None:
    """Kill every process of `session`; only Linux tells which they are."""
    deadline = time.monotonic() + 5
    while LINUX and (members := list(_members(session))) and time.monotonic() < deadline:
        for pid in members:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _members(session: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, _, sid, *_ = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
            if int(sid) == session and state not in "ZX":
                yield int(stat.parent.name)
