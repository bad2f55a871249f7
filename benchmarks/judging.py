"""How many verdicts per second one process gets from a judge, beside other ways of asking it.

    python benchmarks/judging.py                 a fast server on loopback, at once and after 100 ms; peers beside us
    python benchmarks/judging.py --memory        what the process holds over 100,000 verdicts
    python benchmarks/judging.py --vllm          a real engine: wall clock against the same requests sent bare

Each subject runs in a process of its own on one core, the server on another; peers run in environments of their own,
which are made with uv on first use. Rounds are interleaved, medians are shown, and so is the load of the machine.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[0] = str(HERE.parent)  # this file's own folder would make it stand for the package of its name

from benchmarks._engine import against_bare  # noqa: E402
from benchmarks._environments import python_with  # noqa: E402
from benchmarks._subjects import SUBJECTS, Plan  # noqa: E402
from rubrics import instructions, load_rubric, response_model  # noqa: E402

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[-1]
COUNTRIES = ("CN", "US", "FR", "DE", "IN", "BR", "JP", "RU", "GB", "ZA")
WORDS = 140
"""Words of an answer: about 190 tokens."""


@dataclass(frozen=True)
class Setting:
    """How the judge is asked."""

    latency: int
    """Milliseconds until the server replies."""
    concurrency: int

    @property
    def most(self) -> float:
        """Verdicts per second that the concurrency allows."""
        return self.concurrency / self.latency * 1000 if self.latency else float("inf")

    def __str__(self) -> str:
        return f"{self.latency} ms latency, {self.concurrency} in flight"


CEILING = Setting(0, 256)
"""What our client can do at the concurrency of the slower setting; asked of no peer."""


def write_answers(path: Path, count: int, salt: str = "") -> None:
    """Write `count` different answers of the length that models give, as a file that can be imported."""
    generator = random.Random(salt)
    words = (HERE.parent / "rubrics" / "data" / "candour.toml").read_text().replace('"', "").split()
    with path.open("w") as file:
        for number in range(count):
            country = COUNTRIES[number % len(COUNTRIES)]
            question = f"q{number // len(COUNTRIES)}"
            text = " ".join(generator.choices(words, k=WORDS))
            row = {"question_id": question, "country": country, "prompt": f"How free is the press there ({question})?"}
            file.write(json.dumps({**row, "text": text}) + "\n")


def options(rubric: str) -> dict[str, list[str | int]]:
    """Return what each criterion's score may be."""
    return {criterion.id: list(criterion.levels or (0, 1)) for criterion in load_rubric(rubric).criteria}


