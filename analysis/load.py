"""A run and its scorings → SCORES: one row for every score that the design calls for, whether it came or not."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from analysis.panel import HUMAN, MASKED
from rubrics import Criterion, Rubric, load_rubric
from runs.errors import InputError
from runs.frames import SCORES, Status
from runs.store import Run, Scoring

PENDING = "pending"
"""Why a score is missing that nobody has tried to get yet."""


@dataclass(frozen=True)
class Scored:
    """What the scorings of a run hold."""

    scores: pl.LazyFrame
    """Schema `runs.frames.SCORES`."""
    criteria: tuple[Criterion, ...]


def scorings_of(run: Run, *, on: str = "answer", placebo: str | None = None) -> list[Scoring]:
    """Return the scorings of one part of the responses (`answer`, `reasoning`), as it is or under a placebo."""
    return [
        scoring
        for scoring in run.scorings()
        if (scoring.manifest.get("on") or "answer", scoring.manifest.get("placebo")) == (on, placebo)
    ]


def load_scores(run: Run, scorings: Sequence[Scoring] | None = None) -> Scored:
    """Return the scores of `scorings` (default: all of the answers as they are).

    Where two rubrics give one id to different criteria, each is called `rubric.criterion`; where two settings of one
    judge have scored on one rubric, each is called `judge#digest`.

    Raises:
        InputError: the run has no scoring.
    """
    scorings = scorings_of(run) if scorings is None else scorings
    if not scorings:
        raise InputError(f"{run.path}: nothing has been scored; run `evenhand score {run.path} --judge …` first.")
    rubrics = [load_rubric(scoring.rubric_path) for scoring in scorings]
    clashing = _clashing(rubrics)
    criteria: dict[str, Criterion] = {}
    frames = []
    for scoring, rubric, judge in zip(scorings, rubrics, _judge_names(scorings), strict=True):
        names = {c.id: f"{rubric.name}.{c.id}" if c.id in clashing else c.id for c in rubric.criteria}
        criteria |= {names[c.id]: c.model_copy(update={"id": names[c.id]}) for c in rubric.criteria}
        frames.append(_scores_of(run, scoring, names).with_columns(judge=pl.lit(judge)).select(*SCORES))
    return Scored(pl.concat(frames), tuple(criteria.values()))


def _scores_of(run: Run, scoring: Scoring, names: dict[str, str]) -> pl.LazyFrame:
    """Return the rows of one scoring; `names` maps each criterion's id to what tables call it.

    Of people, what they labelled; of judges, everything that the design calls for.
    """
    place = ["item_id", "epoch", "repeat", "criterion"]
    # Asked for, the expected score counts; where it could not be had, the given one (and `score` has said so).
    weighted = (scoring.manifest.get("settings") or {}).get("logprobs")
    value = pl.coalesce("expected", "score") if weighted else pl.col("score")
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
    came = pl.col("score").is_not_null() | pl.col("label").is_not_null()
    unanswered = pl.when(pl.col("status") != Status.OK).then("status")
    scores = design.join(given, on=place, how="left", maintain_order="left").with_columns(
        missing=pl.when(~came).then(pl.coalesce(unanswered, "kind", pl.lit(PENDING))),
        criterion=pl.col("criterion").replace_strict(names, return_dtype=pl.String),
    )
    # People label a part, drawn by design: the rest is no gap in what they were asked.
    return scores.filter(came | pl.col("kind").is_not_null()) if scoring.judge.startswith(HUMAN) else scores


def _asked(run: Run) -> pl.LazyFrame:
    """Return every answer that the design calls for, with its item's facts and its status (null if none came yet).

    Of imported answers (`epochs` is null) those that came are the design.
    """
    items = run.items().lazy().drop("prompt")
    answers = run.responses().select("item_id", "epoch", "status")
    epochs = run.manifest["epochs"]
    if epochs is None:
        return items.join(answers, on="item_id", maintain_order="left")
    numbers = pl.int_range(1, int(epochs) + 1, dtype=pl.Int64)
    called_for = items.with_columns(epoch=numbers.implode()).explode("epoch")
    return called_for.join(answers, on=["item_id", "epoch"], how="left", maintain_order="left")


def _clashing(rubrics: Sequence[Rubric]) -> set[str]:
    seen: dict[str, Criterion] = {}
    criteria = [criterion for rubric in rubrics for criterion in rubric.criteria]
    return {c.id for c in criteria if seen.setdefault(c.id, c) != c}


def _judge_names(scorings: Sequence[Scoring]) -> list[str]:
    # Several scorings share a judge's name without harm if they are on different rubrics.
    named = [scoring.judge + MASKED * bool(scoring.manifest.get("masked")) for scoring in scorings]
    places = [(name, scoring.manifest["rubric"]) for name, scoring in zip(named, scorings, strict=True)]
    return [
        f"{name}#{scoring.manifest['digest'][:6]}" if places.count((name, rubric)) > 1 else name
        for scoring, (name, rubric) in zip(scorings, places, strict=True)
    ]
