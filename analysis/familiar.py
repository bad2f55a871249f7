"""The familiar tests on a study's scores, each with the sentence that must stand under it.

What a test takes decides what it is worth: tests on rows count epochs and repeats of one question as if they were
new evidence, and their false positives grow with how much questions differ between countries.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import polars as pl

from analysis.aligned import question_differences, values_of
from analysis.cells import Cells, Floats, cells
from analysis.classical import (
    Classical,
    bca,
    boschloo,
    brunner_munzel,
    fisher,
    mann_whitney,
    mcnemar,
    paired_t,
    signed_rank,
    welch,
)
from analysis.settings import OTHERS
from rubrics import Criterion
from runs.errors import InputError, nearest

FAMILIAR = pl.Schema(
    {
        "criterion": pl.String,
        "category": pl.String,  # nominal criteria only
        "judge": pl.String,
        "focal": pl.String,
        "reference": pl.String,  # a country, or "others"
        "test": pl.String,
        "takes": pl.String,  # differences (one per question) or rows
        "n": pl.Int64,  # of what it takes, both arms together
        "statistic": pl.Float64,
        "estimate": pl.Float64,  # what it estimates is said by `estimates`
        "estimates": pl.String,
        "ci_low": pl.Float64,  # of the estimate; null if the test has no interval
        "ci_high": pl.Float64,
        "p": pl.Float64,  # two-sided, never 0; null where `flags` say why
        "flags": pl.String,
        "caveat": pl.String,
    }
)

LARGEST_BOSCHLOO = 40_000
"""Product of the arms' sizes up to which Boschloo's test takes less than about half a second."""


class Takes(StrEnum):
    """What a test is computed from."""

    DIFFERENCES = "differences"
    """One number per question: focal minus comparator."""
    ROWS = "rows"
    """Every score of the focal country, and every score of the reference countries."""


@dataclass(frozen=True)
class Familiar:
    """A familiar test as it is offered."""

    takes: Takes
    run: Callable[[Floats, Floats], Classical]
    """Of (differences, nothing) or (focal rows, reference rows)."""
    estimates: str
    caveat: str
    rates_only: bool = False
    """Whether it is for scores of 0 and 1 only."""


def _table(focal: Floats, reference: Floats) -> list[list[int]]:
    yes = [int(focal.sum()), int(reference.sum())]
    return [yes, [focal.size - yes[0], reference.size - yes[1]]]


def _boschloo(focal: Floats, reference: Floats) -> Classical:
    if focal.size * reference.size > LARGEST_BOSCHLOO:
        return Classical("boschloo", None, None, None, n=focal.size + reference.size, flags=("too_many_rows",))
    return boschloo(_table(focal, reference))


def _mcnemar(differences: Floats, _: Floats) -> Classical:
    """Pairs that agree do not enter the test, so all of them may stand in one cell of its table."""
    if not np.isin(differences, (-1.0, 0.0, 1.0)).all():
        return Classical("mcnemar", None, None, None, n=differences.size, flags=("not_paired_answers",))
    first, second = int((differences > 0).sum()), int((differences < 0).sum())
    return mcnemar([[differences.size - first - second, first], [second, 0]])


_ON_ROWS = "It counts rows, not questions: with strong question × country spread and 5 epochs × 3 repeats"

TESTS: dict[str, Familiar] = {
    "wilcoxon": Familiar(
        Takes.DIFFERENCES,
        lambda d, _: signed_rank(d),
        "rank-biserial correlation",
        "Wilcoxon's signed-rank test (Pratt) is valid for country against country; one country minus the mean of "
        "others is skewed under the null: false positives .174 where 75 % of scores are at the ceiling, .104 with 20 "
        "questions, and up to .78 for rare binary events, at a nominal .05.",
    ),
    "t": Familiar(
        Takes.DIFFERENCES,
        lambda d, _: paired_t(d),
        "mean difference",
        "The paired t on question differences kept its level (.050 to .055 at a nominal .05); it assumes that their "
        "mean is normal, which few questions at a ceiling do not grant.",
    ),
    "bca": Familiar(
        Takes.DIFFERENCES,
        lambda d, _: bca(d),
        "mean difference",
        "The BCa bootstrap is too narrow below 40 questions: false positives .131 with 20 questions at the ceiling, "
        ".057 to .077 with 60, at a nominal .05.",
    ),
    "mcnemar": Familiar(
        Takes.DIFFERENCES,
        _mcnemar,
        "risk difference",
        "McNemar's exact test is for one answer per question on either side (one epoch, one reference country), where "
        "it is the sign-flip test; on rows its false positives reached .160 at a nominal .05.",
        rates_only=True,
    ),
    "mannwhitney": Familiar(
        Takes.ROWS,
        mann_whitney,
        "P(focal above reference), ties half",
        f"{_ON_ROWS} the Mann–Whitney test gave .452 false positives at a nominal .05, and it ignores the pairing.",
    ),
    "welch": Familiar(
        Takes.ROWS,
        welch,
        "difference of row means",
        f"{_ON_ROWS} Welch's t gave .452 false positives at a nominal .05, and it ignores the pairing.",
    ),
    "brunner-munzel": Familiar(
        Takes.ROWS,
        lambda focal, reference: brunner_munzel(reference, focal),
        "P(focal above reference), ties half",
        f"{_ON_ROWS} the Mann–Whitney test, which this one mends for unequal spread only, gave .452 false positives at "
        "a nominal .05.",
    ),
    "fisher": Familiar(
        Takes.ROWS,
        lambda focal, reference: fisher(_table(focal, reference)),
        "odds ratio",
        "Fisher's test counts rows, not questions: its false positives reached .148 at a nominal .05.",
        rates_only=True,
    ),
    "boschloo": Familiar(
        Takes.ROWS,
        _boschloo,
        "risk difference",
        "Boschloo's test counts rows, not questions, as Fisher's does, whose false positives reached .148 at a nominal "
        ".05; being more powerful it errs no less.",
        rates_only=True,
    ),
}
"""The names that `--test` takes."""


def familiar_tests(
    scores: pl.DataFrame,
    criteria: Sequence[Criterion],
    tests: Sequence[str],
    *,
    focal: str,
    references: Sequence[str] | None = None,
) -> pl.DataFrame:
    """Return the named tests of focal against the mean of `references` and against each (schema `FAMILIAR`).

    `scores` has the schema `runs.frames.SCORES`; `references` are by default all other countries. Tests for rates run
    on binary and nominal criteria only, the latter per category. Nothing here is adjusted for the number of tests.

    Raises:
        InputError: a test or country is not known.
    """
    for name in tests:
        if name not in TESTS:
            raise InputError(f"test {name!r} is not known; {nearest(name, TESTS)}")
    rows: list[dict[str, object]] = []
    for table in cells(scores, criteria):
        own = [country for country in table.countries if country != focal] if references is None else list(references)
        comparators = {OTHERS if references is None else "+".join(own): own} | {country: [country] for country in own}
        given = values_of(scores, table)
        for reference, countries in comparators.items():
            names = {"criterion": table.criterion.id, "category": table.category, "judge": table.judge}
            names |= {"focal": focal, "reference": reference}
            wanted = [name for name in tests if table.is_rate or not TESTS[name].rates_only]
            rows.extend(names | _tested(name, table, given, focal, countries) for name in wanted)
    return pl.DataFrame(rows, schema=FAMILIAR, orient="row")


def _tested(name: str, table: Cells, given: pl.DataFrame, focal: str, countries: Sequence[str]) -> dict[str, object]:
    test = TESTS[name]
    if test.takes is Takes.DIFFERENCES:
        differences = question_differences(table, focal, countries)
        found = test.run(differences[~np.isnan(differences)], np.empty(0))
    else:
        found = test.run(_column(given, [focal]), _column(given, countries))
    return {
        "test": name,
        "takes": test.takes.value,
        "n": found.n,
        "statistic": found.statistic,
        "estimate": found.estimate,
        "estimates": test.estimates,
        "ci_low": found.ci_low,
        "ci_high": found.ci_high,
        "p": found.p,
        "flags": " ".join(found.flags),
        "caveat": test.caveat,
    }


def _column(given: pl.DataFrame, countries: Sequence[str]) -> Floats:
    return given.filter(pl.col("country").is_in(list(countries)))["value"].to_numpy().astype(np.float64)
