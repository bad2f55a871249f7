import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.coefficients import (
    cohen_kappa,
    gwet_ac,
    icc,
    krippendorff_alpha,
    rank_correlation,
    raw_agreement,
)
from analysis.resampled import alphas, bootstrap_weights, coded, gwet_acs, iccs, kappas, taus
from runs.errors import InputError

CASES = Path(__file__).parents[2].parent / "shared" / "data" / "reference_cases.json"

# Krippendorff (2011), section C: 4 coders, 12 units.
CODERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]


def case(name):
    if not CASES.exists():
        pytest.skip("the reference cases are not here")
    return next(entry for entry in json.loads(CASES.read_text()) if entry["name"] == name)


@pytest.mark.parametrize(
    ("level", "expected"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_alpha_of_krippendorffs_own_example(level, expected):
    assert krippendorff_alpha(CODERS, level) == pytest.approx(expected, abs=0.0006)


def test_alpha_of_the_reference_case():
    reference = case("krippendorff_alpha_canonical_4coders")
    for level, expected in reference["expected"].items():
        found = krippendorff_alpha(reference["input"]["coders_by_units"], level)
        assert found == pytest.approx(expected, abs=reference["tolerance"])


def test_missing_may_be_none_or_nan():
    as_nan = np.array([[np.nan if value is None else value for value in row] for row in CODERS])
    assert krippendorff_alpha(as_nan, "ordinal") == krippendorff_alpha(CODERS, "ordinal")


def test_alpha_of_two_binary_coders_by_hand():
    # Krippendorff (2011), section A: 10 units, the coders disagree in 4. o_01 = 4, n_0 = 14, n_1 = 6, n = 20:
    # α = 1 - 19 · 4 / (14 · 6) = 0.0952.
    first = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    second = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert krippendorff_alpha([first, second]) == pytest.approx(1 - 19 * 4 / (14 * 6))


def test_alpha_takes_texts_at_the_nominal_level_only():
    assert krippendorff_alpha([["a", "b", "a"], ["a", "b", "b"]]) == pytest.approx(1 - 5 * 1 / 9)
    with pytest.raises(InputError, match="nominal"):
        krippendorff_alpha([["a", "b"], ["a", "b"]], "ordinal")


# irrCAC 0.4.4 on the same coders, categories 1 to 5.
@pytest.mark.parametrize(("level", "expected"), [("nominal", 0.77544), ("ordinal", 0.89894), ("interval", 0.91400)])
def test_gwet_of_krippendorffs_example(level, expected):
    assert gwet_ac(CODERS, level) == pytest.approx(expected, abs=1e-5)


def test_gwet_knows_of_categories_that_nobody_used():
    # Two raters agree in 9 of 10; π = (0.95, 0.05). p_e = Σπ(1-π)/(q-1) = 0.095/(q-1), so 0.095 or, with a third
    # category, 0.0475; AC1 = (0.9 - p_e)/(1 - p_e).
    first, second = [0] * 9 + [0], [0] * 9 + [1]
    assert gwet_ac([first, second]) == pytest.approx((0.9 - 0.095) / (1 - 0.095))
    assert gwet_ac([first, second], categories=[0, 1, 2]) == pytest.approx((0.9 - 0.0475) / (1 - 0.0475))
    # The same ratings with κ and α near or below zero: skew is what AC1 is for.
    assert cohen_kappa(first, second, [0, 1], "none") == pytest.approx(0)
    assert krippendorff_alpha([first, second]) <= 0


def test_kappa_of_cohens_textbook_table():
    # Counts 20, 5 / 10, 15: p_o = 0.7, p_e = 0.5 · 0.6 + 0.5 · 0.4 = 0.5, κ = 0.4.
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert cohen_kappa(first, second, ["yes", "no"], "none") == pytest.approx(0.4)


def test_quadratic_kappa_counts_steps_of_the_scale_not_of_the_data():
    # Marginals (2, 0, 2) and (3, 0, 1) at positions 0, 1, 2 of 4 units: by chance Σ row·col·d²/n = (2·4 + 6·4)/4 = 8;
    # observed one pair two steps apart, 4.
    assert cohen_kappa([1, 1, 3, 3], [1, 1, 3, 1], [1, 2, 3]) == pytest.approx(0.5)
    wide = cohen_kappa([1, 4, 5, 5], [1, 5, 5, 4], [1, 2, 3, 4, 5])
    narrow = cohen_kappa([1, 4, 5, 5], [1, 5, 5, 4], [1, 4, 5])
    # Marginals both (1, 1, 2), observed 2. By chance, at positions 0, 3, 4: 2·(1·9 + 2·16 + 2·1)/4 = 21.5; at 0, 1, 2:
    # 2·(1·1 + 2·4 + 2·1)/4 = 5.5.
    assert wide == pytest.approx(1 - 2 / 21.5)
    assert narrow == pytest.approx(1 - 2 / 5.5)


def test_kappa_refuses_a_rating_outside_the_scale():
    with pytest.raises(InputError, match="labels"):
        cohen_kappa([1, 6], [1, 2], [1, 2, 3, 4, 5])


def test_icc_of_shrout_and_fleiss():
    # Shrout & Fleiss (1979), table 2: ICC(2,1) = .29, ICC(2,4) = .62.
    targets = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    found = icc(list(zip(*targets, strict=True)))
    assert (found.single, found.average) == (pytest.approx(0.2898, abs=1e-4), pytest.approx(0.6201, abs=1e-4))
    assert (found.n_units, found.n_raters) == (6, 4)
    with_a_gap = [[*column, None if i == 0 else 5] for i, column in enumerate(zip(*targets, strict=True))]
    assert icc(with_a_gap) == found


def test_rank_correlation_of_the_reference_cases():
    for name, exact in (("kendall_tau_b_spearman_likert", False), ("kendall_tau_hunterL", True)):
        reference = case(name)
        found = rank_correlation(reference["input"]["x"], reference["input"]["y"])
        expected, within = reference["expected"], reference["tolerance"]
        assert found.tau_b == pytest.approx(expected["tau" if exact else "tau_b"], abs=within)
        assert (found.tau_p_exact is not None) is exact
        if exact:
            assert found.tau_p_exact == pytest.approx(expected["p_exact"], abs=within)
        else:
            assert found.tau_p == pytest.approx(expected["p_normal"], abs=within)
            assert found.spearman == pytest.approx(expected["spearman"], abs=within)


def test_constant_ratings_agree_and_give_no_coefficient():
    same = [[3, 3, 3, 3], [3, 3, 3, 3]]
    assert raw_agreement(same) == 1
    assert krippendorff_alpha(same, "ordinal") is None
    assert gwet_ac(same, "ordinal", [1, 2, 3, 4, 5]) is None
    assert cohen_kappa(same[0], same[1], [1, 2, 3, 4, 5]) is None
    assert (icc(same).single, icc(same).average) == (None, None)
    assert rank_correlation(*same).tau_b is None


def test_nothing_rated_twice_gives_nothing():
    apart = [[1, None, 2], [None, 2, None]]
    assert raw_agreement(apart) is None
    assert krippendorff_alpha(apart) is None
    assert gwet_ac(apart) is None
    assert cohen_kappa(*apart, [1, 2]) is None
    assert icc(apart).single is None
    assert rank_correlation(*apart).n_units == 0
    assert krippendorff_alpha([[], []]) is None


def test_ratings_of_unequal_length_or_kind_are_refused():
    with pytest.raises(InputError, match="units"):
        raw_agreement([[1, 2], [1]])
    with pytest.raises(InputError, match="mixed"):
        raw_agreement([[1, "a"], [1, "a"]])


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
def test_a_resample_is_the_coefficient_of_the_drawn_questions(level):
    # The definition of the cluster bootstrap: drawing a question twice is having its units twice.
    rng = np.random.default_rng(4)
    base = rng.integers(1, 6, 40)
    ratings = np.clip(base + rng.integers(-1, 2, (3, 40)), 1, 5).astype(float)
    ratings[rng.random(ratings.shape) < 0.1] = np.nan
    question = np.repeat(np.arange(10), 4)
    weights = bootstrap_weights(10, 5, seed=1)
    assert (weights.sum(axis=1) == 10).all()
    data = coded(ratings, question.tolist())
    pair = coded(ratings[:2], question.tolist(), categories=range(1, 6))
    for i, drawn in enumerate(weights):
        units = np.concatenate([np.tile(np.flatnonzero(question == q), int(n)) for q, n in enumerate(drawn)])
        again = ratings[:, units]
        assert alphas(data, weights, level)[i] == pytest.approx(krippendorff_alpha(again, level))
        assert gwet_acs(data, weights, level)[i] == pytest.approx(gwet_ac(again, level, range(1, 6)))
        assert iccs(data, weights)[0][i] == pytest.approx(icc(again).single)
        assert taus(pair, weights)[i] == pytest.approx(rank_correlation(again[0], again[1]).tau_b)
        assert kappas(pair, weights, power=2)[i] == pytest.approx(cohen_kappa(*again[:2], range(1, 6)))


rating = st.one_of(st.none(), st.integers(1, 5))


@settings(deadline=None)
@given(st.lists(st.lists(rating, min_size=6, max_size=6), min_size=2, max_size=4))
def test_coefficients_are_null_or_at_most_one_and_order_does_not_count(ratings):
    for level in ("nominal", "ordinal", "interval", "ratio"):
        for coefficient in (krippendorff_alpha, gwet_ac):
            value = coefficient(ratings, level)
            turned = coefficient([row[::-1] for row in reversed(ratings)], level)
            assert (value is None) == (turned is None)
            if value is not None:
                assert math.isfinite(value)
                assert value <= 1 + 1e-12
                assert turned == pytest.approx(value, abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.integers(1, 5), min_size=3, max_size=12).filter(lambda row: len(set(row)) > 1))
def test_a_rater_agrees_perfectly_with_itself(row):
    assert krippendorff_alpha([row, row], "ordinal") == pytest.approx(1)
    assert gwet_ac([row, row], "ordinal") == pytest.approx(1)
    assert cohen_kappa(row, row, range(1, 6)) == pytest.approx(1)
    assert icc([row, row]).single == pytest.approx(1)
    assert rank_correlation(row, row).tau_b == pytest.approx(1)


def test_linear_weights_by_hand():
    # Mean distance (0 + 1 + 1 + 0)/4 = 1/2; by chance, with shares 1/4, 1/4, 1/2 of either, 2(1/16 + 2/8 + 1/8) = 7/8.
    assert cohen_kappa([1, 2, 3, 3], [1, 3, 2, 3], [1, 2, 3], weights="linear") == pytest.approx(1 - (1 / 2) / (7 / 8))
