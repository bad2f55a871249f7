"""A command line that can be started quickly, again and again, and a study for it to be stopped at."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from runs.digest import digest, short
from runs.pycache import bytecode_environment

ROOT = Path(__file__).parents[2]
STUDY = """
name = "killed"
focal = "CN"
rubric = "refusal"

[questions]
set = "five.toml"
countries = ["CN", "US", "NO"]

[generation]
model = "m"
endpoint = "{url}"
epochs = 3
concurrency = 4
max_tokens = 100

[[judges]]
name = "j"
model = "j"
endpoint = "{url}"
concurrency = 4
reasons = false
"""
QUESTION = (
    '[[questions]]\nid = "q{n}"\ntopic = "t"\nsensitive = true\ntext = {{en = "Question {n} about {{country}}?"}}\n'
)


class Starter:
    """Starts the command line, over and over."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process = process
        self.log = log

    def start(self, *arguments: object, **trouble: object) -> int:
        """Return the pid of a new `evenhand` with these arguments; `trouble` befalls it (see `starter.Trouble`)."""
        return self._ask({"arguments": [str(one) for one in arguments], **trouble})

    def end(self, pid: int) -> int:
        """Wait for its end, and return its exit code."""
        return self._ask(pid)

    def run(self, *arguments: object, **trouble: object) -> int:
        """Start it, and return its exit code."""
        return self.end(self.start(*arguments, **trouble))

    def kill(self, pid: int) -> bool:
        """Kill it; return whether it was still alive."""
        os.kill(pid, signal.SIGKILL)
        return self.end(pid) == -signal.SIGKILL

    def since(self, size: int) -> str:
        """Return what was said since the log had so many bytes."""
        return self.log.read_bytes()[size:].decode()

    def _ask(self, command: object) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(command), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starter]:
    log = tmp_path_factory.mktemp("starter") / "log"
    command = [sys.executable, str(Path(__file__).with_name("starter.py")), str(log)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    environment = os.environ | bytecode_environment("openai") | _clock(log.parent)
    with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as process:
        yield Starter(process, log)
        assert process.stdin is not None
        process.stdin.close()
    assert "Traceback" not in log.read_text("utf-8", "replace")


def _clock(folder: Path) -> dict[str, str]:
    """Return the environment under which the wall clock can be set back; none where nothing compiles `clock.c`."""
    compiler, library = shutil.which("cc"), folder / "clock.so"
    if compiler is None:
        return {}
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, Path(__file__).with_name("clock.c")], check=True)
    return {"LD_PRELOAD": str(library)}


class Study:
    """A study on disk, and what is counted of it."""

    answers = 5 * 3 * 3
    """Questions × countries × epochs; as many verdicts."""

    def __init__(self, folder: Path, endpoint: Any) -> None:
        questions = 'name = "five"\nversion = "1"\ndescription = "d"\n'
        (folder / "five.toml").write_text(questions + "".join(QUESTION.format(n=n) for n in range(5)), "utf-8")
        self.path = folder / "study.toml"
        self.path.write_text(STUDY.format(url=endpoint.url), "utf-8")
        self.out = folder / "results"
        self.endpoint = endpoint

    @property
    def command(self) -> tuple[object, ...]:
        return ("run", self.path, "--out", self.out, "--json")

    def records(self, name: str) -> list[dict[str, Any]]:
        """Return what a journal holds: whole lines only."""
        for path in self.out.rglob(f"{name}.jsonl"):
            return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
        return []

    def counted(self) -> set[str]:
        """Return the prompts, as the endpoint sees them, of all that is on disk."""
        answers = self.records("responses")
        place = {(one["item_id"], one["epoch"]): short(digest(one["text"])) for one in answers}
        shown = {f"{self._prompt(one['item_id'])} {one['epoch']}" for one in answers}
        return shown | {place[one["item_id"], one["epoch"]] for one in self.records("verdicts")}

    def asked(self) -> dict[str, int]:
        """Return how often each prompt was asked: answers by prompt and seed, verdicts by the marker of the answer."""
        counts = {}
        for one in self.endpoint.stats()["prompts"]:
            marker = one["prompt"].partition("[BEGIN ANSWER ")[2][:12]
            counts[marker or f"{one['prompt']} {one['seed']}"] = one["requests"]
        return counts

    def results(self) -> list[Any]:
        """Return what the run came to, but for what hangs on the endpoint's address, the tries and the time."""
        (run,) = self.out.glob("*/*/")
        answers, verdicts = run / "responses.parquet", next(run.rglob("verdicts.parquet"))
        kept = ["item_id", "epoch", "status", "kind", "text", "repeat", "scores", "raw", "message"]
        frames = [pl.read_parquet(path) for path in (answers, verdicts)]
        rows = [frame.select(one for one in kept if one in frame.columns).sort("item_id", "epoch") for frame in frames]
        contrasts = pl.read_parquet(run / "analysis" / "contrasts.parquet")
        return [*(one.to_dicts() for one in rows), contrasts.to_dicts()]

    @staticmethod
    def _prompt(item_id: str) -> str:
        question, country, _ = item_id.split("/")
        names = {"CN": "China", "US": "the United States", "NO": "Norway"}
        return f"Question {question[1:]} about {names[country]}?"

    def check(self, clean: list[Any]) -> None:
        """Assert that everything is there once, and nothing else."""
        for name in ("responses", "verdicts"):
            keys = [record["key"] for record in self.records(name)]
            assert len(keys) == len(set(keys)) == self.answers
        assert self.results() == clean


