import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.omnibus import OMNIBUS, friedman, omnibus, skillings_mack
from rubrics import Criterion, Scale
from runs.errors import InputError
from runs.frames import SCORES, frame

CASES = Path(__file__).parents[2].parent / "shared" / "data" / "reference_cases.json"
TONE = Criterion(id="tone", question="?", scale=Scale.ORDINAL, anchors={str(level): "x" for level in range(1, 6)})


@pytest.mark.parametrize("name", ["skillings_mack_brady1969", "skillings_mack_assembly_hollander_wolfe"])
def test_skillings_mack_of_the_reference_cases(name):
    if not CASES.exists():
        pytest.skip("the reference cases are not here")
    case = next(entry for entry in json.loads(CASES.read_text()) if entry["name"] == name)
    found = skillings_mack(case["input"]["blocks_by_treatments"])
    assert found.statistic == pytest.approx(case["expected"]["T"], abs=case["tolerance"])
    assert found.p == pytest.approx(case["expected"]["p"], abs=case["tolerance"])
    assert found.df == case["expected"]["df"]


def test_friedman_of_hollander_and_wolfe():
    # R ?friedman.test, RoundingTimes (Hollander & Wolfe 1973, p. 140): chi-squared 11.143, df 2, p 0.003805.
    times = [
        [5.40, 5.50, 5.55], [5.85, 5.70, 5.75], [5.20, 5.60, 5.50], [5.55, 5.50, 5.40], [5.90, 5.85, 5.70],
        [5.45, 5.55, 5.60], [5.40, 5.40, 5.35], [5.45, 5.50, 5.35], [5.25, 5.15, 5.00], [5.85, 5.80, 5.70],
        [5.25, 5.20, 5.10], [5.65, 5.55, 5.45], [5.60, 5.35, 5.45], [5.05, 5.00, 4.95], [5.50, 5.50, 5.40],
        [5.45, 5.55, 5.50], [5.55, 5.55, 5.35], [5.45, 5.50, 5.55], [5.50, 5.45, 5.25], [5.65, 5.60, 5.40],
        [5.70, 5.65, 5.55], [6.30, 6.30, 6.25],
    ]  # fmt: skip
    found = friedman(times)
    assert found.statistic == pytest.approx(11.143, abs=5e-4)
    assert found.p == pytest.approx(0.003805, abs=5e-7)
    # W = chi-squared / (n (k - 1)).
    assert found.kendall_w == pytest.approx(found.statistic / 44)


def test_skillings_mack_without_gaps_and_with_ties_corrected_is_friedman():
    means = np.random.default_rng(0).integers(1, 4, (15, 5)).astype(float)
    expected = stats.friedmanchisquare(*means.T)
    found = skillings_mack(means, correct_ties=True)
    assert (found.statistic, found.p) == (pytest.approx(expected.statistic), pytest.approx(expected.pvalue))
    # Mid-ranks vary less than ranks, so leaving the variance as it is can only lower the statistic.
    assert skillings_mack(means).statistic < found.statistic


def test_full_agreement_of_the_questions_is_w_of_one():
    assert friedman([[1, 2, 3]] * 12).kendall_w == pytest.approx(1)


def test_dust_is_no_difference():
    found = friedman([[0.1 + 0.2, 0.3], [0.3, 0.1 + 0.2], [1, 1]])
    assert (found.statistic, found.p, found.flags) == (None, 1, ("all_tied", "few_questions"))


@pytest.mark.parametrize("means", [[[1, 2, 3]], [[1], [2]], [[None, 1], [2, None]], [[None, None]], []])
def test_too_little_has_no_p(means):
    found = skillings_mack(means)
    assert (found.statistic, found.p) == (None, None)


def test_friedman_refuses_a_gap_and_disconnected_countries_are_flagged():
    with pytest.raises(InputError, match="skillings_mack"):
        friedman([[1, 2], [1, None]])
    apart = skillings_mack([[1, 2, None, None], [2, 1, None, None], [None, None, 1, 2], [None, None, 1, 2]])
    assert "disconnected" in apart.flags
    assert apart.df == 2


def test_the_level_of_the_tie_corrected_test_with_gaps():
    # 1,000 null studies at 0.05: standard error 0.007.
    rng = np.random.default_rng(1)
    rejected = 0
    for _ in range(1000):
        means = rng.integers(1, 5, (25, 6)).astype(float)
        means[rng.random(means.shape) < 0.1] = np.nan
        rejected += skillings_mack(means, correct_ties=True).p <= 0.05
    assert rejected / 1000 == pytest.approx(0.05, abs=0.021)


def scores(values, judge="j"):
    return [
        {"question_id": f"q{q:02d}", "country": country, "language": "en", "epoch": 1, "repeat": 1, "judge": judge}
        | {"criterion": "tone", "score": score, "missing": None if score is not None else "timeout"}
        for country, column in values.items()
        for q, score in enumerate(column)
    ]


def test_the_frame_takes_friedman_unless_a_cell_is_missing():
    values = {"CN": [1, 2, 1, 2], "US": [3, 3, 4, 5], "FR": [2, 4, 3, 3]}
    gap = values | {"CN": [None, 2, 1, 2]}
    # A question that the judge never scored is no missing cell.
    never = {country: [*column, None] for country, column in values.items()}
    rows = scores(values, "full") + scores(gap, "gap") + scores(never, "never")
    table = omnibus(frame(rows, SCORES), [TONE])
    assert table.schema == OMNIBUS
    assert dict(zip(table["judge"], table["test"], strict=True)) == {
        "full": "friedman",
        "gap": "skillings_mack",
        "never": "friedman",
    }
    assert table["n_questions"].to_list() == [4, 4, 4]
    assert table.filter(judge="full")["statistic"].item() == pytest.approx(
        friedman(list(zip(*values.values(), strict=True))).statistic
    )