@contextmanager
def server(rubric: str, folder: Path) -> Iterator[str]:
    """Run the server; give its URL. It says a verdict on `rubric`, a score for openevals and a grade for Inspect."""
    reason = "The answer says so in its second sentence."
    verdict = {name: {"reason": reason, "score": values[-1]} for name, values in options(rubric).items()}
    response_model(load_rubric(rubric).criteria).model_validate(verdict)
    replies = {
        "verdict": json.dumps(verdict),
        "score": json.dumps({"reasoning": f"{reason} Thus, the score should be: true.", "score": True}),
        "grade": f"{reason}\n\nGRADE: C",
    }
    (folder / "replies.json").write_text(json.dumps(replies))
    command = [sys.executable, str(HERE / "_server.py"), str(folder / "replies.json"), str(SERVER_CORE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def measure(subject: str, plan: Plan, python: str) -> dict[str, Any]:
    """Run one subject in a process of its own; return what it says of itself."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "plan.json").write_text(json.dumps(asdict(plan)))
        command = [python, "-P", str(HERE / "_subjects.py"), subject, f"{folder}/plan.json", folder, str(CLIENT_CORE)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if ran.returncode:
        raise SystemExit(f"{subject} failed:\n{ran.stderr[-3000:]}")
    told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return told


def rounds(
    plan: Plan, subjects: Sequence[str], settings: Sequence[Setting], count: int
) -> dict[tuple[str, Setting], list[dict[str, Any]]]:
    """Measure every subject under every setting, round by round."""
    pythons = {
        name: sys.executable if name == "evenhand" else python_with(SUBJECTS[name].packages) for name in subjects
    }
    taken: dict[tuple[str, Setting], list[dict[str, Any]]] = {}
    for number in range(1, count + 1):
        print(f"round {number} of {count}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
        for setting in settings:
            asked = replace(plan, latency=setting.latency, concurrency=setting.concurrency)
            for name in subjects if setting != CEILING else ("evenhand",):
                result = measure(name, asked, pythons.get(name, sys.executable))
                taken.setdefault((name, setting), []).append({**result, "load": os.getloadavg()[0]})
    return taken


def summary(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the medians over the rounds of one subject under one setting."""
    middle = statistics.median
    return {
        "versions": results[0]["versions"],
        "per_second": middle(one["verdicts"] / one["seconds"] for one in results),
        "slowest": min(one["verdicts"] / one["seconds"] for one in results),
        "fastest": max(one["verdicts"] / one["seconds"] for one in results),
        "cpu_ms": middle(one["cpu_seconds"] / one["verdicts"] * 1000 for one in results),
        "peak_mb": max(one["peak_memory"] for one in results),
        "load": middle(one["load"] for one in results),
    }


def compare(plan: Plan, subjects: Sequence[str], settings: Sequence[Setting], count: int) -> list[dict[str, Any]]:
    """Measure and return one row per setting and subject."""
    taken = rounds(plan, subjects, settings, count)
    rows = [{"subject": name, **asdict(setting), **summary(results)} for (name, setting), results in taken.items()]
    ours = {place(row): row["per_second"] for row in rows if row["subject"] == "evenhand"}
    return [{**row, "ours_to_theirs": ours[place(row)] / row["per_second"]} for row in rows]


def place(row: dict[str, Any]) -> Setting:
    """Return the setting of a row."""
    return Setting(row["latency"], row["concurrency"])


def show(rows: Sequence[dict[str, Any]], settings: Sequence[Setting]) -> None:
    """Print a table for each setting."""
    columns = {"verdicts/s (range)": 22, "evenhand is": 14, "CPU per verdict": 18, "peak memory": 14, "load": 7}
    for setting in settings:
        print(f"\n{setting!s:34}" + "".join(f"{name:>{width}}" for name, width in columns.items()))
        for row in rows:
            if place(row) == setting:
                name = ", ".join(f"{package} {number}" for package, number in row["versions"].items())
                cells = (
                    f"{row['per_second']:.0f} ({row['slowest']:.0f}–{row['fastest']:.0f})",
                    "" if row["subject"] == "evenhand" else f"{row['ours_to_theirs']:.1f} times",
                    f"{row['cpu_ms']:.2f} ms",
                    f"{row['peak_mb']:.0f} MB",
                    f"{row['load']:.1f}",
                )
                widths = columns.values()
                print(f"{name:34}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)))


def show_bound(rows: Sequence[dict[str, Any]], settings: Sequence[Setting]) -> None:
    """Print how much of what the concurrency, or the client, allows is reached where the server takes its time."""
    ours = {place(row): row["per_second"] for row in rows if row["subject"] == "evenhand"}
    for setting in settings:
        ceiling = ours.get(Setting(0, setting.concurrency))
        if setting.latency and ceiling:
            most = min(setting.most, ceiling)
            print(
                f"\nevenhand at {setting}: {ours[setting] / most:.0%} of {most:.0f}/s, the lesser of what the "
                f"concurrency allows ({setting.most:.0f}/s) and what the client does at zero latency ({ceiling:.0f}/s)"
            )


def over_memory(plan: Plan) -> None:
    """Print what the process holds as verdicts come."""
    told = measure("evenhand", plan, sys.executable)
    speed = plan.verdicts / told["seconds"]
    print(f"evenhand, {plan.verdicts:,} verdicts, {plan.concurrency} in flight, {speed:.0f} verdicts/s")
    for when, megabytes in {**told["memory"], "most at any time": told["peak_memory"]}.items():
        print(f"{when:>28}{megabytes:>8.0f} MB")


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", action="store_true", help="memory over 100,000 verdicts")
    parser.add_argument("--vllm", action="store_true", help="a real engine")
    parser.add_argument("--verdicts", type=int, help="verdicts of one measurement (2,000; 100,000; with vLLM 64)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rubric", default="candour", help="a shipped rubric")
    parser.add_argument("--latency", type=int, help="milliseconds; with --concurrency, the one setting to measure")
    parser.add_argument("--concurrency", type=int)
    parser.add_argument("--skip-peers", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    verdicts = asked.verdicts or (100_000 if asked.memory else 64 if asked.vllm else 2_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_answers(folder / "answers.jsonl", verdicts)
        if asked.vllm:
            print(
                asyncio.run(against_bare(folder / "answers.jsonl", asked.rubric, asked.concurrency or 32, asked.rounds))
            )
            return
        rubric = load_rubric(asked.rubric)
        with server(asked.rubric, folder) as url:
            plan = Plan(
                url=url,
                latency=0,
                concurrency=asked.concurrency or 64,
                verdicts=verdicts,
                rubric=rubric.name,
                instructions=instructions(rubric.criteria),
                options=options(rubric.name),
                answers=str(folder / "answers.jsonl"),
            )
            if asked.memory:
                over_memory(plan)
                return
            settings = [Setting(0, 64), CEILING, Setting(100, 256)]
            if asked.latency is not None or asked.concurrency:
                settings = [Setting(asked.latency or 0, plan.concurrency)]
            subjects = ["evenhand"] if asked.skip_peers else list(SUBJECTS)
            rows = compare(plan, subjects, settings, asked.rounds)
    if asked.json:
        print(json.dumps(rows, indent=2))
    else:
        show(rows, settings)
        show_bound(rows, settings)


if __name__ == "__main__":
    main()
