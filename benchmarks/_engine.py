"""A real engine: evenhand's scoring against the same requests sent bare, and the prefix cache's hits."""

import asyncio
import json
import os
import re
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from evenhand.importing import import_
from judging.client import JudgeClient
from judging.forms import forms
from judging.prompt import messages
from judging.score import pending, score
from judging.settings import Judge
from judging.variants import Variant
from rubrics import Rubric, load_rubric
from runs.budget import Budget
from runs.progress import Silent
from runs.vllm_server import VllmServer

MODEL = "bundled/SmolLM2-135M-Instruct"


@dataclass(frozen=True)
class Engine:
    """A running engine, and what is asked of it."""

    url: str
    key: str
    judge: Judge
    rubric: Rubric
    answers: Path

    def salted(self, salt: str) -> Judge:
        """Return the judge with a prefix cache of its own, so that no pass finds what an earlier one left."""
        return self.judge.model_copy(update={"extra": {"cache_salt": salt}})

    async def scored(self, salt: str) -> float:
        """Score all answers through evenhand, journal and sealing included; return seconds."""
        with tempfile.TemporaryDirectory() as folder:
            run = import_(self.answers, root=Path(folder)).runs[0].run
            started = time.perf_counter()
            todo = pending(run, self.rubric, self.salted(salt), Variant())
            async with JudgeClient(todo.judge, [self.url], self.key) as client:
                tally = await score(todo, client, Silent(), Budget())
            todo.scoring.ledger.seal()
            seconds = time.perf_counter() - started
            attempts = todo.scoring.ledger.scan().collect()["attempts"].sum()
            if tally.failed or attempts != tally.done:
                print(f"  {tally.failed} failed, {attempts} requests for {tally.done} verdicts", file=sys.stderr)
            return seconds

    async def bare(self, salt: str) -> float:
        """Post the same requests with aiohttp and drop the replies; return seconds."""
        (form,) = forms(self.rubric, self.judge, 1)
        schema = {"name": "Verdict", "schema": form.model.model_json_schema()}
        shared = {
            "model": self.judge.served_model,
            **self.salted(salt).settings(1),
            self.judge.limit_key: self.judge.max_tokens,
            "response_format": {"type": "json_schema", "json_schema": schema},
        }
        rows = [json.loads(line) for line in self.answers.read_text().splitlines()]
        todo = iter([{**shared, "messages": messages(form.instructions, r["prompt"], r["text"])} for r in rows])
        started = time.perf_counter()
        async with aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self.key}"}, timeout=aiohttp.ClientTimeout(total=None)
        ) as session:

            async def caller() -> None:
                for request in todo:
                    async with session.post(f"{self.url}/chat/completions", json=request) as reply:
                        reply.raise_for_status()
                        await reply.read()

            await asyncio.gather(*(caller() for _ in range(self.judge.concurrency)))
        return time.perf_counter() - started

    async def cached(self) -> tuple[float, float]:
        """Return how many prompt tokens were looked up in the prefix cache so far, and how many were there."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url.removesuffix('/v1')}/metrics") as reply:
            text = await reply.text()
        found: list[float] = []
        for name in ("queries", "hits"):
            found += [
                sum(map(float, re.findall(rf"^vllm:prefix_cache_{name}_total\{{.*\}} (\S+)$", text, re.MULTILINE)))
            ]
        return found[0], found[1]


async def against_bare(answers: Path, rubric: str, concurrency: int, rounds: int) -> str:
    """Start the engine, alternate scored and bare passes, and return what came of it.

    The judge gives no reasons: the shorter its replies, the more our share of the time weighs, and replies of one
    length make passes that can be compared.
    """
    with tempfile.TemporaryDirectory() as folder:
        async with VllmServer(MODEL, log=Path(folder) / "vllm.log") as server:
            judge = Judge(model=server.model, endpoint=server.url, concurrency=concurrency, reasons=False)
            engine = Engine(server.url, server.api_key, judge, load_rubric(rubric), answers)
            await engine.bare("warm up")
            taken: list[tuple[float, float]] = []
            hits: list[float] = []
            for number in range(rounds):
                first_bare = number % 2 == 0
                bare = await engine.bare(f"bare {number}") if first_bare else 0.0
                looked_before, there_before = await engine.cached()
                scored = await engine.scored(f"scored {number}")
                looked, there = await engine.cached()
                hits.append((there - there_before) / (looked - looked_before))
                bare = bare or await engine.bare(f"bare {number}")
                taken.append((scored, bare))
                print(f"  scored {scored:.1f} s, bare {bare:.1f} s, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    return _told(taken, hits, concurrency)


def _told(taken: list[tuple[float, float]], hits: list[float], concurrency: int) -> str:
    ratios: list[Any] = sorted(scored / bare for scored, bare in taken)
    return (
        f"{MODEL} on vLLM, {concurrency} in flight: evenhand takes "
        f"{statistics.median(ratios):.3f} times as long as the same requests sent bare "
        f"({ratios[0]:.3f}–{ratios[-1]:.3f} over {len(taken)} rounds); "
        f"{statistics.median(hits):.0%} of prompt tokens came from the prefix cache"
    )
