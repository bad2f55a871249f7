"""A key is nowhere in what any verb leaves behind, prints, or shows as a process, though the endpoint repeats it."""

import contextlib
import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rubrics import load_rubric

pytestmark = pytest.mark.slow

Make = Callable[..., Any]
KEY = "sk-proj/Do+Not=Tell-4711"
TRACES = ("Do+Not", "Do%2BNot", "4711")


class _Echo(http.server.BaseHTTPRequestHandler):
    """An endpoint that repeats its key in headers, replies and errors."""

    protocol_version = "HTTP/1.1"
    broken = False
    asked = 0

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._send(200, {"data": [{"id": "m"}]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers["Authorization"].removeprefix("Bearer ")
        assert key == KEY
        type(self).asked += 1
        if self.broken:
            self._send(401, {"error": {"message": f"Incorrect API key provided: {key}", "escaped": key}})
            return
        if type(self).asked in {1, 5}:
            self._send(500, {"error": {"message": f"no quota for {key}"}})
            return
        said = f"Your key is {key}. Bearer {key}"
        if "response_format" in asked:
            levels = {one.id: (one.levels or (1,))[0] for one in load_rubric("candour").criteria}
            said = json.dumps({name: {"reason": key, "score": level} for name, level in levels.items()})
            said = said if type(self).asked % 2 else f"{key}: no verdict"
        message = {"role": "assistant", "content": said, "reasoning_content": f"I was given {key}"}
        self._send(200, {"choices": [{"message": message, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1}})

    def _send(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).replace("/", "\\/" if status == 500 else "/").encode()
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("X-Key", KEY)):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing: a client that has been refused once goes without waiting for its other replies."""


@pytest.fixture
def echo() -> Iterator[type[_Echo]]:
    kind = type("Echo", (_Echo,), {})
    server = _Server(("127.0.0.1", 0), kind)
    kind.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield kind
    server.shutdown()
    thread.join()
    server.server_close()


def _leaks(text: str | bytes) -> list[str]:
    content = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return [trace for trace in TRACES if trace in content]


@pytest.fixture
def program(cli: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs a verb with the key in the environment, and checks and returns what it says."""
    monkeypatch.setenv("MY_API_KEY", KEY)
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> str:
        told = cli(*arguments)
        assert _leaks(told.out) == _leaks(told.err) == []
        return str(told.out + told.err)

    return run


def _processes(study: Path) -> set[bytes]:
    """Run a study in a process of its own; return the command lines of all processes meanwhile."""
    command = [sys.executable, "-c", "from evenhand.cli import main; main()", "run", str(study)]
    lines = set()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        while process.poll() is None:
            for entry in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    lines.add((entry / "cmdline").read_bytes())
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
        assert process.stdout is not None
        told = process.stdout.read()
    assert process.returncode in {0, 1}
    assert "Traceback" not in told
    assert _leaks(told) == []
    return lines


def _left(folder: Path) -> dict[str, list[str]]:
    return {str(path): found for path in folder.rglob("*") if path.is_file() and (found := _leaks(path.read_bytes()))}


def test_a_key_is_nowhere_after_every_verb(study: Make, echo: Any, program: Callable[..., str], tmp_path: Path) -> None:
    path = study(echo.url)
    text = path.read_text("utf-8").replace("endpoint =", 'api_key_env = "MY_API_KEY"\nattempts = 3\nendpoint =')
    path.write_text(text.replace("epochs = 2", "epochs = 1"), "utf-8")
    program("check", path)
    processes = _processes(path)
    assert any(b"evenhand" in line for line in processes)
    assert not [line for line in processes if _leaks(line)]
    (run,) = (tmp_path / "results" / "small").iterdir()
    program("score", run, "--placebo", "mask")
    for verb in ("analyze", "report", "show", "agree"):
        program(verb, run)
    for verb in ("analyze", "show"):
        program(verb, run, "--json")
    assert "[API key]" in program("show", run, "q0/CN/en")
    program("show", run, "--failures", "--json")
    program("list", "--json")
    assert echo.asked > 20
    assert _left(tmp_path) == {}
    assert [file for file in tmp_path.rglob("*.jsonl") if b"[API key]" in file.read_bytes()]
    echo.broken = True
    (run / "responses.jsonl").unlink()
    (run / "responses.parquet").unlink()
    told = program("generate", path) + program("score", run, "--judge", "other", "--endpoint", echo.url)
    assert "[API key]" in told
    assert _left(tmp_path) == {}


def test_a_key_in_the_study_or_on_the_command_line_is_refused_unsaid(
    study: Make, program: Callable[..., str], tmp_path: Path
) -> None:
    path = study()
    right = path.read_text("utf-8")
    for wrong in (
        right.replace("http://127.0.0.1:9/v1", f"https://user:{KEY}@host/v1", 1),
        right.replace("http://127.0.0.1:9/v1", f"https://host/v1?api_key={KEY}", 1),
        right.replace("epochs = 2", f'api_key = "{KEY}"'),
        right.replace("epochs = 2", f'api_key_env = "{KEY}"'),
        right.replace("epochs = 2", f'extra = {{api_key = "{KEY}"}}'),
    ):
        path.write_text(wrong, "utf-8")
        told = program("run", path)
        assert told.startswith("error: ")
        assert "api_key_env" in told
    path.write_text(right, "utf-8")
    assert not (tmp_path / "results").exists()
