import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from runs.errors import EndpointError, InputError, StoreError
from runs.vllm_server import Launch, VllmServer

BUNDLED = "bundled/SmolLM2-135M-Instruct"

# A small HTTP server in vLLM's place. It logs, fails or answers as the mode says; `state` is a file that survives it.
STAND_IN = r"""
import json, os, pathlib, signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
mode, state, port = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3].removeprefix("--port="))
starts = int(state.read_text()) + 1 if state.exists() else 1
state.write_text(str(starts))
print("\x1b[36m(APIServer pid=7)\x1b[0m INFO 11-23 22:02:58 [model.py:1] Loading weights", flush=True)
if mode == "fails" or (mode == "port taken" and starts == 1):
    sys.exit(state.with_name("failure.txt").read_text())
if mode == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if mode == "hangs":
    signal.pause()

class Handler(BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Handler.asked += 1
        if self.path == "/die":
            print("RuntimeError: asked to", flush=True)
            os._exit(1)
        status, body = 200, {}
        if self.path == "/health" and Handler.asked < 3:
            status = 503
        if self.path == "/v1/models":
            allowed = self.headers["Authorization"] == "Bearer " + os.environ["VLLM_API_KEY"] and mode != "another's"
            status, body = (200, {"data": [{"id": "m"}]}) if allowed else (401, {"error": "no"})
            if not allowed:
                print("RuntimeError: a stranger", flush=True)
                os._exit(1)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())
    def log_message(self, *_):
        pass

HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


class Watcher:
    """Progress that remembers, and wakes whoever waits for the first word of the log."""

    def __init__(self):
        self.notes = []
        self.has_loaded = asyncio.Event()

    def note(self, text):
        self.notes.append(text)
        if "Loading" in text:
            self.has_loaded.set()


@pytest.fixture
def stand_in(tmp_path):
    """A maker of servers with the stand-in: (mode, failure) -> VllmServer."""

    def make(mode="serves", failure="", **kwargs):
        (tmp_path / "failure.txt").write_text(failure)
        launch = Launch(command=(sys.executable, "-c", STAND_IN, mode, str(tmp_path / "state")))
        return VllmServer("m", log=tmp_path / "logs" / "vllm.log", launch=launch, grace=1.0, **kwargs)

    return make


def command_line(pid):
    return Path(f"/proc/{pid}/cmdline").read_text()


async def get(server, path):
    headers = {"Authorization": f"Bearer {server.api_key}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(server.url + path) as reply:
        return await reply.json(content_type=None)


async def test_serves_until_the_end_of_the_block(stand_in, processes):
    watcher = Watcher()
    async with stand_in(progress=watcher) as server:
        assert server.alive
        assert server.why_dead() is None
        assert await get(server, "/models") == {"data": [{"id": "m"}]}
        assert processes.writing(server.log)
    assert not server.alive
    assert not processes.writing(server.log)
    assert re.fullmatch(r"starting vLLM, \d+ s: Loading weights", watcher.notes[-1])


async def test_every_server_has_a_key_of_its_own_that_is_on_no_command_line(stand_in, processes):
    async with stand_in() as server:
        lines = [command_line(pid) for pid in processes.writing(server.log)]
        assert len(server.api_key) >= 32
        assert len(lines) == 2  # the supervisor and the stand-in
        assert not any(server.api_key in line for line in lines)
    assert stand_in().api_key != server.api_key


REFUSED = "usage: api_server.py [-h]\n  [--headless]\napi_server.py: error: unrecognized arguments: --no-such-flag"
MODEL = """Traceback (most recent call last):
  File "x.py", line 1, in f
