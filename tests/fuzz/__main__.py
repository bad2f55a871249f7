"""Fuzz every reader, and print a table: inputs, seconds, what was found.

    python -m tests.fuzz [--inputs 1000000] [--reader study …] [--seconds N] [--seed 1] [--plain] [--keep DIR]

Each reader runs in a process of its own under atheris, which keeps the inputs that reach new code, over the mutations
in `tests/fuzz/mutate.py`; `--plain` mutates without it, where atheris is not installed. A process that dies (an abort,
no memory) is a find, and the reader goes on in a new one. Exit code: 1 if anything was found.
"""

# ruff: noqa: T201

import argparse
import contextlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MOST_DEATHS = 10
"""Of a reader's processes, after which it is given up."""

MEMORY = 4 * 2**30
"""Bytes that a reader's process may have (its address space: what it asks for, not what it uses)."""
SLOW = 10.0
"""Seconds for one input (a few kilobytes, on a busy machine) from which on it is a find."""
SAVED_EVERY = 200


class Books:
    """What a process has done so far, in a file that survives it."""

    def __init__(self, path: Path, keep: Path) -> None:
        self.path, self.keep = path, keep
        self.inputs, self.seconds, self.slowest = 0, 0.0, 0.0
        self.found: dict[str, dict[str, Any]] = {}
        self._started = time.monotonic()

    def save(self) -> None:
        """Write all numbers."""
        self.seconds = time.monotonic() - self._started
        facts = {name: getattr(self, name) for name in ("inputs", "found", "seconds", "slowest")}
        self.path.write_text(json.dumps(facts), "utf-8")

    def find(self, what: str, data: bytes) -> None:
        """Keep the shortest input of every kind of find."""
        kind = what.split(": ", 1)[0] if " at " in what or what.startswith("slow") else "no sentence"
        held = self.found.get(kind)
        if held is None or len(data) < held["length"]:
            name = f"{abs(hash(kind)):016x}" if held is None else held["file"]
            (self.keep / name).write_bytes(data)
            self.found[kind] = {"file": name, "length": len(data), "told": what[:400]}
        self.save()


class Fuzzed:
    """One reader under fuzz in this process: ends it when the inputs or the seconds are used up."""

    def __init__(self, reader: Any, books: Books, inputs: int, seconds: float) -> None:
        self.reader, self.books, self.inputs = reader, books, inputs
        self.end = time.monotonic() + seconds
        self._current = books.keep / "current"

    def one(self, data: bytes) -> None:
        """Read one input."""
        from tests.fuzz.readers import finds

        if self.reader.format == "parquet":  # where a library may end the process
            self._current.write_bytes(data)
        started, books = time.monotonic(), self.books
        try:
            found = finds(self.reader, data)
        except MemoryError:
            found = "MemoryError"
        took = time.monotonic() - started
        books.inputs += 1
        books.slowest = max(books.slowest, took)
        if found:
            books.find(found, data)
        if took > SLOW:
            books.find(f"slow: {took:.0f} s", data)
        done = books.inputs >= self.inputs or time.monotonic() > self.end
        if done or books.inputs % SAVED_EVERY == 0:
            books.save()
        if done:
            os._exit(0)  # libFuzzer does not return


def child(name: str, seed: int, plain: bool, books: Books, *bounds: float) -> None:
    """Fuzz one reader in this process."""
    with contextlib.nullcontext() if plain else _instrumented():
        from tests.fuzz.readers import READERS, finds
    from tests.fuzz.mutate import mutated
    from tests.fuzz.seeds import seeds

    reader, valid = READERS[name], seeds(name)
    for data in (b"", b"\xff", *valid):  # what is imported on the way is no part of the first input's time
        if found := finds(reader, data):
            books.find(found, data)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    fuzzed = Fuzzed(reader, books, int(bounds[0]), bounds[1])
    if plain:
        chance = random.Random(seed)
        while True:
            fuzzed.one(mutated(chance.choice(valid), valid, reader.format, chance))
    _under_atheris(fuzzed, valid, seed)


def _instrumented() -> Any:
    import atheris

    return atheris.instrument_imports(include=["runs", "rubrics", "judging", "evenhand", "analysis", "tomllib", "json"])


