"""The judges as one: a panel that scores beside its members, under the name of a judge."""

import re
from collections.abc import Sequence
from typing import Literal

import polars as pl

from analysis.cells import Cells, cells, steady_mean
from rubrics import Criterion, Scale
from runs.frames import CAME, SCORES, FailureKind

PANEL = "panel"
"""The panel's name where a judge's would stand."""

HUMAN = "human:"
"""How the names of human judges begin; they are no members of the panel."""

MASKED = " (masked)"
"""How the names of those end who saw answers without the country's name."""
SETTING = re.compile(r"#[0-9a-f]{6}$")
"""How the names end of one judge under several settings; it has one vote in the panel."""
_ANSWER = ("criterion", "question_id", "language", "country", "epoch")
_FACTS = ("variant_of", "topic", "sensitive", "stance")

Combine = Literal["mean", "median", "none"]


def judged(scores: pl.DataFrame | pl.LazyFrame, criteria: Sequence[Criterion], combine: Combine) -> list[Cells]:
    """Return the cells of every criterion under every judge and, unless `combine` is "none", their panel.

    Raises:
        InputError: a criterion of the scores is not among `criteria`.
    """
    return cells(with_panel(scores, criteria, combine), criteria)


def with_panel(scores: pl.DataFrame | pl.LazyFrame, criteria: Sequence[Criterion], combine: Combine) -> pl.LazyFrame:
    """Return `scores` with the panel's added, on each criterion that at least two judges scored who are no humans.

    The panel has a score where all its members have one: were it made of whoever scored, a strict judge's silence
    about one country would look like a difference between countries. Elsewhere it is missing for the first of their
    reasons in the alphabet. A judge's repeats of one answer, and its settings, are averaged first. On ordinal and
    numeric criteria the panel gives the mean or the median; on binary ones the majority, 0.5 if tied; on nominal ones
    the majority, and a tie is an abstention.
    """
    scores = scores.lazy()
    if combine == "none":
        return scores
    members = _members(scores)
    value = steady_mean("score") if combine == "mean" else pl.col("score").median()
    vote = pl.when(value > 0.5).then(1.0).when(value < 0.5).then(0.0).otherwise(value)
    binary, nominal = ([c.id for c in criteria if c.scale is scale] for scale in (Scale.BINARY, Scale.NOMINAL))
    per_judge = members.group_by(*_ANSWER, "members", "judge").agg(
        pl.col(_FACTS).max(),
        steady_mean("score").alias("score"),
        pl.col("missing").min(),
        CAME.any().alias("came"),
    )
    voted = (
        per_judge.group_by(*_ANSWER, "members")
        .agg(
            pl.col(_FACTS).max(),
            pl.when(pl.col("criterion").first().is_in(binary)).then(vote).otherwise(value).alias("score"),
            pl.col("missing").filter(~pl.col("came")).min(),
            (pl.col("came").sum() == pl.col("members").first()).alias("all_came"),
        )
        .join(_majorities(members, nominal), on=_ANSWER, how="left", nulls_equal=True)
        .with_columns(pl.when("all_came").then(pl.col("score", "label")))
        .with_columns(
            pl.when(CAME)
            .then(None)
            .when("all_came")
            .then(pl.lit(FailureKind.ABSTAINED.value))  # tied
            .otherwise(pl.col("missing"))
            .alias("missing"),
            pl.lit(PANEL).alias("judge"),
            pl.lit(1, pl.Int64).alias("repeat"),
        )
        .select(SCORES.names())
        .collect()  # once, however often the result is read
    )
    return pl.concat([scores.select(SCORES.names()), voted.lazy()])


def _members(scores: pl.LazyFrame) -> pl.LazyFrame:
    """Return the rows of the panel's members, under each judge's own name, with the number of `members`.

    Who never scored a criterion is no member there.
    """
    judges = scores.filter(~pl.col("judge").str.starts_with(HUMAN)).with_columns(
        pl.col("judge").str.replace(SETTING.pattern, "")
    )
    return (
        judges.filter(CAME.any().over("criterion", "judge"))
        .with_columns(pl.col("judge").n_unique().over("criterion").cast(pl.Int64).alias("members"))
        .filter(pl.col("members") > 1)
    )


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
