"""The familiar tests, on plain sequences. They are on offer, not the default: `analysis.familiar` says why, per test.

Each returns a `Classical`. Scores or differences that do not vary never make a NaN: the result says what happened in
its flags, and p is 1 where nothing differs and null where the test has no answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from runs.errors import InputError

Floats = NDArray[np.float64]
Numbers = Sequence[float] | NDArray[Any]
Alternative = Literal["two-sided", "less", "greater"]

DECIMALS = 9
"""Differences are rounded to this before ranking: 5e-17 is no difference."""
EXACT_LIMIT = 300
"""Non-zero differences up to which the signed-rank distribution is enumerated."""
RESAMPLES = 9_999


@dataclass(frozen=True)
class Classical:
    """What a familiar test found."""

    test: str
    statistic: float | None
    """The test's own statistic; null where it is not defined."""
    p: float | None
    """In (0, 1]; null where the test has no answer, which `flags` explain."""
    estimate: float | None
    """What the test's docstring says it estimates."""
    ci_low: float | None = None
    """Of the estimate; null if the test comes without an interval."""
    ci_high: float | None = None
    df: float | None = None
    n: int = 0
    """Values that entered, of both arms."""
    z: float | None = None
    """Of the signed-rank test: the statistic in standard deviations from its mean; else null."""
    flags: tuple[str, ...] = ()
    """all_tied, constant, separated, too_few, few_questions."""


def signed_rank(
    differences: Numbers,
    *,
    zeros: Literal["pratt", "drop"] = "pratt",
    method: Literal["auto", "exact", "normal"] = "auto",
    correct: bool = False,
    alternative: Alternative = "two-sided",
) -> Classical:
    """Return Wilcoxon's signed-rank test; the estimate is the matched-pairs rank-biserial correlation (Kerby 2014).

    The statistic is the rank sum of the positive differences. Pratt's way ranks zeros too, then leaves them out. The
    exact distribution is that of the ranks at hand, ties included; `auto` takes it up to 300 non-zero differences.
    `correct` moves the normal approximation half a rank towards the null.
    """
    d = np.round(np.asarray(differences, dtype=np.float64), DECIMALS)
    ranked = d if zeros == "pratt" else d[d != 0]
    ranks = stats.rankdata(np.abs(ranked))[ranked != 0]
    if ranks.size == 0:
        return _flagged("wilcoxon", d.size, 1.0, 0.0, "all_tied")
    positive = float(ranks[ranked[ranked != 0] > 0].sum())
    exact = method == "exact" or (method == "auto" and ranks.size <= EXACT_LIMIT)
    tails = _exact_tails(ranks, positive) if exact else _normal_tails(ranks, positive, correct=correct)
    biserial = 2 * positive / float(ranks.sum()) - 1
    z = (positive - float(ranks.sum()) / 2) / float(np.sqrt((ranks**2).sum() / 4))
    return Classical("wilcoxon", positive, _sized(_p(tails, alternative)), biserial, n=d.size, z=z)


def paired_t(differences: Numbers, *, confidence: float = 0.95) -> Classical:
    """Return Student's t of a mean difference of zero; the estimate is the mean."""
    d = np.asarray(differences, dtype=np.float64)
    mean = float(d.mean()) if d.size else None
    if d.size < 2:
        return Classical("t", None, None, mean, n=d.size, flags=("too_few",))
    if np.ptp(d) <= 10.0**-DECIMALS:
        tied = abs(float(d.mean())) <= 10.0**-DECIMALS
        return _flagged("t", d.size, 1.0 if tied else None, mean, "all_tied" if tied else "constant")
    return _t("t", float(d.mean()), float(d.std(ddof=1)) / np.sqrt(d.size), d.size - 1, confidence, d.size)


