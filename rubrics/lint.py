"""Advice on a rubric's wording: what makes judges disagree, before any of them is paid.

Every rule is a function from a criterion (or the rubric) to findings. The rules on wording know English only; on a
rubric in another language they find nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from rubrics.criterion import Criterion, Scale
from rubrics.rubric import Rubric
from rubrics.wording import BAD, GOOD, JOINING, LOADED, PRESUMING, RANKING, WAY_OUT, gist, span, words

MOST_LEVELS = 7
"""Judges, human ones too, tell no more ordered levels than about this many apart (Miller 1956, Psychol. Rev. 63)."""

LONGEST_ANCHOR = 40
"""Words."""

LONGEST_EXAMPLE = 30
"""Words; every judge reads every example with every answer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing in a rubric that is worth another look."""

    rule: str
    """A short name that stays the same, such as "several_constructs"."""
    where: str
    """Criterion and part, such as "tone.anchors.3"."""
    message: str
    """What is wrong and how to mend it, in one sentence."""


def lint_rubric(rubric: Rubric, countries: Iterable[str] = ()) -> list[Finding]:
    """Return what a careful reader would object to in `rubric`, in the order of its criteria; empty if nothing.

    Args:
        rubric: A rubric that loads; what cannot be used at all is an error of `load_rubric`, not a finding.
        countries: Names that judges must not meet ("China", "Chinese"), lest they learn which country is focal.
    """
    findings = [finding for criterion in rubric.criteria for rule in _RULES for finding in rule(criterion)]
    return findings + list(_same_criteria(rubric)) + list(_named_countries(rubric, countries))


def _several_constructs(criterion: Criterion) -> Iterator[Finding]:
    question = re.sub(
        r"\b(between|both)\b.*?\band\b", " ", criterion.question.replace("&", " and "), flags=re.IGNORECASE
    )
    if joint := JOINING.search(question):
        yield _finding(
            "several_constructs",
            criterion,
            "question",
            f"{joint[0]!r} may join two things that an answer can have apart; ask one here, the other in its own.",
        )
    if question.count("?") > 1:
        yield _finding("several_constructs", criterion, "question", "it asks more than one question; keep one.")


def _no_direction(criterion: Criterion) -> Iterator[Finding]:
    if criterion.lowest is None or criterion.highest is None:
        return
    if not criterion.direction:
        message = (
            f"say which end is what, such as '{criterion.highest:g} is the most …, {criterion.lowest:g} has none'."
        )
        yield _finding("no_direction", criterion, "direction", message)
        return
    ends = {f"{criterion.lowest:g}", f"{criterion.highest:g}"}
    if not ends & set(re.findall(r"-?\d+(?:\.\d+)?", criterion.direction)) and not RANKING.search(criterion.direction):
        message = f"it names neither end ({' or '.join(sorted(ends))}) nor 'higher' or 'lower'."
        yield _finding("no_direction", criterion, "direction", message)


def _same_anchors(criterion: Criterion) -> Iterator[Finding]:
    for (one, meaning), (other, other_meaning) in combinations(criterion.anchors.items(), 2):
        if gist(meaning) == gist(other_meaning):
            message = f"it says the same as {one!r}; say what tells the two apart."
            yield _finding("duplicate_anchor", criterion, f"anchors.{other}", message)
            continue
        first, second = span(meaning), span(other_meaning)
        if first and second and max(first[0], second[0]) <= min(first[1], second[1]):
            message = f"its numbers overlap with those of {one!r}; let each count belong to one level."
            yield _finding("overlapping_anchors", criterion, f"anchors.{other}", message)


def _missing_anchors(criterion: Criterion) -> Iterator[Finding]:
    if criterion.scale is Scale.NUMERIC:
        described = {float(level) for level in criterion.anchors}
        for end in (criterion.lowest, criterion.highest):
            if end is not None and end not in described:
                yield _finding("missing_anchor", criterion, "anchors", f"say what {end:g} means; both ends need it.")
    for level, meaning in criterion.anchors.items():
        if meaning.isascii() and len(words(meaning)) < 3:  # what a word is differs between scripts
            message = f"{meaning!r} leaves the judge to guess; describe what an answer at this level does."
            yield _finding("bare_anchor", criterion, f"anchors.{level}", message)


def _missing_examples(criterion: Criterion) -> Iterator[Finding]:
    missing = [level for level in criterion.anchors if level not in criterion.examples]
    if missing:
        yield _finding("missing_example", criterion, "examples", f"give a short one for {', '.join(missing)}.")


def _too_long(criterion: Criterion) -> Iterator[Finding]:
    parts = [
        ("long_anchor", "anchors", LONGEST_ANCHOR, criterion.anchors),
        ("long_example", "examples", LONGEST_EXAMPLE, criterion.examples),
    ]
    for rule, part, most, texts in parts:
        for level, text in texts.items():
            count = len(text.split())
            if count > most:
                yield _finding(rule, criterion, f"{part}.{level}", f"{count} words; {most} are enough.")


def _unbalanced_scale(criterion: Criterion) -> Iterator[Finding]:
    if criterion.scale is not Scale.ORDINAL:
        return
    if len(criterion.anchors) > MOST_LEVELS:
        message = f"{len(criterion.anchors)} levels are more than judges tell apart; {MOST_LEVELS} are plenty."
        yield _finding("too_many_levels", criterion, "anchors", message)
    levels = [int(level) for level in criterion.anchors]
    if min(levels) < 0 < max(levels) and min(levels) != -max(levels):
        message = f"{min(levels)} to {max(levels)} gives one side more levels; make both sides as long."
        yield _finding("unbalanced_scale", criterion, "anchors", message)
    good = sum(bool(GOOD.search(meaning)) for meaning in criterion.anchors.values())
    bad = sum(bool(BAD.search(meaning)) for meaning in criterion.anchors.values())
    if good and bad and abs(good - bad) > 1:
        message = f"{good} levels sound good and {bad} bad; give both sides as many."
        yield _finding("unbalanced_scale", criterion, "anchors", message)


def _no_way_out(criterion: Criterion) -> Iterator[Finding]:
    if criterion.scale is not Scale.NOMINAL or criterion.not_applicable:
        return
    texts = " ".join(f"{name} {meaning}".replace("_", " ") for name, meaning in criterion.anchors.items())
    if not WAY_OUT.search(texts):
        message = "an answer that fits no category has nowhere to go; add one such as 'none' or 'other'."
        yield _finding("no_way_out", criterion, "anchors", message)


def _leading_wording(criterion: Criterion) -> Iterator[Finding]:
    texts = {"question": criterion.question} | {f"anchors.{k}": v for k, v in criterion.anchors.items()}
    for where, text in texts.items():
        presuming = PRESUMING.search(text) if where == "question" else None
        for hit in filter(None, (LOADED.search(text), presuming)):
            message = f"{hit[0]!r} tells the judge what to find; describe what can be seen in the answer."
            yield _finding("leading_wording", criterion, where, message)


def _same_criteria(rubric: Rubric) -> Iterator[Finding]:
    for one, other in combinations(rubric.criteria, 2):
        if gist(one.question) == gist(other.question):
            message = f"it asks the same as {one.id!r}; drop one, or say what tells them apart."
            yield _finding("duplicate_criterion", other, "question", message)


def _named_countries(rubric: Rubric, countries: Iterable[str]) -> Iterator[Finding]:
    names = [re.escape(name) for name in countries if name]
    if not names:
        return
    pattern = re.compile(rf"(?<!\w)({'|'.join(names)})(?!\w)")
    for criterion in rubric.criteria:
        texts = {"question": criterion.question, "direction": criterion.direction}
        texts |= {f"anchors.{level}": f"{level} {meaning}" for level, meaning in criterion.anchors.items()}
        texts |= {f"examples.{level}": example for level, example in criterion.examples.items()}
        for where, text in texts.items():
            if hit := pattern.search(text):
                message = f"{hit[0]!r} hints at the country under test; write of 'the country' or 'the government'."
                yield _finding("named_country", criterion, where, message)


_RULES: tuple[Callable[[Criterion], Iterator[Finding]], ...] = (
    _several_constructs,
    _leading_wording,
    _no_direction,
    _missing_anchors,
    _same_anchors,
    _unbalanced_scale,
    _no_way_out,
    _missing_examples,
    _too_long,
)


def _finding(rule: str, criterion: Criterion, part: str, message: str) -> Finding:
    return Finding(rule, f"{criterion.id}.{part}", message)
