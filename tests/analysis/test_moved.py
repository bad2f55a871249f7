"""How far scores moved, with every number derived by hand."""

import pytest

from analysis import MOVED, moved
from rubrics import Criterion, Scale
from runs.frames import SCORES, frame

TONE = Criterion(id="tone", question="?", scale=Scale.ORDINAL, anchors={str(level): "x" for level in range(1, 6)})


def scores(given, judge="j"):
    """Scores from {country: {question: score}}; None: none came."""
    return frame(
        [
            {"question_id": question, "country": country, "language": "en", "epoch": 1, "repeat": 1, "judge": judge}
            | {"criterion": "tone", "score": score, "missing": "timeout" if score is None else None}
            for country, column in given.items()
            for question, score in column.items()
        ],
        SCORES,
    )


def column(*values):
    return {f"q{number}": value for number, value in enumerate(values)}


BEFORE = {"CN": column(1, 2, 1, 2, 1, 1), "US": column(3, 3, 4, 4, 3, 3)}
AFTER = {"CN": column(3, 3, 3, 4, 3, 3), "US": column(3, 3, 4, 4, 3, 3)}


def test_moved_is_after_minus_before():
    # D before: −2, −1, −3, −2, −2, −2, mean −2. D after: 0, 0, −1, 0, 0, 0, mean −1/6. So the contrast moves by
    # 2, 1, 2, 2, 2, 2: mean 11/6, and as all six go one way p = 2/2⁶. The focal country alone moves so (from 8/6 to
    # 19/6); the other stays where it was.
    table = moved(scores(BEFORE), scores(AFTER), [TONE], focal="CN")
    assert table.schema == MOVED
    found = {row["country"]: row for row in table.iter_rows(named=True)}
    assert list(found) == ["focal - others", "CN", "US"]
    numbers = ("n_questions", "mean_before", "mean_after", "moved", "p")
    assert [found["focal - others"][name] for name in numbers] == pytest.approx([6, -2, -1 / 6, 11 / 6, 1 / 32])
    assert [found["CN"][name] for name in numbers] == pytest.approx([6, 8 / 6, 19 / 6, 11 / 6, 1 / 32])
    assert [found["US"][name] for name in numbers] == pytest.approx([6, 20 / 6, 20 / 6, 0, 1])
    # Benjamini–Hochberg over three rows: 1/32 · 3/2 for the two smallest.
    assert table["q_bh"].to_list() == pytest.approx([3 / 64, 3 / 64, 1])
    assert all(row["ci_low"] <= row["moved"] <= row["ci_high"] for row in found.values())
    assert found["CN"]["ci_low"] > 0  # p is below 0.05

    back = moved(scores(AFTER), scores(BEFORE), [TONE], focal="CN")
    assert back["moved"].to_list() == pytest.approx([-11 / 6, -11 / 6, 0])


def test_only_questions_with_a_score_on_both_sides_count():
    # Without q0 before and q3 after, D goes from −1, −3, −2, −2 to 0, −1, 0, 0.
    before, after = ({country: dict(given) for country, given in side.items()} for side in (BEFORE, AFTER))
    before["CN"]["q0"] = after["CN"]["q3"] = None
    contrast, focal, other = moved(scores(before), scores(after), [TONE], focal="CN").iter_rows(named=True)
    assert (contrast["n_questions"], focal["n_questions"], other["n_questions"]) == (4, 4, 6)
    assert (contrast["mean_before"], contrast["mean_after"], contrast["moved"]) == pytest.approx((-2, -0.25, 1.75))


def test_without_a_common_question_there_are_nulls():
    before = scores({"CN": column(1, None), "US": column(3, 3)})
    after = scores({"CN": column(None, 2), "US": column(3, 3)})
    contrast, focal, _ = moved(before, after, [TONE], focal="CN").iter_rows(named=True)
    for row in (contrast, focal):
        assert row["n_questions"] == 0
        assert {row[name] for name in ("mean_before", "mean_after", "moved", "ci_low", "p", "q_bh")} == {None}


def test_a_judge_is_compared_with_itself_alone():
    assert moved(scores(BEFORE, "a"), scores(AFTER, "b"), [TONE], focal="CN").is_empty()
    both = scores(AFTER, "a").vstack(scores(AFTER, "b"))
    assert set(moved(scores(BEFORE, "a"), both, [TONE], focal="CN")["judge"]) == {"a"}