huggingface_hub.errors.RepositoryNotFoundError: 404

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
OSError: me/none is not a local folder and is not a valid model identifier listed on 'https://huggingface.co/models'
If this is a private repository, pass a token."""
MEMORY = (
    "(EngineCore pid=2) ERROR 11-23 22:13:41 [core.py:9] Traceback (most recent call last):\n"
    "(EngineCore pid=2) ERROR 11-23 22:13:41 [core.py:9] ValueError: No available memory for the cache blocks. Try\n"
    "(EngineCore pid=2) ERROR 11-23 22:13:41 [core.py:9] increasing `gpu_memory_utilization`.\n"
    "(APIServer pid=1) INFO 11-23 22:13:41 [x.py:1] shutting down\n"
    "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}"
)
VALIDATION = (
    "pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig\n"
    "  Value error, User-specified max_model_len (100000) is greater than 8192. [type=value_error, input_value=1]\n"
    "    For further information visit https://errors.pydantic.dev/2.14/v/value_error"
)
LOST = (
    "(APIServer pid=1) ERROR 11-23 22:28:27 [a.py:9] Traceback (most recent call last):\n"
    "(APIServer pid=1) ERROR 11-23 22:28:27 [a.py:9] vllm.v1.engine.exceptions.EngineDeadError: See stack trace.\n"
    "INFO:     Shutting down"
)


@pytest.mark.parametrize(
    ("failure", "kind", "told"),
    [
        (
            REFUSED,
            InputError,
            "vLLM refuses its flags: unrecognized arguments: --no-such-flag; correct",
        ),
        (MODEL, InputError, "vLLM cannot find the model 'm': OSError: me/none is not a local folder"),
        (
            MEMORY,
            EndpointError,
            "ValueError: No available memory for the cache blocks. Try increasing `gpu_",
        ),
        (VALIDATION, EndpointError, ": User-specified max_model_len (100000) is greater than 8192.\n"),
        (LOST, EndpointError, "if nobody did that, memory ran out"),
        ("", EndpointError, "it left no error"),
    ],
)
async def test_death_while_starting_is_told_with_its_cause(stand_in, processes, failure, kind, told):
    server = stand_in("fails", failure)
    with pytest.raises(kind, match=re.escape(told)):
        await server.start()
    assert not server.alive
    assert not processes.writing(server.log)
    assert told in server.why_dead()


async def test_error_ends_with_the_last_lines_of_the_log_without_colours(stand_in):
    server = stand_in("fails", "\x1b[31mlast words\x1b[0m")
    with pytest.raises(EndpointError) as raised:
        await server.start()
    assert str(raised.value).endswith(f"{server.log} ends with:\n    Loading weights\n    last words")


async def test_a_killed_server_is_told_from_one_that_failed(stand_in):
    with pytest.raises(EndpointError, match=r"exit code 137.*its process was killed"):
        await stand_in("killed").start()


async def test_the_key_is_in_no_error(stand_in):
    server = stand_in("fails")
    (server.log.parent.parent / "failure.txt").write_text(f"ValueError: bad key {server.api_key}")
    with pytest.raises(EndpointError) as raised:
        await server.start()
    assert "bad key ***" in str(raised.value)
    assert server.api_key not in str(raised.value)


async def test_only_the_last_start_is_blamed(stand_in):
    server = stand_in("fails", "ValueError: old")
    with pytest.raises(EndpointError, match="old"):
        await server.start()
    (server.log.parent.parent / "failure.txt").write_text("ValueError: new")
    with pytest.raises(EndpointError, match="new") as raised:
        await server.start()
    assert "old" not in str(raised.value)
    assert "old" in server.log.read_text()


async def test_another_port_is_tried_where_one_was_taken(stand_in):
    async with stand_in("port taken", "OSError: [Errno 98] Address already in use") as server:
        assert (await get(server, "/models"))["data"]
    assert server.log.read_text().count("Loading weights") == 2


async def test_a_strangers_server_on_the_port_is_not_taken_for_ours(stand_in):
    with pytest.raises(EndpointError, match="a stranger"):
        await stand_in("another's").start()


async def test_a_server_that_died_can_be_started_again(stand_in, processes):
    async with stand_in() as server:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientError):
                await session.get(server.url.removesuffix("/v1") + "/die")
        processes.until(lambda: not server.alive)
        assert "RuntimeError: asked to" in server.why_dead()
        await server.start()
        assert server.alive
        await server.start()  # does nothing
        assert server.log.read_text().count("Loading weights") == 2


async def test_a_start_that_is_given_up_leaves_nothing(stand_in, processes):
    watcher = Watcher()
    server = stand_in("hangs", progress=watcher)
    start = asyncio.create_task(server.start())
    await watcher.has_loaded.wait()
    assert processes.writing(server.log)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert not processes.writing(server.log)


async def test_a_log_that_cannot_be_written_is_named(stand_in, tmp_path):
    (tmp_path / "logs").touch()
    with pytest.raises(StoreError, match=r"vllm\.log: vLLM's log cannot be written"):
        await stand_in().start()


def test_a_model_that_cannot_be_is_refused_before_anything_starts(tmp_path):
    with pytest.raises(InputError, match="there is no such folder"):
        VllmServer("./nowhere", log=tmp_path / "log")


# The real engine, with the bundled model.

KEPT = """
import asyncio, sys
from pathlib import Path
from runs.vllm_server import VllmServer

