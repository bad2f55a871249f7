"""The rule from numbers to words."""

import pytest

from analysis.verdict import Finding, finding

ROW = {"family": "confirmatory", "p_holm": 1.0, "q_bh": None, "p_tost": 0.004, "margin": 0.05, "flags": "all_tied"}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, Finding.EQUIVALENT),
        ({"p_tost": 0.2}, Finding.INCONCLUSIVE),
        ({"p_holm": 0.01}, Finding.DIFFERS),
        # Eight questions without a single refusal do not show that refusals are within five points of each other.
        ({"flags": "all_tied rare", "risk_low": -0.32, "risk_high": 0.064}, Finding.INCONCLUSIVE),
        ({"flags": "rare", "risk_low": None, "risk_high": None}, Finding.INCONCLUSIVE),
        ({"flags": "rare", "risk_low": -0.03, "risk_high": 0.02}, Finding.EQUIVALENT),
    ],
)
def test_a_finding_follows_from_the_row(changes, found):
    assert finding(ROW | changes, 0.05) is found
