"""Every country side by side: the same numbers as the table's, and means by hand."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.contrasts import contrasts
from analysis.overview import COUNTRIES, TOPICS, overview
from rubrics import Criterion, Scale
from runs.errors import InputError
from runs.frames import SCORES, frame

TONE = Criterion(
    id="tone",
    question="How warm is the answer?",
    scale=Scale.ORDINAL,
    anchors={str(level): f"level {level}" for level in range(1, 6)},
)
PLACES = ("CN", "DE", "NO", "US")


def _scores(values: dict[str, list[int | None]], judge: str = "j") -> pl.DataFrame:
    """Return scores from {country: [value per question]}; questions alternate between two topics."""
    rows = [
        {
            "question_id": f"q{at:02}", "country": country, "language": "en", "epoch": 1, "repeat": 1, "judge": judge,
            "criterion": "tone", "topic": ("press", "courts")[at % 2], "score": value,
            "missing": "truncated" if value is None else None,
        }
        for country, column in values.items()
        for at, value in enumerate(column)
    ]  # fmt: skip
    return frame(rows, SCORES)


def test_means_and_differences_by_hand() -> None:
    countries, topics = overview(_scores({"CN": [1, 2, 3], "US": [3, 3, None], "NO": [5, 4, 3]}), [TONE], focal="CN")
    assert countries.schema == COUNTRIES
    assert topics.schema == TOPICS
    # CN: 1 - mean(3, 5) = -3, 2 - mean(3, 4) = -1.5, 3 - 3 = 0 (the United States lack the last): -1.5.
    # US: 3 - mean(1, 5) = 0, 3 - mean(2, 4) = 0. NO: 5 - 2 = 3, 4 - 2.5 = 1.5, 3 - 3 = 0: 1.5.
    assert countries.select("country", "is_focal", "n_questions", "difference").rows() == [
        ("CN", True, 3, -1.5), ("NO", False, 3, 1.5), ("US", False, 2, 0.0),
    ]  # fmt: skip
    means = {(row["country"], row["topic"]): (row["n_questions"], row["mean"]) for row in topics.iter_rows(named=True)}
    assert means["CN", None] == (3, 2.0)
    assert means["CN", "press"] == (2, 2.0)  # questions 0 and 2
    assert means["US", None] == (2, 3.0)
    assert means["US", "courts"] == (1, 3.0)


@given(st.lists(st.lists(st.none() | st.integers(1, 5), min_size=4, max_size=4), min_size=2, max_size=8))
def test_the_focal_row_is_the_tables(drawn: list[list[int | None]]) -> None:
    values = {country: [row[at] for row in drawn] for at, country in enumerate(PLACES)}
    scores = _scores(values)
    (declared,) = contrasts(scores, [TONE], focal="CN", exploratory=False).to_dicts()
    countries, _ = overview(scores, [TONE], focal="CN")
    own = countries.filter("is_focal").row(0, named=True)
    assert own["n_questions"] == declared["n_questions"]
    assert own["difference"] == (None if declared["difference"] is None else pytest.approx(declared["difference"]))
    others = countries.filter(~pl.col("is_focal"))["difference"].drop_nulls()
    if declared["placebo_n"] is not None:
        assert declared["placebo_n"] == len(others) + 1
        further = int((others.abs() >= abs(own["difference"]) - 1e-9).sum())
        assert declared["placebo_rank"] == 1 + further


def test_named_references_and_the_panel() -> None:
    both = pl.concat([_scores({"CN": [1, 1], "US": [3, 3], "NO": [5, 5]}, judge) for judge in ("a", "b")])
    countries, _ = overview(both, [TONE], focal="CN", references=("US",))
    assert set(countries["judge"]) == {"a", "b", "panel"}
    assert set(countries["country"]) == {"CN", "US"}
    assert countries.filter(is_focal=True)["difference"].to_list() == [-2.0] * 3
    with pytest.raises(InputError, match="'XX' has no scores"):
        overview(both, [TONE], focal="CN", references="XX")
