"""A rubric for verdicts that came from elsewhere, its scales taken from their values."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rubrics.criterion import NOT_APPLICABLE, Scale, as_id, as_number
from rubrics.rubric import Rubric
from runs.errors import InputError
from runs.tomlfile import parse

MOST_LEVELS = 11
"""Whole numbers that span more levels than 0 to 10 make a numeric scale."""

MOST_CATEGORIES = 50
"""More different texts than this are no categories."""


def infer_rubric(name: str, values: Mapping[str, Sequence[object]]) -> Rubric:
    """Return a rubric named after `name` whose criteria, the keys of `values`, can hold the values seen for each.

    Only 0 and 1 (or truth values): binary. Whole numbers: ordinal, every level from the lowest to the highest seen.
    Other numbers, and whole numbers over more than eleven levels: numeric, bounded by the lowest and highest seen.
    Text: nominal. Where numbers and text are mixed, the more frequent kind makes the scale, and the other falls outside
    it. A single number other than 0 and 1 makes a scale that reaches to 0; beside a single category stands "other".
    "not_applicable" lets judges abstain; null, NaN and blanks say nothing, and where there is nothing else the scale is
    binary. The same values in another order make the same rubric.

    Raises:
        InputError: a key is no criterion id (`as_id` makes one), or its values are more than fifty different texts.
    """
    description = "Taken from imported verdicts: the scales are those of the values seen, the levels are not described."
    criteria = [_criterion(criterion_id, seen) for criterion_id, seen in values.items()]
    content = {"name": as_id(name) or "imported", "version": "1", "description": description, "criteria": criteria}
    return parse(Rubric, content, name)


def _criterion(criterion_id: str, values: Sequence[object]) -> dict[str, Any]:
    numbers, texts = _sorted_out(values)
    abstained = texts.pop(NOT_APPLICABLE, 0) > 0
    is_text = texts.total() > numbers.total()
    if is_text and len(texts) > MOST_CATEGORIES:
        raise InputError(
            f"criterion {criterion_id!r}: {len(texts)} different texts are no categories; is this the score's column?"
        )
    return {
        "id": criterion_id,
        "question": f"Imported: what the verdicts call {criterion_id}.",
        "not_applicable": abstained,
        **(_nominal(set(texts)) if is_text else _numbered(set(numbers))),
    }


def _sorted_out(values: Sequence[object]) -> tuple[Counter[float], Counter[str]]:
    """Return how often each number and each text occurs."""
    numbers: Counter[float] = Counter()
    texts: Counter[str] = Counter()
    for value in values:
        number = as_number(value, truth_values=True)
        if number is not None:
            numbers[number] += 1
        elif isinstance(value, str) and value.strip():
            texts[value.strip()] += 1
    return numbers, texts


def _nominal(texts: set[str]) -> dict[str, Any]:
    names = sorted(texts) if len(texts) > 1 else [*texts, "others" if "other" in texts else "other"]
    return {"scale": Scale.NOMINAL, "anchors": {name: name for name in names}}


def _numbered(numbers: set[float]) -> dict[str, Any]:
    if numbers <= {0.0, 1.0}:
        return {"scale": Scale.BINARY, "anchors": {"0": "0", "1": "1"}}
    reach = numbers if len(numbers) > 1 else numbers | {0.0}
    low, high = min(reach), max(reach)
    if all(number.is_integer() for number in numbers) and high - low < MOST_LEVELS and max(-low, high) < 1e15:
        levels = range(int(low), int(high) + 1)
        return {"scale": Scale.ORDINAL, "anchors": {str(level): str(level) for level in levels}}
    return {"scale": Scale.NUMERIC, "minimum": low, "maximum": high}
