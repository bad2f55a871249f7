"""One answer with all that is known of it, and two answers to the same question side by side."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evenhand.web.answers import value
from evenhand.web.html import Markup, bdi, el, href, joined
from evenhand.web.layout import facts, name, options, prose, scrolling
from runs.frames import Status

Answer = Mapping[str, Any]
"""As `evenhand.reading.whole` returns it."""


def answer(at: str, shown: Answer, epochs: Sequence[int]) -> Markup:
    """Return the page of one answer; `epochs` are all there are to its item."""
    here = {"item": shown["item_id"]}
    others = [
        el(
            "li",
            el(
                "a",
                f"answer {one}",
                href=href(f"{at}/answer", here | {"epoch": one}),
                aria_current="page" if one == shown["epoch"] else None,
            ),
        )
        for one in epochs
    ]
    beside = {
        "question": shown["question_id"],
        "a": shown["country"],
        "language": shown["language"],
        "epoch": shown["epoch"],
    }
    links = el(
        "ul",
        others if len(others) > 1 else None,
        el("li", el("a", "beside another country", href=href(f"{at}/compare", beside))),
        el(
            "li",
            el("a", "all answers to this question", href=href(f"{at}/answers", {"question": shown["question_id"]})),
        ),
        class_="chips",
    )
    return joined(
        el("h1", bdi(shown["question_id"]), " · ", bdi(shown["country"]), f" · answer {shown['epoch']}"),
        links,
        el(
            "div",
            _prompt(shown),
            el("h2", "Answer"),
            _text(shown),
            el("h2", "Verdicts"),
            _verdicts(shown),
            el("h2", "Facts"),
            _facts(shown),
            data_live=True,
            id="answer",
        ),
    )


def compare(
    at: str,
    pair: tuple[Answer, Answer],
    chosen: Mapping[str, str],
    countries: Sequence[str],
    around: Mapping[str, str | None],
) -> Markup:
    """Return the page of two answers.

    Args:
        at: the run's address.
        pair: the two.
        chosen: `question`, `a`, `b`, `language` and `epoch` as the address says them.
        countries: those that the question was asked about.
        around: text → address of the questions before and after; null: there is none.
    """
    steps = (el("li", el("a", text, href=address)) for text, address in around.items() if address)
    columns = (
        el(
            "section",
            el("h2", bdi(one["country"]), f" · answer {one['epoch']}"),
            _text(one),
            class_="side",
            aria_label=one["country"],
        )
        for one in pair
    )
    return joined(
        el("h1", "Side by side: ", bdi(chosen["question"])),
        el("ul", steps, class_="chips"),
        _choice(at, chosen, countries),
        el(
            "div", el("div", columns, class_="sides"), el("h2", "Verdicts"), _beside(pair), data_live=True, id="compare"
        ),
    )


def _choice(at: str, chosen: Mapping[str, str], countries: Sequence[str]) -> Markup:
    names = {country: country for country in countries}
    selects = (
        el(
            "div",
            el("label", said, for_=f"c-{key}"),
            el("select", options(names, chosen[key]), name=key, id=f"c-{key}"),
            class_="field",
        )
        for key, said in (("a", "On the left"), ("b", "On the right"))
    )
    kept = (el("input", type="hidden", name=key, value=chosen[key]) for key in ("question", "language"))
    epoch = el(
        "div",
        el("label", "Answer", for_="c-epoch"),
        el("input", type="number", min="1", name="epoch", id="c-epoch", value=chosen["epoch"]),
        class_="field",
    )
    button = el("div", el("button", "Show", type="submit"), class_="buttons")
    return el(
        "form",
        el("div", selects, epoch, class_="fields"),
        kept,
        button,
        data_filters=f"{at}/compare",
        aria_label="What is compared",
    )


def _prompt(shown: Answer) -> Markup:
    return joined(el("h2", "Question"), prose(shown["prompt"], "(the prompt is not known)"))


def _text(shown: Answer) -> Markup:
    status = el(
        "p",
        el("span", shown["status"], class_=f"status {shown['status']}"),
        " ",
        bdi(shown["message"]) if shown.get("message") else None,
    )
    thinking = shown["reasoning"]
    folded = (
        el("details", el("summary", f"Thinking ({len(thinking):,} characters)"), prose(thinking), class_="thinking")
        if thinking
        else None
    )
    return joined(
        status if shown["status"] != Status.OK else None,
        el("p", el("b", "Asked: "), bdi(shown["prompt"]), class_="muted side-prompt") if shown["prompt"] else None,
        prose(shown["text"], "(no answer)"),
        folded,
    )


def _verdicts(shown: Answer) -> Markup:
    if not shown["verdicts"]:
        return el("p", "Nobody has scored this answer.", class_="muted")
    rows = []
    for verdict in shown["verdicts"]:
        scores = verdict["scores"] or [
            {"criterion": None, "score": None, "label": None, "kind": verdict["kind"], "reason": None}
        ]
        for number, score in enumerate(scores):
            rows.append(_row(verdict, score, raw=number == len(scores) - 1))
    head = (el("th", text, scope="col") for text in ("judge", "criterion", "score", "reason"))
    return scrolling(el("table", el("thead", el("tr", head)), el("tbody", rows), class_="verdicts"), "Verdicts")


def _row(verdict: Answer, score: Answer, *, raw: bool) -> Markup:
    told = {"kind": verdict["kind"], **{key: one for key, one in score.items() if one is not None}}
    more = [verdict["shown"] and f"on {verdict['shown']}", verdict["repeat"] > 1 and f"repeat {verdict['repeat']}"]
    aside = ", ".join(one for one in more if one)
    expected = score.get("expected")
    reply = (
        el("details", el("summary", "the reply as it came"), prose(verdict["raw"])) if raw and verdict["raw"] else None
    )
    message = el("p", bdi(verdict["message"]), class_="muted") if raw and verdict["message"] else None
    return el(
        "tr",
        el("th", bdi(verdict["judge"]), el("span", f" ({aside})", class_="muted") if aside else None, scope="row"),
        el("td", name(score["criterion"])),
        el(
            "td",
            value({"score": None, "label": None} | told),
            el("span", f" (expected {expected:.3g})", class_="muted") if expected is not None else None,
            class_="given",
        ),
        el("td", el("div", score["reason"], dir="auto", class_="reason") if score["reason"] else None, message, reply),
    )


def _beside(pair: tuple[Answer, Answer]) -> Markup:
    """Return both answers' scores, criterion by criterion, judge by judge."""
    places = list(dict.fromkeys([*_places(pair[0]), *_places(pair[1])]))
    if not places:
        return el("p", "Nobody has scored these answers.", class_="muted")
    order = list(dict.fromkeys(criterion for criterion, _, _ in places))
    places.sort(key=lambda place: order.index(place[0]))
    head = ("criterion", "judge", *(one["country"] for one in pair))
    rows = (
        el(
            "tr",
            el("th", name(criterion), scope="row"),
            el("td", bdi(judge), el("span", f" ({aside})", class_="muted") if aside else None),
            (_given(one, criterion, judge, aside) for one in pair),
        )
        for criterion, judge, aside in places
    )
    table = el(
        "table",
        el("thead", el("tr", (el("th", bdi(text), scope="col") for text in head))),
        el("tbody", rows),
        class_="verdicts beside",
    )
    return scrolling(table, "Verdicts on both")


