"""Every worked case that is at hand, through the names that `analysis` exports."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import analysis as a

CASES = Path(__file__).parents[2].parent / "shared" / "data" / "reference_cases.json"


def signed_rank(given):
    d = np.subtract(given["x"], given["y"])
    two, one = a.signed_rank(d), a.signed_rank(d, alternative="greater")
    return {"V": two.statistic, "p_greater": one.p, "p_two_sided": two.p, "rank_biserial": a.rank_biserial(d)}


def signed_rank_with_ties(given):
    d = given["differences"]
    dropped = {"zeros": "drop", "method": "normal"}
    return {
        "V_plus": a.signed_rank(d).statistic,
        "p_normal_cc_drop_zeros": a.signed_rank(d, **dropped, correct=True).p,
        "p_normal_nocc_drop_zeros": a.signed_rank(d, **dropped).p,
        "p_exact_pratt": a.signed_rank(d).p,
        "p_normal_nocc_pratt": a.signed_rank(d, method="normal").p,
        "z_pratt": a.signed_rank(d).z,
    }


def paired_t(given):
    found = a.paired_t(given["differences"])
    ends = [found.ci_low, found.ci_high]
    return {"mean": found.estimate, "t": found.statistic, "df": found.df, "p": found.p, "ci95": ends}


def sign_flip_interval(given):
    found = a.sign_flip(given["differences"]).interval(1 - given["alpha"])
    return {"ci95": [found.low, found.high]}


def sign_flip(given):
    found = a.sign_flip(given["differences"])
    p = {"p_two_sided": found.p, "p_sign_flip": found.p}
    return p | {"mean": found.mean, "p_min": found.p_min, "min_attainable_p": found.p_min}


def skillings_mack(given):
    found = a.skillings_mack(given["blocks_by_treatments"])
    return {"T": found.statistic, "df": found.df, "p": found.p}


def alpha(given):
    levels = ("nominal", "ordinal", "interval", "ratio")
    return {level: a.krippendorff_alpha(given["coders_by_units"], level) for level in levels}


def correlation(given):
    found = a.rank_correlation(given["x"], given["y"])
    tau = {"tau": found.tau_b, "tau_b": found.tau_b}
    return tau | {"p_normal": found.tau_p, "p_exact": found.tau_p_exact, "spearman": found.spearman}


def brunner_munzel(given):
    found = a.brunner_munzel(given["x"], given["y"])
    return {"statistic": found.statistic, "p": found.p, "prob_y_gt_x": found.estimate}


def bca(given):
    variance = str(given.get("statistic", "")).startswith("variance")
    found = a.bca(
        given.get("data") or given["differences"],
        statistic=np.var if variance else np.mean,
        confidence=given["confidence"],
    )
    ends = [found.ci_low, found.ci_high]
    return {"theta": found.estimate, "acceleration": found.statistic, "ci90": ends, "ci95": ends}


def adjusted(given):
    return {"holm": a.holm(given["p"]), "bh": a.benjamini_hochberg(given["p"])}


def boschloo(given):
    found = a.boschloo(given["table"], alternative=given["alternative"])
    return {"statistic": found.statistic, "p": found.p}


def mcnemar(given):
    exact, normal, corrected = (a.mcnemar(given["table"], method=how) for how in ("exact", "normal", "corrected"))
    normal_p = {"chi2": normal.statistic, "p_asymptotic": normal.p}
    return normal_p | {"chi2_cc": corrected.statistic, "p_cc": corrected.p, "p_exact": exact.p}


def newcombe(given):
    if "table" in given:
        found = a.newcombe_paired(given["table"])
    else:
        found = a.newcombe_independent((given["x1"], given["x2"]), (given["n1"], given["n2"]))
    return {"diff": found.difference, "ci95": [found.low, found.high]}


def hedges_g(given):
    two, paired = SimpleNamespace(**given["independent"]), SimpleNamespace(**given["paired"])
    independent = a.d_independent((two.m1, two.m2), (two.s1, two.s2), (two.n1, two.n2))
    within = a.d_paired(paired.mean_diff, paired.sd_diff, paired.r)
    return {
        "d_indep": independent,
        "g_indep": a.hedges(independent, two.n1 + two.n2 - 2),
        "d_paired": within,
        "g_paired": a.hedges(within, paired.n - 1),
    }


def power(given):
    sd, n, level = given["sd"], given["n"], given["alpha"]
    return {"power": a.power_of_t(given["delta"], sd, n, level), "mde_80pct": a.smallest_detectable(sd, n, level)}


def mann_whitney(given):
    found = a.mann_whitney(given["x"], given["y"])
    return {"U": found.statistic, "p_cc": found.p}


BY_NAME = {
    "wilcoxon_signed_rank_exact_no_ties": signed_rank,
    "wilcoxon_sleep_ties_and_zero": signed_rank_with_ties,
    "paired_t_sleep": paired_t,
    "sign_flip_inversion_ci_darwin": sign_flip_interval,
    "sign_flip_exact_likert_zeros": sign_flip,
    "degenerate_all_zero_differences": sign_flip,
    "tiny_n_T5_cannot_reach_005": sign_flip,
    "skillings_mack_brady1969": skillings_mack,
    "skillings_mack_assembly_hollander_wolfe": skillings_mack,
    "krippendorff_alpha_canonical_4coders": alpha,
    "kendall_tau_b_spearman_likert": correlation,
    "kendall_tau_hunterL": correlation,
    "brunner_munzel_pain": brunner_munzel,
    "bca_spatial_variance_efron_tibshirani": bca,
    "bca_darwin_mean": bca,
    "adjust_with_nan_and_order": adjusted,
    "boschloo_scipy_doc": boschloo,
    "mcnemar_agresti_approval": mcnemar,
    "risk_difference_newcombe_paired_AHR": newcombe,
    "risk_difference_newcombe_independent": newcombe,
    "hedges_g_borenstein": hedges_g,
    "paired_t_power": power,
    "mann_whitney_ties": mann_whitney,
}


def cases():
    return json.loads(CASES.read_text("utf-8")) if CASES.exists() else []


def test_every_case_has_its_function():
    if not CASES.exists():
        pytest.skip("the reference cases are not here")
    assert [case["name"] for case in cases() if case["name"] not in BY_NAME] == []


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["name"])
def test_the_case_is_reproduced(case):
    found = BY_NAME[case["name"]](case["input"])
    for name, expected in case["expected"].items():
        within = case["tolerance"]
        within = within[name] if isinstance(within, dict) else within
        assert found[name] == pytest.approx(expected, abs=within), name


def test_every_exported_name_is_there_and_in_order():
    assert all(getattr(a, name) is not None for name in a.__all__)
    assert len(set(a.__all__)) == len(a.__all__)
    assert dir(a) == sorted(a.__all__)
