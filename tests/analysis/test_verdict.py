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
        ({"p_tost": None}, Finding.INCONCLUSIVE),
        ({"p_holm": None}, Finding.EQUIVALENT),
    ],
)
def test_a_finding_follows_from_the_row(changes, found):
    assert finding(ROW | changes, 0.05) is found
