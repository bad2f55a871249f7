"""The scores behind a table of cells, and the table by question, so that judges and countries line up.

Here, inside the package, NaN stands for a question that has none; frames and results say null.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from analysis.cells import Cells, Floats
from analysis.pairs import by_question, pair
from rubrics import Scale

VALUES = ("question_id", "country", "language", "epoch", "repeat", "value")


def values_of(scores: pl.DataFrame, table: Cells) -> pl.DataFrame:
    """Return the rows of `table` that came, with columns `VALUES`; for a category, `value` is 1 if it is the label."""
    nominal = table.criterion.scale is Scale.NOMINAL
    value = (pl.col("label") == table.category).cast(pl.Float64) if nominal else pl.col("score")
    own = scores.filter(criterion=table.criterion.id, judge=table.judge).with_columns(value=value)
    return own.select(VALUES).filter(pl.col("value").is_not_null())


def question_means(table: Cells) -> Floats:
    """Return questions × countries: cell means, averaged over the languages that have the cell."""
    whole = np.ones(table.blocks.question.size, dtype=np.bool_)
    return by_question(table.mean, table.blocks, whole, np.arange(len(table.countries)))


def question_differences(table: Cells, focal: str, references: Sequence[str] | None = None) -> Floats:
    """Return D, focal minus the mean of `references` (default: all others), one per question of the design.

    Raises:
        InputError: a country has no scores.
    """
    column = table.column(focal)
    names = [country for country in table.countries if country != focal] if references is None else references
    others = np.array([table.column(name) for name in names], dtype=np.int64)
    whole = np.ones(table.blocks.question.size, dtype=np.bool_)
    pairs = pair(table.mean, table.blocks, whole, column, others)
    differences = np.full(len(table.blocks.questions), np.nan)
    differences[pairs.questions] = pairs.difference
    return differences
