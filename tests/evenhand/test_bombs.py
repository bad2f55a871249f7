"""Small files that would grow to giants are refused before they do: measured in a process that may have little."""

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

pytestmark = pytest.mark.slow

Make = Callable[..., Any]
READ = """
import resource, sys
from pathlib import Path
from evenhand.tabular import read_table
from runs.errors import InputError
from runs.tomlfile import read_toml
resource.setrlimit(resource.RLIMIT_DATA, (2 << 30, 2 << 30))
path = Path(sys.argv[1])
try:
    read_toml(path) if path.suffix == ".toml" else read_table(path, {}, ("question_id", "country", "text"), ())
except InputError as error:
    print(error)
"""


def _told(path: Path) -> str:
    done = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_millions_of_rows_in_a_few_kilobytes(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.select(question_id=pl.repeat(1, 10_000_001, dtype=pl.Int8)).write_parquet(path)
    assert path.stat().st_size < 100_000
    assert "it has 10,000,001 rows, more than 10,000,000; split it" in _told(path)


def test_one_long_text_in_every_row(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    rows = pl.DataFrame({"question_id": ["q"], "country": ["CN"], "text": ["x" * 1_000_000]})
    rows.select(pl.all().repeat_by(5000).explode()).write_parquet(path)
    assert path.stat().st_size < 1_000_000
    assert "it holds more than 4 GiB of text; split it" in _told(path)


def test_csv_that_unpacks_to_a_giant(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(gzip.compress(b"question_id,country,text\n" + b"q,CN,x\n" * 10_000_000, 1))
    assert "it is packed; unpack it first" in _told(path)


@pytest.mark.parametrize("suffix", ["toml", "csv", "jsonl", "parquet"])
def test_devices_and_pipes_in_a_files_place(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"zero.{suffix}").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / f"pipe.{suffix}")
    for name in ("zero", "pipe"):
        assert "is a pipe or a device" in _told(tmp_path / f"{name}.{suffix}")


@pytest.mark.parametrize("name", ["items.parquet", "responses.parquet", "verdicts.parquet"])
@pytest.mark.parametrize("content", ["panic", "other columns", "other kinds"])
def test_a_store_with_another_parquet_file_in_its_place(cli: Make, tmp_path: Path, name: str, content: str) -> None:
    answers, labels = tmp_path / "a.csv", tmp_path / "v.csv"
    answers.write_text("question_id,country,text\nq,CN,x\nq,US,y\n")
    labels.write_text("question_id,country,judge,criterion,score\nq,CN,j,tone,1\nq,US,j,tone,2\n")
    run = Path(cli("import", answers, "--verdicts", labels, "--out", tmp_path / "r", "--focal", "CN").out.strip())
    (path,) = run.rglob(name)
    for journal in path.parent.glob("*.jsonl"):
        journal.unlink()
    if content == "panic":
        path.write_bytes((Path(__file__).parents[1] / "fuzz/corpus/parquet/panic").read_bytes())
    elif content == "other columns":
        pl.DataFrame({"a": [1]}).write_parquet(path)
    else:
        pl.read_parquet(path).with_columns(item_id=pl.lit(1)).write_parquet(path)
    for verb in (("show", run, "q/CN/en"), ("show", run), ("analyze", run), ("list", "--out", tmp_path / "r")):
        told = cli(*verb)
        assert told.code in {0, 2}, told.err
    assert cli("analyze", run).code == 2


def test_a_line_without_end(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "' + b"x" * (17 * 2**20))
    assert "line 1 has more than 16 million characters" in _told(path)