def _under_atheris(fuzzed: Fuzzed, valid: tuple[bytes, ...], seed: int) -> None:
    import atheris

    from tests.fuzz.mutate import mutated

    def mutator(data: bytes, size: int, chosen: int) -> bytes:
        chance = random.Random(chosen)
        if chance.random() < 0.15:
            return bytes(atheris.Mutate(data, size))
        return mutated(data, valid, fuzzed.reader.format, chance)[:size]

    corpus = fuzzed.books.keep / "seeds"
    corpus.mkdir(exist_ok=True)
    for number, data in enumerate(valid):
        (corpus / str(number)).write_bytes(data)
    flags = [f"-seed={seed}", "-max_len=65536", "-timeout=120", "-rss_limit_mb=0", "-verbosity=0", "-len_control=0"]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], fuzzed.one, custom_mutator=mutator)
    atheris.Fuzz()


@dataclass
class Total:
    """What fuzzing one reader came to, over all its processes."""

    inputs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    deaths: int = 0
    found: dict[str, dict[str, Any]] = field(default_factory=dict)


def parent(name: str, inputs: int, options: argparse.Namespace, keep: Path) -> Total:
    """Fuzz one reader in child processes, and return what they came to."""
    keep.mkdir(parents=True, exist_ok=True)
    total, end = Total(), time.monotonic() + options.seconds
    path = keep / "books.json"
    while total.inputs < inputs and time.monotonic() < end and total.deaths < MOST_DEATHS:
        path.unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.fuzz", "--child", name, "--keep", str(keep)]
        command += ["--inputs", str(inputs - total.inputs), "--seconds", str(end - time.monotonic())]
        command += ["--seed", str(options.seed + total.deaths), *(["--plain"] if options.plain else [])]
        with (keep / "log").open("ab") as log:
            code = subprocess.run(command, stdout=log, stderr=log, cwd=ROOT, check=False).returncode
        if path.exists():
            facts = json.loads(path.read_text("utf-8"))
            total.inputs += facts["inputs"]
            total.seconds += facts["seconds"]
            total.slowest = max(total.slowest, facts["slowest"])
            total.found |= facts["found"]
        if code != 0:
            total.deaths += 1
            _note_death(total, code, keep)
    return total


def _note_death(total: Total, code: int, keep: Path) -> None:
    name = f"death-{total.deaths}"
    if (keep / "current").exists():
        (keep / "current").rename(keep / name)
    tail = (keep / "log").read_bytes()[-300:].decode("utf-8", "replace")
    total.found[f"the process died ({code})"] = {"file": name, "length": 0, "told": tail}


def main() -> int:
    """Read the command line, fuzz, print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz every reader, and print a table.")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="in all, shared out over the readers")
    parser.add_argument("--seconds", type=float, default=1e9, help="for each reader, at most")
    parser.add_argument("--reader", action="append", help="only this one; repeatable")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="without atheris")
    parser.add_argument("--keep", type=Path, help="where finds go; by default a new folder")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        books = Books(options.keep / "books.json", options.keep)
        child(options.child, options.seed, options.plain, books, options.inputs, options.seconds)
    return 1 if _table(options) else 0


def _table(options: argparse.Namespace) -> int:
    """Fuzz, print a row per reader, and return how much was found."""
    from tests.fuzz.readers import READERS

    keep = options.keep or Path(tempfile.mkdtemp(prefix="fuzz-"))
    chosen = [READERS[name] for name in options.reader] if options.reader else list(READERS.values())
    shares, totals = sum(reader.share for reader in chosen), []
    print(f"{'reader':<10} {'inputs':>9} {'seconds':>8} {'a second':>9} {'slowest':>8}  found", flush=True)
    for reader in chosen:
        total = parent(reader.name, round(options.inputs * reader.share / shares), options, keep / reader.name)
        totals.append(total)
        speed = f"{total.inputs / max(total.seconds, 1e-9):>9,.0f} {total.slowest:>7.2f}s"
        print(f"{reader.name:<10} {total.inputs:>9,} {total.seconds:>8.0f} {speed}  {len(total.found)}", flush=True)
        for kind, find in total.found.items():
            print(f"    {kind}\n        {keep / reader.name / find['file']}: {find['told'][:300]}", flush=True)
    found = sum(len(total.found) for total in totals)
    inputs, seconds = sum(total.inputs for total in totals), sum(total.seconds for total in totals)
    print(f"{'in all':<10} {inputs:>9,} {seconds:>8.0f} {'':>18}  {found}")
    return found


if __name__ == "__main__":
    sys.exit(main())
