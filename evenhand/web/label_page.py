"""One answer to be labelled: the text on one side, the criteria with their levels and keys on the other."""

from collections.abc import Mapping
from string import ascii_lowercase
from typing import Any

from evenhand.sampling import Drawn
from evenhand.web.html import Markup, el, joined
from evenhand.web.layout import prose
from rubrics import NOT_APPLICABLE, Criterion, Rubric, Scale

ABSTAIN = "-"
"""The key that says "not applicable"."""
TAKEN = "ur"
"""Letters that mean something else."""

_KEYS = {
    "1 2 3 …": "choose a level",
    ABSTAIN: "not applicable, where the rubric has it",
    "↑ ↓": "criterion before, after",
    "← →": "answer before, after",
    "u": "back to the label before",
    "r": "write a reason (Esc: done)",
    "?": "show or hide the examples",
}


def sheet(answer: Drawn, rubric: Rubric, given: Mapping[str, Mapping[str, Any]], title: str) -> Markup:
    """Return the page of one answer.

    Args:
        answer: as the person sees it.
        rubric: its criteria.
        given: criterion → label so far.
        title: which answer this is.
    """
    text = el(
        "div",
        joined(el("h2", "Question"), prose(answer.prompt)) if answer.prompt else None,
        el("h2", "Answer"),
        prose(answer.text),
    )
    criteria = (_criterion(criterion, given.get(criterion.id)) for criterion in rubric.criteria)
    asked = el("div", el("h2", "Labels"), criteria, class_="sheet")
    status = el("p", "", id="told", role="status")
    return joined(
        el("div", el("h1", title), status, class_="progress"), _keys(), el("div", text, asked, class_="label-page")
    )


def finished(done: int, of: int, next_: str) -> Markup:
    """Return the page behind the last answer."""
    if done == of:
        what = el(
            "p",
            f"All {of} answers are labelled. End the program with Ctrl-C; ",
            el("code", "evenhand agree"),
            " takes the labels as they are.",
        )
    else:
        what = el("p", f"{done} of {of} answers are labelled. ", el("a", "Go on", href=next_))
    return joined(
        el("h1", "Labelling"), what, el("p", el("kbd", "←"), " leads back to the last answer.", class_="muted")
    )


def keys_of(criterion: Criterion) -> dict[str, str]:
    """Return level → the key that chooses it: its first letter if all differ, else its digit, else a letter."""
    levels = [str(level) for level in criterion.levels or ()]
    letters = [level[0].lower() for level in levels]
    free = all(letter.isascii() and letter.isalpha() and letter not in TAKEN for letter in letters)
    if criterion.scale is Scale.NOMINAL and free and len(set(letters)) == len(letters):
        return dict(zip(levels, letters, strict=True))
    # A digit chooses the level of that name and no other.
    spare = (letter for letter in ascii_lowercase if letter not in TAKEN)
    keys = {
        level: level if level.isascii() and level.isdigit() and len(level) == 1 else next(spare, "") for level in levels
    }
    return {level: key for level, key in keys.items() if key}


def _criterion(criterion: Criterion, given: Mapping[str, Any] | None) -> Markup:
    """Return a criterion with its levels; the one that was chosen is checked."""
    chosen = None if given is None else _value(given)
    choices = _number(criterion, chosen) if criterion.scale is Scale.NUMERIC else _levels(criterion, chosen)
    reason = el(
        "div",
        el("label", "Reason, if you like", for_=f"reason-{criterion.id}", class_="muted"),
        el("textarea", (given or {}).get("reason") or "", id=f"reason-{criterion.id}", rows="2", maxlength="2000"),
        class_="reason-field",
    )
    done = el("span", " ✓ saved", class_="done", hidden=given is None)
    return el(
        "fieldset",
        el("legend", criterion.id, done),
        el("p", criterion.question, " ", el("span", criterion.direction, class_="muted")),
        choices,
        _level(criterion, NOT_APPLICABLE, "The question gives no occasion for this.", ABSTAIN, chosen)
        if criterion.not_applicable
        else None,
        reason,
        class_="criterion",
        data_criterion=criterion.id,
        tabindex="-1",
    )


def _levels(criterion: Criterion, chosen: str | None) -> list[Markup]:
    keys = keys_of(criterion)
    return [
        _level(criterion, str(level), criterion.anchors[str(level)], keys.get(str(level)), chosen)
        for level in criterion.levels or ()
    ]


def _level(criterion: Criterion, level: str, meaning: str, key: str | None, chosen: str | None) -> Markup:
    example = criterion.examples.get(level)
    name = "not applicable" if level == NOT_APPLICABLE else level
    return el(
        "label",
        el("input", type="radio", name=criterion.id, value=level, data_key=key, checked=chosen == level),
        el("kbd", key) if key else None,
        el(
            "span",
            joined(el("b", name), " ") if name != key else None,
            meaning if meaning != name else None,
            el("small", " ", el("i", example), class_="example", hidden=True) if example else None,
        ),
        class_="level",
    )


def _number(criterion: Criterion, chosen: str | None) -> Markup:
    ends = f"{criterion.lowest:g} to {criterion.highest:g}"
    told = (el("li", level, ": ", meaning) for level, meaning in criterion.anchors.items())
    field = el(
        "input",
        type="number",
        step="any",
        min=f"{criterion.lowest:g}",
        max=f"{criterion.highest:g}",
        name=criterion.id,
        id=f"number-{criterion.id}",
        value=chosen if chosen != NOT_APPLICABLE else None,
    )
    return el(
        "div", el("ul", told), el("label", f"A number from {ends}, then Enter ", for_=f"number-{criterion.id}"), field
    )


def _keys() -> Markup:
    listed = (el("li", el("kbd", key), " ", what) for key, what in _KEYS.items())
    return el("div", el("ul", listed), class_="keys")


def _value(given: Mapping[str, Any]) -> str:
    """Return a label as the page names the level."""
    if given["score"] is not None:
        return f"{given['score']:g}"
    return str(given["label"]) if given["label"] is not None else NOT_APPLICABLE