def _places(shown: Answer) -> Iterable[tuple[str, str, str]]:
    for verdict in shown["verdicts"]:
        for score in verdict["scores"] or ():
            yield score["criterion"], verdict["judge"], verdict["shown"] or ""


def _given(shown: Answer, criterion: str, judge: str, aside: str) -> Markup:
    parts = []
    for verdict in shown["verdicts"]:
        if (verdict["judge"], verdict["shown"] or "") != (judge, aside):
            continue
        for score in verdict["scores"] or ():
            if score["criterion"] == criterion:
                told = {"kind": verdict["kind"], **{key: one for key, one in score.items() if one is not None}}
                parts.append(
                    el(
                        "div",
                        el("b", value({"score": None, "label": None} | told)),
                        " ",
                        bdi(score["reason"]) if score["reason"] else None,
                    )
                )
    return el("td", parts or "–")


def _facts(shown: Answer) -> Markup:
    counts = {"in": shown.get("prompt_tokens"), "out": shown.get("completion_tokens")}
    tokens = ", ".join(f"{count:,} {way}" for way, count in counts.items() if count is not None) or None
    seconds = None if shown.get("seconds") is None else f"{shown['seconds']:.1f} s"
    plain = {
        label: shown.get(key)
        for label, key in (
            ("item", "item_id"),
            ("topic", "topic"),
            ("stance", "stance"),
            ("language", "language"),
            ("model", "model"),
            ("status", "status"),
            ("finish reason", "finish_reason"),
            ("failure", "kind"),
        )
    }
    named = {label: bdi(str(text)) for label, text in plain.items() if text}
    key = shown.get("key")
    return facts(named | {"tokens": tokens, "took": seconds, "key": el("code", key) if key else None})
