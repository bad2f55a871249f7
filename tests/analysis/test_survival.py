import numpy as np
import pytest

from analysis.contrasts import contrasts
from analysis.settings import Analysis, Contrast
from analysis.survival import SUMMARY, SURVIVAL, LeftOut, leave_one_out, survival
from rubrics import Criterion, Scale
from runs.frames import SCORES, frame

TONE = Criterion(id="tone", question="?", scale=Scale.ORDINAL, anchors={str(level): "x" for level in range(1, 6)})


def scores(values, judge="a", repeat=1):
    """Scores from {country: [value per question]}; questions are dealt to the topics press and law in turn."""
    return [
        {"question_id": f"q{q:02d}", "country": country, "language": "en", "epoch": 1, "repeat": repeat, "judge": judge}
        | {"criterion": "tone", "topic": ("press", "law")[q % 2], "score": float(score)}
        for country, column in values.items()
        for q, score in enumerate(column)
    ]


# Eight questions, seven of them one point lower for CN: exact p = 2/2^7 = 0.0156; without one of the seven 2/2^6 =
# 0.031; without two topics' worth more than 0.05.
VALUES = {"CN": [3, 3, 3, 3, 3, 3, 3, 4], "US": [4] * 8, "FR": [4] * 8}


def test_a_verdict_that_rests_on_one_topic_flips_without_it():
    found = leave_one_out(frame(scores(VALUES), SCORES), [TONE], focal="CN")
    assert found.schema == SURVIVAL
    summary = survival(found)
    assert summary.schema == SUMMARY
    rows = {row["left_out"]: row for row in summary.rows(named=True)}
    # One judge and one repeat: nothing to leave out there.
    assert set(rows) == {"country", "question", "topic"}
    assert (rows["question"]["n_tried"], rows["question"]["n_flips"]) == (8, 0)
    # Either topic alone has at most four differences: p of 2/2^4 or 2/2^3 is above 0.05.
    assert (rows["topic"]["n_flips"], rows["topic"]["flipped_by"]) == (2, "law press")
    assert rows["country"]["n_flips"] == 0
    without = found.filter(left_out="question", name="q00").row(0, named=True)
    assert (without["p_adjusted"], without["p_adjusted_without"]) == (pytest.approx(2 / 2**7), pytest.approx(2 / 2**6))
    assert (without["difference"], without["difference_without"]) == (pytest.approx(-7 / 8), pytest.approx(-6 / 7))


def test_leaving_out_is_computing_without():
    rng = np.random.default_rng(6)
    values = {country: rng.integers(1, 6, 10) for country in ("CN", "US", "FR", "DE")}
    given = frame(scores(values), SCORES)
    found = leave_one_out(given, [TONE], focal="CN", leave=(LeftOut.COUNTRY,))
    assert found["name"].to_list() == ["DE", "FR", "US"]
    again = contrasts(given.filter(country="CN") .vstack(given.filter(country="US")).vstack(given.filter(country="DE")),
                      [TONE], focal="CN").filter(family="confirmatory").row(0, named=True)  # fmt: skip
    row = found.filter(name="FR").row(0, named=True)
    assert row["difference_without"] == pytest.approx(again["difference"])
    assert (row["finding_without"], row["standing_without"]) == (again["finding"], again["standing"])


def test_judges_are_left_out_of_the_panel():
    flat = {country: [4] * 8 for country in VALUES}
    three = scores(VALUES) + scores(VALUES, "b") + scores(flat, "c") + scores(flat, "human:x")
    found = leave_one_out(frame(three, SCORES), [TONE], focal="CN", leave=("judge",))
    assert set(found["judge"]) == {"panel"}
    assert found["name"].to_list() == ["a", "b", "c"]
    assert found.filter(name="c")["difference_without"].item() == pytest.approx(-7 / 8)
    # Of a panel of two the one that is left speaks for it.
    two = scores(VALUES) + scores(flat, "c")
    found = leave_one_out(frame(two, SCORES), [TONE], focal="CN", leave=("judge",))
    row = found.filter(name="a").row(0, named=True)
    assert (row["finding"], row["finding_without"], row["flips"]) == ("differs", "inconclusive", True)
    alone = Analysis(panel="none")
    assert leave_one_out(frame(two, SCORES), [TONE], focal="CN", analysis=alone, leave=("judge",)).is_empty()


def test_a_repeat_is_left_out_of_the_judges_that_have_more():
    flat = {country: [4] * 8 for country in VALUES}
    given = frame(scores(VALUES) + scores(flat, repeat=2) + scores(VALUES, "b"), SCORES)
    found = leave_one_out(given, [TONE], focal="CN", analysis=Analysis(panel="none"), leave=("repeat",))
    a = {row["name"]: row["difference_without"] for row in found.filter(judge="a").rows(named=True)}
    assert a == {"1": pytest.approx(0), "2": pytest.approx(-7 / 8)}
    assert not found.filter(judge="b")["flips"].any()


def test_a_contrast_about_what_is_left_out_is_not_tried():
    declared = Analysis(
        contrasts=(Contrast(topic="press"), Contrast(reference="US"), Contrast(reference=("US", "FR"), topic="law"))
    )
    given = frame(scores(VALUES), SCORES)
    found = leave_one_out(given, [TONE], focal="CN", analysis=declared, leave=("topic", "country"))
    tried = {(row["reference"], row["topic"], row["left_out"], row["name"]) for row in found.rows(named=True)}
    assert tried == {
        ("others", "press", "topic", "law"),
        ("US", None, "topic", "law"),
        ("US", None, "topic", "press"),
        ("FR+US", "law", "topic", "press"),
        ("others", "press", "country", "US"),
        ("others", "press", "country", "FR"),
        ("US", None, "country", "FR"),
        ("FR+US", "law", "country", "US"),
        ("FR+US", "law", "country", "FR"),
    }


def test_progress_counts_what_is_left_out():
    seen = []
    leave_one_out(
        frame(scores(VALUES), SCORES), [TONE], focal="CN", leave=("topic",), progress=lambda *at: seen.append(at)
    )
    assert seen == [(1, 2), (2, 2)]
