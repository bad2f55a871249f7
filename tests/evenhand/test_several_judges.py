"""Several judges of one run: at the same time where they are apart, several servers of one judge, beside people."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import evenhand
from evenhand.labelling import Labels
from evenhand.sampling import draw
from rubrics import load_rubric
from runs.store import open_run

Make = Callable[..., Any]
PATIENCE = 60
"""Seconds until a judge that is kept waiting gives up. Only a test that fails takes so long."""


def _judge(folder: Path, name: str, url: str, *more: str) -> Path:
    path = folder / f"{name}.toml"
    lines = [f'name = "{name}"', f'model = "{name}"', f'endpoint = "{url}"', *more]
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_judges_at_two_urls_work_at_the_same_time(cli: Make, scripted: Make, tmp_path: Path) -> None:
    # Each hangs until both have been asked. One after the other, the first would give up before the second is asked.
    answer = {"question_id": "q", "country": "CN", "text": "The press is free."}
    (tmp_path / "answers.jsonl").write_text(json.dumps(answer) + "\n", "utf-8")
    run = cli("import", tmp_path / "answers.jsonl", "--out", tmp_path / "r", "--focal", "CN").out.splitlines()[-1]
    both = [scripted(rules=[{"fault": "hang"}]) for _ in range(2)]
    judges = [
        _judge(tmp_path, f"judge-{number}", one.url, "attempts = 1", f"timeout = {PATIENCE}")
        for number, one in enumerate(both)
    ]

    def let_go() -> int:
        for one in both:
            one.wait(requests=1)
        return sum(one.release() for one in both)

    with ThreadPoolExecutor() as beside:
        released = beside.submit(let_go)
        told = cli("score", run, "--rubric", "refusal", "--judge", judges[0], "--judge", judges[1], "--json")
        assert released.result() == 2
    assert told.code == 0, told.err
    assert [(one["scored"], one["failed"]) for one in told.json["scorings"]] == [(1, 0), (1, 0)]


def test_calls_to_a_judge_are_spread_over_its_replicas(
    cli: Make, finished: Path, scripted: Make, tmp_path: Path
) -> None:
    both = scripted(), scripted()
    judge = _judge(tmp_path, "twice", both[0].url, f'replicas = ["{both[1].url}"]', "concurrency = 8")
    told = cli("score", finished, "--judge", judge, "--json")
    assert told.code == 0
    assert [(one["scored"], one["failed"]) for one in told.json["scorings"]] == [(36, 0)]
    stats = [one.stats() for one in both]
    assert sum(one["requests"] for one in stats) == 36
    assert min(one["requests"] for one in stats) > 0
    assert len({prompt["prompt"] for one in stats for prompt in one["prompts"]}) == 36  # none was asked of both
    (scoring,) = finished.glob("scorings/*-twice-*/scoring.json")
    assert json.loads(scoring.read_text("utf-8"))["engine"] == {"endpoints": [one.url for one in both]}


@pytest.mark.parametrize("panel", ["mean", "none"])
def test_agree_compares_the_panel_with_people_if_there_is_one(
    cli: Make, study: Make, scripted: Make, tmp_path: Path, panel: str
) -> None:
    endpoint = scripted()
    second = f'[[judges]]\nname = "second"\nmodel = "judge-b"\nendpoint = "{endpoint.url}"\n'
    path = study(endpoint.url, more=f'{second}[analysis]\npanel = "{panel}"\n')
    run = evenhand.run(path, root=tmp_path / "r").run
    labels = Labels(open_run(run.path), load_rubric("candour"), "anna", masked=False)
    sample = draw(run, "CN", 18, 0)
    with labels.alone():
        for number, answer in enumerate(sample.answers):
            labels.give(answer, "evasion", 1 + number % 5, None)
        labels.close(sample)
    pairs = {
        (row["first"], row["second"])
        for row in cli("agree", run.path, "--json").json["agreement"]
        if row["criterion"] == "evasion" and row["comparison"] == "pair"
    }
    with_people = {("first", "human:anna"), ("second", "human:anna")}
    with_people |= {("panel", "human:anna")} if panel == "mean" else set()
    assert pairs == {("first", "second")} | with_people
    assert ("panel" in cli("agree", run.path).out) == (panel == "mean")
