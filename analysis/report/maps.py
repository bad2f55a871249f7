"""The plots of countries against something: scores per topic, refusals and what is missing."""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from analysis.report.content import Content
from analysis.report.drawing import Figure
from analysis.report.matrices import Cell, Matrix, bars, shades
from analysis.verdict import adjusted_p, number
from rubrics import Scale

MOST_MAPS, MOST_COUNTRIES, MOST_TOPICS, MOST_REASONS = 6, 60, 20, 7
ALL = "all"
"""The column of all topics together."""
REFUSAL = "refusal"
"""The id of the criterion that says whether an answer is a refusal."""


def topic_figures(content: Content) -> Iterator[Figure]:
    """Yield the mean scores per country: of every criterion, then per topic for those with the smallest p-values."""
    shown = content.topics.filter(pl.col("judge") == content.chief, pl.col("mean").is_not_null())
    parts = dict(shown.partition_by("criterion", "category", as_dict=True).items())
    if not parts:
        return
    least: dict[tuple[Any, ...], float] = {}
    for row in content.declared.iter_rows(named=True):
        key, p = (row["criterion"], row["category"]), adjusted_p(row)
        least[key] = min(least.get(key, 1.0), 1.0 if p is None else p)
    order = sorted(parts, key=lambda key: least.get(key, 1.0))
    kept = set(order[:MOST_TOPICS])
    yield _criteria(content, {key: part for key, part in parts.items() if key in kept}, len(parts))
    with_topics = [key for key in order if parts[key]["topic"].n_unique() > 1 and parts[key]["mean"].n_unique() > 1]
    for at, key in enumerate(with_topics[:MOST_MAPS], start=1):
        yield _topics(content, parts[key], at, len(with_topics) - MOST_MAPS if at == MOST_MAPS else 0)


def _criteria(content: Content, parts: dict[tuple[Any, ...], pl.DataFrame], n: int) -> Figure:
    """Return countries × criteria, over all topics; each column has shades of its own."""
    wholes = [part.filter(pl.col("topic").is_null()) for part in parts.values()]
    first = dict(wholes[0].select("country", "mean").iter_rows())
    names = pl.concat(wholes)["country"].unique().sort().to_list()
    countries, dropped = _countries(content.focal, {name: first.get(name, 0.0) for name in names})
    kept = [whole.filter(pl.col("country").is_in(countries)) for whole in wholes]
    cells = [
        cell
        for at, (key, whole) in enumerate(zip(parts, kept, strict=True))
        for cell in _shaded(whole, _range(content, key[0], whole), countries, [None], at)
    ]
    columns = tuple(_title(key) for key in parts)
    caption = (
        f"Mean scores over all topics, judged by {content.chief}. Rates are shaded from 0 to 1, points from the lowest "
        f"mean of their column to the highest, at least one point apart. {_order(content.focal, countries)}, by the "
        "first column."
    )
    caption += f" Left out: {dropped} countries in the middle." if dropped else ""
    caption += f" Left out: {n - len(parts)} columns with larger p-values." if n > len(parts) else ""
    says = " ".join(
        f"{title}: {'; '.join(f'{row[0]} {number(row[1])}' for row in whole.select('country', 'mean').iter_rows())}."
        for title, whole in zip(columns[:3], kept, strict=False)
    )
    matrix = Matrix(tuple(countries), columns, tuple(cells), _marked(content.focal, countries))
    return Figure("topics-0", "Scores per country", caption, says, pl.concat(kept), shades(matrix))


def _topics(content: Content, part: pl.DataFrame, at: int, left: int) -> Figure:
    """Return countries × topics for one criterion."""
    title = _title((part["criterion"][0], part["category"][0]))
    whole = part.filter(pl.col("topic").is_null())
    countries, dropped = _countries(content.focal, dict(whole.select("country", "mean").iter_rows()))
    named = part["topic"].drop_nulls().unique().sort().to_list()
    topics = [None, *named[: MOST_TOPICS - 1]]
    known = pl.col("topic").is_null() | pl.col("topic").is_in(topics[1:])
    data = part.filter(pl.col("country").is_in(countries), known)
    lowest, highest = _range(content, part["criterion"][0], data)
    cells = _shaded(data, (lowest, highest), countries, topics, 0)
    matrix = Matrix(
        tuple(countries), tuple(topic or ALL for topic in topics), tuple(cells), _marked(content.focal, countries)
    )
    caption = (
        f"Mean score of {title}, judged by {content.chief}; palest {number(lowest)}, darkest {number(highest)}. "
        f"{_order(content.focal, countries)}."
    )
    caption += f" Left out: {dropped} countries in the middle." if dropped else ""
    caption += f" Left out: {len(named) + 1 - len(topics)} more topics." if len(named) >= len(topics) else ""
    caption += (
        f" {left} more criteria, with larger p-values, have no map; all are in analysis/topics.parquet."
        if left > 0
        else ""
    )
    said = "; ".join(f"{country} {number(mean)}" for country, mean in whole.select("country", "mean").iter_rows())
    return Figure(f"topics-{at}", f"{title}, per topic", caption, f"Over all topics: {said}.", data, shades(matrix))


