"""A scoring through an endpoint with every fault on, killed three times: each key once, and the totals of a clean run.

`EVENHAND_FAULTY_VERDICTS=10000` scores so many answers, in place of 160.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from runs.store import Run, open_run
from tests.scripted.script import BROKEN, ODD

ANSWERS = int(os.environ.get("EVENHAND_FAULTY_VERDICTS", "160"))
COUNTRIES = ("CN", "US", "NO", "BR")
SHARE = 0.06
JUDGE = (
    'name = "j"\nmodel = "j"\nendpoint = "{url}"\nreasons = false\nconcurrency = 64\ntimeout = 2.0\nmax_tokens = 64\n'
)

# Every fault meets some prompts, at their first try; a later one, or the same command again, gets the reply.
FAULTS = [
    {"fault": fault, "share_of_prompts": SHARE, "first": 1, "retry_after": 0.05, "fits": 128, "seconds": 0.1}
    for fault in (*BROKEN, *ODD)
    if fault not in ("text", "message")
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("answers") / "answers.jsonl"
    rows = [
        {"question_id": f"q{n // len(COUNTRIES)}", "country": COUNTRIES[n % len(COUNTRIES)], "text": f"Answer {n}."}
        for n in range(ANSWERS)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def prepare(starter: Any, answers: Path, folder: Path, url: str) -> tuple[Run, Callable[[], int]]:
    """Import the answers into `folder`; return the run, and what starts its scoring."""
    assert starter.run("import", answers, "--focal", "CN", "--out", folder / "results") == 0, starter.log.read_text()
    folder.mkdir(exist_ok=True)
    (folder / "judge.toml").write_text(JUDGE.format(url=url), "utf-8")
    run = open_run(folder / "results")
    return run, lambda: starter.start("score", run.path, "--rubric", "refusal", "--judge", folder / "judge.toml")


def totals(starter: Any, run: Run) -> tuple[list[str], list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the keys of all records, the scores, and the significance table."""
    [scoring] = run.scorings()
    keys = [json.loads(line)["key"] for line in (scoring.path / "verdicts.jsonl").read_bytes().splitlines()]
    scores = scoring.ledger.scan().select("item_id", "epoch", "kind", "scores").sort("item_id").collect()
    assert starter.run("analyze", run.path) == 0, starter.log.read_text()
    return keys, scores.to_dicts(), pl.read_parquet(run.path / "analysis" / "contrasts.parquet").to_dicts()


def test_every_fault_at_once_and_three_kills_change_nothing(
    starter: Any, scripted: Callable[..., Any], answers: Path, tmp_path: Path
) -> None:
    endpoint = scripted(rules=FAULTS)
    run, score = prepare(starter, answers, tmp_path / "faulty", endpoint.url)
    for part in (4, 3, 2):
        pid = score()
        endpoint.wait(requests=endpoint.stats()["requests"] + ANSWERS // part)
        assert starter.kill(pid)
    for _ in range(5):  # what failed for good in one go is tried again by the next
        if starter.end(score()) == 0:
            break
    keys, scores, table = totals(starter, run)
    met = {fault for prompt in endpoint.stats()["prompts"] for fault in prompt["faults"]}
    assert met == {rule["fault"] for rule in FAULTS}

    clean, score_clean = prepare(starter, answers, tmp_path / "clean", scripted().url)
    assert starter.end(score_clean()) == 0, starter.log.read_text()
    clean_keys, clean_scores, clean_table = totals(starter, clean)
    assert len(keys) == len(set(keys)) == len(clean_keys) == ANSWERS
    assert scores == clean_scores
    assert table == clean_table