def welch(first: Numbers, second: Numbers, *, confidence: float = 0.95) -> Classical:
    """Return Welch's t of two independent arms; the estimate is mean(first) − mean(second)."""
    x, y = (np.asarray(part, dtype=np.float64) for part in (first, second))
    n = x.size + y.size
    if min(x.size, y.size) < 2:
        return Classical("welch", None, None, None, n=n, flags=("too_few",))
    difference = float(x.mean() - y.mean())
    if np.ptp(x) == 0 and np.ptp(y) == 0:
        return _flagged("welch", n, None if difference else 1.0, difference, "constant" if difference else "all_tied")
    parts = np.var(x, ddof=1) / x.size, np.var(y, ddof=1) / y.size
    df = float(sum(parts) ** 2 / (parts[0] ** 2 / (x.size - 1) + parts[1] ** 2 / (y.size - 1)))
    return _t("welch", difference, float(np.sqrt(sum(parts))), df, confidence, n)


def mann_whitney(first: Numbers, second: Numbers, *, alternative: Alternative = "two-sided") -> Classical:
    """Return the Mann–Whitney test; the estimate is P(first > second) + ½P(equal).

    The statistic is U of `first`. Exact without ties in arms below 50, else normal with ties and continuity correction.
    """
    x, y = (np.asarray(part, dtype=np.float64) for part in (first, second))
    n = x.size + y.size
    if min(x.size, y.size) < 1:
        return Classical("mannwhitney", None, None, None, n=n, flags=("too_few",))
    both = np.concatenate([x, y])
    if np.ptp(both) == 0:
        return _flagged("mannwhitney", n, 1.0, 0.5, "all_tied")
    exact = np.unique(both).size == n and max(x.size, y.size) < 50
    found = stats.mannwhitneyu(x, y, alternative=alternative, method="exact" if exact else "asymptotic")
    u = float(found.statistic)
    return Classical("mannwhitney", u, _sized(found.pvalue), u / (x.size * y.size), n=n)


def brunner_munzel(first: Numbers, second: Numbers, *, confidence: float = 0.95) -> Classical:
    """Return the test of Brunner & Munzel (2000, *Biometrical Journal* 42:17), with t degrees of freedom.

    The estimate is P(second > first) + ½P(equal), its interval held within 0 and 1. Arms that do not overlap have no
    variance, so no p (flag `separated`).
    """
    x, y = (np.asarray(part, dtype=np.float64) for part in (first, second))
    n, m = x.size, y.size
    if min(n, m) < 2:
        return Classical("brunner-munzel", None, None, None, n=n + m, flags=("too_few",))
    joint = stats.rankdata(np.concatenate([x, y]))
    over_x = (joint[:n] - stats.rankdata(x)) / m  # share of `second` below each value of `first`
    over_y = (joint[n:] - stats.rankdata(y)) / n
    estimate = float(over_y.mean())
    parts = np.var(over_x, ddof=1) / n, np.var(over_y, ddof=1) / m
    error = float(np.sqrt(sum(parts)))
    if error <= 10.0**-DECIMALS:
        tied = abs(estimate - 0.5) <= 10.0**-DECIMALS
        return _flagged("brunner-munzel", n + m, 1.0 if tied else None, estimate, "all_tied" if tied else "separated")
    df = float(sum(parts) ** 2 / (parts[0] ** 2 / (n - 1) + parts[1] ** 2 / (m - 1)))
    statistic = (estimate - 0.5) / error
    half = float(stats.t.ppf((1 + confidence) / 2, df)) * error
    low, high = max(estimate - half, 0.0), min(estimate + half, 1.0)
    p = _sized(2 * stats.t.sf(abs(statistic), df))
    return Classical("brunner-munzel", statistic, p, estimate, low, high, df, n + m)


