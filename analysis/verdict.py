"""The verdict in words: a closed rule from the numbers of a row to a finding, a standing and a sentence."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Finding(StrEnum):
    """Does the focal country differ from the comparator?"""

    DIFFERS = "differs"
    """The adjusted p-value is at most α (the difference may still be smaller than the margin)."""
    EQUIVALENT = "equivalent"
    """It does not differ, and the difference is shown to lie within the margin."""
    INCONCLUSIVE = "inconclusive"
    """Neither is shown."""


class Standing(StrEnum):
    """Is the focal country exceptional among all countries?"""

    EXCEPTIONAL = "exceptional"
    """It differs, and its distance from the rest could hardly be that of one more ordinary country."""
    NOT_EXCEPTIONAL = "not exceptional"
    """Too many other countries differ from the rest as much."""
    CANNOT_TELL = "cannot tell"
    """It lies furthest from the rest, but there are too few countries, or too little sign of any difference, to say."""


def finding(row: Mapping[str, Any], alpha: float) -> Finding:
    """Return what the row's own family says: Holm for confirmatory rows, Benjamini–Hochberg for exploratory ones.

    A panel that is `diluted` by a judge who tells nothing apart shows no equivalence.
    """
    p = adjusted_p(row)
    if p is not None and p <= alpha:
        return Finding.DIFFERS
    if row["p_tost"] is not None and row["p_tost"] <= alpha and "diluted" not in row["flags"]:
        return Finding.EQUIVALENT
    return Finding.INCONCLUSIVE


def standing(row: Mapping[str, Any], alpha: float) -> Standing | None:
    """Return the standing of a pooled row, which has its finding; null for a row against one country.

    With at least 1/α countries the placebo rank decides; with fewer it cannot reach α, and Crawford–Howell does.
    """
    if row["placebo_n"] is None:
        return None
    enough = row["p_placebo_min"] <= alpha
    p = row["p_placebo"] if enough else row["crawford_howell_p"]
    if p is not None and p <= alpha:
        return Standing.EXCEPTIONAL if row["finding"] == Finding.DIFFERS else Standing.CANNOT_TELL
    return Standing.NOT_EXCEPTIONAL if enough or row["placebo_rank"] > 1 else Standing.CANNOT_TELL


def adjusted_p(row: Mapping[str, Any]) -> float | None:
    """Return the p-value that the verdict rests on."""
    p: float | None = row["p_holm"] if row["family"] == "confirmatory" else row["q_bh"]
    return p


def tested_p(row: Mapping[str, Any]) -> float | None:
    """Return the p-value that is adjusted: the label permutation's for rare events, else the sign-flip's.

    For rare events sign-flips against a mean of many reject a true null hypothesis in up to a sixth of studies.
    """
    p: float | None = row["p"] if row["p_permutation"] is None else row["p_permutation"]
    return p


def sentence(row: Mapping[str, Any], level: float) -> str:
    """Say one row of the table in one plain sentence; `level` is that of its interval."""
    what = " ".join(str(row[name]) for name in ("criterion", "category", "topic", "language", "stance") if row[name])
    what = f"{what} ({row['sensitive']} questions)" if row["sensitive"] else what
    against = "the other countries" if row["reference"] == "others" else row["reference"]
    if row["n_questions"] == 0:
        return f"{what}, {row['judge']}: no question has a score for both {row['focal']} and {against}."
    verdict = {
        Finding.DIFFERS: f"{row['focal']} differs from {against}",
        Finding.EQUIVALENT: f"{row['focal']} and {against} are equivalent within {number(row['margin'])}",
        Finding.INCONCLUSIVE: f"whether {row['focal']} differs from {against} is not settled",
    }[Finding(row["finding"])]
    among = {
        Standing.EXCEPTIONAL: f"; it is exceptional among the {row['placebo_n']} countries",
        Standing.NOT_EXCEPTIONAL: f"; it is not exceptional among the {row['placebo_n']} countries",
        Standing.CANNOT_TELL: f"; whether it is exceptional cannot be told from {row['placebo_n']} countries",
        None: "",
    }[None if row["standing"] is None else Standing(row["standing"])]
    size = f"difference {number(row['difference'], sign=True)}, {level:.0%} interval {interval(row)}"
    if is_distance(row):
        size = f"total variation distance {number(row['difference'])}"
    count = "1 question" if row["n_questions"] == 1 else f"{row['n_questions']} questions"
    p = f"adjusted p {p_value(adjusted_p(row))}"
    return f"{what}, {row['judge']}: {verdict} ({size}, {p}, {count}){among}."


def is_distance(row: Mapping[str, Any]) -> bool:
    """Whether the row is that of a nominal criterion as a whole, whose difference is a distance without a sign."""
    return row["test"] is not None and row["test"].startswith("label permutation")


def p_value(p: float | None) -> str:
    """Return a p-value as text: three decimals, or an order of magnitude where these would be zeros."""
    if p is None:
        return "–"
    return f"{p:.3f}" if p >= 0.0005 else f"{p:.0e}"


def number(value: float | None, *, sign: bool = False) -> str:
    """Return a number as people read it: two decimals, more where it is small; a dash for what is not there."""
    if value is None:
        return "–"
    digits = 2 if abs(value) >= 0.1 or value == 0 else 3
    return f"{value:{'+' if sign and value else ''}z.{digits}f}"


def interval(row: Mapping[str, Any]) -> str:
    """Return the interval to read; an unbounded end is told as such."""
    low, high = interval_ends(row)
    if low is None and high is None:
        return "unbounded"
    return f"{'unbounded' if low is None else number(low)} to {'unbounded' if high is None else number(high)}"


def interval_ends(row: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Return the ends of the interval to read; null: unbounded.

    It is Newcombe's where events are rare, and for rates that are tied in all questions: these have more to say than a
    point.
    """
    is_risk = row["risk_low"] is not None and (row["p_permutation"] is not None or row["n_nonzero"] == 0)
    low, high = (row[f"{'risk' if is_risk else 'ci'}_{end}"] for end in ("low", "high"))
    return low, high
