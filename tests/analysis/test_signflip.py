import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.signflip import Method, sign_flip
from runs.errors import InputError

CASES = Path(__file__).parents[2].parent / "shared" / "data" / "reference_cases.json"


def enumerated_p(differences):
    """All 2^n sign patterns, by the definition."""
    d = np.asarray(differences, dtype=float)
    signs = np.array(list(itertools.product([1.0, -1.0], repeat=d.size)))
    return float(np.mean(np.abs(signs @ d) >= abs(d.sum()) - 1e-9))


LIKERT = st.lists(st.integers(-4, 4), min_size=1, max_size=9)
DECIMALS = st.lists(st.integers(-3000, 3000).map(lambda i: i / 1000), min_size=1, max_size=9)


@given(LIKERT | DECIMALS)
def test_p_is_the_share_of_sign_patterns_at_least_as_far_from_zero(differences):
    test = sign_flip(differences)
    assert test.method is Method.EXACT
    assert test.p == pytest.approx(enumerated_p(differences), abs=1e-12)


@given(LIKERT | DECIMALS, st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_the_interval_holds_exactly_the_means_that_the_test_does_not_reject(differences, level):
    d = np.asarray(differences, dtype=float)
    interval = sign_flip(d).interval(level)
    if not d.any():
        assert (interval.low, interval.high) == (0, 0)
        return
    for end, outward in ((interval.low, -1), (interval.high, 1)):
        if end is None:
            # Even a mean far outside the data is not rejected.
            assert enumerated_p(d + outward * 1e6) > 1 - level
        else:
            assert enumerated_p(d - end) > 1 - level
            assert enumerated_p(d - end - outward * 1e-7) <= (1 - level) * (1 + 1e-9)


@given(LIKERT | DECIMALS, st.floats(0.01, 3))
def test_equivalence_is_shown_exactly_when_the_narrow_interval_is_inside_the_margin(differences, margin):
    test = sign_flip(differences)
    interval = test.interval(0.9)
    inside = None not in (interval.low, interval.high) and -margin < interval.low and interval.high < margin
    if test.nonzero:
        assert (test.p_equivalence(margin) <= 0.05) == inside


@given(LIKERT)
def test_changing_all_signs_mirrors_the_interval_and_keeps_p(differences):
    one, other = sign_flip(differences), sign_flip([-value for value in differences])
    assert one.p == pytest.approx(other.p, rel=1e-12)
    low, high = one.interval().low, other.interval().high
    assert (low is None) == (high is None)
    assert low is None or low == pytest.approx(-high)


def test_published_and_derived_values():
    if not CASES.exists():
        pytest.skip("reference cases are not at hand")
    cases = {case["name"]: case for case in json.loads(CASES.read_text("utf-8"))}
    darwin = sign_flip(cases["sign_flip_inversion_ci_darwin"]["input"]["differences"]).interval(0.95)
    assert [darwin.low, darwin.high] == pytest.approx(cases["sign_flip_inversion_ci_darwin"]["expected"]["ci95"])
    likert = cases["sign_flip_exact_likert_zeros"]
    assert sign_flip(likert["input"]["differences"]).p == pytest.approx(likert["expected"]["p_two_sided"], abs=1e-10)
    tiny = cases["tiny_n_T5_cannot_reach_005"]
    test = sign_flip(tiny["input"]["differences"])
    assert (test.p, test.p_min) == (tiny["expected"]["p_sign_flip"], tiny["expected"]["min_attainable_p"])
    tied = cases["degenerate_all_zero_differences"]
    test = sign_flip(tied["input"]["differences"])
    assert (test.mean, test.p, test.p_min) == tuple(tied["expected"][k] for k in ("mean", "p_sign_flip", "p_min"))


def test_darwin_without_the_file():
    # Darwin's maize (Fisher 1935, §21): 1,726 of 32,768 sign patterns reach |314|.
    darwin = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    test = sign_flip(darwin)
    assert test.p == 1726 / 2**15
    interval = test.interval()
    assert interval.low == pytest.approx(-1 / 6)
    assert interval.high == pytest.approx(41)


def test_tied_questions_give_p_one_and_the_point_zero():
    # 5e-17 is floating-point dust, not a difference.
    test = sign_flip([0.0, 5e-17, -5e-17] * 4)
    assert (test.p, test.p_min, test.nonzero) == (1, 1, 0)
    assert (test.interval().low, test.interval().high) == (0, 0)


@pytest.mark.parametrize("n", [1, 6, 60, 400, 1500])
def test_a_constant_difference_has_the_smallest_p_there_is_and_never_zero(n):
    test = sign_flip([0.5] * n)
    assert test.p == pytest.approx(max(2.0 ** (1 - n), np.finfo(float).tiny))
    assert test.p_min == test.p > 0


def test_mid_p_of_a_sign_test():
    # McNemar with 6 against 1: P(X <= 1) = 8/128 twice; mid-p leaves out half of P(X = 1) = 7/128 on both sides.
    test = sign_flip([1] * 6 + [-1] + [0] * 20)
    assert test.p == pytest.approx(16 / 128)
    assert test.p_mid == pytest.approx(9 / 128)


def test_small_tails_keep_their_digits_on_both_sides():
    # One question in sixty points the other way: patterns as extreme are all equal, or one of 60 flipped.
    steps = [1.0] * 59 + [-1.0]
    for sign in (1, -1):
        assert sign_flip([sign * d for d in steps]).p == pytest.approx(2 * 61 / 2**60, rel=1e-9)


def uneven(seed, n=60):
    """Differences from the mean of 10, 11 or 12 countries with one to five epochs: no small common denominator."""
    generator = np.random.default_rng(seed)
    epochs, countries = generator.integers(1, 6, n), generator.integers(10, 13, n)
    return np.rint(generator.normal(0.4, 1, n) * epochs * countries) / (epochs * countries)


def sums_p(differences, denominator):
    """Exact p-value by convolution over integer sums, without sizes."""
    mass = np.ones(1)
    for d in np.abs(np.rint(np.asarray(differences) * denominator)).astype(int):
        grown = np.zeros(mass.size + 2 * d)
        grown[: mass.size] += mass / 2
        grown[2 * d :] += mass / 2
        mass = grown
    sums = np.arange(mass.size) - mass.size // 2
    total = abs(round(float(np.sum(differences)) * denominator))
    return float(mass[np.abs(sums) >= total].sum())


@pytest.mark.parametrize("seed", range(5))
def test_uneven_denominators_give_an_upper_bound_within_two_percent(seed):
    differences = uneven(seed)
    test = sign_flip(differences)
    exact = sums_p(differences, 60 * 660)
    assert test.method is Method.BOUNDED
    assert exact * (1 - 1e-9) <= test.p <= exact * 1.03


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_of_uneven_denominators_inverts_the_test(seed):
    differences = uneven(seed)
    interval = sign_flip(differences).interval()
    error = differences.std(ddof=1) / np.sqrt(differences.size)
    for end, inward in ((interval.low, 1), (interval.high, -1)):
        # 2 % of a standard error inside, the mean is kept; as much outside, it is rejected.
        assert sums_p(np.round((differences - end - inward * 0.02 * error) * 2000) / 2000, 2000) > 0.05
        assert sums_p(np.round((differences - end + inward * 0.02 * error) * 2000) / 2000, 2000) < 0.05


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.01, 0.2))
def test_interval_and_p_agree_about_zero_however_they_were_counted(seed, alpha):
    test = sign_flip(uneven(seed, 30) - 0.25)
    interval = test.interval(1 - alpha)
    assert (interval.low > 0 or interval.high < 0) == (test.p <= alpha)


