"""One rated question on one scale, and what a value on that scale means."""

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from runs.tomlfile import Table

NOT_APPLICABLE = "not_applicable"
"""What a judge answers, in place of a score, where the criterion does not apply and the rubric lets it say so."""


class Scale(StrEnum):
    """What kind of value a criterion takes."""

    BINARY = "binary"
    """0 or 1."""
    ORDINAL = "ordinal"
    """Consecutive whole numbers, each described by an anchor."""
    NUMERIC = "numeric"
    """Any number from `minimum` to `maximum`."""
    NOMINAL = "nominal"
    """One of several named categories without an order."""


@dataclass(frozen=True, slots=True)
class Score:
    """What a judge gave one response on one criterion: a score, a label, or an abstention, never two of them."""

    criterion: str
    score: float | None
    """On the criterion's scale; null for nominal scales and abstentions."""
    label: str | None
    """The category; null unless the scale is nominal."""
    reason: str | None
    """Why, in the judge's words; null if it was not asked."""
    abstained: bool = False
    """The judge said that the criterion does not apply."""


_ID = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")


def as_id(text: str) -> str:
    """Return `text` as an id: "Political bias" becomes "political_bias"; empty if nothing of it can stand in an id.

    An id stays as it is.
    """
    if _is_id(text):
        return text
    words = re.findall(r"[a-z0-9]+", text.lower())
    return "_".join(words)[:64].rstrip("_")


def _is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None and len(text) <= 64


def _checked_id(text: str) -> str:
    if not _is_id(text):
        fix = f"write {as_id(text)!r}" if as_id(text) else "give it an English name"
        raise ValueError(f"expected lower-case words joined by '_' or '-', 64 characters at most; {fix}")
    return text


Id = Annotated[str, AfterValidator(_checked_id)]
"""A name that can stand as a JSON key, a column value and a part of a file name."""

Text = Annotated[str, Field(min_length=1)]


