"""Large studies: what is left out of a plot is said, and what stays is what matters most."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import evenhand
from analysis.report.page import figures, page
from evenhand.reporting import content_of

pytestmark = pytest.mark.slow


def _content(folder: Path, criteria: int, countries: int, questions: int, low: set[str]) -> Any:
    """Return a study of one judge in which the country C00 scores lower on the criteria `low`."""
    draw = np.random.default_rng(5)
    places = [(f"q{n:02}", f"C{at:02}") for n in range(questions) for at in range(countries)]
    answers = [{"question_id": q, "country": c, "topic": f"topic {q}", "text": "x"} for q, c in places]
    labels = [
        {"question_id": q, "country": c, "judge": "j", "criterion": f"k{k:02}"}
        | {"score": 3 + int(draw.integers(0, 3)) - (2 if f"k{k:02}" in low and c == "C00" else 0)}
        for q, c in places
        for k in range(criteria)
    ]
    for name, rows in (("answers", answers), ("labels", labels)):
        (folder / f"{name}.jsonl").write_text(pl.DataFrame(rows).write_ndjson(), "utf-8")
    told = evenhand.import_(
        folder / "answers.jsonl", verdicts=folder / "labels.jsonl", name="large", focal="C00", root=folder / "r"
    )
    return content_of(evenhand.analyze(Path(told.runs[0].run.path)))


def test_many_criteria(tmp_path: Path) -> None:
    low = {f"k{k}" for k in range(60, 66)}
    content = _content(tmp_path, 66, 5, 20, low)
    drawn = figures(content)
    assert len(drawn["contrasts"].data) == len(drawn["placebo"].data) // 5 == 64
    assert "Left to the table: 2 lines with larger p-values." in drawn["contrasts"].caption
    assert low <= set(drawn["contrasts"].data["criterion"])
    maps = [name for name in drawn if name.startswith("topics-")]
    assert maps == [f"topics-{at}" for at in range(7)]
    assert {drawn[name].title.partition(",")[0] for name in maps[1:]} == low
    assert "60 more criteria, with larger p-values, have no map" in drawn["topics-6"].caption
    assert "missing" not in drawn
    written = page(content, drawn)
    assert "more rows are left to <code>evenhand analyze RUN --format csv</code>" in written


def test_many_countries_and_topics(tmp_path: Path) -> None:
    content = _content(tmp_path, 2, 70, 22, {"k00"})
    drawn = figures(content)
    assert drawn["topics-1"].title == "k00, per topic"
    assert drawn["topics-1"].data["country"].n_unique() == 61  # the focal one, and thirty from either end
    assert "Left out: 9 countries in the middle." in drawn["topics-1"].caption
    assert "Left out: 3 more topics." in drawn["topics-1"].caption
    assert len(page(content, drawn).encode()) < 1_000_000
