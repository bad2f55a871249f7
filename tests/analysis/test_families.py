import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.families import benjamini_hochberg, holm, max_t
from analysis.placebo import country_effects, crawford_howell, placebo

CASES = Path(__file__).parents[2].parent / "shared" / "data" / "reference_cases.json"

P = st.lists(st.none() | st.floats(1e-12, 1), max_size=30)


def test_adjusting_around_a_missing_test():
    # R 4.2.2: p.adjust(c(.04, NA, .01, .03), "holm") and "BH".
    p = [0.04, None, 0.01, 0.03]
    assert holm(p) == pytest.approx([0.06, None, 0.03, 0.06])
    assert benjamini_hochberg(p) == pytest.approx([0.04, None, 0.03, 0.04])


def test_the_reference_case():
    if not CASES.exists():
        pytest.skip("reference cases are not at hand")
    found = next(c for c in json.loads(CASES.read_text("utf-8")) if c["name"] == "adjust_with_nan_and_order")
    assert holm(found["input"]["p"]) == pytest.approx(found["expected"]["holm"], abs=found["tolerance"])
    assert benjamini_hochberg(found["input"]["p"]) == pytest.approx(found["expected"]["bh"], abs=found["tolerance"])


@given(P)
def test_bh_is_scipys_where_nothing_is_missing(p):
    present = [value for value in p if value is not None]
    adjusted = benjamini_hochberg(p)
    assert [value is None for value in adjusted] == [value is None for value in p]
    if present:
        expected = stats.false_discovery_control(present)
        assert [value for value in adjusted if value is not None] == pytest.approx(expected.tolist())


@given(P)
def test_holm_by_its_definition(p):
    # Adjusted p of the i-th smallest: the largest over j <= i of (m - j + 1) p_j, at most 1.
    present = sorted(value for value in p if value is not None)
    m = len(present)
    by_rank = [min(1.0, max((m - j) * present[j] for j in range(i + 1))) for i in range(m)]
    assert sorted(value for value in holm(p) if value is not None) == pytest.approx(by_rank)


def test_max_t_of_equal_rows_costs_nothing_and_of_one_row_is_the_test():
    d = np.random.default_rng(0).normal(0.4, 1, 40)
    single = max_t(d[None])[0]
    assert max_t(np.stack([d, d, d])) == [single] * 3
    # The same test as the paired t for 40 normal differences, up to Monte Carlo error √(p(1-p)/9999) · 4.
    p = stats.ttest_1samp(d, 0).pvalue
    assert single == pytest.approx(p, abs=4 * np.sqrt(p / 9999) + 0.003)


def test_max_t_keeps_its_promise_with_missing_and_tied_rows():
    d = np.random.default_rng(1).normal(0, 1, (4, 30))
    d[1] = 0
    d[2] = np.nan
    adjusted = max_t(d)
    assert adjusted[1] == 1
    assert adjusted[2] is None
    assert all(0 < p <= 1 for p in adjusted if p is not None)


def test_crawford_howell_is_the_two_sample_t_with_one_patient():
    # Crawford & Howell 1998: a t-test of a sample of one against K controls; scipy's pooled t reduces to it.
    controls = np.array([52.0, 55, 60, 58, 49, 61, 57])
    t = (40 - controls.mean()) / (controls.std(ddof=1) * np.sqrt(8 / 7))
    assert crawford_howell(40, controls) == pytest.approx(2 * stats.t.sf(abs(t), 6))
    assert crawford_howell(40, np.array([3.0])) is None
    assert crawford_howell(40, np.array([3.0, 3.0])) is None


def test_country_effects_are_the_regression_on_questions_and_countries():
    generator = np.random.default_rng(2)
    means = generator.normal(3, 1, (9, 4)) + np.array([0, 1, 2, -3.0])
    assert country_effects(means) == pytest.approx(means.mean(axis=0) - means.mean())
    means[generator.random(means.shape) < 0.3] = np.nan
    q, c = np.nonzero(~np.isnan(means))
    design = np.column_stack([np.eye(9)[q], np.eye(4)[c]])
    fitted = np.linalg.lstsq(design, means[q, c], rcond=None)[0][9:]
    assert country_effects(means) == pytest.approx(fitted - fitted.mean())


@given(st.lists(st.integers(-20, 20), min_size=3, max_size=20))
def test_the_placebo_rank_counts_who_is_at_least_as_far(values):
    differences = np.array(values, dtype=float)
    found = placebo(differences, 0)
    assert found.rank == (np.abs(differences) >= abs(differences[0])).sum()
    assert found.p == found.rank / len(values) >= found.p_min == 1 / len(values)


def test_placebo_leaves_out_countries_without_a_difference():
    found = placebo(np.array([3.0, np.nan, 1.0, -2.0]), 0)
    assert (found.rank, found.n) == (1, 3)
    assert placebo(np.array([3.0, np.nan]), 0) is None
    assert placebo(np.array([np.nan, 1.0, 2.0]), 0) is None
