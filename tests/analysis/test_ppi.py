import numpy as np
import pytest
from scipy import stats

from analysis.ppi import CORRECTED, corrected_contrasts, ppi_mean
from rubrics import Criterion, Scale
from runs.frames import SCORES, frame

TONE = Criterion(id="tone", question="?", scale=Scale.NUMERIC, minimum=0, maximum=10, anchors={"0": "cold"})
LABELS = [0.2, -0.4, 0.9, 0.1, 0.6]
PREDICTED = [0.5, 0.0, 1.0, 0.6, 0.7]
MORE = [0.4, 0.8, 0.1, 0.3, 1.1, -0.2]


def test_plain_ppi_by_hand():
    # λ = 1: mean f of the rest, plus the mean of label - f: 2.5/6 + (1.4 - 2.8)/5; var of label - f is 0.032, var of
    # the rest 0.21367.
    found = ppi_mean(LABELS, PREDICTED, MORE, tuning=1.0)
    rectifier = np.array(LABELS) - PREDICTED
    assert found.estimate == pytest.approx(2.5 / 6 - 1.4 / 5)
    error = np.sqrt(rectifier.var(ddof=1) / 5 + np.var(MORE, ddof=1) / 6)
    assert found.standard_error == pytest.approx(error)
    half = stats.t.ppf(0.975, 4) * error
    assert (found.ci_low, found.ci_high) == (
        pytest.approx(found.estimate - half),
        pytest.approx(found.estimate + half),
    )
    assert found.bias == pytest.approx(1.4 / 5)


def test_ppi_of_angelopoulos_power_tuned():
    # ppi-python 0.2.3: ppi_mean_pointestimate(Y, f, rest, lam=0.5) = 0.20833.
    found = ppi_mean(LABELS, PREDICTED, MORE, tuning=0.5)
    assert found.estimate == pytest.approx(0.5 * 2.5 / 6 + (1.4 - 0.5 * 2.8) / 5)
    # λ = Cov(y, f) / ((1 + n/N) Var(f)), the variance over all predictions.
    cov = np.cov(LABELS, PREDICTED)[0, 1]
    expected = cov / ((1 + 5 / 6) * np.var(PREDICTED + MORE, ddof=1))
    assert ppi_mean(LABELS, PREDICTED, MORE).tuning == pytest.approx(min(expected, 1))


def test_without_a_judge_it_is_the_paired_t_of_the_labels():
    t = stats.ttest_1samp(LABELS, 0)
    low, high = t.confidence_interval(0.95)
    for found in (ppi_mean(LABELS, PREDICTED, MORE, tuning=0.0), ppi_mean(LABELS, PREDICTED, [])):
        assert (found.estimate, found.p) == (pytest.approx(np.mean(LABELS)), pytest.approx(t.pvalue))
        assert (found.ci_low, found.ci_high) == (pytest.approx(low), pytest.approx(high))


