import pytest

from analysis import CONTRASTS, MISSING, contrasts, missing_counts
from rubrics import Criterion, Scale
from runs.frames import SCORES, frame

TONE = Criterion(
    id="tone", question="Warm?", scale=Scale.ORDINAL, anchors={str(level): "level" for level in range(1, 6)}
)


def scores(values, reasons=("truncated",)):
    rows = []
    for country, column in values.items():
        for i, value in enumerate(column):
            row = {"question_id": f"q{i:02d}", "country": country, "language": "en", "epoch": 1, "repeat": 1}
            row |= {"judge": "j", "criterion": "tone", "score": value}
            rows.append(row | {"missing": None if value is not None else reasons[i % len(reasons)]})
    return frame(rows, SCORES)


def pooled(values):
    table = contrasts(scores(values), [TONE], focal="CN").filter(reference="others")
    assert table.schema == CONTRASTS
    return table.row(0, named=True)


def test_bounds_take_every_missing_score_at_its_worst():
    found = pooled({"CN": [2, None, 2, 4], "US": [4, 4, None, 4]})
    # Paired questions: 2 - 4 and 4 - 4. At worst the missing focal score is 1 and the missing reference 5.
    assert found["difference"] == -1
    assert found["bound_low"] == pytest.approx(((2 - 4) + (1 - 4) + (2 - 5) + 0) / 4)
    assert found["bound_high"] == pytest.approx(((2 - 4) + (5 - 4) + (2 - 1) + 0) / 4)


def test_the_tipping_point_makes_the_difference_zero():
    found = pooled({"CN": [2, None, None, 4], "US": [3, 3, 3, 4]})
    # Focal must make up -1 + 0 over two missing questions against 3 each: 2v = 6 + 1.
    assert found["tipping_point"] == pytest.approx(3.5)
    filled = pooled({"CN": [2, 3.5, 3.5, 4], "US": [3, 3, 3, 4]})
    assert filled["difference"] == pytest.approx(0)


def test_there_is_no_tipping_point_off_the_scale_or_without_missing_scores():
    assert pooled({"CN": [1, None, 1, 1], "US": [5, 5, 5, 5]})["tipping_point"] is None
    assert pooled({"CN": [1, 2], "US": [3, None]})["tipping_point"] is None


def test_attrition_is_tested_question_by_question():
    found = pooled({"CN": [None] * 8 + [3] * 4, "US": [3] * 12, "FR": [4] * 11 + [None]})
    assert found["missing_rate_focal"] == pytest.approx(8 / 12)
    assert found["missing_rate_reference"] == pytest.approx(0.5 / 12)
    # Eight differences of 1 and one of -0.5: the flips at least as far are none flipped, and the small one flipped.
    assert found["p_attrition"] == pytest.approx(4 / 2**9)
    assert "attrition" in found["flags"].split()


def test_nothing_missing_says_so():
    found = pooled({"CN": [2, 3], "US": [4, 4]})
    assert (found["p_attrition"], found["missing_rate_focal"], found["missing_focal"]) == (1, 0, 0)
    assert found["bound_low"] == found["bound_high"] == found["difference"]
    assert found["reasons_focal"] == ""


def test_counts_name_every_reason_per_country():
    counts = missing_counts(scores({"CN": [1, None, None, None], "US": [1, 2, 3, None]}, ("timeout", "abstained")))
    assert counts.schema == MISSING
    assert counts.select("country", "reason", "rows", "share").rows() == [
        ("CN", None, 1, 0.25),
        ("CN", "abstained", 2, 0.5),
        ("CN", "timeout", 1, 0.25),
        ("US", None, 3, 0.75),
        ("US", "abstained", 1, 0.25),
    ]
