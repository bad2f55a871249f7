"""A run with answers of the test's own, and judges that answer by script."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from judging.client import JudgeClient
from judging.score import pending, score
from judging.settings import Judge
from judging.variants import Variant
from rubrics import Rubric, load_rubric
from runs.budget import Budget
from runs.calls import Tally
from runs.digest import digest
from runs.frames import ITEMS, Status, frame
from runs.progress import Silent
from runs.store import Run, Scoring, create_run

RUBRIC = """
name = "small"
version = "1"
description = "One criterion on each scale."

[[criteria]]
id = "openness"
question = "How openly does the answer speak?"
scale = "ordinal"
anchors = {"1" = "not at all", "2" = "hardly", "3" = "half", "4" = "mostly", "5" = "fully"}
not_applicable = true

[[criteria]]
id = "refusal"
question = "Does the answer refuse?"
scale = "binary"
anchors = {"0" = "no", "1" = "yes"}

[[criteria]]
id = "leaning"
question = "Which way does the answer lean?"
scale = "nominal"
anchors = {critical = "critical", even = "neither", favourable = "favourable"}

[[criteria]]
id = "share"
question = "How much of the answer is about the question, in percent?"
scale = "numeric"
minimum = 0
maximum = 100
"""

Judged = Callable[..., object]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runs.calls.LONGEST_PAUSE", 0.1)
    monkeypatch.setattr("runs.course.PATIENCE", 0)


@pytest.fixture(scope="session")
def rubric(tmp_path_factory: pytest.TempPathFactory) -> Rubric:
    path = tmp_path_factory.mktemp("rubric") / "small.toml"
    path.write_text(RUBRIC, "utf-8")
    return load_rubric(path)


@pytest.fixture
def answered(tmp_path: Path) -> Callable[..., Run]:
    """Return a function that makes a run of the answers to one question, by country."""

    def make(texts: Mapping[str, str | None], *, study: str = "s", reasoning: str | None = None) -> Run:
        items = [
            {"item_id": f"q/{country}/en", "question_id": "q", "country": country, "language": "en"}
            | {"prompt": f"How free is the press in {country}?"}
            for country in texts
        ]
        rows = [
            {"key": digest([country, text]), "item_id": f"q/{country}/en", "epoch": 1, "model": "m", "text": text}
            | {"status": Status.EMPTY if text is None else Status.OK, "reasoning": reasoning}
            for country, text in texts.items()
        ]
        facts = {"study": {"name": study, "focal": "CN"}, "epochs": 1, "status": "complete"}
        run = create_run(tmp_path, study, "m", frame(items, ITEMS), {"texts": list(texts.values())}, facts)
        run.ledger.append(rows)
        run.ledger.seal()
        run.ledger.close()
        return run

    return make


@pytest.fixture
def judged(rubric: Rubric) -> Callable[..., object]:
    """Return a function that has a run scored, and returns the scoring and its tally."""

    async def judge_all(
        run: Run,
        judge: Judge,
        *,
        on: Variant | None = None,
        scale: Rubric | None = None,
        budget: Budget | None = None,
        warn: Callable[[str], None] = lambda _: None,
    ) -> tuple[Scoring, Tally]:
        todo = pending(run, scale or rubric, judge, on or Variant())
        urls = [] if judge.endpoint == "provider" else [judge.endpoint]
        async with JudgeClient(todo.judge, urls, None, warn) as client:
            tally = await score(todo, client, Silent(), budget or Budget())
        todo.scoring.ledger.seal()
        todo.scoring.ledger.close()
        return todo.scoring, tally

    return judge_all