class Criterion(Table):
    """One rated question. Once read it fits its scale; nothing needs to be checked again.

    The order of `anchors` is the order in which judges see the levels.
    """

    id: Id
    question: Text
    """What the judge answers about the response; one construct, no country named."""
    scale: Scale
    direction: str = ""
    """Which end is what, in words."""
    minimum: float | None = Field(default=None, validate_default=True)
    maximum: float | None = Field(default=None, validate_default=True)
    anchors: dict[str, Text] = Field(default={}, validate_default=True)
    """What each level means: "0" and "1", "1" to "5", or the names of the categories."""
    examples: dict[str, Text] = Field(default={})
    """A short example per level; levels may be left out."""
    not_applicable: bool = False
    """May the judge abstain."""
    weight: float = Field(default=1.0, ge=0)
    """Relative weight in a mean over criteria; it does not reach the judge."""

    @field_validator("minimum", "maximum")
    @classmethod
    def _bounds_fit_the_scale(cls, value: float | None, info: ValidationInfo) -> float | None:
        scale = info.data.get("scale")
        if scale is Scale.NUMERIC and value is None:
            raise ValueError("a numeric scale needs 'minimum' and 'maximum'; add both")
        if scale not in (None, Scale.NUMERIC) and value is not None:
            raise ValueError(f"only numeric scales have bounds, this one is {scale}; remove it")
        low = info.data.get("minimum")
        if info.field_name == "maximum" and value is not None and low is not None and value <= low:
            raise ValueError(f"'maximum' must be above 'minimum' ({low:g})")
        return value

    @field_validator("anchors")
    @classmethod
    def _anchors_fit_the_scale(cls, anchors: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        match info.data.get("scale"):
            case Scale.BINARY:
                _check_binary(anchors)
            case Scale.ORDINAL:
                _check_ordinal(anchors)
            case Scale.NOMINAL:
                _check_nominal(anchors)
            case Scale.NUMERIC:
                _check_numeric(anchors, info.data.get("minimum"), info.data.get("maximum"))
        return anchors

    @field_validator("examples")
    @classmethod
    def _examples_belong_to_levels(cls, examples: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        anchors = info.data.get("anchors")
        stray = next((level for level in examples if anchors is not None and level not in anchors), None)
        if stray is not None:
            raise ValueError(f"there is no anchor {stray!r} that this could be an example of; add it or remove this")
        return examples

    @property
    def levels(self) -> tuple[int, ...] | tuple[str, ...] | None:
        """The values a score can take: numbers ascending, categories as written; None if the scale is numeric."""
        if self.scale is Scale.NUMERIC:
            return None
        return tuple(self.anchors) if self.scale is Scale.NOMINAL else tuple(sorted(map(int, self.anchors)))

    @property
    def lowest(self) -> float | None:
        """The lowest possible score; None if the scale is nominal."""
        if self.scale in (Scale.NUMERIC, Scale.NOMINAL):
            return self.minimum
        return float(min(map(int, self.anchors)))

    @property
    def highest(self) -> float | None:
        """The highest possible score; None if the scale is nominal."""
        if self.scale in (Scale.NUMERIC, Scale.NOMINAL):
            return self.maximum
        return float(max(map(int, self.anchors)))

    def parse(self, value: object, reason: str | None = None) -> Score | None:
        """Return what `value` says on this scale, or None if it says nothing: null, NaN, or outside the scale.

        Numbers may come as text ("4", "4.0"), a binary score also as a truth value; nothing is rounded or guessed.
        "not_applicable" is an abstention where the criterion allows it, else outside the scale.
        """
        if isinstance(value, str):
            value = value.strip()
        if value == NOT_APPLICABLE:
            return Score(self.id, None, None, reason, abstained=True) if self.not_applicable else None
        if self.scale is Scale.NOMINAL:
            return Score(self.id, None, value, reason) if isinstance(value, str) and value in self.anchors else None
        number = as_number(value, truth_values=self.scale is Scale.BINARY)
        if number is None or not self._holds(number):
            return None
        return Score(self.id, number, None, reason)

    def _holds(self, number: float) -> bool:
        if self.minimum is not None and self.maximum is not None:
            return self.minimum <= number <= self.maximum
        return number.is_integer() and str(int(number)) in self.anchors


def as_number(value: object, *, truth_values: bool) -> float | None:
    """Return the finite number that `value` is or spells; None if there is none."""
    if isinstance(value, bool) and not truth_values:
        return None
    if not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _check_binary(anchors: dict[str, str]) -> None:
    if set(anchors) != {"0", "1"}:
        raise ValueError("a binary scale has exactly the anchors '0' and '1'; describe both and nothing else")


def _check_ordinal(anchors: dict[str, str]) -> None:
    odd = next((level for level in anchors if not re.fullmatch(r"0|-?[1-9][0-9]{0,14}", level)), None)
    if odd is not None:
        raise ValueError(
            f"the anchors of an ordinal scale are whole numbers, got {odd!r}; use scale 'nominal' for names"
        )
    levels = sorted(map(int, anchors))
    if len(levels) < 2:
        raise ValueError("an ordinal scale needs at least two anchors, such as '1' to '5'; add them")
    gap = next((low + 1 for low, high in pairwise(levels) if high != low + 1), None)
    if gap is not None:
        raise ValueError(f"the anchors of an ordinal scale are consecutive; add '{gap}'")


def _check_nominal(anchors: dict[str, str]) -> None:
    if len(anchors) < 2:
        raise ValueError("a nominal scale needs at least two named anchors; add them")
    for name in anchors:
        if name == NOT_APPLICABLE:
            raise ValueError("'not_applicable' is no category; set not_applicable = true instead")
        if name != name.strip() or not name.isprintable() or not 1 <= len(name) <= 64:
            raise ValueError(f"a category is 1 to 64 printable characters without space at its ends; rename {name!r}")


def _check_numeric(anchors: dict[str, str], low: float | None, high: float | None) -> None:
    if low is None or high is None:
        return
    for level in anchors:
        number = as_number(level, truth_values=False)
        if number is None or not low <= number <= high:
            raise ValueError(f"the anchors of this numeric scale are numbers from {low:g} to {high:g}, got {level!r}")
