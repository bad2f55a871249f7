"""One row of the significance table, from the cells of one criterion and judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis import effects
from analysis.cells import Booleans, Cells, Floats, Integers
from analysis.missing import Missingness, missingness
from analysis.pairs import Pairs, by_question, every_difference, pair
from analysis.permutation import PERMUTATIONS, is_rare, permuted_p
from analysis.placebo import country_effects, crawford_howell, placebo
from analysis.plan import Planned, columns
from analysis.rates import newcombe
from analysis.signflip import SignFlip, sign_flip
from rubrics import Scale

SUGGESTED_SHARE = 0.05
"""The suggested margin as a share of the scale where it has no unit of its own: 5 of 100, 5 percentage points."""
SUGGESTED_POINTS = 0.25
"""The suggested margin on an ordinal scale."""
DISTANCE = f"label permutation ({PERMUTATIONS:,}) of the total variation distance"
"""The value of the `test` column for a nominal criterion as a whole."""


@dataclass(frozen=True)
class Settings:
    """What holds for the whole table.

    Attributes:
        alpha: level of the tests; intervals are at 1 - alpha, those of the equivalence test at 1 - 2·alpha.
        margin: equivalence margin per criterion, in its units; the suggested one where a criterion is not named.
        mid_p: report mid-p instead of p for rates.
        seed: of whatever is random.
    """

    alpha: float
    margin: Mapping[str, float]
    mid_p: bool
    seed: int


def margin_of(cells: Cells, settings: Settings) -> float | None:
    """Return the equivalence margin of a criterion; null for a numeric scale without ends and without a margin."""
    if cells.criterion.id in settings.margin:
        return settings.margin[cells.criterion.id]
    if cells.criterion.scale is Scale.ORDINAL:
        return SUGGESTED_POINTS
    return None if cells.bounds is None else SUGGESTED_SHARE * (cells.bounds[1] - cells.bounds[0])


@dataclass(frozen=True)
class Computed:
    """A row of the table, and the differences behind it for what needs several rows.

    Attributes:
        row: columns of `CONTRASTS`; those that need other rows are not filled yet.
        differences: shape (questions of the design,), NaN where a question is not in the row.
    """

    row: dict[str, Any]
    differences: Floats


def compute(cells: Cells, planned: Planned, settings: Settings) -> Computed:
    """Return one row with everything that needs no other row (families and verdicts do)."""
    keep = planned.keep(cells.blocks)
    focal = cells.column(planned.focal)
    references = columns(cells.countries, planned.countries)
    row = _identity(cells, planned) | _counts(cells, keep, focal, references)
    row["margin"] = margin_of(cells, settings)
    differences = np.full(len(cells.blocks.questions), np.nan)
    if planned.is_difference:
        return Computed(row | _difference_in_differences(cells, planned, keep, settings), differences)
    pairs = pair(cells.mean, cells.blocks, keep, focal, references)
    row["n_questions"], row["n_questions_complete"] = pairs.focal.size, pairs.complete
    row |= _missing(missingness(cells, keep, focal, references, seed=settings.seed))
    if pairs.focal.size == 0:
        return Computed(row | {"flags": ["no_reference" if references.size == 0 else "no_data"]}, differences)
    differences[pairs.questions] = pairs.difference
    test = sign_flip(pairs.difference, resolution=pairs.resolution)
    row |= _tested(test, row["margin"], settings, mid_p=settings.mid_p and cells.is_rate)
    row |= _effects(pairs, cells, settings.alpha)
    if test.nonzero == 0 and row["p_tost"] is not None and cells.bounds is not None:
        row["p_tost"] = max(row["p_tost"], _hidden(row["margin"], cells.bounds, test.n))
    if planned.is_pooled:
        row |= _placebo(cells, keep, focal, references)
    row["flags"] = _flags(test, pairs, row, settings.alpha)
    if cells.is_rate:
        row |= newcombe(pairs, references.size, row["margin"], settings.alpha)
        if references.size > 1 and is_rare(pairs):
            found = permuted_p(cells.mean[None], cells.blocks, keep, focal, references, seed=settings.seed)
            row["p_permutation"] = None if found is None else found[1]
            row["flags"].append("rare")
    return Computed(row, differences)


def compute_distance(categories: Sequence[Cells], planned: Planned, settings: Settings) -> Computed:
    """Return the row of a nominal criterion as a whole: how far apart the distributions over its categories are."""
    table = replace(categories[0], category=None)
    keep = planned.keep(table.blocks)
    focal, references = table.column(planned.focal), columns(table.countries, planned.countries)
    row = _identity(table, planned) | _counts(table, keep, focal, references)
    pairs = pair(table.mean, table.blocks, keep, focal, references)
    differences = np.full(len(table.blocks.questions), np.nan)
    rates = np.stack([category.mean for category in categories])
    found = permuted_p(rates, table.blocks, keep, focal, references, seed=settings.seed)
    if found is None:
        return Computed(row | {"flags": ["no_reference" if references.size == 0 else "no_data"]}, differences)
    row |= {"n_questions": pairs.focal.size, "n_questions_complete": pairs.complete, "n_nonzero": None}
    row |= {"difference": found[0], "test": DISTANCE, "p": found[1], "p_min": 1 / (1 + PERMUTATIONS), "flags": []}
    return Computed(row, differences)


def _identity(cells: Cells, planned: Planned) -> dict[str, Any]:
    names = {True: "sensitive", False: "control", "difference": "sensitive - control", None: None}
    return {
        "criterion": cells.criterion.id,
        "category": cells.category,
        "scale": str(cells.criterion.scale),
        "direction": cells.criterion.direction,
        "topic": planned.topic,
        "sensitive": names[planned.sensitive],
        "language": planned.language,
        "stance": planned.stance,
        "judge": cells.judge,
        "focal": planned.focal,
        "reference": planned.reference,
        "family": "confirmatory" if planned.confirmatory else "exploratory",
    }


def _counts(cells: Cells, keep: Booleans, focal: int, references: Integers) -> dict[str, Any]:
    row: dict[str, Any] = {"n_questions": 0, "n_questions_complete": 0, "n_nonzero": 0}
    for arm, at in (("focal", np.array([focal])), ("reference", references)):
        chosen = np.ix_(keep, at)
        reasons = {reason: int(counts[chosen].sum()) for reason, counts in cells.missing.items()}
        row[f"rows_{arm}"] = int(cells.came[chosen].sum())
        row[f"missing_{arm}"] = sum(reasons.values())
        row[f"reasons_{arm}"] = " ".join(f"{reason}={count}" for reason, count in reasons.items() if count)
    return row


def _missing(found: Missingness) -> dict[str, Any]:
    return {
        "missing_rate_focal": found.rate_focal,
        "missing_rate_reference": found.rate_reference,
        "p_attrition": found.p_attrition,
        "bound_low": found.bound_low,
        "bound_high": found.bound_high,
        "tipping_point": found.tipping_point,
    }


def _tested(test: SignFlip, margin: float | None, settings: Settings, *, mid_p: bool) -> dict[str, Any]:
    interval, narrow = test.interval(1 - settings.alpha), test.interval(1 - 2 * settings.alpha)
    return {
        "n_nonzero": test.nonzero,
        "difference": test.mean,
        "ci_low": interval.low,
        "ci_high": interval.high,
        "test": f"{test.method}, mid-p" if mid_p else str(test.method),
        "p": test.p_mid if mid_p else test.p,
        "p_min": test.p_min / 2 if mid_p and test.nonzero else test.p_min,
        "p_tost": None if margin is None else test.p_equivalence(margin),
        "tost_low": narrow.low,
        "tost_high": narrow.high,
    }


def _hidden(margin: float, bounds: tuple[float, float], n: int) -> float:
    """Return the most likely that n questions are all tied although the mean difference is `margin` or more.

    Differences go no further than the scale is wide, so at least margin / width of the questions would differ.
    """
    return max(0.0, 1 - margin / (bounds[1] - bounds[0])) ** n


def _effects(pairs: Pairs, cells: Cells, alpha: float) -> dict[str, Any]:
    difference = pairs.difference
    spread = float(difference.std(ddof=1)) if difference.size > 1 else 0.0
    row: dict[str, Any] = {
        "mean_focal": float(pairs.focal.mean()),
        "mean_reference": float(pairs.reference.mean()),
        "sd_difference": spread if difference.size > 1 else None,
        "d_z": effects.d_z(difference),
        "g": effects.hedges_g(pairs.focal, pairs.reference),
        "superiority": effects.superiority(difference),
        "rank_biserial": effects.rank_biserial(difference),
        "cliffs_delta": effects.cliffs_delta(pairs.focal, pairs.reference),
        "mde_80": effects.mde_80(spread, difference.size, alpha),
    }
    if cells.is_rate:
        row["risk_difference"] = float(difference.mean())
    return row


def _placebo(cells: Cells, keep: Booleans, focal: int, references: Integers) -> dict[str, Any]:
    members = np.append(focal, references)
    found = placebo(every_difference(cells.mean, cells.blocks, keep, members), 0)
    if found is None:
        return {}
    fitted = country_effects(by_question(cells.mean, cells.blocks, keep, members))
    return {
        "placebo_rank": found.rank,
        "placebo_n": found.n,
        "p_placebo": found.p,
        "p_placebo_min": found.p_min,
        "crawford_howell_p": crawford_howell(float(fitted[0]), fitted[1:]),
    }


def _flags(test: SignFlip, pairs: Pairs, row: Mapping[str, Any], alpha: float) -> list[str]:
    difference = pairs.difference
    raised = {
        "all_tied": test.nonzero == 0,
        "constant": test.nonzero == test.n > 1 and float(np.ptp(difference)) <= pairs.resolution,
        "few_nonzero": 0 < test.nonzero <= 5,
        "unbounded": row["ci_low"] is None or row["ci_high"] is None,
        "incomplete": pairs.complete < test.n,
        "attrition": row["p_attrition"] is not None and row["p_attrition"] <= alpha,
    }
    return [name for name, is_raised in raised.items() if is_raised]


def _difference_in_differences(cells: Cells, planned: Planned, keep: Booleans, settings: Settings) -> dict[str, Any]:
    """Test sensitive minus control by the same flips.

    A question's weight is n/n_sensitive or -n/n_control, so that the mean of the weighted differences is the
    difference of the two means.
    """
    focal, references = cells.column(planned.focal), columns(cells.countries, planned.countries)
    parts = [
        pair(cells.mean, cells.blocks, keep & cells.blocks.where(sensitive=kind), focal, references)
        for kind in (True, False)
    ]
    sensitive, control = (part.difference for part in parts)
    n = sensitive.size + control.size
    row: dict[str, Any] = {"n_questions": n, "n_questions_complete": parts[0].complete + parts[1].complete}
    if sensitive.size == 0 or control.size == 0:
        return row | {"n_questions": 0, "n_questions_complete": 0, "flags": ["no_data"]}
    weighted = np.concatenate([sensitive * (n / sensitive.size), control * (-n / control.size)])
    test = sign_flip(weighted, resolution=parts[0].resolution)
    row |= _tested(test, margin_of(cells, settings), settings, mid_p=False)
    row |= {
        "mean_focal": float(parts[0].focal.mean() - parts[1].focal.mean()),
        "mean_reference": float(parts[0].reference.mean() - parts[1].reference.mean()),
        "sd_difference": float(weighted.std(ddof=1)),
        "mde_80": effects.mde_80(float(weighted.std(ddof=1)), n, settings.alpha),
    }
    unbounded = row["ci_low"] is None or row["ci_high"] is None
    flags = {"all_tied": test.nonzero == 0, "few_nonzero": 0 < test.nonzero <= 5, "unbounded": unbounded}
    return row | {"flags": [name for name, is_raised in flags.items() if is_raised]}
