"""How fast are the local pages over 100,000 answers.

    python benchmarks/view.py [--answers 100000] [--judges 3] [--rounds 5] [--run FOLDER]

Makes a run through the store's own classes (40 countries, 4 epochs, 300-word answers, six criteria), seals it,
starts the real command, and asks it over HTTP. Prints the median and the worst time of each page in milliseconds.
`--run` takes a run that is there, such as an earlier one's, whose folder is printed.
"""

import argparse
import http.client
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rubrics import Scale, dump_toml, load_rubric
from runs.frames import ITEMS, frame
from runs.store import Run, create_run, open_run

COUNTRIES = ("CN", "US", *(f"C{number:02}" for number in range(38)))
EPOCHS = 4
WORDS = [
    f"{head}{tail}"
    for head in ["press", "law", "court", "vote", "party", "state", "news", "trade"]
    for tail in ("", "s", "ed", "ing")
]


def make(folder: Path, answers: int, judges: int) -> Run:
    """Return a sealed run with at least so many answers, each scored by so many judges."""
    generator = random.Random(1)
    questions = -(-answers // (len(COUNTRIES) * EPOCHS))
    items = [
        {"item_id": f"q{q:04}/{c}/en", "question_id": f"q{q:04}", "topic": f"topic-{q % 12}", "sensitive": q % 3 > 0,
         "country": c, "language": "en", "prompt": f"Question {q} about {c}?"}
        for q in range(questions) for c in COUNTRIES
    ]  # fmt: skip
    facts = {"study": {"name": "many", "focal": "CN"}, "epochs": EPOCHS, "status": "complete"}
    run = create_run(folder, "many", "synthetic", frame(items, ITEMS), {"seed": 1}, facts)
    places = [(item["item_id"], epoch) for epoch in range(1, EPOCHS + 1) for item in items]

    def text(words: int) -> str:
        return " ".join(generator.choices(WORDS, k=words))

    _write(run, ({"key": f"{i}#{e}", "item_id": i, "epoch": e, "model": "synthetic", "status": "ok", "text": text(300),
                  "reasoning": text(60), "completion_tokens": 400} for i, e in places))  # fmt: skip
    rubric = load_rubric("candour")
    for judge in [f"judge-{number}" for number in range(judges)]:
        said: dict[str, Any] = {"judge": judge, "rubric": rubric.name, "rubric_version": rubric.version}
        said |= {"repeats": 1, "status": "complete"}
        scoring = run.scoring(f"candour-{judge}", {"rubric": rubric.digest, "judge": judge}, said, dump_toml(rubric))

        def scores() -> list[dict[str, Any]]:
            return [
                {"criterion": c.id, "reason": text(15)}
                | {"label" if c.scale is Scale.NOMINAL else "score": generator.choice(c.levels or ())}
                for c in rubric.criteria
            ]

        _write(scoring, ({"key": f"{i}#{e}", "item_id": i, "epoch": e, "repeat": 1, "attempts": 1, "scores": scores()}
                         for i, e in places))  # fmt: skip
    return run


def _write(folder: Any, records: Iterable[dict[str, Any]]) -> None:
    waiting: Iterator[dict[str, Any]] = iter(records)
    while chunk := list(islice(waiting, 5_000)):
        folder.ledger.append(chunk)
    folder.ledger.close()
    folder.ledger.seal()


def measure(run: Run, rounds: int) -> None:
    """Start the command and print how long each page takes."""
    command = [sys.executable, "-m", "evenhand", "view", str(run.path), "--no-open"]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        print(f"until the address is printed: {time.perf_counter() - started:.1f} s")
        try:
            _pages(address, f"/run/{run.path.parent.name}/{run.path.name}", rounds)
            held = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text("utf-8"))
            print(f"most memory held: {int(held[1]) // 1024 if held else 0:,} MiB")
        finally:
            process.terminate()


def _pages(address: str, at: str, rounds: int) -> None:
    host = address.removeprefix("http://").partition("/")[0]
    port, token = host.rpartition(":")[2], address.partition("token=")[2]
    score = "criterion=criticism&judge=judge-0"
    pages = {
        "first page": "/answers",
        "filtered: country, topic, judge, score": f"/answers?country=CN&topic=topic-3&{score}&low=4",
        "deep page": "/answers?page=1500",
        "deep page, filtered: scattered answers": f"/answers?{score}&low=5&page=300",
        "search in the answers": "/answers?search={}",
        "search in the answers, next page": "/answers?search=press+law&page=2",
        "search in the thinking": "/answers?search={}&where=reasoning",
        "search in the reasons": "/answers?search={}&where=reason",
        "one answer": "/answer?item=q0{}/CN/en&epoch=2",
        "side by side": "/compare?question=q0{}&a=CN&b=US",
        "jump from n of the table": f"/answers?{score}&score=yes&paired=CN&"
        + "&".join(f"country={c}" for c in COUNTRIES),
        "jump from missing": f"/answers?{score}&score=no&country=CN",
        "the panel's scores": "/answers?criterion=criticism&judge=panel&score=yes",
        "overview": "",
        "has anything changed": "/stamp",
    }
    print(f"{'page':42}{'median':>8}{'worst':>8}  ms, {rounds} times")
    for name, path in pages.items():
        times = []
        for number in range(rounds):
            # Every search is another one: a repeated one is answered from memory.
            other = quote(f"{WORDS[number]} {WORDS[-number - 2]}") if "search" in path else f"{100 + number * 7}"
            connection = http.client.HTTPConnection("127.0.0.1", int(port))
            began = time.perf_counter()
            connection.request("GET", at + path.format(other), headers={"Cookie": f"evenhand-{port}={token}"})
            reply = connection.getresponse()
            reply.read()
            times.append((time.perf_counter() - began) * 1e3)
            assert reply.status == 200, (name, reply.status)
            connection.close()
        print(f"{name:42}{statistics.median(times):8.0f}{max(times):8.0f}")


def main() -> None:
    """Make or open a run, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--judges", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--run", type=Path)
    asked = parser.parse_args()
    run = (
        open_run(asked.run)
        if asked.run
        else make(Path(tempfile.mkdtemp(prefix="evenhand-")), asked.answers, asked.judges)
    )
    print(f"run: {run.path}")
    print(f"load: {os.getloadavg()[0]:.1f} before", flush=True)
    measure(run, asked.rounds)
    print(f"load: {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
