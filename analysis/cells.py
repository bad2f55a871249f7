"""From score rows to cells: one mean per question, language and country, for each criterion and judge.

Epochs and repeats are averaged here and nowhere else; from here on a question counts once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from rubrics import Criterion, Scale
from runs.errors import InputError, nearest
from runs.frames import CAME

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

_BLOCK = ("question_id", "language")
_CELL = ("criterion", "judge", *_BLOCK, "country")


@dataclass(frozen=True)
class Blocks:
    """The rows of every table of cells: a wording of a question in a language, sorted by question.

    Attributes:
        question: shape (blocks,), index of the question, not decreasing.
        questions: the question ids, sorted.
        facts: topic, sensitive, stance and language of each block; null where not said.
    """

    question: Integers
    questions: tuple[str, ...]
    facts: pl.DataFrame

    def where(self, **wanted: object) -> Booleans:
        """Return which blocks have the `wanted` facts, e.g. `where(topic="press", sensitive=True)`."""
        keep = np.ones(self.question.size, dtype=np.bool_)
        for name, value in wanted.items():
            keep &= self.facts.select(pl.col(name).eq(pl.lit(value)).fill_null(False)).to_series().to_numpy()
        return keep

    def values(self, name: str) -> tuple[str, ...]:
        """Return the values of a fact that occur, sorted, null left out."""
        return tuple(self.facts[name].drop_nulls().unique().sort().to_list())


@dataclass(frozen=True)
class Cells:
    """The cells of one criterion (or one category of it) under one judge.

    Attributes:
        criterion: what was scored.
        category: the category whose rate the means are; null unless the criterion is nominal.
        judge: who scored.
        blocks: what the rows stand for.
        countries: what the columns stand for, sorted.
        mean: shape (blocks, countries), mean score; NaN (here only, never in a frame) where no score came.
        came: shape (blocks, countries), scores behind each mean.
        missing: per reason, shape (blocks, countries), scores that did not come.
    """

    criterion: Criterion
    category: str | None
    judge: str
    blocks: Blocks
    countries: tuple[str, ...]
    mean: Floats
    came: Integers
    missing: Mapping[str, Integers]

    @cached_property
    def absent(self) -> Integers:
        """Shape (blocks, countries): scores that did not come, for whatever reason."""
        return sum(self.missing.values(), np.zeros_like(self.came))

    @property
    def is_rate(self) -> bool:
        """Whether a score is 0 or 1 and a mean therefore a rate."""
        return self.criterion.scale in (Scale.BINARY, Scale.NOMINAL)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The lowest and highest score there can be; null for a numeric scale without ends."""
        if self.is_rate:
            return 0.0, 1.0
        low, high = self.criterion.lowest, self.criterion.highest
        return None if low is None or high is None else (low, high)

    def column(self, country: str) -> int:
        """Return the column of `country`.

        Raises:
            InputError: there are no scores about it.
        """
        if country not in self.countries:
            raise InputError(f"country {country!r} has no scores; {nearest(country, self.countries)}")
        return self.countries.index(country)


def cells(scores: pl.DataFrame | pl.LazyFrame, criteria: Sequence[Criterion]) -> list[Cells]:
    """Return the cells of every criterion and judge in `scores`, nominal criteria as one table per category.

    Args:
        scores: a frame of schema `runs.frames.SCORES`.
        criteria: the criteria that the scores are for, in the order that tables shall have.

    Raises:
        InputError: a criterion of the scores is not among `criteria`.
    """
    known = {criterion.id: criterion for criterion in criteria}
    counted = _counted(scores.lazy())
    for name in counted["criterion"].unique().sort().to_list():
        if name not in known:
            raise InputError(f"criterion {name!r} has scores but is not in the rubric; {nearest(name, known)}")
    blocks = _blocks(scores.lazy())
    countries = tuple(counted["country"].unique().sort().to_list())
    placed = _placed(counted, blocks, countries)
    judges = counted["judge"].unique().sort().to_list()
    labels = _label_counts(scores.lazy(), criteria)
    found: list[Cells] = []
    for criterion in criteria:
        for judge in judges:
            rows = placed.get((criterion.id, judge))
            if rows is None:
                continue
            table = _table(criterion, judge, blocks, countries, rows)
            if criterion.scale is Scale.NOMINAL:
                found.extend(_categories(table, labels))
            else:
                found.append(table)
    return found