def fisher(
    table: Sequence[Sequence[int]], *, alternative: Alternative = "two-sided", confidence: float = 0.95
) -> Classical:
    """Return Fisher's exact test of a 2 × 2 table, its columns the arms and its rows "yes" and "no".

    Statistic and estimate are the conditional odds ratio (maximum likelihood); what is infinite is null.
    """
    counts = _counts(table)
    if (counts.sum(axis=0) == 0).any() or (counts.sum(axis=1) == 0).any():
        return _flagged("fisher", int(counts.sum()), 1.0, None, "all_tied")
    p = float(stats.fisher_exact(counts, alternative=alternative).pvalue)
    ratio = stats.contingency.odds_ratio(counts, kind="conditional")
    low, high = ratio.confidence_interval(confidence, alternative=alternative)
    odds = _finite(ratio.statistic)
    return Classical("fisher", odds, _sized(p), odds, _finite(low), _finite(high), n=int(counts.sum()))


def boschloo(table: Sequence[Sequence[int]], *, alternative: Alternative = "two-sided") -> Classical:
    """Return Boschloo's exact test of a 2 × 2 table, its columns the arms and its rows "yes" and "no".

    More powerful than Fisher's; the statistic is Fisher's p. The estimate is the difference of the shares of "yes".
    """
    counts = _counts(table)
    if (counts.sum(axis=0) == 0).any() or (counts.sum(axis=1) == 0).any():
        return _flagged("boschloo", int(counts.sum()), 1.0, None, "all_tied")
    found = stats.boschloo_exact(counts, alternative=alternative)
    shares = counts[0] / counts.sum(axis=0)
    return Classical(
        "boschloo", float(found.statistic), _sized(found.pvalue), float(shares[0] - shares[1]), n=int(counts.sum())
    )


def mcnemar(
    table: Sequence[Sequence[int]], *, method: Literal["exact", "mid-p", "normal", "corrected"] = "exact"
) -> Classical:
    """Return McNemar's test of paired answers: rows are the first arm's yes and no, columns the second's.

    The statistic is chi-squared (`corrected`: Edwards's) and, for `exact` and `mid-p`, the number of pairs in which
    the first arm alone says yes. The estimate is the risk difference, first minus second.
    """
    counts = _counts(table)
    first, second, n = int(counts[0, 1]), int(counts[1, 0]), int(counts.sum())
    if first + second == 0:
        return _flagged("mcnemar", n, 1.0, 0.0, "all_tied")
    difference = (first - second) / n
    if method in ("normal", "corrected"):
        apart = max(abs(first - second) - (method == "corrected"), 0)
        chi = apart**2 / (first + second)
        return Classical("mcnemar", chi, _sized(stats.chi2.sf(chi, 1)), difference, df=1, n=n)
    p = float(stats.binomtest(first, first + second).pvalue)
    if method == "mid-p":
        p -= float(stats.binom.pmf(first, first + second, 0.5))
    return Classical("mcnemar", float(first), _sized(p), difference, n=n)


