"""The plots of lines: contrasts, every country in the focal place, what moved, how far judges agree."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from analysis.moved import CHANGES, CONTRAST
from analysis.report.content import Content
from analysis.report.drawing import Figure
from analysis.report.strips import Line, strips
from analysis.tables import as_text
from analysis.verdict import Finding, adjusted_p, interval, interval_ends, is_distance, number, p_value
from rubrics import Scale

MOST_LINES = 64
"""Lines of one plot; what lies furthest from a finding is left to the table."""
TOLD = 12
"""Numbers that a text alternative reads out."""
CONTRAST_AXES = {
    Scale.BINARY: "difference in rates (−1 to 1)",
    Scale.NOMINAL: "difference in rates (−1 to 1)",
    Scale.ORDINAL: "difference in points",
    Scale.NUMERIC: "difference in the criterion's units",
}

MOVE_AXES = {
    Scale.BINARY: "move of the difference in rates (−2 to 2)",
    Scale.NOMINAL: "move of the difference in rates (−2 to 2)",
    Scale.ORDINAL: "move of the difference in points",
    Scale.NUMERIC: "move of the difference in the criterion's units",
}


def contrast_figure(content: Content) -> Figure | None:
    """Return every declared contrast with its interval; null if none has a question."""
    table = content.declared
    labels = as_text(table)["criterion"].to_list()
    several = table["reference"].n_unique() > 1
    rows = [
        {**row, "label": f"{label}, against {row['reference']}" if several else label}
        for row, label in zip(table.iter_rows(named=True), labels, strict=True)
        if row["n_questions"] and not is_distance(row)
    ]
    kept, left = _shortened(rows)
    lines = [_contrast(row) for row in kept]
    if not lines:
        return None
    columns = ("criterion", "category", "topic", "sensitive", "language", "stance", "judge", "focal", "reference")
    data = [
        {name: row[name] for name in columns}
        | {"difference": row["difference"]}
        | dict(zip(("interval_low", "interval_high"), interval_ends(row), strict=True))
        | {"margin": row["margin"], "p_adjusted": adjusted_p(row), "finding": row["finding"]}
        for row in kept
    ]
    level = f"{1 - content.alpha:.0%}"
    caption = (
        f"{content.focal} minus the comparator. ● differs, ■ equivalent, ○ inconclusive. Lines are {level} intervals "
        "of one contrast each (pointwise, the table's “interval”); findings rest on p-values adjusted for all of a "
        "judge's contrasts, so a line clear of zero may still be unsettled. The pale band is the margin of "
        f"equivalence; ◂ and ▸ are ends without bound.{left}"
    )
    frame = pl.DataFrame(data, infer_schema_length=None)
    return Figure("contrasts", "Contrasts and their intervals", caption, _told(lines), frame, strips(lines))


def _contrast(row: Mapping[str, Any]) -> Line:
    low, high = interval_ends(row)
    scale = Scale(row["scale"])
    return Line(
        axis=CONTRAST_AXES[scale],
        units=row["criterion"] if scale is Scale.NUMERIC else "",
        group=row["label"],
        label=row["judge"],
        value=row["difference"],
        told=f"{number(row['difference'], sign=True)} ({interval(row)}), {row['finding']}",
        finding=Finding(row["finding"]),
        low=low,
        high=high,
        has_interval=True,
        margin=row["margin"],
    )


def placebo_figure(content: Content) -> Figure | None:
    """Return every country in the focal place; null if no contrast is against several countries."""
    whole = [pl.col(name).is_null() for name in ("topic", "sensitive", "language", "stance")]
    pooled = content.declared.filter(pl.col("placebo_n").is_not_null(), *whole)
    key = ("criterion", "category", "judge")
    places = content.countries.filter(pl.col("difference").is_not_null())
    others = {tuple(names): part for names, part in places.partition_by(*key, as_dict=True).items()}
    labels = as_text(pooled)["criterion"].to_list()
    rows = [
        {**row, "label": label}
        for row, label in zip(pooled.iter_rows(named=True), labels, strict=True)
        if tuple(row[name] for name in key) in others
    ]
    kept, left = _shortened(rows)
    if not kept:
        return None
    lines = [_place(row, others[tuple(row[name] for name in key)]) for row in kept]
    data = pl.concat([others[tuple(row[name] for name in key)] for row in kept])
    floors = sorted({row["p_placebo_min"] for row in kept}, reverse=True)
    caption = (
        f"Every country takes the focal place in turn: ◆ is {content.focal}, each ○ another country, by its difference "
        "from the mean of all the others. Rank 1: no country lies further from the rest. With "
        f"{_either(sorted({row['placebo_n'] for row in kept}))} countries the rank cannot give a p below "
        f"{_either([p_value(floor) for floor in floors])}.{left}"
    )
    return Figure("placebo", "Every country in the focal place", caption, _told(lines), data, strips(lines))


def _place(row: Mapping[str, Any], countries: pl.DataFrame) -> Line:
    scale = Scale(row["scale"])
    own = countries.filter("is_focal")["difference"]
    return Line(
        axis=CONTRAST_AXES[scale],
        units=row["criterion"] if scale is Scale.NUMERIC else "",
        group=row["label"],
        label=row["judge"],
        value=own[0] if len(own) else row["difference"],
        told=f"rank {row['placebo_rank']} of {row['placebo_n']}, p {p_value(row['p_placebo'])}",
        dots=tuple(countries.filter(~pl.col("is_focal"))["difference"]),
    )


def moved_figure(content: Content, name: str) -> Figure | None:
    """Return how each contrast moved under a placebo, or on the thinking; null if that was not scored."""
    frame = content.moved.get(name)
    if frame is None:
        return None
    data = frame.filter(pl.col("country") == CONTRAST, pl.col("moved").is_not_null())
    rows = [
        {**row, "label": _named(row), "p": row["q_bh"], "scale": content.scales[row["criterion"]]}
        for row in data.iter_rows(named=True)
    ]
    kept, left = _shortened(rows)
    if not kept:
        return None
    lines = [_move(row, content.alpha) for row in kept]
    what = "on the thinking" if name == "reasoning" else "without the country's own name"
    caption = (
        f"How far the contrast itself moved when the judge scored {what}: after minus before, with its 95% interval. "
        f"● moved (adjusted by Benjamini–Hochberg), ○ not shown to move.{left}"
    )
    return Figure(f"moved-{name}", _MOVED[name], caption, _told(lines), data, strips(lines))


_MOVED = {
    "mask": "The contrast without the country's name",
    "swap": "The contrast under another country's name",
    "reasoning": "The contrast in the thinking",
    "reasoning_mask": "The thinking's contrast without the country's name",
    "reasoning_swap": "The thinking's contrast under another country's name",
}


def _move(row: Mapping[str, Any], alpha: float) -> Line:
    scale = Scale(row["scale"])
    moved = row["q_bh"] is not None and row["q_bh"] <= alpha
    ends = " to ".join("unbounded" if row[end] is None else number(row[end]) for end in ("ci_low", "ci_high"))
    return Line(
        axis=MOVE_AXES[scale],
        units=row["criterion"] if scale is Scale.NUMERIC else "",
        group=row["label"],
        label=row["judge"],
        value=row["moved"],
        told=f"{number(row['moved'], sign=True)} ({ends}), {'moved' if moved else 'not shown'}",
        finding=Finding.DIFFERS if moved else Finding.INCONCLUSIVE,
        low=row["ci_low"],
        high=row["ci_high"],
        has_interval=True,
    )


def agreement_figure(content: Content) -> Figure | None:
    """Return Krippendorff's α of all raters, of every pair, and of each judge with itself; null if there is none."""
    data = content.agreement.filter(pl.col("statistic") == "krippendorff_alpha", pl.col("value").is_not_null())
    rows = [{**row, "label": row["criterion"], "p": -row["value"]} for row in data.iter_rows(named=True)]
    kept, left = _shortened(rows)
    if not kept:
        return None
    lines = [
        Line(
            axis="Krippendorff's α",
            units="",
            group=row["criterion"],
            label=_raters(row),
            value=row["value"],
            told=f"{number(row['value'])} ({number(row['ci_low'])} to {number(row['ci_high'])})",
            low=row["ci_low"],
            high=row["ci_high"],
            has_interval=row["ci_low"] is not None and row["ci_high"] is not None,
        )
        for row in kept
    ]
    caption = f"1 is full agreement, 0 what chance gives; lines are 95% intervals over questions.{left}"
    return Figure("agreement", "How far the judges agree", caption, _told(lines), data, strips(lines))


