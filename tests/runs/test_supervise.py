import os
import signal
import subprocess
import sys

import pytest

from runs.supervise import Supervised

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")

TREE = """
import os, signal, sys, time
# Four processes: the command, one in a process group of its own, one in a session of its own whose parent is gone, and
# one that stays in the command's group, and alone listens to SIGTERM and SIGHUP.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.setpgid(0, 0)
    if os.fork() == 0:
        if os.fork():
            os._exit(0)
        os.setsid()
elif os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
else:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
print("here", flush=True)
time.sleep(600)
"""
OWNER = """
import asyncio, os, sys
from pathlib import Path
from runs.supervise import Supervised

async def main():
    process = Supervised([sys.executable, "-c", sys.argv[1]], Path(sys.argv[2]), grace=0.2)
    print(process.pid, flush=True)
    try:
        await process.wait()
    finally:
        await process.stop()

asyncio.run(main())
"""


def python(code, log, **kwargs):
    return Supervised([sys.executable, "-c", code], log, **kwargs)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log.txt"


@pytest.fixture
def owner(log, processes):
    """A program that supervises the tree, all of it running: the program, the supervisor's pid."""
    with owning(log) as program:
        supervisor = int(program.stdout.readline())
        processes.until(lambda: log.read_text().count("here") == 4)
        assert len(processes.writing(log)) == 5  # the supervisor and four
        yield program, supervisor
        program.kill()
    for pid in processes.writing(log):
        os.kill(pid, signal.SIGKILL)


def owning(log, code=OWNER):
    return subprocess.Popen(
        [sys.executable, "-c", code, TREE, str(log)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


@pytest.mark.parametrize(
    ("code", "expected"),
    [("raise SystemExit(3)", 3), ("pass", 0), ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 128 + 9)],
)
async def test_exit_code_passes_through(log, code, expected):
    process = python(code, log)
    assert await process.wait() == expected
    assert not process.alive
    await process.stop()


async def test_output_is_appended_to_the_log(log):
    log.write_text("before\n")
    process = python("import sys; print('out'); print('err', file=sys.stderr)", log)
    await process.wait()
    await process.stop()
    assert sorted(log.read_text().splitlines()) == ["before", "err", "out"]


async def test_program_that_does_not_exist_is_named_in_the_log(log):
    process = Supervised(["/no/such/program"], log)
    assert await process.wait() == 127
    await process.stop()
    assert "/no/such/program: cannot be started: No such file or directory" in log.read_text()


async def test_environment_is_what_was_given(log):
    process = python("import os; print(sorted(set(os.environ) - {'LC_CTYPE'}))", log, environment={"ONE": "1"})
    await process.wait()
    await process.stop()
    assert log.read_text() == "['ONE']\n"


async def test_stop_asks_before_it_kills(log, processes):
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('bye'), sys.exit(0)))\n"
        "print('here', flush=True); time.sleep(600)"
    )
    process = python(code, log)
    processes.until(lambda: "here" in log.read_text())
    await process.stop()
    assert log.read_text() == "here\nbye\n"
    assert process.exit_code == 0


async def test_stop_ends_every_descendant(log, processes):
    process = python(TREE, log, grace=0.2)
    processes.until(lambda: log.read_text().count("here") == 4)
    assert len(processes.writing(log)) == 5
    await process.stop()
    assert not processes.writing(log)
    assert process.exit_code == 128 + 9


async def test_what_a_dead_command_left_behind_is_ended(log, processes):
    process = python(TREE.replace('print("here"', 'print("here", os.getpid(), os.getpgid(0)'), log, grace=0.2)
    processes.until(lambda: log.read_text().count("here") == 4)
    told = [tuple(map(int, line.split()[1:])) for line in log.read_text().splitlines()]
    groups = [group for _, group in told]
    (leader,) = (pid for pid, group in told if pid == group and groups.count(group) == 2)  # one child stayed with it
    os.kill(leader, signal.SIGKILL)
    assert await process.wait() == 128 + 9
    assert not processes.writing(log)
    await process.stop()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGABRT])
def test_nothing_is_left_when_the_owner_ends(owner, log, processes, number):
    program, _ = owner
    program.send_signal(number)
    program.wait()
    processes.until(lambda: not processes.writing(log))


def test_nothing_is_left_when_the_owner_is_killed_at_once(log, processes):
    with owning(log) as program:
        program.stdout.readline()
        program.kill()
    processes.until(lambda: not processes.writing(log))


def test_nothing_is_left_when_a_fork_of_the_owner_holds_the_pipe(log, processes):
    told = "    print(process.pid, flush=True)\n"
    code = OWNER.replace(
        told, "    if (fork := os.fork()) == 0:\n        signal.pause()\n    print(fork, flush=True)\n"
    )
    with owning(log, code.replace("import asyncio", "import signal, asyncio")) as program:
        fork = int(program.stdout.readline())
        processes.until(lambda: log.read_text().count("here") == 4)
        program.kill()
        processes.until(lambda: not processes.writing(log))
        os.kill(fork, signal.SIGKILL)


def test_its_session_is_ended_when_the_supervisor_is_killed(owner, log, processes):
    program, supervisor = owner
    others = {pid for pid in processes.writing(log) if os.getsid(pid) != supervisor}
    assert len(others) == 1  # the one that left the session
    os.kill(supervisor, signal.SIGKILL)
    program.wait()
    assert processes.writing(log) <= others


def test_its_process_group_ends_when_owner_and_supervisor_are_killed_together(owner, log, processes):
    program, supervisor = owner
    groups = [os.getpgid(pid) for pid in processes.writing(log)]
    (shared,) = {group for group in groups if groups.count(group) == 2}  # the command, and the child that stayed
    program.kill()
    os.kill(supervisor, signal.SIGKILL)
    processes.until(lambda: shared not in {os.getpgid(pid) for pid in processes.writing(log)})
