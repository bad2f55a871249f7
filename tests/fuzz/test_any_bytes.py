"""Any bytes are read, or refused in one sentence: what once broke, what is valid, and what hypothesis thinks of.

The long run is `python -m tests.fuzz`.
"""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.mutate import mutated
from tests.fuzz.readers import READERS, finds
from tests.fuzz.seeds import seeds

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
CORPUS = sorted((HERE / "corpus").glob("*/*"))
SLOW = {"parquet": 3, "options": 15, "judged": 15, "imported": 15, "manifest": 15, "journal": 30, "study": 30}
"""Examples of readers that take long for one; all others get a hundred."""


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_once_broke_stays_mended(path: Path) -> None:
    assert finds(READERS[path.parent.name], path.read_bytes()) is None


@pytest.mark.parametrize("name", READERS)
def test_valid_input_is_read_and_mutations_are_read_or_refused(name: str) -> None:
    reader, valid = READERS[name], seeds(name)
    examples = SLOW.get(name, 100)
    assert [found for data in valid[:examples] if (found := finds(reader, data))] == []

    @settings(max_examples=examples, database=None)
    @given(st.integers(0, 2**32), st.binary(max_size=300))
    def any_bytes(seed: int, data: bytes) -> None:
        chance = random.Random(seed)
        assert finds(reader, data) is None
        assert finds(reader, mutated(chance.choice(valid), valid, reader.format, chance)) is None

    any_bytes()


def test_a_reader_that_breaks_is_found(tmp_path: Path) -> None:
    def broken(data: bytes) -> object:
        return [1][len(data)]

    assert str(finds(type(READERS["toml"])("broken", broken, "text", 1.0), b"x")).startswith("IndexError at ")


def test_the_long_run_prints_what_it_did(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.fuzz",
        "--plain",
        "--inputs",
        "500",
        "--reader",
        "thinking",
        "--keep",
        str(tmp_path),
    ]
    told = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, check=False, timeout=300)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "thinking         500" in told.stdout
