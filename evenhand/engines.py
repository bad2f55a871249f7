"""Where a model answers: an engine of ours, started when it is needed, or a URL that is checked first."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Self

from runs.calls import Tally
from runs.chat import reach
from runs.errors import EndpointError, Unresponsive
from runs.progress import Progress
from runs.settings import Endpoint
from runs.vllm_server import VllmServer

RESTARTS = 3
"""How often an engine of ours that died, or gives no more replies, is started again for one piece of work."""
SEEN_DEAD = 2.0
"""Seconds in which the end of a process is seen; calls to it fail at once."""


@dataclasses.dataclass(frozen=True)
class Server:
    """A model that can be asked."""

    urls: tuple[str, ...]
    """Empty for instructor's other providers."""
    model: str
    """What the server calls it."""
    api_key: str | None = dataclasses.field(repr=False)
    facts: dict[str, Any]
    """What the manifest keeps of it."""


class Engines:
    """The engines of one command. Use it as an async context manager.

    One engine of ours runs at a time, for two would fight over the memory; who asks for the same model with the same
    flags gets the one that runs.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._running: VllmServer | None = None
        self._wanted: tuple[str, dict[str, Any]] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def serve(
        self, endpoint: Endpoint, model: str, folder: Path, ask: Callable[[Server], Awaitable[Tally]]
    ) -> Tally:
        """Return what `ask` makes of a server that answers as `model`.

        An engine of ours that is lost meanwhile is started again, and `ask` is called anew; it goes on where it was.

        Raises:
            InputError: see `connect`.
            EndpointError: see `connect`; or the engine was lost more than `RESTARTS` times.
        """
        lost = 0
        while True:
            server = await self.connect(endpoint, model, folder)
            if endpoint.endpoint != "vllm":
                return await ask(server)
            try:
                return await self._while_it_lives(ask(server))
            except EndpointError as error:
                if not isinstance(error, Unresponsive):
                    raise
                await self._stop()
                lost += 1
                if lost > RESTARTS:
                    raise EndpointError(
                        f"{error}\nvLLM was started again {RESTARTS} times. Nothing is lost: the same command goes on."
                    ) from None
                first, _, _ = str(error).partition("\n")
                self._progress.warn(f"{first}; starting it again ({lost} of {RESTARTS})")

    async def connect(self, endpoint: Endpoint, model: str, folder: Path) -> Server:
        """Return a server that answers as `model`; the log of an engine of ours goes to `folder`.

        Raises:
            InputError: the model or a flag cannot be used, vLLM is not installed, or a key is not set.
            EndpointError: nothing answers at any URL, a key is refused, or the engine died while it started.
        """
        if endpoint.endpoint == "vllm":
            engine = await self._engine(model, endpoint.vllm, folder)
            facts = {} if engine.facts is None else dataclasses.asdict(engine.facts)
            return Server((engine.url,), engine.model, engine.api_key, facts)
        key = endpoint.api_key()
        urls = () if endpoint.endpoint == "provider" else (endpoint.endpoint, *endpoint.replicas)
        await self._reach_one(urls, key)
        return Server(urls, model, key, {"endpoints": urls})

    async def _reach_one(self, urls: Sequence[str], key: str | None) -> None:
        """Return if one of `urls` answers, and say which do not. Raise `EndpointError` if none does."""
        answers = await asyncio.gather(*(reach(url, key) for url in urls), return_exceptions=True)
        errors = [answer for answer in answers if answer is not None]
        for error in errors:
            if len(errors) == len(urls) or not isinstance(error, Unresponsive):
                raise error
        for error in errors:
            self._progress.warn(f"{error} The other URLs take its calls until it answers.")

    async def _engine(self, model: str, flags: dict[str, Any], folder: Path) -> VllmServer:
        if self._running is None or self._wanted != (model, flags) or not self._running.alive:
            await self._stop()
            self._running = VllmServer(model, flags, log=folder / "vllm.log", progress=self._progress)
            self._wanted = (model, flags)
            await self._running.start()
        return self._running

    async def _while_it_lives(self, asking: Awaitable[Tally]) -> Tally:
        """Return what `asking` comes to. Raise `Unresponsive` as soon as the engine is dead: no reply will come."""
        engine = self._running
        assert engine is not None  # noqa: S101 — `connect` started it
        work, death = asyncio.ensure_future(asking), asyncio.create_task(engine.died())
        try:
            await asyncio.wait({work, death}, return_when=asyncio.FIRST_COMPLETED)
            unhappy = not work.done() or work.exception() or work.result().failed
            if unhappy:
                await asyncio.wait({death}, timeout=SEEN_DEAD)
            if not unhappy or not death.done():
                return work.result()
        finally:
            for task in (work, death):
                task.cancel()
            await asyncio.gather(work, death, return_exceptions=True)
        raise Unresponsive(engine.why_dead() or "vLLM is dead")

    async def _stop(self) -> None:
        if self._running is not None:
            await self._running.stop()
            self._running = None
