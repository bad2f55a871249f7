"""The judges as one: a panel that scores beside its members, under the name of a judge."""

from collections.abc import Sequence
from typing import Literal

import polars as pl

from analysis.cells import Cells, cells, steady_mean
from rubrics import Criterion, Scale
from runs.frames import SCORES, FailureKind

PANEL = "panel"
"""The panel's name where a judge's would stand."""

HUMAN = "human:"
"""How the names of human judges begin; they are no members of the panel."""

MASKED = " (masked)"
"""How the names of those end who saw answers without the country's name."""
_ANSWER = ("criterion", "question_id", "language", "country", "epoch")


def judged(
    scores: pl.DataFrame | pl.LazyFrame, criteria: Sequence[Criterion], combine: Literal["mean", "median", "none"]
) -> list[Cells]:
    """Return the cells of every criterion under every judge and, unless `combine` is "none", their panel.

    Raises:
        InputError: a criterion of the scores is not among `criteria`.
    """
    scores = scores.lazy()
    return cells(scores if combine == "none" else _with_panel(scores, criteria, combine), criteria)


def _with_panel(
    scores: pl.LazyFrame, criteria: Sequence[Criterion], combine: Literal["mean", "median"]
) -> pl.LazyFrame:
    """Return `scores` with the panel's added, if there are at least two judges that are no humans; else as they are.

    A judge's repeats of one answer are averaged first. On ordinal and numeric criteria the panel gives the mean or the
    median of the judges that scored; on binary ones the majority, 0.5 if tied; on nominal ones the majority, and a tie
    is an abstention. Where no judge scored, the panel is missing for the first of their reasons in the alphabet.
    """
    members = scores.filter(~pl.col("judge").str.starts_with(HUMAN))
    if len(members.select(pl.col("judge").unique()).collect()) < 2:
        return scores
    nominal = [criterion.id for criterion in criteria if criterion.scale is Scale.NOMINAL]
    binary = [criterion.id for criterion in criteria if criterion.scale is Scale.BINARY]
    per_judge = members.group_by(*_ANSWER, "judge").agg(
        pl.col("variant_of", "topic", "sensitive", "stance").max(),
        steady_mean("score").alias("score"),
        pl.col("missing").min(),
    )
    value = steady_mean("score") if combine == "mean" else pl.col("score").median()
    vote = pl.when(value > 0.5).then(1.0).when(value < 0.5).then(0.0).otherwise(value)
    voted = (
        per_judge.group_by(*_ANSWER)
        .agg(
            pl.col("variant_of", "topic", "sensitive", "stance").max(),
            pl.when(pl.col("criterion").first().is_in(binary)).then(vote).otherwise(value).alias("score"),
            pl.col("missing").min(),
        )
        .join(_majorities(members, nominal), on=_ANSWER, how="left", nulls_equal=True)
        .with_columns(
            pl.when(pl.col("score").is_not_null() | pl.col("label").is_not_null())
            .then(None)
            .when(pl.col("tied"))
            .then(pl.lit(FailureKind.ABSTAINED.value))
            .otherwise(pl.col("missing"))
            .alias("missing"),
            pl.lit(PANEL).alias("judge"),
            pl.lit(1, pl.Int64).alias("repeat"),
        )
        .select(SCORES.names())
        .collect()  # once, however often the result is read
    )
    return pl.concat([scores.select(SCORES.names()), voted.lazy()])


def _majorities(members: pl.LazyFrame, nominal: Sequence[str]) -> pl.LazyFrame:
    """Return the label that most judges gave each answer, null and `tied` where two lead; a judge has one vote."""
    labelled = members.filter(pl.col("criterion").is_in(nominal), pl.col("label").is_not_null())
    votes = (
        labelled.with_columns((1 / pl.len().over(*_ANSWER, "judge")).alias("vote"))
        .group_by(*_ANSWER, "label")
        .agg(pl.col("vote").sum().round(9))
    )
    leads = pl.col("vote") == pl.col("vote").max()
    return votes.group_by(*_ANSWER).agg(
        pl.when(leads.sum() == 1).then(pl.col("label").filter(leads).first()).alias("label"),
        (leads.sum() > 1).alias("tied"),
    )
