"""The significance table, in which every number leads to the answers behind it."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from analysis.footnotes import footnotes
from analysis.settings import OTHERS
from analysis.tables import RIGHT, as_text
from evenhand.filters import NO, YES, Filters
from evenhand.web.html import Child, Markup, bdi, el, href, joined
from evenhand.web.layout import scrolling

_SENSITIVE = {"sensitive": YES, "control": NO}


def table(at: str, contrasts: pl.DataFrame, countries: Sequence[str], *, everything: bool) -> Markup:
    """Return the table: its declared rows, or all.

    Args:
        at: the run's address.
        contrasts: schema `analysis.contrasts.CONTRASTS`.
        countries: all of the run.
        everything: whether to show the exploratory rows too.
    """
    shown = contrasts if everything else contrasts.filter(pl.col("family") == "confirmatory")
    if shown.is_empty():
        return el("p", "No contrast is declared.", class_="muted")
    texts = as_text(shown)
    head = (el("th", text, scope="col", class_="number" if text in RIGHT else None) for text in texts.columns)
    rows = (
        el("tr", (_cell(column, text, _links(at, row, countries)) for column, text in told.items()))
        for row, told in zip(shown.to_dicts(), texts.to_dicts(), strict=True)
    )
    whole = el("table", el("thead", el("tr", head)), el("tbody", rows), class_="contrasts")
    notes = el("ul", (el("li", note) for note in footnotes(shown)), class_="notes")
    return joined(scrolling(whole, "Significance table"), notes)


def _cell(column: str, text: str, links: Mapping[str, Sequence[tuple[str, str]]]) -> Markup:
    """Return a cell, the numbers in it as links: two if two numbers stand there."""
    if column == "criterion":
        return el("th", bdi(text), scope="row")
    kind = "number" if column in RIGHT else None
    targets = links.get(column)
    if not targets or text == "–":
        return el("td", bdi(text), class_=kind)
    parts = text.split(" / ") if len(targets) == 2 else [text]
    linked: list[Child] = []
    for part, (address, said) in zip(parts, targets, strict=False):
        linked += [" / ", el("a", part, href=address, aria_label=f"{part}, {said}")]
    return el("td", linked[1:], class_=kind)


def _links(at: str, row: Mapping[str, Any], countries: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Return column → addresses of the answers behind its numbers, each with what it leads to."""
    focal, references = row["focal"], _references(row, countries)
    sensitive = _SENSITIVE.get(row["sensitive"] or "")
    base = Filters(
        criterion=row["criterion"],
        judge=row["judge"],
        topic=() if row["topic"] is None else (row["topic"],),
        language=row["language"],
        stance=row["stance"],
        sensitive=sensitive,
    )
    label = row["category"]

    def to(said: str, chosen: Sequence[str], **more: Any) -> tuple[str, str]:
        return href(f"{at}/answers", base.with_(country=tuple(chosen), **more).query()), said

    both = to("answers about both", [focal, *references], score=YES, paired=focal)
    return {
        "n": [both],
        "missing": [
            to("missing scores of the focal country", [focal], score=NO),
            to("missing scores of the reference", references, score=NO),
        ],
        "means": [
            to("answers about the focal country", [focal], score=YES, label=label),
            to("answers about the reference", references, score=YES, label=label),
        ],
        "difference": [both],
    }


def _references(row: Mapping[str, Any], countries: Sequence[str]) -> list[str]:
    reference = row["reference"]
    if reference == OTHERS:
        return [country for country in countries if country != row["focal"]]
    return [reference] if reference in countries else reference.split("+")
