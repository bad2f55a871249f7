import json
import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.classical import (
    bca,
    boschloo,
    brunner_munzel,
    fisher,
    mann_whitney,
    mcnemar,
    paired_t,
    signed_rank,
    welch,
)
from runs.errors import InputError

CASES = Path(__file__).parents[2].parent / "shared" / "data" / "reference_cases.json"
# R, data(sleep): extra hours of sleep, first drug minus second.
SLEEP = [-1.2, -2.4, -1.3, -1.3, 0.0, -1.0, -1.8, -0.8, -4.6, -1.4]


def case(name):
    if not CASES.exists():
        pytest.skip("the reference cases are not here")
    found = next(entry for entry in json.loads(CASES.read_text()) if entry["name"] == name)
    return found["input"], found["expected"], found["tolerance"]


def test_signed_rank_exact():
    given, expected, within = case("wilcoxon_signed_rank_exact_no_ties")
    d = np.subtract(given["x"], given["y"])
    found = signed_rank(d)
    assert found.statistic == expected["V"]
    assert found.p == pytest.approx(expected["p_two_sided"], abs=within)
    assert found.estimate == pytest.approx(expected["rank_biserial"], abs=within)
    assert signed_rank(d, alternative="greater").p == pytest.approx(expected["p_greater"], abs=within)


def test_signed_rank_with_ties_and_a_zero():
    given, expected, within = case("wilcoxon_sleep_ties_and_zero")
    d = given["differences"]
    assert signed_rank(d).statistic == expected["V_plus"]
    dropped = {"zeros": "drop", "method": "normal"}
    assert signed_rank(d, **dropped, correct=True).p == pytest.approx(expected["p_normal_cc_drop_zeros"], abs=within)
    assert signed_rank(d, **dropped).p == pytest.approx(expected["p_normal_nocc_drop_zeros"], abs=within)
    assert signed_rank(d, method="normal").p == pytest.approx(expected["p_normal_nocc_pratt"], abs=within)
    assert signed_rank(d).p == pytest.approx(expected["p_exact_pratt"], abs=within)
    assert signed_rank(d).z == pytest.approx(expected["z_pratt"], abs=within)


@settings(deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9))
def test_exact_signed_rank_is_the_enumeration_of_signs(d):
    ranks = stats.rankdata(np.abs(d))[np.array(d) != 0]
    observed = ranks[np.array([value for value in d if value]) > 0].sum() if ranks.size else 0
    sums = [sum(r for r, up in zip(ranks, signs, strict=True) if up) for signs in product((0, 1), repeat=ranks.size)]
    low, high = np.mean([s <= observed for s in sums]), np.mean([s >= observed for s in sums])
    assert signed_rank(d).p == pytest.approx(min(1, 2 * min(low, high)))


def test_paired_t_of_the_sleep_data():
    given, expected, within = case("paired_t_sleep")
    found = paired_t(given["differences"])
    assert (found.statistic, found.df) == (pytest.approx(expected["t"], abs=within), expected["df"])
    assert (found.estimate, found.p) == (
        pytest.approx(expected["mean"], abs=within),
        pytest.approx(expected["p"], abs=within),
    )
    assert [found.ci_low, found.ci_high] == pytest.approx(expected["ci95"], abs=within)


def test_welch_of_the_sleep_data():
    # R ?t.test: t.test(extra ~ group, data = sleep): t = -1.8608, df = 17.776, p = 0.07939, -3.3654832 to 0.2054832.
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    found = welch(first, np.subtract(first, SLEEP))
    assert (found.statistic, found.df, found.p) == (
        pytest.approx(-1.8608, abs=5e-5),
        pytest.approx(17.776, abs=5e-4),
        pytest.approx(0.07939, abs=5e-6),
    )
    assert (found.ci_low, found.ci_high) == (pytest.approx(-3.3654832, abs=1e-6), pytest.approx(0.2054832, abs=1e-6))


def test_mann_whitney_with_ties():
    given, expected, within = case("mann_whitney_ties")
    found = mann_whitney(given["x"], given["y"])
    assert found.statistic == expected["U"]
    assert found.p == pytest.approx(expected["p_cc"], abs=within)
    assert found.estimate == pytest.approx(expected["U"] / 225)


def test_mann_whitney_is_exact_without_ties():
    # R ?wilcox.test, permeability constants (Hollander & Wolfe 1973, p. 69): W = 35, p = 0.1272 (one-sided).
    first = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    second = [1.15, 0.88, 0.90, 0.74, 1.21]
    found = mann_whitney(first, second, alternative="greater")
    assert (found.statistic, found.p) == (35, pytest.approx(0.1272, abs=5e-5))


def test_brunner_munzel_of_the_pain_scores():
    given, expected, within = case("brunner_munzel_pain")
    found = brunner_munzel(given["x"], given["y"])
    assert found.statistic == pytest.approx(expected["statistic"], abs=within)
    assert found.p == pytest.approx(expected["p"], abs=within)
    assert found.estimate == pytest.approx(expected["prob_y_gt_x"], abs=within)
    # R lawstat prints the interval 0.5952169 to 0.9827052.
    assert (found.ci_low, found.ci_high) == (pytest.approx(0.5952169, abs=1e-6), pytest.approx(0.9827052, abs=1e-6))


def test_bca_of_efron_and_tibshirani():
    given, expected, within = case("bca_spatial_variance_efron_tibshirani")
    found = bca(given["data"], statistic=np.var, confidence=given["confidence"])
    assert found.estimate == pytest.approx(expected["theta"], abs=within["theta"])
    assert found.statistic == pytest.approx(expected["acceleration"], abs=within["acceleration"])
    assert [found.ci_low, found.ci_high] == pytest.approx(expected["ci90"], abs=within["ci90"])


