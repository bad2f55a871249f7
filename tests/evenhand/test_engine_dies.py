"""An engine of ours that dies or goes silent while it works is started again, so often and no more.

The engine is a small server that stands where vLLM would be imported from; tests/runs/test_vllm_server.py has the real
one killed.
"""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import evenhand
from evenhand.engines import RESTARTS
from runs.errors import EndpointError
from runs.store import find_runs

ENGINE = """
import json, os, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

port = next(int(one.removeprefix("--port=")) for one in sys.argv if one.startswith("--port="))
plan = Path(os.environ["ENGINE_PLAN"])
starts = json.loads(plan.read_text())
what, after = starts.pop(0) if len(starts) > 1 else starts[0]
plan.write_text(json.dumps(starts))
print("started", flush=True)

class Handler(BaseHTTPRequestHandler):
    replies = 0
    counting = threading.Lock()

    def do_GET(self):
        self.reply({"data": [{"id": "m"}]})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        with Handler.counting:
            Handler.replies += 1
            spent = after is not None and Handler.replies > after
        if spent and what == "dies":
            print("RuntimeError: CUDA error: an illegal memory access", flush=True)
            os._exit(1)
        if spent:
            threading.Event().wait()
        message = {"role": "assistant", "content": "An answer."}
        self.reply({"choices": [{"message": message, "finish_reason": "stop"}]})

    def reply(self, content):
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

ThreadingHTTPServer.request_queue_size = 128
server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
server.daemon_threads = True
server.serve_forever()
"""

STUDY = """
name = "dies"
focal = "CN"

[questions]
set = "quick"
countries = ["CN", "US"]

[generation]
model = "m"
concurrency = 24
attempts = 1
timeout = 1.0
max_tokens = 16
"""
ANSWERS = 24


@pytest.fixture
def generate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a function that runs the study on an engine with a plan: what each start does, after so many replies.

    The last entry holds for all further starts. The function returns how often the engine was started.
    """
    package = tmp_path / "path" / "vllm" / "entrypoints" / "openai"
    package.mkdir(parents=True)
    for folder in (package, package.parent, package.parent.parent):
        (folder / "__init__.py").touch()
    (package / "api_server.py").write_text(ENGINE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    plan = tmp_path / "plan.json"
    monkeypatch.setenv("ENGINE_PLAN", str(plan))
    (tmp_path / "study.toml").write_text(STUDY)

    def run(*starts: tuple[str, int | None]) -> int:
        plan.write_text(json.dumps(starts))
        evenhand.generate(tmp_path / "study.toml", root=tmp_path / "results")
        return log(tmp_path).count("started\n")

    return run


def log(folder: Path) -> str:
    (path,) = folder.rglob("vllm.log")
    return path.read_text()


def answers(folder: Path) -> pl.DataFrame:
    (run,) = find_runs(folder / "results")
    return run.responses().collect()


def test_an_engine_that_dies_is_started_again_and_what_came_is_kept(
    generate: Callable[..., int], tmp_path: Path
) -> None:
    assert generate(("dies", 5), ("dies", 7), ("serves", None)) == 3
    got = answers(tmp_path)
    assert got["status"].to_list() == ["ok"] * ANSWERS
    assert got["key"].n_unique() == ANSWERS


def test_an_engine_that_goes_silent_is_started_again(generate: Callable[..., int], tmp_path: Path) -> None:
    assert generate(("silent", 2), ("serves", None)) == 2
    assert answers(tmp_path)["status"].to_list() == ["ok"] * ANSWERS


def test_an_engine_that_always_dies_is_given_up_with_its_own_words(
    generate: Callable[..., int], tmp_path: Path
) -> None:
    with pytest.raises(EndpointError, match="illegal memory access") as told:
        generate(("dies", 1))
    assert f"started again {RESTARTS} times" in str(told.value)
    assert log(tmp_path).count("started\n") == 1 + RESTARTS
    # A reply that went out as the engine died may be lost on its way; none is counted that is not there.
    assert answers(tmp_path).filter(pl.col("status") == "ok").height <= 1 + RESTARTS
    assert generate(("serves", None)) == 2 + RESTARTS
    assert answers(tmp_path)["status"].to_list() == ["ok"] * ANSWERS