@pytest.mark.parametrize(("n", "mean"), [(300, 0.1), (300, 0.6), (700, 0.1)])
def test_many_questions_are_tested_by_saddlepoint(n, mean):
    differences = np.random.default_rng(n).normal(mean, 1, n)
    test = sign_flip(differences)
    assert test.method is Method.SADDLEPOINT
    # By convolution over whole hundredths, which moves the sum by 0.003·√n, a 300th of its standard deviation.
    assert test.p == pytest.approx(sums_p(np.round(differences, 2), 100), rel=0.05)
    interval = test.interval()
    # The t interval is the limit for many questions.
    error = differences.std(ddof=1) / np.sqrt(n)
    assert interval.low == pytest.approx(differences.mean() - 1.961 * error, abs=0.03 * error)
    assert interval.high == pytest.approx(differences.mean() + 1.961 * error, abs=0.03 * error)
    assert test.p_equivalence(1.0) < 0.05 < test.p_equivalence(mean)


def test_the_saddlepoint_never_gives_zero():
    differences = np.random.default_rng(1).normal(9, 1, 2100)
    assert 0 < sign_flip(differences).p < 1e-300
    assert 0 < sign_flip(differences).p_equivalence(100.0) < 1e-300


@pytest.mark.parametrize("seed", range(3))
def test_the_saddlepoint_interval_inverts_the_test(seed):
    differences = uneven(seed, 90)
    interval = sign_flip(differences).interval()
    error = differences.std(ddof=1) / np.sqrt(differences.size)
    for end, inward in ((interval.low, 1), (interval.high, -1)):
        assert sums_p(np.round((differences - end - inward * 0.02 * error) * 2000) / 2000, 2000) > 0.05
        assert sums_p(np.round((differences - end + inward * 0.02 * error) * 2000) / 2000, 2000) < 0.05


@pytest.mark.parametrize("differences", [[], [1.0, float("nan")], [float("inf")]])
def test_missing_differences_are_refused(differences):
    with pytest.raises(InputError, match="differences"):
        sign_flip(differences)