def steady_mean(column: str) -> pl.Expr:
    """Return the mean of a column, null without values, as an aggregate that gives the same bytes in any order of rows.

    Threads add rows up in an order of their own, and sums of fractions depend on it (polars leaves out a sort before a
    mean). So each value is split into a multiple of 2^-20 and a multiple of 2^-60: sums of either are exact.
    """
    coarse = (pl.col(column) * 2**20).round() / 2**20
    fine = ((pl.col(column) - coarse) * 2**60).round() / 2**60
    there = pl.col(column).count()
    return pl.when(there > 0).then((coarse.sum() + fine.sum()) / there)


def _counted(scores: pl.LazyFrame) -> pl.DataFrame:
    """Return one row per cell and reason (null: the scores that came) with their number and mean."""
    reason = pl.when(CAME).then(None).otherwise(pl.col("missing").fill_null("unknown")).alias("missing")
    return (
        scores.select(*_CELL, "score", reason)
        .group_by(*_CELL, "missing")
        .agg(steady_mean("score").alias("mean"), pl.len().cast(pl.Int64).alias("rows"))
        .collect()
    )


def _blocks(scores: pl.LazyFrame) -> Blocks:
    """Return the blocks of the design; where a question's rows disagree on a fact, the largest holds.

    Wordings of one question are no independent evidence: they are blocks of one question.
    """
    facts = (
        scores.with_columns(question=pl.coalesce("variant_of", "question_id"))
        .group_by(*_BLOCK)
        .agg(pl.col("question", "topic", "sensitive", "stance").max())
        .sort("question", *_BLOCK)
        .collect()
    )
    questions = facts["question"].unique().sort()
    index = facts["question"].rank("dense").cast(pl.Int64).to_numpy() - 1
    return Blocks(index, tuple(questions.to_list()), facts)


def _placed(counted: pl.DataFrame, blocks: Blocks, countries: Sequence[str]) -> dict[tuple[object, ...], pl.DataFrame]:
    """Return the counted rows with their place in the table, by criterion and judge."""
    rows = blocks.facts.select(*_BLOCK).with_row_index("row")
    columns = pl.DataFrame({"country": countries}, schema={"country": pl.String}).with_row_index("column")
    placed = counted.join(rows, on=_BLOCK, nulls_equal=True).join(columns, on="country")
    return placed.partition_by("criterion", "judge", as_dict=True)


def _table(criterion: Criterion, judge: str, blocks: Blocks, countries: tuple[str, ...], rows: pl.DataFrame) -> Cells:
    shape = (blocks.question.size, len(countries))
    mean, came = np.full(shape, np.nan), np.zeros(shape, dtype=np.int64)
    missing: dict[str, Integers] = {}
    for (reason,), part in sorted(rows.partition_by("missing", as_dict=True).items(), key=lambda item: str(item[0][0])):
        at = part["row"].to_numpy(), part["column"].to_numpy()
        if reason is None:
            mean[at] = part["mean"].cast(pl.Float64).fill_null(np.nan).to_numpy()
            came[at] = part["rows"].to_numpy()
        else:
            missing[str(reason)] = np.zeros(shape, dtype=np.int64)
            missing[str(reason)][at] = part["rows"].to_numpy()
    return Cells(criterion, None, judge, blocks, countries, mean, came, missing)


def _label_counts(scores: pl.LazyFrame, criteria: Sequence[Criterion]) -> pl.DataFrame:
    """Return the number of scores per cell and label of the nominal criteria."""
    nominal = [criterion.id for criterion in criteria if criterion.scale is Scale.NOMINAL]
    schema = {**dict.fromkeys((*_CELL, "label"), pl.String), "rows": pl.Int64}
    if not nominal:
        return pl.DataFrame(schema=schema)
    return (
        scores.filter(pl.col("criterion").is_in(nominal), pl.col("label").is_not_null())
        .group_by(*_CELL, "label")
        .agg(pl.len().cast(pl.Int64).alias("rows"))
        .collect()
    )


def _categories(table: Cells, labels: pl.DataFrame) -> Iterator[Cells]:
    """Yield one table of rates per category: the rubric's levels, then any other label that occurs."""
    own = labels.filter(criterion=table.criterion.id, judge=table.judge)
    levels = [str(level) for level in table.criterion.levels or ()]
    others = sorted(set(own["label"].to_list()) - set(levels))
    placed = _placed(own, table.blocks, table.countries).get((table.criterion.id, table.judge))
    for category in (*levels, *others):
        mean = np.where(table.came > 0, 0.0, np.nan)
        part = None if placed is None else placed.filter(label=category)
        if part is not None:
            at = part["row"].to_numpy(), part["column"].to_numpy()
            mean[at] = part["rows"].to_numpy() / table.came[at]
        yield replace(table, category=category, mean=mean)
