import numpy as np
import pytest

from analysis.interaction import INTERACTION, judge_interaction, judge_interactions
from analysis.signflip import sign_flip
from rubrics import Criterion, Scale
from runs.frames import SCORES, frame

TONE = Criterion(id="tone", question="?", scale=Scale.ORDINAL, anchors={str(level): "x" for level in range(1, 6)})


def test_two_judges_are_a_sign_flip_of_their_difference():
    # Permuting two labels flips the sign of D_1 - D_2, and Σ_j (Σ_q D_jq)² grows with |Σ (D_1 - D_2)|.
    rng = np.random.default_rng(0)
    d = rng.normal(size=(2, 12)) + np.array([[0.6], [0.0]])
    exact = sign_flip(d[0] - d[1]).p
    assert judge_interaction(d, permutations=40_000).p == pytest.approx(exact, abs=4 * np.sqrt(exact / 40_000))


def test_judges_who_are_alike_and_a_judge_who_is_not():
    rng = np.random.default_rng(3)
    same = rng.normal(size=60) + rng.normal(0, 0.3, (3, 60))
    assert judge_interaction(same).p > 0.05
    biased = judge_interaction(same + np.array([[0.3], [0.0], [0.0]]))
    assert biased.p < 0.01
    assert biased.deviations[0] == max(biased.deviations)


def test_level_under_the_null_with_missing_judges():
    # 400 null studies at 0.05: standard error 0.011.
    rng = np.random.default_rng(5)
    rejected = 0
    for seed in range(400):
        d = rng.normal(size=20) + rng.normal(size=(3, 20))
        d[rng.random(d.shape) < 0.15] = np.nan
        rejected += judge_interaction(d, permutations=299, seed=seed).p <= 0.05
    assert rejected / 400 == pytest.approx(0.05, abs=0.04)


def test_p_is_never_zero_and_ties_count():
    found = judge_interaction([[5.0] * 9, [0.0] * 9], permutations=999)
    # 2^9 patterns, two of them as extreme.
    assert 1 / 1000 <= found.p < 0.02
    assert found.p_min == 1 / 1000
    equal = judge_interaction([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    assert (equal.statistic, equal.p) == (0, 1)


@pytest.mark.parametrize("d", [[[1.0, 2.0]], [[1.0], [2.0]], [[1.0, None], [None, 2.0]], [[None, None], [1.0, 2.0]]])
def test_nothing_shared_is_nothing_to_test(d):
    found = judge_interaction(d)
    assert (found.statistic, found.p) == (None, None)


def test_the_frame_leaves_humans_out_and_names_the_extremes():
    rng = np.random.default_rng(8)
    shift = {"a": 0, "b": -2, "c": 0, "human:x": 2}
    rows = [
        {"question_id": f"q{q:02d}", "country": country, "language": "en", "epoch": 1, "repeat": 1, "judge": judge}
        | {"criterion": "tone", "score": float(rng.integers(3, 5) + (bias if country == "CN" else 0))}
        for judge, bias in shift.items()
        for q in range(30)
        for country in ("CN", "US", "FR")
    ]
    table = judge_interactions(frame(rows, SCORES), [TONE], "CN")
    assert table.schema == INTERACTION
    (row,) = table.rows(named=True)
    assert (row["n_judges"], row["n_questions"], row["lowest_judge"]) == (3, 30, "b")
    assert row["p"] == row["p_min"]
    assert 1.5 < row["spread"] < 2.5
