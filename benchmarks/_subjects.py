"""One way of asking a judge, measured in a process of its own: `python -P _subjects.py SUBJECT PLAN RESULTS CORE`.

Peers run in environments where evenhand is not installed, so this file imports nothing of it at its top. Every subject
gets the same questions and answers, and every judge the same rubric before them; each is used as its own docs show.
Only the work is timed: imports, and reading the plan, come before.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Plan:
    """What is asked of whom."""

    url: str
    """Of the server, without the path that says which reply is wanted."""
    latency: int
    """Milliseconds."""
    concurrency: int
    verdicts: int
    rubric: str
    """A shipped rubric's name."""
    instructions: str
    """The rubric's part of the prompt."""
    options: dict[str, list[str | int]]
    """Criterion → the values that its score may take."""
    answers: str
    """A JSON-lines file of `question_id`, `country`, `prompt` and `text`."""

    def base(self, reply: str) -> str:
        """Return the base URL under which the server gives the reply called `reply`."""
        return f"{self.url}/{reply}-{self.latency}/v1"

    def rows(self) -> list[dict[str, str]]:
        """Return questions and answers."""
        with Path(self.answers).open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]


def evenhand(plan: Plan, results: Path) -> Callable[[], object]:
    """Score an imported run: `evenhand.score` from the opening of the run to the sealed Parquet file."""
    import evenhand as front  # noqa: PLC0415

    score = front.score  # verbs are imported when they are first named
    run = front.import_(plan.answers, name="benchmark", root=results).runs[0].run
    judge = front.Judge(model="judge", endpoint=plan.base("verdict"), concurrency=plan.concurrency)

    def work() -> dict[str, float]:
        watch = Watch()
        (scored,) = score(run, judges=[judge], rubric=plan.rubric, progress=watch)
        assert (scored.tally.done, scored.tally.failed) == (plan.verdicts, 0), scored.tally
        return {**watch.samples, "when all are sealed": memory()}

    return work


class Watch:
    """Whoever watches evenhand, and the stage it watches: samples memory when so many verdicts are on disk."""

    def __init__(self) -> None:
        self.samples: dict[str, float] = {}
        self._at = [10_000, 50_000, 100_000]
        self._done = 0

    def stage(self, name: str, total: int, done: int) -> "Watch":  # noqa: ARG002
        """Take the first sample: everything is planned, nothing asked."""
        self.samples["planned, none asked"] = memory()
        return self

    def advance(self, *, done: int, failed: int, tokens: int) -> None:  # noqa: ARG002
        """Take a sample if it is time."""
        self._done += done
        while self._at and self._done >= self._at[0]:
            self.samples[f"{self._at.pop(0):,} verdicts on disk"] = memory()

    def note(self, text: str) -> None:
        """Do nothing."""

    def warn(self, text: str) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing: the verdicts are sealed only now."""


def instructor(plan: Plan, results: Path) -> Callable[[], object]:
    """Loop over `instructor.from_openai(AsyncOpenAI())` under a semaphore; verdicts go to a plain file."""
    from typing import Literal  # noqa: PLC0415

    import instructor as package  # noqa: PLC0415
    from openai import AsyncOpenAI  # noqa: PLC0415
    from pydantic import BaseModel, create_model  # noqa: PLC0415

    def entry(values: list[str | int]) -> type[BaseModel]:
        return create_model("Entry", reason=(str, ...), score=(Literal[tuple(values)], ...))

    model = create_model("Verdict", **{name: (entry(values), ...) for name, values in plan.options.items()})  # type: ignore[call-overload]
    client = package.from_openai(
        AsyncOpenAI(base_url=plan.base("verdict"), api_key="none"), mode=package.Mode.JSON_SCHEMA
    )
    rows = plan.rows()

    async def work() -> None:
        with (results / "verdicts.jsonl").open("w") as file:

            async def one(row: dict[str, str]) -> None:
                asked = f"Question:\n{row['prompt']}\n\nAnswer:\n{row['text']}"
                messages = [{"role": "system", "content": plan.instructions}, {"role": "user", "content": asked}]
                reply = await client.chat.completions.create(
                    model="judge", response_model=model, messages=messages, max_tokens=1024, temperature=0
                )
                file.write(reply.model_dump_json() + "\n")

            await _all(rows, one, plan.concurrency)

    return lambda: asyncio.run(work())


def openevals(plan: Plan, results: Path) -> Callable[[], object]:
    """Loop over openevals' asynchronous judge on the openai client; one score a verdict, as it has it."""
    from openai import AsyncOpenAI  # noqa: PLC0415
    from openevals.llm import create_async_llm_as_judge  # noqa: PLC0415

    judge = create_async_llm_as_judge(
        prompt="Question:\n{inputs}\n\nAnswer:\n{outputs}",
        system=plan.instructions,
        judge=AsyncOpenAI(base_url=plan.base("score"), api_key="none"),
        model="judge",
    )
    rows = plan.rows()

    async def work() -> None:
        with (results / "verdicts.jsonl").open("w") as file:

            async def one(row: dict[str, str]) -> None:
                file.write(json.dumps(await judge(inputs=row["prompt"], outputs=row["text"])) + "\n")

            await _all(rows, one, plan.concurrency)

    return lambda: asyncio.run(work())


