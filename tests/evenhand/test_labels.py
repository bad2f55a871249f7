"""Labels as the rest of the program sees them: of what was asked, masked or not, and kept whoever else labels."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

import evenhand
from analysis.load import load_scores
from analysis.ppi import corrected_contrasts
from evenhand.labelling import Labels
from evenhand.sampling import Sample, draw
from evenhand.web.label_page import keys_of
from rubrics import Criterion, Scale, load_rubric
from runs.store import Run

RUBRIC = load_rubric("refusal")
ASKED = next(one for one in RUBRIC.criteria if one.scale is Scale.BINARY)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    rows = [
        {"question_id": f"q{n}", "country": country, "text": f"Answer {n} about {country}."}
        for n in range(12)
        for country in ("CN", "US", "NO")
    ]
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return evenhand.import_(path, root=tmp_path / "results", focal="CN").runs[0].run


def give(run: Run, sample: Sample, name: str, level: object, *, masked: bool = False) -> None:
    labels = Labels(run, RUBRIC, name, masked=masked)
    with labels.alone():
        for answer in sample.answers:
            labels.give(answer, ASKED.id, level, None)
        labels.close(sample)


def test_what_nobody_was_asked_to_label_is_no_missing_score(run: Run) -> None:
    sample = draw(run, "CN", 6, 0)
    give(run, sample, "anna", ASKED.levels[0])  # type: ignore[index]
    scores = load_scores(run).scores.collect()
    assert scores.height == len(sample.answers) < 36
    assert scores["missing"].is_null().all()


def test_labels_of_masked_answers_have_a_name_of_their_own_and_correct_nobody_beside_others(run: Run) -> None:
    sample = draw(run, "CN", 36, 0)
    low, high = ASKED.levels[0], ASKED.levels[-1]  # type: ignore[index]
    give(run, sample, "anna", low)
    give(run, sample, "anna", high, masked=True)
    scored = load_scores(run)
    scores = scored.scores.collect()
    assert set(scores["judge"]) == {"human:anna", "human:anna (masked)"}
    judge = scores.filter(judge="human:anna").with_columns(
        judge=pl.lit("j"), score=pl.when(pl.col("country") == "CN").then(1.0).otherwise(0.0)
    )
    (row,) = corrected_contrasts(pl.concat([scores, judge]), scored.criteria, "CN").to_dicts()
    # The labels as they are do not differ between countries; the judge gives 1 for CN and 0 for all others.
    assert row["human_difference"] == 0
    assert row["judge_bias"] == pytest.approx(1.0)


def test_labels_given_at_once_are_all_kept_and_none_is_refused(run: Run) -> None:
    sample = draw(run, "CN", 36, 0)
    labels = Labels(run, RUBRIC, "anna")
    with labels.alone(), ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda answer: labels.give(answer, ASKED.id, ASKED.levels[0], None), sample.answers))  # type: ignore[index]
        labels.close(sample)
    assert load_scores(run).scores.collect().height == len(sample.answers) == 36


@pytest.mark.parametrize(
    ("levels", "keys"),
    [
        (range(1, 6), {"1": "1", "2": "2", "3": "3", "4": "4", "5": "5"}),
        # A digit is the level of that name; ten has a letter.
        (range(11), {**{str(n): str(n) for n in range(10)}, "10": "a"}),
        ((-1, 0, 1), {"-1": "a", "0": "0", "1": "1"}),
    ],
)
def test_a_digit_chooses_the_level_of_that_name(levels: range, keys: dict[str, str]) -> None:
    scale = Criterion(id="c", question="?", scale=Scale.ORDINAL, anchors={str(level): "level" for level in levels})
    assert keys_of(scale) == keys