def test_bca_of_darwins_maize():
    given, expected, within = case("bca_darwin_mean")
    found = bca(given["differences"])
    assert [found.ci_low, found.ci_high] == pytest.approx(expected["ci95"], abs=within)
    assert found.flags == ("few_questions",)


def test_the_p_of_bca_says_where_its_interval_meets_zero():
    d = np.random.default_rng(0).normal(0.2, 1, 50)
    p = bca(d, seed=3).p
    inside, outside = (bca(d, seed=3, confidence=1 - p + shift) for shift in (0.002, -0.002))
    assert inside.ci_low <= 0 <= inside.ci_high
    assert outside.ci_low > 0


def test_fisher_of_the_tea_taster():
    # R ?fisher.test, TeaTasting: odds ratio 6.408309, two-sided p 0.4857; one-sided lower limit 0.3135693. R solves for
    # them to four digits or so (uniroot's default); 6.4083197 is where the noncentral hypergeometric mean
    # (4t⁴ + 48t³ + 72t² + 16t)/(t⁴ + 16t³ + 36t² + 16t + 1) is 3.
    found = fisher([[3, 1], [1, 3]])
    assert (found.p, found.estimate) == (pytest.approx(0.4857143), pytest.approx(6.408309, abs=2e-5))
    greater = fisher([[3, 1], [1, 3]], alternative="greater")
    assert (greater.p, greater.ci_low) == (pytest.approx(0.2428571), pytest.approx(0.3135693, abs=1e-5))
    assert (greater.ci_high, fisher([[3, 0], [0, 3]]).estimate) == (None, None)


def test_boschloo_of_the_reference_case():
    given, expected, within = case("boschloo_scipy_doc")
    found = boschloo(given["table"], alternative=given["alternative"])
    assert found.statistic == pytest.approx(expected["statistic"], abs=within["statistic"])
    assert found.p == pytest.approx(expected["p"], abs=within["p"])
    assert found.estimate == pytest.approx(74 / 117 - 31 / 63)


def test_mcnemar_of_agresti():
    given, expected, within = case("mcnemar_agresti_approval")
    normal, corrected = (mcnemar(given["table"], method=method) for method in ("normal", "corrected"))
    assert normal.statistic == pytest.approx(expected["chi2"], abs=within["chi2"])
    assert normal.p == pytest.approx(expected["p_asymptotic"], abs=within["p_asymptotic"])
    assert corrected.statistic == pytest.approx(expected["chi2_cc"], abs=within["chi2_cc"])
    assert corrected.p == pytest.approx(expected["p_cc"], abs=within["p_cc"])
    assert mcnemar(given["table"]).p == pytest.approx(expected["p_exact"], abs=within["p_exact"])


def test_mid_p_takes_half_of_the_observed_tables():
    # b = 1, c = 6: exact 2·(1 + 7)/128; mid-p takes off the observed C(7, 1)/128.
    table = [[10, 1], [6, 20]]
    assert mcnemar(table).p == pytest.approx(16 / 128)
    assert mcnemar(table, method="mid-p").p == pytest.approx(9 / 128)


def test_nothing_differs_is_p_of_one_with_a_flag():
    found = [signed_rank([0, 0]), paired_t([0, 0, 0]), bca([0.0] * 5), welch([2, 2], [2, 2])]
    found += [mann_whitney([3, 3], [3, 3]), brunner_munzel([3, 3], [3, 3]), mcnemar([[5, 0], [0, 5]])]
    found += [fisher([[4, 4], [0, 0]]), boschloo([[0, 0], [4, 4]])]
    for result in found:
        assert (result.p, result.flags) == (1, ("all_tied",)), result
    assert (found[1].ci_low, found[1].ci_high) == (0, 0)


def test_no_spread_but_a_difference_has_no_p_and_says_so():
    for result in (paired_t([1, 1, 1]), bca([1, 1, 1]), welch([1, 1], [2, 2])):
        assert (result.p, result.flags) == (None, ("constant",)), result
    apart = brunner_munzel([1, 1, 2], [3, 4, 5])
    assert (apart.p, apart.estimate, apart.flags) == (None, 1, ("separated",))


def test_too_few_values_have_no_p():
    for result in (paired_t([1.0]), bca([1.0]), welch([1.0], [2.0, 3.0]), mann_whitney([], [1.0])):
        assert (result.p, result.flags) == (None, ("too_few",)), result
    assert signed_rank([]).p == 1


def test_a_table_that_is_none_is_refused():
    for wrong in ([[1, 2, 3], [4, 5, 6]], [[1, -1], [2, 2]], [[0.5, 1], [1, 1]]):
        with pytest.raises(InputError, match="2 × 2"):
            fisher(wrong)


@settings(deadline=None)
@given(st.lists(st.integers(1, 5), min_size=2, max_size=12), st.lists(st.integers(1, 5), min_size=2, max_size=12))
def test_p_is_above_zero_or_null_and_swapping_arms_keeps_it(first, second):
    for test in (welch, mann_whitney, brunner_munzel):
        there, back = test(first, second), test(second, first)
        assert (there.p is None) == (back.p is None)
        if there.p is not None:
            assert 0 < there.p <= 1
            assert math.isclose(there.p, back.p, rel_tol=1e-6, abs_tol=1e-9)
