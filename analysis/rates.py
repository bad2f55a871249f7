"""What rates have besides: Newcombe's interval of their difference, and the equivalence test that it makes."""

from typing import Any

import numpy as np

from analysis.cells import Floats
from analysis.effects import RiskDifference, equivalence_p, newcombe_independent, newcombe_paired
from analysis.pairs import Pairs
from analysis.permutation import is_rare


def newcombe(pairs: Pairs, references: int, margin: float | None, alpha: float) -> dict[str, Any]:
    """Return the columns of a rate's row that rest on Newcombe's interval; none where it is of no use.

    It is the paired one where every question mean is 0 or 1, that of independent rates where events are rare. There
    sign-flips would call no events in twenty questions, on either side, equivalent to the last digit.
    """
    rare = is_rare(pairs)
    binary = _is_binary(pairs.focal) and _is_binary(pairs.reference)
    if not rare and not binary:
        return {}

    def risk(level: float) -> RiskDifference:
        if binary and not (rare and references > 1):
            return newcombe_paired(_two_by_two(pairs), level)
        counts = float(pairs.focal.sum()), float(pairs.reference.sum()) * references
        return newcombe_independent(counts, (pairs.focal.size, pairs.focal.size * references), level)

    wide, narrow = risk(1 - alpha), risk(1 - 2 * alpha)
    return {
        "risk_low": wide.low,
        "risk_high": wide.high,
        "p_tost": None if margin is None else equivalence_p(risk, margin),
        "tost_low": narrow.low,
        "tost_high": narrow.high,
    }


def _is_binary(values: Floats) -> bool:
    return bool(np.isin(values, (0.0, 1.0)).all())


def _two_by_two(pairs: Pairs) -> tuple[tuple[int, int], tuple[int, int]]:
    own, other = pairs.focal == 1, pairs.reference == 1
    return (
        (int((own & other).sum()), int((own & ~other).sum())),
        (int((~own & other).sum()), int((~own & ~other).sum())),
    )