def _raters(row: Mapping[str, Any]) -> str:
    if row["comparison"] == "pair":
        return f"{row['first']} · {row['second']}"
    return f"{row['first']}, repeats" if row["comparison"] == "repeats" else f"all {row['comparison']}"


def _shortened(rows: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], str]:
    """Return the rows to draw, units and labels together, and a sentence about those that are left to the table.

    Where there are too many, the labels with the smallest p stay, whole.
    """
    by_label: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_label.setdefault(row["label"], []).append(row)
    room = MOST_LINES
    kept: set[str] = set()
    for label, own in sorted(by_label.items(), key=lambda item: min(_p(row) for row in item[1])):
        if kept and len(own) > room:
            break
        kept.add(label)
        room -= len(own)
    order = {unit: at for at, unit in enumerate(dict.fromkeys(_unit(row) for row in rows))}
    places = {label: at for at, label in enumerate(by_label)}
    chosen = [row for row in rows if row["label"] in kept]
    chosen.sort(key=lambda row: (order[_unit(row)], places[row["label"]]))
    left = len(rows) - len(chosen)
    return chosen, f" Left to the table: {left} lines with larger p-values." if left else ""


def _unit(row: Mapping[str, Any]) -> str:
    if "scale" not in row:
        return ""
    return str(row["criterion"]) if row["scale"] == Scale.NUMERIC else CONTRAST_AXES[Scale(row["scale"])]


def _p(row: Mapping[str, Any]) -> float:
    p = adjusted_p(row) if "family" in row else row["p"]
    return 1.0 if p is None else float(p)


def _told(lines: Sequence[Line]) -> str:
    """Read out the first lines of a plot."""
    said = [f"{line.group}, {line.label}: {line.told}" for line in lines[:TOLD]]
    more = f"; and {len(lines) - TOLD} more, in the numbers below" if len(lines) > TOLD else ""
    return f"{len(lines)} lines. {'; '.join(said)}{more}."


def _named(row: Mapping[str, Any]) -> str:
    return str(row["criterion"]) if row["category"] is None else f"{row['criterion']}: {row['category']}"


def _either(values: Sequence[object]) -> str:
    return " or ".join(str(value) for value in values)


def line_figures(content: Content) -> Iterator[Figure]:
    """Yield the plots of lines that there are data for."""
    found = (
        contrast_figure(content),
        placebo_figure(content),
        *(moved_figure(content, name) for name in CHANGES),
        agreement_figure(content),
    )
    yield from (figure for figure in found if figure is not None)
