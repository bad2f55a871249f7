"""All countries side by side: how far each lies from the others, and its mean score on every topic."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from analysis.cells import Cells, Floats
from analysis.pairs import by_question, in_every_place
from analysis.panel import judged
from analysis.settings import OTHERS, Analysis
from rubrics import Criterion

COUNTRIES = pl.Schema(
    {
        "criterion": pl.String,
        "category": pl.String,  # the category whose rate this is; null unless the scale is nominal
        "judge": pl.String,
        "country": pl.String,
        "is_focal": pl.Boolean,
        "n_questions": pl.Int64,  # on which the country and at least one other have a score
        # the country minus the mean of the others, in the criterion's units (rates for binary and nominal scales);
        # null without such a question
        "difference": pl.Float64,
    }
)
"""Every country in the focal place: what the placebo rank is the rank in."""

TOPICS = pl.Schema(
    {
        "criterion": pl.String,
        "category": pl.String,
        "judge": pl.String,
        "country": pl.String,
        "topic": pl.String,  # null: all questions together
        "n_questions": pl.Int64,  # with a score
        # mean over questions, epochs and repeats averaged first; in the criterion's units; null if no score came
        "mean": pl.Float64,
    }
)


def overview(
    scores: pl.DataFrame | pl.LazyFrame,
    criteria: Sequence[Criterion],
    *,
    focal: str,
    references: str | Sequence[str] = OTHERS,
    analysis: Analysis | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return two frames of schemas `COUNTRIES` and `TOPICS`, judges and panel as in `contrasts`.

    Args:
        scores: a frame of schema `runs.frames.SCORES`.
        criteria: the rubric's criteria; rows follow their order.
        focal: country under test.
        references: "others" (all other countries), one country, or several: who takes the focal place in turn.
        analysis: how judges are joined into a panel.

    Raises:
        InputError: a name does not occur in the scores.
    """
    tables = judged(scores, criteria, (analysis or Analysis()).panel)
    places = [row for table in tables for row in _places(table, focal, references)]
    topics = [row for table in tables for row in _topics(table)]
    return pl.DataFrame(places, schema=COUNTRIES, orient="row"), pl.DataFrame(topics, schema=TOPICS, orient="row")


def _places(table: Cells, focal: str, references: str | Sequence[str]) -> Iterator[dict[str, object]]:
    named = [references] if isinstance(references, str) else list(references)
    members = list(table.countries) if references == OTHERS else [focal, *named]
    columns = np.array([table.column(country) for country in members], dtype=np.int64)
    whole = np.ones(table.blocks.question.size, dtype=np.bool_)
    differences = in_every_place(table.mean, table.blocks, whole, columns)
    for country, own in zip(members, differences.T, strict=True):
        n, mean = _mean(own)
        yield {**_named(table, country), "is_focal": country == focal, "n_questions": n, "difference": mean}


def _topics(table: Cells) -> Iterator[dict[str, object]]:
    columns = np.arange(len(table.countries))
    whole = np.ones(table.blocks.question.size, dtype=np.bool_)
    for topic in (None, *table.blocks.values("topic")):
        keep = whole if topic is None else table.blocks.where(topic=topic)
        means = by_question(table.mean, table.blocks, keep, columns)
        for country, own in zip(table.countries, means.T, strict=True):
            n, mean = _mean(own)
            yield {**_named(table, country), "topic": topic, "n_questions": n, "mean": mean}


def _named(table: Cells, country: str) -> dict[str, object]:
    return {"criterion": table.criterion.id, "category": table.category, "judge": table.judge, "country": country}


def _mean(values: Floats) -> tuple[int, float | None]:
    there = values[~np.isnan(values)]
    return there.size, float(there.mean()) if there.size else None
