"""A rubric for verdicts that came from elsewhere, its scales taken from their values."""

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
    Text: nominal. A single number other than 0 and 1 makes a scale that reaches to 0; beside a single category stands
    "other". "not_applicable" lets judges abstain; null, NaN and blanks say nothing. The same values in another order
    make the same rubric.

    Raises:
        InputError: a key is no criterion id (`as_id` makes one), or its values are none, or numbers and text mixed, or
            more than fifty different texts.
    """
    description = "Taken from imported verdicts: the scales are those of the values seen, the levels are not described."
    criteria = [_criterion(criterion_id, seen) for criterion_id, seen in values.items()]
    content = {"name": as_id(name) or "imported", "version": "1", "description": description, "criteria": criteria}
    return parse(Rubric, content, name)


def _criterion(criterion_id: str, values: Sequence[object]) -> dict[str, Any]:
    numbers, texts, abstained = _sorted_out(values)
    if numbers and texts:
        raise InputError(
            f"criterion {criterion_id!r}: its scores are numbers ({min(numbers):g}) and text ({min(texts)!r}) mixed; "
            "give a rubric that says which of them count."
        )
    if not numbers and not texts:
        raise InputError(f"criterion {criterion_id!r}: it has no scores; leave it out, or give a rubric.")
    if len(texts) > MOST_CATEGORIES:
        raise InputError(
            f"criterion {criterion_id!r}: {len(texts)} different texts are no categories; is this the score's column?"
        )
    return {
        "id": criterion_id,
        "question": f"Imported: what the verdicts call {criterion_id}.",
        "not_applicable": abstained,
        **(_nominal(texts) if texts else _numbered(numbers)),
    }


def _sorted_out(values: Sequence[object]) -> tuple[set[float], set[str], bool]:
    """Return the different numbers, the different texts, and whether anyone abstained."""
    numbers: set[float] = set()
    texts: set[str] = set()
    for value in values:
        number = as_number(value, truth_values=True)
        if number is not None:
            numbers.add(number)
        elif isinstance(value, str) and value.strip():
            texts.add(value.strip())
    abstained = NOT_APPLICABLE in texts
    return numbers, texts - {NOT_APPLICABLE}, abstained


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