@pytest.fixture(scope="session")
def stoppable(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Any], Study]:
    """Return a function that writes a study for an endpoint, in a folder of its own."""
    return lambda endpoint: Study(tmp_path_factory.mktemp("study"), endpoint)


class Course:
    """One study, and one import, from the first verb to the last."""

    def __init__(self, starter: Any, study: Any) -> None:
        self.starter, self.study = starter, study
        self.answers = study.path.with_name("answers.jsonl")
        self.labels = study.path.with_name("labels.jsonl")
        _write_lines(self.answers, [_answer(n) for n in range(40)] + [{"question_id": "", "country": "CN", "text": ""}])
        _write_lines(self.labels, [_label(n) for n in range(40)])
        self.elsewhere = study.out.with_name("imported")

    @property
    def run(self) -> Path:
        """The study's run, once it has been generated."""
        (manifest,) = self.study.out.glob("*/*/run.json")
        return Path(manifest.parent)

    def start(self, verb: str, **trouble: object) -> int:
        """Start a verb; return its exit code."""
        if verb == "generate":
            return int(self.starter.run(verb, self.study.path, "--out", self.study.out, **trouble))
        if verb == "import":
            files = (self.answers, "--verdicts", self.labels, "--focal", "CN", "--name", "n")
            return int(self.starter.run(verb, *files, "--out", self.elsewhere, **trouble))
        return int(self.starter.run(verb, self.run, **trouble))

    def complete(self, verb: str) -> None:
        """Run a verb to its end."""
        code = self.start(verb)
        assert code == (1 if verb == "import" else 0), self.starter.log.read_text()  # one row does not fit

    def results(self) -> list[Any]:
        """Return all that was found, of the study and of the import."""
        (imported,) = self.elsewhere.glob("*/*/")
        kept = ["item_id", "epoch", "text", "scores"]
        found = [*self.study.results(), (self.run / "analysis" / "report.html").stat().st_size > 0]
        for path in (imported / "responses.parquet", next(imported.rglob("verdicts.parquet"))):
            frame = pl.read_parquet(path)
            found.append(frame.select(one for one in kept if one in frame.columns).sort("item_id").to_dicts())
        found.append([json.loads(line)["row"] for line in (imported / "rejected.jsonl").read_bytes().splitlines()])
        return found

    def keys(self) -> dict[str, list[str]]:
        """Return the keys in every journal."""
        journals = [*self.study.out.rglob("*.jsonl"), *self.elsewhere.rglob("*.jsonl")]
        whole = {str(one): one.read_bytes().split(b"\n")[:-1] for one in journals}
        return {name: [json.loads(line).get("key") for line in lines] for name, lines in whole.items()}


def _answer(n: int) -> dict[str, Any]:
    return {"question_id": f"q{n // 4}", "country": ("CN", "US", "NO", "BR")[n % 4], "text": f"Answer {n}."}


def _label(n: int) -> dict[str, Any]:
    place = {name: value for name, value in _answer(n).items() if name != "text"}
    return {**place, "judge": "human:a", "criterion": "tone", "score": n % 5}


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


@pytest.fixture(scope="session")
def course_of(starter: Starter) -> Callable[[Study], Course]:
    """Return a function that leads a study, and an import beside it, through the verbs one by one."""
    return lambda study: Course(starter, study)
