import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis import effects

CASES = Path(__file__).parents[2].parent / "shared" / "data" / "reference_cases.json"


def case(name):
    if not CASES.exists():
        pytest.skip("reference cases are not at hand")
    return next(case for case in json.loads(CASES.read_text("utf-8")) if case["name"] == name)


def test_hedges_g_of_borenstein():
    # Borenstein et al. 2009, ch. 4: d = 0.5970 and g = 0.5924; paired d = 0.4225 and g = 0.4160.
    d = effects.d_independent((103, 100), (5.5, 4.5), (50, 50))
    assert d == pytest.approx(0.597, abs=2e-4)
    assert effects.hedges(d, 98) == pytest.approx(0.5924, abs=2e-4)
    d = effects.d_paired(3, 5.5, 0.7)
    assert d == pytest.approx(0.4225, abs=2e-4)
    assert effects.hedges(d, 49) == pytest.approx(0.416, abs=2e-4)


def test_hedges_g_of_the_reference_case():
    found = case("hedges_g_borenstein")
    own, paired = found["input"]["independent"], found["input"]["paired"]
    d = effects.d_independent((own["m1"], own["m2"]), (own["s1"], own["s2"]), (own["n1"], own["n2"]))
    both = effects.d_paired(paired["mean_diff"], paired["sd_diff"], paired["r"])
    values = d, effects.hedges(d, own["n1"] + own["n2"] - 2), both, effects.hedges(both, paired["n"] - 1)
    expected = [found["expected"][name] for name in ("d_indep", "g_indep", "d_paired", "g_paired")]
    assert values == pytest.approx(expected, abs=found["tolerance"])


def test_g_of_question_means_is_borensteins_where_the_arms_vary_alike():
    focal, reference = np.array([1.0, 2, 3, 4, 5]), np.array([3.0, 2, 5, 4, 6]) - 1
    reference = (reference - reference.mean()) / reference.std() * focal.std()
    r = np.corrcoef(focal, reference)[0, 1]
    spread = (focal - reference).std(ddof=1)
    expected = effects.hedges(effects.d_paired((focal - reference).mean(), spread, r), 4)
    assert effects.hedges_g(focal, reference) == pytest.approx(expected)


def test_newcombe_paired_of_fagerland():
    # Fagerland, Lydersen & Laake 2014 (Stat Med 33:2850), airway hyper-responsiveness: -0.286 (-0.507, -0.026).
    found = effects.newcombe_paired([[1, 1], [7, 12]])
    assert found.difference == pytest.approx(-6 / 21)
    assert (found.low, found.high) == pytest.approx((-0.506920226686141, -0.025559124164859837), abs=1e-6)


def test_newcombe_of_the_reference_cases():
    found = case("risk_difference_newcombe_paired_AHR")
    paired = effects.newcombe_paired(found["input"]["table"])
    assert [paired.low, paired.high] == pytest.approx(found["expected"]["ci95"], abs=found["tolerance"])
    found = case("risk_difference_newcombe_independent")
    given = found["input"]
    own = effects.newcombe_independent((given["x1"], given["x2"]), (given["n1"], given["n2"]))
    assert [own.difference, own.low, own.high] == pytest.approx(
        [found["expected"]["diff"], *found["expected"]["ci95"]], abs=found["tolerance"]
    )


@given(st.tuples(*[st.integers(0, 30)] * 4).filter(any))
def test_newcombe_holds_its_estimate_and_stays_within_one(counts):
    a, b, c, d = counts
    found = effects.newcombe_paired([[a, b], [c, d]])
    mirrored = effects.newcombe_paired([[a, c], [b, d]])
    assert -1 - 1e-9 <= found.low <= found.difference + 1e-12
    assert found.difference - 1e-12 <= found.high <= 1 + 1e-9
    assert (found.low, found.high) == pytest.approx((-mirrored.high, -mirrored.low))


def test_mde_of_the_reference_case():
    found = case("paired_t_power")
    given = found["input"]
    assert effects.mde_80(given["sd"], given["n"], given["alpha"]) == pytest.approx(
        found["expected"]["mde_80pct"], abs=found["tolerance"]
    )


def test_rank_biserial_is_the_simple_difference():
    # Hollander & Wolfe 1973, p. 29 (R's ?wilcox.test): V = 40 of 45, so 40/45 - 5/45 (Kerby 2014).
    x = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
    y = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
    assert effects.rank_biserial(x - y) == pytest.approx(35 / 45)


MEANS = hnp.arrays(np.float64, 12, elements=st.integers(2, 10).map(lambda i: i / 2))


@given(MEANS, MEANS)
def test_nonparametric_effects_by_their_definitions(focal, reference):
    difference = focal - reference
    wins, losses = (difference > 0).sum(), (difference < 0).sum()
    assert effects.superiority(difference) == pytest.approx((wins + (12 - wins - losses) / 2) / 12)
    every = np.sign(focal[:, None] - reference[None, :]).mean()
    assert effects.cliffs_delta(focal, reference) == pytest.approx(every)
    g = effects.hedges_g(focal, reference)
    assert g is None or np.sign(np.round(g, 9)) == np.sign(np.round(difference.mean(), 9))


def test_effects_without_spread_are_null():
    flat = np.full(5, 2.0)
    assert effects.d_z(flat) is None
    assert effects.hedges_g(flat, flat) is None
    assert effects.rank_biserial(flat - flat) is None
    assert effects.mde_80(0.0, 1) is None
    assert effects.superiority(flat - flat) == 0.5
