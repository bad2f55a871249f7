"""A run and its scorings → SCORES: one row for every score that the design calls for, whether it came or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from analysis.panel import HUMAN, MASKED
from rubrics import Criterion, Rubric, load_rubric
from runs.errors import InputError
from runs.frames import CAME, SCORES, Status
from runs.store import Run, Scoring

PENDING = "pending"
"""Why a score is missing that nobody has tried to get yet."""
NO_THINKING = "no_thinking"
"""Why a score of the thinking is missing where the model left none."""

UNEXPECTED = pl.Schema(
    {
        "criterion": pl.String,
        "judge": pl.String,
        "reason": pl.String,  # why there is no expected score
        "given_instead": pl.Int64,  # scores for which the given level counts in its place
        "scores": pl.Int64,  # all that came, on the criterion and by the judge
    }
)
"""Scores that were to be expected ones, from token probabilities, and are not."""


@dataclass(frozen=True)
class Scored:
    """What the scorings of a run hold."""

    scores: pl.LazyFrame
    """Schema `runs.frames.SCORES`."""
    criteria: tuple[Criterion, ...]
    unexpected: pl.DataFrame
    """Schema `UNEXPECTED`; empty where no expected score was asked for, or all came."""


def scorings_of(run: Run, *, on: str = "answer", placebo: str | None = None) -> list[Scoring]:
    """Return the scorings of one part of the responses (`answer`, `reasoning`), as it is or under a placebo.

    Of one setting the one with most repeats counts, for it holds what the others do; of equal ones the newest. One that
    was broken off counts only where there is no other.
    """
    found = [
        scoring
        for scoring in run.scorings()
        if (scoring.manifest.get("on") or "answer", scoring.manifest.get("placebo")) == (on, placebo)
    ]

    def rank(one: Scoring) -> tuple[bool, int, str]:
        told = one.manifest
        return told["status"] != "running", told["repeats"], str(told.get("started"))

    counting = {scoring.setting: scoring.path for scoring in sorted(found, key=rank)}
    return [scoring for scoring in found if scoring.path == counting[scoring.setting]]


def load_scores(run: Run, scorings: Sequence[Scoring] | None = None, judges: Mapping[str, str] | None = None) -> Scored:
    """Return the scores of `scorings` (default: all of the answers as they are).

    Where rubrics of the run give one id to different criteria, each is called `rubric.criterion`, with the rubric's
    version if that tells them apart; where two settings of one judge have scored on one rubric, each is called
    `judge#digest`. `judges` names the judge of each setting otherwise.

    Raises:
        InputError: the run has no scoring.
    """
    scorings = scorings_of(run) if scorings is None else scorings
    if not scorings:
        raise InputError(
            f"{run.path}: no judge has scored the answers as they are; run `evenhand score {run.path} --judge …` first."
        )
    judges = judge_names(scorings) if judges is None else judges
    named = _criterion_names(run)
    criteria: dict[str, Criterion] = {}
    frames, without = [], []
    for scoring in scorings:
        rubric, judge = load_rubric(scoring.rubric_path), pl.lit(judges[scoring.setting])
        names = named[rubric.digest]
        criteria |= {names[c.id]: c.model_copy(update={"id": names[c.id]}) for c in rubric.criteria}
        frames.append(_scores_of(run, scoring, names).with_columns(judge=judge).select(*SCORES))
        without.append(_unexpected(scoring, names).with_columns(judge=judge).select(*UNEXPECTED))
    return Scored(pl.concat(frames), tuple(criteria.values()), pl.concat(without))


def judge_names(scorings: Sequence[Scoring]) -> dict[str, str]:
    """Return what tables call the judge of each setting: several settings of one judge on one rubric are told apart."""
    # A judge may score on several rubrics under one name without harm.
    places = [
        (scoring.judge + MASKED * bool(scoring.manifest.get("masked")), scoring.manifest["identity"]["rubric"])
        for scoring in scorings
    ]
    return {
        scoring.setting: f"{name}#{scoring.manifest['digest'][:6]}" if places.count((name, rubric)) > 1 else name
        for scoring, (name, rubric) in zip(scorings, places, strict=True)
    }


def _scores_of(run: Run, scoring: Scoring, names: dict[str, str]) -> pl.LazyFrame:
    """Return the rows of one scoring; `names` maps each criterion's id to what tables call it.

    Of people, what they labelled; of judges, everything that the design calls for.
    """
    place = ["item_id", "epoch", "repeat", "criterion"]
    # Asked for, the expected score counts; where it could not be had, the given one (and tables say so).
    value = pl.coalesce("expected", "score") if _is_weighted(scoring) else pl.col("score")
    given = (
        scoring.ledger.scan()
        .select("item_id", "epoch", "repeat", "scores", failed="kind")
        .explode("scores")
        .unnest("scores")
        .select(*place, value.alias("score"), "label", kind=pl.coalesce("kind", "failed"))
    )
    repeats = pl.int_range(1, int(scoring.manifest["repeats"]) + 1, dtype=pl.Int64)
    design = (
        _asked(run)
        .with_columns(repeat=repeats.implode())
        .explode("repeat")
        .with_columns(criterion=pl.lit(list(names), dtype=pl.List(pl.String)))
        .explode("criterion")
    )
    if scoring.manifest.get("on") == "reasoning":
        unanswered = pl.when(~pl.col("has_thinking")).then(pl.lit(NO_THINKING))
    else:
        unanswered = pl.when(pl.col("status") != Status.OK).then("status")
    scores = design.join(given, on=place, how="left", maintain_order="left").with_columns(
        missing=pl.when(~CAME).then(pl.coalesce(unanswered, "kind", pl.lit(PENDING))),
        criterion=pl.col("criterion").replace_strict(names, return_dtype=pl.String),
    )
    # People label a part, drawn by design: the rest is no gap in what they were asked.
    return scores.filter(CAME | pl.col("kind").is_not_null()) if scoring.judge.startswith(HUMAN) else scores


def _asked(run: Run) -> pl.LazyFrame:
    """Return every answer that the design calls for, with its item's facts and its status (null if none came yet).

    Of imported answers (`epochs` is null) those that came are the design.
    """
    items = run.items().lazy().drop("prompt")
    answers = run.responses().select("item_id", "epoch", "status", has_thinking=pl.col("reasoning").is_not_null())
    epochs = run.manifest["epochs"]
    if epochs is None:
        return items.join(answers, on="item_id", maintain_order="left")
    numbers = pl.int_range(1, int(epochs) + 1, dtype=pl.Int64)
    called_for = items.with_columns(epoch=numbers.implode()).explode("epoch")
    return called_for.join(answers, on=["item_id", "epoch"], how="left", maintain_order="left")


def _is_weighted(scoring: Scoring) -> bool:
    return bool((scoring.manifest.get("settings") or {}).get("logprobs"))


def _unexpected(scoring: Scoring, names: dict[str, str]) -> pl.DataFrame:
    """Return the rows of `UNEXPECTED` for one scoring, without the judge."""
    if not _is_weighted(scoring):
        return pl.DataFrame(schema=UNEXPECTED)
    given = scoring.ledger.scan().select(pl.col("scores").explode()).unnest("scores")
    return (
        given.filter(pl.col("score").is_not_null())
        .with_columns(scores=pl.len().over("criterion").cast(pl.Int64))
        .filter(pl.col("expected").is_null(), pl.col("unexpected").is_not_null())
        .group_by("criterion", reason="unexpected")
        .agg(pl.len().cast(pl.Int64).alias("given_instead"), pl.col("scores").first())
        .with_columns(pl.col("criterion").replace_strict(names, return_dtype=pl.String), judge=pl.lit(None, pl.String))
        .sort("criterion", "reason")
        .collect()
    )


def _criterion_names(run: Run) -> dict[str, dict[str, str]]:
    """Return, for each rubric that the run was scored on (by digest), what tables call its criteria: id → name."""
    rubrics = {rubric.digest: rubric for rubric in (load_rubric(one.rubric_path) for one in run.scorings())}
    criteria: dict[str, Criterion] = {}
    pairs = [criterion for rubric in rubrics.values() for criterion in rubric.criteria]
    clashing = {c.id for c in pairs if criteria.setdefault(c.id, c) != c}
    return {
        digest: {c.id: f"{_rubric_name(digest, rubrics)}.{c.id}" if c.id in clashing else c.id for c in rubric.criteria}
        for digest, rubric in rubrics.items()
    }


def _rubric_name(digest: str, rubrics: Mapping[str, Rubric]) -> str:
    """Return as much of name, version and digest as tells a rubric apart from the others."""
    own = rubrics[digest]
    namesakes = [rubric for rubric in rubrics.values() if rubric.name == own.name]
    twins = [rubric for rubric in namesakes if rubric.version == own.version]
    name = f"{own.name}@{own.version}" if len(namesakes) > 1 else own.name
    return f"{name}#{digest[:6]}" if len(twins) > 1 else name
