"""The same study, seed and versions: the same items, keys, tables and report, to the byte, in whatever process."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from runs.journal import Damaged, Journal

pytestmark = pytest.mark.slow

Make = Callable[..., Any]
ROOT = Path(__file__).parents[2]
PROCESSES = ({"PYTHONHASHSEED": "0", "POLARS_MAX_THREADS": "1"}, {"PYTHONHASHSEED": "4711", "POLARS_MAX_THREADS": "4"})
TABLES = ("contrasts", "missing", "omnibus")


def evenhand(environment: dict[str, str], *arguments: object) -> str:
    """Run the program in a process of its own, and return what it prints."""
    command = [sys.executable, "-m", "evenhand", *map(str, arguments)]
    told = subprocess.run(command, env=os.environ | environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    return told.stdout


def keys(journal: Path) -> dict[str, Any]:
    """Return what a journal holds, by key; replies come in any order."""
    kept = ("item_id", "epoch", "repeat", "text", "scores")
    records = [record for record in Journal(journal).read() if not isinstance(record, Damaged)]
    return {record["key"]: [record.get(name) for name in kept] for record in records}


def test_two_processes_in_two_folders_make_the_same(study: Make, scripted: Make, tmp_path: Path) -> None:
    path = study(scripted(latency=0.001).url)
    found = []
    for number, environment in enumerate(PROCESSES):
        told = json.loads(evenhand(environment, "run", path, "--out", tmp_path / str(number), "--json"))
        run = Path(told.pop("run"))
        told.pop("report")
        tables = [(run / "analysis" / f"{name}.parquet").read_bytes() for name in TABLES]
        journals = [keys(run / "responses.jsonl"), keys(next(run.rglob("verdicts.jsonl")))]
        csv = evenhand(environment, "analyze", run, "--format", "csv")
        found.append([run.name, (run / "items.parquet").read_bytes(), journals, tables, told, csv])
    assert found[0] == found[1]


def test_the_report_of_a_run_is_the_same_whoever_writes_it(
    cli: Make, study: Make, scripted: Make, tmp_path: Path
) -> None:
    run = Path(cli("run", study(scripted().url), "--out", tmp_path / "r", "--json").json["run"])
    pages = [(run / "analysis" / "report.html").read_bytes()]
    for number, environment in enumerate(PROCESSES):
        copied = tmp_path / str(number) / run.parent.name / run.name
        shutil.copytree(run, copied)
        shutil.rmtree(copied / "analysis")
        pages.append(Path(evenhand(environment, "report", copied).strip()).read_bytes())
    assert pages[0] == pages[1] == pages[2]


@pytest.mark.parametrize("named", ["folder", "file"])
def test_run_json_alone_is_enough_to_run_it_again(
    cli: Make, study: Make, scripted: Make, tmp_path: Path, named: str
) -> None:
    endpoint = scripted()
    more = 'logprobs = true\norder = "shuffled"\nrepeats = 2\n[analysis]\nalpha = 0.1\nmargin = 0.5\n'
    run = Path(cli("run", study(endpoint.url, more=more), "--out", tmp_path / "r", "--json").json["run"])
    alone = tmp_path / "elsewhere" / "run.json"
    alone.parent.mkdir()
    shutil.copy(run / "run.json", alone)
    (tmp_path / "few.toml").unlink()
    assert cli("init", tmp_path / "again", "--from", run if named == "folder" else alone).code == 0
    again = Path(cli("run", tmp_path / "again", "--out", tmp_path / "s", "--json").json["run"])
    assert again.name == run.name  # it carries the digest of prompts and settings
    assert [one.name for one in again.glob("scorings/*")] == [one.name for one in run.glob("scorings/*")]
    for name in ("responses.jsonl", "verdicts.jsonl"):
        assert keys(next(again.rglob(name))) == keys(next(run.rglob(name)))
    first, second = (pl.read_parquet(one / "analysis" / "contrasts.parquet") for one in (run, again))
    assert first.equals(second)
    assert cli("init", tmp_path / "again", "--from", run).code == 2  # nothing is overwritten


def test_an_import_cannot_be_asked_again(cli: Make, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("question_id,country,text\nq,CN,t\nq,US,t\n", "utf-8")
    run = cli("import", tmp_path / "a.csv", "--out", tmp_path / "r").out.strip()
    told = cli("init", tmp_path / "again", "--from", run)
    assert told.code == 2
    assert "tells not what was asked (imported, or of an early version); write a study by hand." in told.err
