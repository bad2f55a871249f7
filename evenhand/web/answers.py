"""The answers of a run as a list: filters above, fifty below, each with its scores."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.panel import PANEL
from evenhand.filters import NO, PLACES, YES, Filters
from evenhand.indexing import Index
from evenhand.reading import STATUSES, Selection
from evenhand.web.html import Child, Markup, bdi, el, href, joined
from evenhand.web.layout import name, options
from rubrics import Scale
from runs.frames import FailureKind

PAGE = 50
"""Answers on a page."""
OFFERED = 300
"""Question ids that the field offers while one types."""

_WHERE = dict(zip(PLACES, ("the answer", "the thinking", "the judges' reasons"), strict=True))
_LABELS = {
    "country": "country",
    "topic": "topic",
    "question": "question",
    "language": "language",
    "stance": "stance",
    "sensitive": "sensitive question",
    "status": "status",
    "criterion": "criterion",
    "judge": "judge",
    "low": "score from",
    "high": "score to",
    "label": "category",
    "score": "scored",
    "paired": "questions with a score about another country and about",
    "search": "holding",
}


@dataclass(frozen=True)
class Listed:
    """One page of a list."""

    at: str
    """The run's address."""
    filters: Filters
    selection: Selection
    rows: Sequence[Mapping[str, Any]]
    """As `evenhand.reading.rows` returns them."""
    number: int
    """Of the page, from 1."""

    @property
    def pages(self) -> int:
        """How many there are, at least 1."""
        return max(1, -(-len(self.selection.nr) // PAGE))

    def address(self, filters: Filters, number: int = 1) -> str:
        """Return the address of a page of this or another list."""
        return href(f"{self.at}/answers", filters.query() | {"page": number if number > 1 else None})


def answers(listed: Listed, index: Index) -> Markup:
    """Return the content of the page."""
    live = el("div", _count(listed), _active(listed), _legend(listed, index), _cards(listed, index), _pager(listed))
    return joined(el("h1", "Answers"), _form(listed, index), el("div", live, id="list", data_live=True))


def _count(listed: Listed) -> Markup:
    total, first = len(listed.selection.nr), (listed.number - 1) * PAGE + 1
    told = f"{_number(total, 'answer')} to {_number(listed.selection.questions, 'question')}"
    if listed.filters.about_scores:
        # What the filters are about may have come or not: a missing score is counted as one here.
        told += f", {_number(listed.selection.scores, 'score')}"
        told += " (missing)" if listed.filters.score not in (None, YES) else ""
    shown = f"{first:,} to {first + len(listed.rows) - 1:,}" if listed.rows else "none"
    return joined(el("h2", told, id="count", class_="count"), el("p", f"Shown: {shown}.", class_="muted"))


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _active(listed: Listed) -> Markup | None:
    """Return the filters that hold, each with a link that lets go of it."""
    chips = [
        el(
            "li",
            el(
                "a",
                f"{_LABELS[field]} ",
                bdi(text),
                el("span", " ×", aria_hidden="true"),
                href=listed.address(left),
                aria_label=f"Without {_LABELS[field]} {text}",
            ),
        )
        for field, text, left in _held(listed.filters)
    ]
    return (
        el("ul", chips, el("li", el("a", "all answers", href=listed.address(Filters()))), class_="chips")
        if chips
        else None
    )


def _held(filters: Filters) -> Iterable[tuple[str, str, Filters]]:
    for field in _LABELS:
        value = getattr(filters, field)
        if isinstance(value, tuple):
            for single in value:
                yield field, single, filters.with_(**{field: tuple(one for one in value if one != single)})
        elif value is not None:
            text = f"{value:g}" if isinstance(value, float) else str(value)
            yield field, text, filters.with_(**{field: None})


def _form(listed: Listed, index: Index) -> Markup:
    """Return the fields; the script turns them into an address, for no form may be sent from these pages."""
    filters, any_ = listed.filters, {"": "any"}
    criteria = {criterion.id: criterion.id for criterion in index.criteria}
    judges = {judge: judge for judge in index.judges} | ({PANEL: "panel (all judges)"} if len(index.judges) > 1 else {})
    labels = [level for c in index.criteria if c.scale is Scale.NOMINAL for level in c.levels or ()]
    questions = index.answers["question_id"].unique(maintain_order=True).to_list()
    missing = {kind: f"no: {kind}" for kind in (*STATUSES[1:], *FailureKind)}
    fields = [
        _many("country", "Country", index.values("country"), filters.country),
        _many("topic", "Topic", index.values("topic"), filters.topic),
        _field(
            "Question",
            el("input", name="question", id="f-question", value=filters.question, list="questions", autocomplete="off"),
        ),
        el("datalist", (el("option", value=one) for one in questions), id="questions")
        if len(questions) <= OFFERED
        else None,
        _select("language", "Language", any_ | {one: one for one in index.values("language")}, filters.language),
        _select("status", "How it ended", any_ | {str(one): str(one) for one in STATUSES}, filters.status),
        _select("criterion", "Criterion", any_ | criteria, filters.criterion),
        _select("judge", "Judge", any_ | judges, filters.judge),
        _range(filters),
        _select("label", "Category", any_ | {str(one): str(one) for one in labels}, filters.label) if labels else None,
        _select("score", "Scored", any_ | {YES: "yes", NO: "no"} | missing, filters.score),
        _field(
            "Text", el("input", name="search", id="f-search", type="search", value=filters.search, autocomplete="off")
        ),
        _select("where", "Text in", _WHERE, filters.where),
        *(
            el("input", type="hidden", name=one, value=getattr(filters, one))
            for one in ("paired", "sensitive", "stance")
            if getattr(filters, one)
        ),
    ]
    buttons = el(
        "div",
        el("button", "Show", type="submit"),
        el("a", "Show all", href=listed.address(Filters())),
        class_="buttons",
    )
    form = el(
        "form",
        el("div", fields, class_="fields"),
        buttons,
        role="search",
        aria_label="Which answers",
        data_filters=f"{listed.at}/answers",
    )
    return el("details", el("summary", "Filters"), form, class_="filters", open=True)


def _field(label: str, control: Markup, kind: str = "f-question") -> Markup:
    identity = control.partition('id="')[2].partition('"')[0] or kind
    return el("div", el("label", label, for_=identity), control, class_="field")


def _select(key: str, label: str, values: Mapping[str, str], chosen: str | None) -> Markup:
    return _field(label, el("select", options(values, chosen), name=key, id=f"f-{key}"))


def _range(filters: Filters) -> Markup:
    ends = [
        el("input", name=key, type="number", step="any", value=None if value is None else f"{value:g}", aria_label=said)
        for key, said, value in (("low", "Lowest score", filters.low), ("high", "Highest score", filters.high))
    ]
    return el("fieldset", el("legend", "Score from, to"), el("div", ends, class_="range"), class_="field")


def _many(key: str, label: str, values: Sequence[str], chosen: Sequence[str]) -> Markup | None:
    if not values:
        return None
    boxes = (
        el("label", el("input", type="checkbox", name=key, value=value, checked=value in chosen), " ", bdi(value))
        for value in values
    )
    told = ", ".join(chosen) if 0 < len(chosen) <= 3 else f"{len(chosen)} of {len(values)}" if chosen else "any"
    inside = el("fieldset", el("legend", label, class_="hidden"), boxes, class_="boxes")
    return el("div", el("span", label, class_="label"), el("details", el("summary", told), inside), class_="field")


def _legend(listed: Listed, index: Index) -> Markup | None:
    judges = [listed.filters.judge] if listed.filters.judge in index.judges else list(index.judges)
    if not judges:
        return None
    parts: list[Child] = [el("b", bdi(judge)) for judge in judges if judge]
    between = [one for part in parts for one in (" / ", part)][1:]
    return el("p", "Scores by ", between, ".", class_="muted")


def _cards(listed: Listed, index: Index) -> Markup:
    if not listed.rows:
        return el("p", "No answer fits all of these filters.", class_="note")
    return el(
        "ol", (_card(listed, index, row) for row in listed.rows), class_="answers", start=(listed.number - 1) * PAGE + 1
    )


def _card(listed: Listed, index: Index, row: Mapping[str, Any]) -> Markup:
    here = href(f"{listed.at}/answer", {"item": row["item_id"], "epoch": row["epoch"]})
    beside = href(
        f"{listed.at}/compare",
        {"question": row["question_id"], "a": row["country"], "language": row["language"], "epoch": row["epoch"]},
    )
    head = (
        el(
            "a",
            bdi(row["question_id"]),
            " · ",
            bdi(row["country"]),
            f" · answer {row['epoch']}",
            href=here,
            class_="to",
        ),
        el("span", name(row["topic"]), class_="muted") if row["topic"] else None,
        el("span", row["status"], class_=f"status {row['status']}") if row["status"] != "ok" else None,
        el(
            "a",
            "beside another country",
            href=beside,
            class_="beside",
            aria_label=f"{row['question_id']}, {row['country']}, answer {row['epoch']}, beside another country",
        ),
    )
    text = row["snippet"]
    begin = (
        el("p", text, "…" if (row["length"] or 0) > len(text) else None, class_="snippet", dir="auto") if text else None
    )
    return el(
        "li",
        el("div", head, class_="head"),
        begin or el("p", "(no text)", class_="muted"),
        _scores(listed, index, row["scores"]),
    )


def _scores(listed: Listed, index: Index, scores: Sequence[Mapping[str, Any]]) -> Markup | None:
    """Return the scores of one answer, a criterion a piece, judges apart by slashes and repeats by commas."""
    wanted, judge = listed.filters.criterion, listed.filters.judge
    judges = [judge] if judge in index.judges else list(index.judges)
    pieces = []
    for criterion in index.criteria:
        own = [score for score in scores if score["criterion"] == criterion.id]
        if own and wanted in (None, criterion.id):
            values = " / ".join(", ".join(value(one) for one in own if one["judge"] == who) or "–" for who in judges)
            pieces.append(el("li", criterion.id, " ", el("b", values)))
    return el("ul", pieces, class_="scores") if pieces else None


def value(score: Mapping[str, Any]) -> str:
    """Return a score, a label, or why there is none."""
    if score["score"] is not None:
        return f"{score['score']:.3g}"
    return str(score["label"] or score.get("missing") or score.get("kind") or "–")


def _pager(listed: Listed) -> Markup | None:
    if listed.pages == 1:
        return None
    number = listed.number
    steps = {"First": 1, "Previous": number - 1, "Next": number + 1, "Last": listed.pages}
    links = (
        el(
            "li",
            el(
                "a",
                text,
                href=listed.address(listed.filters, to),
                rel=text.lower() if text in ("Next", "Previous") else None,
            ),
        )
        for text, to in steps.items()
        if 1 <= to <= listed.pages and to != number
    )
    return el(
        "nav",
        el("ul", links),
        el("p", f"Page {number:,} of {listed.pages:,}"),
        aria_label="Pages of the list",
        class_="pager",
    )