def inspect(plan: Plan, results: Path) -> Callable[[], object]:
    """Score stored answers with `model_graded_fact` in an Inspect task, without display and without its live log."""
    from inspect_ai import Task, eval  # noqa: A004, PLC0415
    from inspect_ai.dataset import MemoryDataset, Sample  # noqa: PLC0415
    from inspect_ai.model import GenerateConfig, ModelOutput, get_model  # noqa: PLC0415
    from inspect_ai.scorer import model_graded_fact  # noqa: PLC0415
    from inspect_ai.solver import solver  # noqa: PLC0415

    @solver
    def stored() -> Any:
        async def solve(state: Any, generate: Any) -> Any:  # noqa: ARG001
            state.output = ModelOutput.from_content("stored", state.metadata["text"])
            return state

        return solve

    limits = GenerateConfig(max_connections=plan.concurrency, max_tokens=1024, temperature=0)
    grader = get_model("openai-api/bench/judge", base_url=plan.base("grade"), api_key="none", config=limits)
    template = plan.instructions + "\n\nQuestion:\n{question}\n\nAnswer:\n{answer}\n\n{criterion}\n\n{instructions}"
    samples = [Sample(input=row["prompt"], target="", metadata={"text": row["text"]}) for row in plan.rows()]
    task = Task(
        dataset=MemoryDataset(samples), solver=stored(), scorer=model_graded_fact(template=template, model=grader)
    )

    def work() -> None:
        (log,) = eval(
            task,
            model="mockllm/model",
            max_samples=plan.concurrency,
            log_dir=str(results),
            display="none",
            log_realtime=False,
        )
        assert log.results is not None
        assert (log.status, log.results.completed_samples) == ("success", plan.verdicts), log.status

    return work


async def _all(
    rows: Iterable[dict[str, str]], one: Callable[[dict[str, str]], Awaitable[None]], concurrency: int
) -> None:
    slots = asyncio.Semaphore(concurrency)

    async def under_way(row: dict[str, str]) -> None:
        async with slots:
            await one(row)

    await asyncio.gather(*map(under_way, rows))


@dataclass(frozen=True)
class Subject:
    """A way of asking a judge, and what it needs."""

    prepare: Callable[[Plan, Path], Callable[[], object]]
    packages: tuple[str, ...]
    """What is installed for it; the first is the one whose version counts."""


SUBJECTS = {
    "evenhand": Subject(evenhand, ("evenhand",)),
    "instructor": Subject(instructor, ("instructor", "openai")),
    "openevals": Subject(openevals, ("openevals", "openai")),
    "inspect": Subject(inspect, ("inspect-ai", "openai")),
}


def memory() -> float:
    """Return what this process holds in memory, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def main(subject: str, plan: Plan, results: Path) -> dict[str, Any]:
    """Prepare and measure one subject."""
    work = SUBJECTS[subject].prepare(plan, results)
    cpu, started = time.process_time(), time.perf_counter()
    samples = work()
    seconds = time.perf_counter() - started
    return {
        "subject": subject,
        "versions": {name: version(name) for name in SUBJECTS[subject].packages},
        "verdicts": plan.verdicts,
        "seconds": seconds,
        "cpu_seconds": time.process_time() - cpu,
        "memory": samples,
        "peak_memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
    }


if __name__ == "__main__":
    name, plan_file, folder, core = sys.argv[1:]
    os.sched_setaffinity(0, {int(core)})
    print(json.dumps(main(name, Plan(**json.loads(Path(plan_file).read_text())), Path(folder))))
