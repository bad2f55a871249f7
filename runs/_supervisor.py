"""Run one command and leave nothing of it behind, however this program or the one that started it ends.

Not imported but run, as `python -I -S _supervisor.py PARENT_PID GRACE_SECONDS COMMAND …` by `runs.supervise`, its
other half. Its standard input is a pipe that the parent holds open and never writes to: end of file means that the
parent is gone or wants the command stopped. Every process of the command is ended before this one exits, with the
command's exit code (128 + n for signal n).

On Linux this process adopts the orphans among its descendants (PR_SET_CHILD_SUBREAPER), so it also finds those that
moved to a process group or a session of their own, and "no child left" means that nothing is left. Elsewhere it ends
the command's process group. Should it be killed itself, even together with the parent, the kernel does what is left to
do: it kills the command (PR_SET_PDEATHSIG, Linux) and hangs up on the command's process group, because this process
leads a session with a terminal (a pseudo one that nobody reads) on which that group is in the foreground.
"""

import contextlib
import ctypes
import fcntl
import os
import select
import signal
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

LINUX = sys.platform == "linux"
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
TICK = 0.1
"""Seconds between two looks at the parent and the command."""
ORPHAN_GRACE = 2.0
"""Seconds that the command's own children get to end after it; multiprocessing's resource tracker needs some."""


def main(parent: int, grace: float, command: list[str]) -> int:
    """Run `command` until it ends, the pipe closes, the parent dies or SIGTERM comes; return its exit code."""
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if LINUX:
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
    child = _start(command)
    terminal = _hang_up_with_us(child)  # noqa: F841 - held open until the end
    codes: dict[int, int] = {}
    while child not in codes and not asked and not _parent_gone(parent):
        _reap(codes)
    _end(child, grace, codes)
    return codes[child]


def _start(command: list[str]) -> int:
    """Start `command` in a process group of its own, with nothing on its standard input; return its pid."""
    us = os.getpid()
    pid = os.fork()
    if pid:
        with contextlib.suppress(OSError):  # the child does the same; whoever comes first
            os.setpgid(pid, pid)
        return pid
    try:
        os.setpgid(0, 0)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        if LINUX:
            _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != us:  # died before the kernel was asked
                os._exit(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.execvp(command[0], command)  # noqa: S606 - no shell is the point
    except OSError as error:
        os.write(2, f"{command[0]}: cannot be started: {error.strerror}\n".encode())
    os._exit(127)


def _hang_up_with_us(group: int) -> tuple[int, int] | None:
    """Have the kernel send SIGHUP to `group` when this process ends; return the pseudo-terminal to hold, if any."""
    try:
        ends = os.openpty()
        fcntl.ioctl(ends[1], termios.TIOCSCTTY, 0)
        os.tcsetpgrp(ends[1], group)
    except OSError:  # no /dev/pts here, or the command has ended already
        return None
    return ends


def _parent_gone(parent: int) -> bool:
    """Wait a tick for the end of the pipe; also look at the parent itself, for a fork of it may hold the pipe open."""
    readable, _, _ = select.select([0], [], [], TICK)
    return os.getppid() != parent or (bool(readable) and not os.read(0, 512))


def _reap(codes: dict[int, int]) -> bool:
    """Collect the exit codes of ended children; return whether any child is left."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True
        code = os.waitstatus_to_exitcode(status)
        codes[pid] = code if code >= 0 else 128 - code


def _end(child: int, grace: float, codes: dict[int, int]) -> None:
    """Ask everything to end, and kill what has not after `grace` seconds; return when nothing is left."""
    for pid in _targets(child):
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while _alive(child, codes):
        if child in codes:
            deadline = min(deadline, time.monotonic() + ORPHAN_GRACE)
        if time.monotonic() > deadline:
            for pid in _targets(child):
                _signal(pid, signal.SIGKILL)
        time.sleep(TICK / 2)


def _alive(child: int, codes: dict[int, int]) -> bool:
    if _reap(codes):
        return True
    if LINUX:
        return False
    try:
        os.killpg(child, 0)
    except OSError:
        return False
    return True


def _targets(child: int) -> list[int]:
    """Return whom to signal: every descendant on Linux, else the command's process group (a negative number)."""
    return list(_descendants(os.getpid())) if LINUX else [-child]


def _descendants(root: int) -> Iterator[int]:
    """Yield the pids of all processes below `root`."""
    children: dict[int, list[int]] = {}
    for pid, parent in _processes():
        children.setdefault(parent, []).append(pid)
    below = list(children.get(root, []))
    while below:
        pid = below.pop()
        yield pid
        below += children.get(pid, [])


def _processes() -> Iterator[tuple[int, int]]:
    """Yield (pid, parent's pid) of every process on this Linux machine."""
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            yield int(entry.name), int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