def bca(
    values: Numbers,
    *,
    statistic: Callable[..., Any] = np.mean,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Classical:
    """Return the bias-corrected and accelerated bootstrap interval (Efron & Tibshirani 1993, ch. 14).

    `statistic` takes an array and `axis=1`; it is the estimate. p is one minus the highest confidence at which the
    interval leaves out zero, at least 2/(resamples + 1). The `statistic` of the result is the acceleration.
    """
    x = np.asarray(values, dtype=np.float64)
    flags = ("few_questions",) if x.size < 40 else ()
    if x.size < 2:
        return Classical("bca", None, None, float(x[0]) if x.size else None, n=x.size, flags=("too_few",))
    theta = float(statistic(x[None, :], axis=1)[0])
    if np.ptp(x) <= 10.0**-DECIMALS:
        tied = abs(theta) <= 10.0**-DECIMALS
        return _flagged("bca", x.size, 1.0 if tied else None, theta, "all_tied" if tied else "constant")
    rng = np.random.default_rng(seed)
    drawn = np.concatenate(
        [
            statistic(x[rng.integers(0, x.size, (rows, x.size))], axis=1)
            for rows in np.diff(np.append(np.arange(0, resamples, 2_000), resamples))
        ]
    )
    left_out = np.stack([np.delete(x, i) for i in range(x.size)])
    jackknife = statistic(left_out, axis=1)
    pull = jackknife.mean() - jackknife
    acceleration = float((pull**3).sum() / (6 * (pull**2).sum() ** 1.5)) if np.ptp(jackknife) > 0 else 0.0
    bias = float(stats.norm.ppf(_share_below(drawn, theta)))
    tails = stats.norm.ppf([(1 - confidence) / 2, (1 + confidence) / 2])
    low, high = np.quantile(drawn, stats.norm.cdf(bias + (bias + tails) / (1 - acceleration * (bias + tails))))
    at_zero = float(stats.norm.ppf(_share_below(drawn, 0.0))) - bias
    one_sided = float(stats.norm.cdf(at_zero / (1 + acceleration * at_zero) - bias))
    p = min(max(2 * min(one_sided, 1 - one_sided), 2 / (resamples + 1)), 1.0)
    return Classical("bca", acceleration, p, theta, float(low), float(high), n=x.size, flags=flags)


def _t(test: str, estimate: float, error: float, df: float, confidence: float, n: int) -> Classical:
    """Return the t test of `estimate` against zero, with its interval."""
    half = float(stats.t.ppf((1 + confidence) / 2, df)) * error
    p = _sized(2 * stats.t.sf(abs(estimate) / error, df))
    return Classical(test, estimate / error, p, estimate, estimate - half, estimate + half, df, n)


def _share_below(drawn: Floats, value: float) -> float:
    """Return the share of resamples below `value`, ties counting half, kept off 0 and 1 by half a resample."""
    off = 10.0**-DECIMALS * max(1.0, abs(value))
    below = float((drawn < value - off).mean() + (np.abs(drawn - value) <= off).mean() / 2)
    return min(max(below, 0.5 / drawn.size), 1 - 0.5 / drawn.size)


def _exact_tails(ranks: Floats, positive: float) -> tuple[float, float]:
    """Return P(V ≤ v) and P(V ≥ v) over all signs of the ranks at hand."""
    doubled = np.rint(2 * ranks).astype(np.int64)  # mid-ranks are halves
    mass = np.zeros(int(doubled.sum()) + 1)
    mass[0] = 1.0
    for rank in doubled:
        mass /= 2
        mass[rank:] += mass[:-rank].copy()
    at = round(2 * positive)
    return float(mass[: at + 1].sum()), float(mass[at:].sum())


def _normal_tails(ranks: Floats, positive: float, *, correct: bool) -> tuple[float, float]:
    """Return both tails by the normal approximation; the variance of given ranks, Σr²/4, allows for ties and zeros."""
    error = float(np.sqrt((ranks**2).sum() / 4))
    shift = 0.5 if correct else 0.0
    off = positive - float(ranks.sum()) / 2
    return float(stats.norm.cdf((off + shift) / error)), float(stats.norm.sf((off - shift) / error))


def _p(tails: tuple[float, float], alternative: Alternative) -> float:
    less, greater = tails
    return {"less": less, "greater": greater, "two-sided": min(1.0, 2 * min(less, greater))}[alternative]


def _flagged(test: str, n: int, p: float | None, estimate: float | None, flag: str) -> Classical:
    """Return the result for data that do not vary; where all is tied the interval is the estimate itself."""
    end = estimate if flag == "all_tied" and test in ("t", "welch", "bca") else None
    return Classical(test, None, p, estimate, end, end, n=n, flags=(flag,))


def _counts(table: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    counts = np.asarray(table)
    if counts.shape != (2, 2) or (counts < 0).any() or (counts != np.rint(counts)).any():
        raise InputError(f"table: got {np.asarray(table).tolist()}; expected 2 × 2 whole numbers, none below 0.")
    return counts.astype(np.int64)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _sized(p: Any) -> float:
    """Return `p`, which floats may have taken to 0, as the smallest number there is at least."""
    return max(float(p), float(np.finfo(np.float64).tiny))