def test_a_judge_who_knows_nothing_or_errs_against_the_humans_is_left_out():
    assert ppi_mean([1.0, 2.0, 3.0], [4.0, 4.0, 4.0], [4.0, 4.0]).tuning == 0
    assert ppi_mean([1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [1.0, 3.0]).tuning == 0


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_labels_give_nothing(n):
    found = ppi_mean(LABELS[:n], PREDICTED[:n], MORE)
    assert (found.estimate, found.ci_low, found.p, found.n_labelled) == (None, None, None, n)


def test_labels_without_spread_have_no_p():
    found = ppi_mean([1.0, 1.0], [1.0, 1.0], [])
    assert (found.estimate, found.standard_error, found.p) == (1, 0, None)


def test_a_biased_judge_is_put_right_where_its_own_test_is_wrong():
    # A judge biased by 0.3 against a true difference of 0; 4,000 studies of 10 labelled and 50 unlabelled questions.
    # Standard error at 0.058 is 0.004.
    rng = np.random.default_rng(7)
    corrected = alone = 0
    for _ in range(4000):
        truth = rng.normal(0, 0.6, 60)
        judge = truth + rng.normal(0.3, 0.3, 60)
        corrected += ppi_mean(truth[:10], judge[:10], judge[10:]).p < 0.05
        alone += abs(judge.mean()) / (judge.std(ddof=1) / np.sqrt(60)) > 2.0
    assert corrected / 4000 == pytest.approx(0.058, abs=0.015)
    assert alone / 4000 > 0.66


def scores(differences, judge):
    """CN is `differences` above 5, US and FR are one below and one above 5."""
    return [
        {"question_id": question, "country": country, "language": "en", "epoch": 1, "repeat": 1, "judge": judge}
        | {"criterion": "tone", "score": score}
        for question, d in differences.items()
        for country, score in (("CN", 5 + d), ("US", 4.0), ("FR", 6.0))
    ]


def test_the_frame_corrects_the_contrast_of_each_judge():
    judge = {f"q{i}": d for i, d in enumerate(PREDICTED + MORE)}
    human = {f"q{i}": d for i, d in enumerate(LABELS)}
    rows = scores(judge, "a") + scores(human, "human:x")
    table = corrected_contrasts(frame(rows, SCORES), [TONE], "CN")
    assert table.schema == CORRECTED
    (row,) = table.rows(named=True)
    expected = ppi_mean(LABELS, PREDICTED, MORE)
    assert (row["judge"], row["references"]) == ("a", "FR US")
    assert (row["n_labelled"], row["n_unlabelled"]) == (5, 6)
    assert row["difference"] == pytest.approx(expected.estimate)
    assert (row["ci_low"], row["ci_high"]) == (pytest.approx(expected.ci_low), pytest.approx(expected.ci_high))
    assert row["judge_bias"] == pytest.approx(1.4 / 5)
    assert row["judge_difference"] == pytest.approx(np.mean(PREDICTED + MORE))
    assert row["human_difference"] == pytest.approx(np.mean(LABELS))


def test_judge_and_humans_are_compared_on_the_responses_that_humans_scored():
    judge = {f"q{i}": d for i, d in enumerate(PREDICTED + MORE)}
    human = {f"q{i}": d for i, d in enumerate(LABELS)}
    # The judge also scored a second epoch, 3 higher in CN; nobody labelled it, and nobody labelled FR.
    second = [row | {"epoch": 2} for row in scores({q: d + 3 for q, d in judge.items()}, "a")]
    labels = [row for row in scores(human, "human:x") if row["country"] != "FR"]
    table = corrected_contrasts(frame(scores(judge, "a") + second + labels, SCORES), [TONE], "CN")
    (row,) = table.rows(named=True)
    assert row["references"] == "US"
    assert row["judge_bias"] == pytest.approx(1.4 / 5)
    assert row["human_difference"] == pytest.approx(np.mean(LABELS) + 1)
    assert row["judge_difference"] == pytest.approx(np.mean(PREDICTED + MORE) + 1.5 + 1)


def test_several_humans_are_averaged_and_none_give_no_row():
    judge = {f"q{i}": d for i, d in enumerate(PREDICTED + MORE)}
    up = scores({f"q{i}": d + 0.5 for i, d in enumerate(LABELS)}, "human:x")
    down = scores({f"q{i}": d - 0.5 for i, d in enumerate(LABELS)}, "human:y")
    rows = scores(judge, "a")
    (row,) = corrected_contrasts(frame(rows + up + down, SCORES), [TONE], "CN").rows(named=True)
    assert row["human_difference"] == pytest.approx(np.mean(LABELS))
    assert corrected_contrasts(frame(rows, SCORES), [TONE], "CN").is_empty()
    one_side = [row for row in up if row["country"] == "CN"]
    assert corrected_contrasts(frame(rows + one_side, SCORES), [TONE], "CN").is_empty()