async def main():
    async with VllmServer(sys.argv[1], log=Path(sys.argv[2])):
        print("ready", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    server = VllmServer(BUNDLED, {"max_model_len": 1024}, log=tmp_path_factory.mktemp("engine") / "vllm.log")
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())


async def chat(server, content, **request):
    body = {"model": server.model, "messages": [{"role": "user", "content": content}], "temperature": 0, **request}
    headers = {"Authorization": f"Bearer {server.api_key}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{server.url}/chat/completions", json=body) as reply,
    ):
        assert reply.status == 200, await reply.text()
        return (await reply.json())["choices"][0]["message"]["content"]


@pytest.mark.vllm
async def test_engine_answers(engine):
    assert await chat(engine, "What is the capital of France?", max_tokens=8)


@pytest.mark.vllm
async def test_engine_keeps_to_a_json_schema_without_padding(engine):
    schema = {
        "type": "object",
        "properties": {"reason": {"type": "string", "maxLength": 60}, "score": {"type": "integer", "enum": [1, 2, 3]}},
        "required": ["reason", "score"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": schema, "strict": True}}
    answer = await chat(engine, "Rate this answer: it depends.", max_tokens=100, response_format=form)
    assert json.loads(answer)["score"] in {1, 2, 3}
    assert not re.search(r"\s\s", answer)


@pytest.mark.vllm
async def test_engine_refuses_others(engine):
    async with aiohttp.ClientSession() as session, session.get(f"{engine.url}/models") as reply:
        assert reply.status == 401


@pytest.mark.vllm
def test_engine_says_how_it_was_started(engine):
    facts = engine.facts
    assert re.fullmatch(r"vllm(-cpu)? \d+\.\d+\S*", facts.vllm)
    assert facts.device in {"cpu", "gpu"}
    assert facts.flags["max-model-len"] == 1024
    assert engine.api_key not in repr(facts)
    assert engine.api_key not in engine.log.read_text()


@pytest.mark.vllm
@pytest.mark.parametrize("moment", ["starting", "ready"])
def test_nothing_of_the_engine_is_left_when_its_owner_is_killed(tmp_path, processes, moment):
    log = tmp_path / "vllm.log"
    with subprocess.Popen([sys.executable, "-c", KEPT, BUNDLED, str(log)], stdout=subprocess.PIPE, text=True) as owner:
        if moment == "ready":
            assert owner.stdout.readline() == "ready\n"
        else:
            processes.until(lambda: "Initializing a V1 LLM engine" in (log.read_text() if log.exists() else ""), 300)
        assert len(processes.writing(log)) >= 3  # supervisor, server, engine
        os.kill(owner.pid, signal.SIGKILL)
    processes.until(lambda: not processes.writing(log))


@pytest.mark.vllm
@pytest.mark.parametrize(
    ("model", "flags", "told"),
    [
        ("not a name", {}, r"vLLM cannot find the model 'not a name': .*Give a name as the hub writes it"),
        (BUNDLED, {"no_such_flag": 3}, r"vLLM refuses its flags: unrecognized arguments: --no-such-flag=3; correct"),
    ],
)
async def test_engine_refusals_are_told_in_a_sentence(tmp_path, model, flags, told):
    with pytest.raises(InputError, match=told):
        await VllmServer(model, flags, log=tmp_path / "vllm.log").start()
