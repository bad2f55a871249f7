"""Start `evenhand` again and again without importing it again: a process that forks one child per command.

Reads a line of JSON from stdin: an object with `arguments` starts a child (see `Trouble`) and prints its pid; a pid
waits for the end of that child and prints its exit code (-9 if it was killed). A child is not reaped before that, so
its pid stays its own.
"""

import atexit
import gc
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate")
"""Audit events of calls that change a folder."""
LATER = (
    "evenhand.verbs", "evenhand.importing", "evenhand.looking", "evenhand.cli.run", "evenhand.cli.tables",
    "openai.resources.chat", "instructor.v2.providers.openai", "genai_prices.data",
    "docstring_parser", "httpcore2", "requests", "encodings.idna",
)  # fmt: skip
"""What the verb imports once it is called."""


@dataclass
class Trouble:
    """What befalls one child."""

    under: str = ""
    """The folder whose file-system calls count."""
    at: int = 0
    """It kills itself at this call, counted from 1; a write is broken off midway, every other call does not happen."""
    number: int = signal.SIGKILL
    """The signal that it sends itself; any other leaves the call whole."""
    share: float = 0.5
    """How much of the write that it dies in is done."""
    ignored: int = 0
    """A signal that is ignored from the start, as SIGHUP is under nohup."""
    seconds: float = 0.0
    """The kernel ends it after so long."""
    count: str = ""
    """A file for the number of calls, once the child has ended by itself."""
    years: float = 0.0
    """How far the wall clock goes back; `clock.c` reads it, where there is a C compiler."""


def main(log: Path) -> None:
    """Serve until stdin ends; what the children say goes to `log`."""
    cli = import_module("evenhand.cli")
    for module in LATER:
        import_module(module)
    gc.freeze()  # a child's collector need not walk through all of this
    for line in sys.stdin:
        command = json.loads(line)
        if isinstance(command, int):
            print(os.waitstatus_to_exitcode(os.waitpid(command, 0)[1]), flush=True)  # noqa: T201
            continue
        pid = os.fork()
        if pid == 0:
            out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(out, 1)
            os.dup2(out, 2)
            sys.argv = ["evenhand", *command.pop("arguments")]
            _befall(Trouble(**command))
            cli.main()
        print(pid, flush=True)  # noqa: T201


def _befall(trouble: Trouble) -> None:
    if trouble.under:
        _die_at_a_call(trouble)
    if trouble.ignored:
        signal.signal(trouble.ignored, signal.SIG_IGN)
    if trouble.seconds:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, trouble.seconds)
    if trouble.years:
        os.environ["EVENHAND_TEST_SECONDS_BACK"] = str(int(trouble.years * 365 * 86400))


def _die_at_a_call(trouble: Trouble) -> None:
    """Count the calls that change what is under a folder, and be killed at one of them."""
    calls = 0

    def is_due(file: object) -> bool:
        nonlocal calls
        calls += _stands_under(file, trouble.under)
        return calls == trouble.at and _stands_under(file, trouble.under)

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if (writes or event in CHANGES) and is_due(arguments[0]):
            os.kill(os.getpid(), trouble.number)

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def instead(file: int, *arguments: Any) -> Any:
            if is_due(file):
                if arguments and trouble.number == signal.SIGKILL:
                    call(file, arguments[0][: int(len(arguments[0]) * trouble.share)])
                os.kill(os.getpid(), trouble.number)
            return call(file, *arguments)

        return instead

    for name in ("write", "fsync", "fdatasync"):  # no audit event tells of these
        setattr(os, name, watched(getattr(os, name)))
    sys.addaudithook(audit)
    if trouble.count:
        atexit.register(lambda: Path(trouble.count).write_text(str(calls), "utf-8"))


def _stands_under(file: object, folder: str) -> bool:
    try:
        path = str(Path(f"/proc/self/fd/{file}").readlink()) if isinstance(file, int) else os.fsdecode(file)  # type: ignore[arg-type]
    except (OSError, TypeError):
        return False
    return path.startswith(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
