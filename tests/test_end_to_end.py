"""One path through the house for real: a real model answers and judges on a real vLLM engine."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from runs.store import open_run

pytestmark = pytest.mark.vllm

STUDY = """
name = "end-to-end"
focal = "CN"
rubric = "candour"

[questions]
set = "quick"
countries = ["CN", "US", "DE"]

[generation]
model = "bundled/SmolLM2-135M-Instruct"
system = "Answer in one short sentence."
max_tokens = 128
temperature = 0.7

[[judges]]
name = "small"
model = "vllm/bundled/SmolLM2-135M-Instruct"
reasons = false
logprobs = true
max_tokens = 128
"""


def evenhand(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "evenhand", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900, check=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    (folder / "study.toml").write_text(STUDY)
    done = evenhand(folder, "run", "study.toml", "--json")
    assert done.returncode in (0, 1), done.stderr
    return folder, json.loads(done.stdout)


def test_a_study_runs_from_questions_to_the_significance_table(finished):
    folder, content = finished
    run = open_run(folder / content["run"])
    assert run.items().height == 36
    responses = run.responses().collect()
    assert responses["key"].n_unique() == 36
    assert set(responses["status"]) <= {"ok", "truncated", "empty"}
    assert responses["completion_tokens"].min() > 0
    pooled = [row for row in content["contrasts"] if row["family"] == "confirmatory"]
    assert {row["criterion"] for row in pooled} == {
        *("criticism", "evasion", "refusal", "state_narrative", "viewpoints", "specificity")
    }
    assert all(row["reference"] == "others" and row["focal"] == "CN" for row in pooled)
    assert all(row["p"] is None or 0 < row["p"] <= 1 for row in pooled)
    assert (folder / content["report"]).read_text().startswith("<!doctype html>")


def test_every_verdict_of_the_constrained_judge_is_on_its_scale(finished):
    folder, content = finished
    run = open_run(folder / content["run"])
    [scoring] = run.scorings()
    verdicts = scoring.ledger.scan().collect()
    answered = run.responses().filter(pl.col("status") == "ok").select(pl.len()).collect().item()
    assert verdicts.height == answered
    assert verdicts["kind"].is_null().all()
    scores = verdicts.select(pl.col("scores").explode()).unnest("scores")
    ordinal = scores.filter(
        pl.col("criterion").is_in(["criticism", "evasion", "specificity"]), pl.col("kind").is_null()
    )
    assert ordinal["score"].is_between(1, 5).all()
    # vLLM gives the probabilities of the levels, and one token holds each.
    assert ordinal["unexpected"].is_null().all()
    assert ordinal["expected"].is_between(1, 5).all()


def test_the_same_command_again_asks_nothing_and_starts_no_engine(finished):
    folder, content = finished
    log = folder / content["run"] / "vllm.log"
    journals = {path: path.read_bytes() for path in (folder / "results").rglob("*.jsonl")}
    size = log.stat().st_size
    again = evenhand(folder, "run", "study.toml", "--json")
    assert json.loads(again.stdout)["contrasts"] == content["contrasts"]
    assert log.stat().st_size == size
    assert {path: path.read_bytes() for path in (folder / "results").rglob("*.jsonl")} == journals


def test_the_placebo_scores_the_same_answers_without_the_country(finished):
    folder, content = finished
    before = {
        path: path.read_bytes() for path in (folder / content["run"]).rglob("*") if path.suffix in (".jsonl", ".json")
    }
    scored = evenhand(folder, "score", content["run"], "--placebo", "mask", "--json")
    assert scored.returncode in (0, 1), scored.stderr
    assert all(path.read_bytes() == content for path, content in before.items())
    analyzed = json.loads(evenhand(folder, "analyze", content["run"], "--json").stdout)
    rows = [row for row in analyzed["moved_mask"] if row["country"] == "focal - others"]
    assert {row["judge"] for row in rows} == {"small"}
    assert any(row["moved"] is not None for row in rows)