def _shaded(
    data: pl.DataFrame, between: tuple[float, float], countries: list[str], topics: list[str | None], column: int
) -> list[Cell]:
    lowest, highest = between
    return [
        Cell(
            countries.index(row["country"]),
            column + topics.index(row["topic"]),
            number(row["mean"]),
            (row["mean"] - lowest) / (highest - lowest),
        )
        for row in data.iter_rows(named=True)
    ]


def _range(content: Content, criterion: str, data: pl.DataFrame) -> tuple[float, float]:
    """Return the scores of the palest and the darkest shade, far enough apart not to exaggerate."""
    if content.scales[criterion] in (Scale.BINARY, Scale.NOMINAL):
        return 0.0, 1.0
    means = data["mean"].to_list()
    return min(means), max(*means, min(means) + 1)


def _title(key: tuple[Any, ...]) -> str:
    return str(key[0]) if key[1] is None else f"{key[0]}: {key[1]}"


def _order(focal: str, countries: Sequence[str]) -> str:
    return f"▸ is {focal}, the others follow from high to low" if focal in countries else "From high to low"


def _marked(focal: str, countries: Sequence[str]) -> int | None:
    return countries.index(focal) if focal in countries else None


def _countries(focal: str, means: dict[str, float]) -> tuple[list[str], int]:
    """Return the focal country, then the others from high to low, and how many of the middle are left out."""
    others = sorted((name for name in means if name != focal), key=lambda name: (-means[name], name))
    own = [focal] if focal in means else []
    if len(others) < MOST_COUNTRIES:
        return own + others, 0
    half = MOST_COUNTRIES // 2
    return own + others[:half] + others[-half:], len(others) - 2 * half


def missing_figure(content: Content) -> Figure | None:
    """Return the rate of refusals and the scores that did not come, per country; null if there is neither."""
    gaps = missing_scores(content.asked)
    whole = pl.col("topic").is_null() & pl.col("category").is_null() & pl.col("mean").is_not_null()
    called = (pl.col("criterion") == REFUSAL) | pl.col("criterion").str.ends_with(f".{REFUSAL}")
    rates = content.topics.filter(pl.col("judge") == content.chief, whole, called)
    refused = rates.group_by("country", maintain_order=True).agg(pl.col("mean").mean())
    if gaps.is_empty() and refused.is_empty():
        return None
    totals = gaps.group_by("reason").agg(pl.sum("rows")).sort("rows", "reason", descending=[True, False])
    reasons = totals["reason"].to_list()[:MOST_REASONS]
    gaps = gaps.filter(pl.col("reason").is_in(reasons))
    data = pl.concat(
        [
            refused.select("country", what=pl.lit("refusals"), rows=pl.lit(None, pl.Int64), share="mean"),
            gaps.select("country", what="reason", rows="rows", share="share"),
        ]
    ).filter(pl.col("share") > 0)
    if data.is_empty():
        return None
    present = content.asked["country"].unique().to_list()
    lost = dict(gaps.group_by("country").agg(pl.sum("share")).iter_rows())
    countries, dropped = _countries(content.focal, {country: lost.get(country, 0.0) for country in present})
    data = data.filter(pl.col("country").is_in(countries))
    columns = (["refusals"] if len(refused) else []) + reasons
    longest = {"refusals": 1.0}
    top = max(gaps["share"].to_list(), default=1.0)
    cells = tuple(
        Cell(
            countries.index(row["country"]),
            columns.index(row["what"]),
            number(row["share"]) if row["rows"] is None else f"{row['rows']} ({row['share']:.1%})",
            row["share"] / longest.get(row["what"], top),
        )
        for row in data.iter_rows(named=True)
    )
    caption = (
        "Scores that did not come, by reason: how many, and their share of all that the design calls for, all judges "
        "and criteria together; bars of one length are equal shares. "
    )
    if len(refused):
        caption += f"Refusals are answers: their mean rate, judged by {content.chief}, on an axis from 0 to 1. "
    caption += f"▸ is {content.focal}, the others follow from most missing to least."
    caption += f" Left out: {dropped} countries in the middle." if dropped else ""
    matrix = Matrix(tuple(countries), tuple(columns), cells, _marked(content.focal, countries))
    return Figure("missing", "Refusals and missing scores", caption, _said(countries, data), data, bars(matrix))


def missing_scores(missing: pl.DataFrame) -> pl.DataFrame:
    """Return country, reason, rows and share of the scores that did not come, all criteria and judges together."""
    return (
        missing.group_by("country", "reason")
        .agg(pl.sum("rows"))
        .with_columns(share=pl.col("rows") / pl.sum("rows").over("country"))
        .filter(pl.col("reason").is_not_null())
        .sort("country", "reason")
    )


def _said(countries: Sequence[str], data: pl.DataFrame) -> str:
    told = []
    for country in countries[:12]:
        own = data.filter(pl.col("country") == country)
        parts = [f"{row['what']} {row['share']:.1%}" for row in own.iter_rows(named=True)]
        told.append(f"{country}: {', '.join(parts) or 'nothing missing'}")
    more = f"; and {len(countries) - 12} more countries" if len(countries) > 12 else ""
    return f"{'; '.join(told)}{more}."
