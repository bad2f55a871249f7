"""Which contrasts to compute: those declared before the data, and those looked at as well."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.cells import Blocks, Booleans
from analysis.settings import OTHERS, Analysis, Contrast
from runs.errors import InputError, nearest


@dataclass(frozen=True)
class Planned:
    """One row of the table to come, for every criterion and judge that it names (null: all).

    Attributes:
        focal: country under test.
        reference: name of the comparator in the table.
        countries: the countries that make up the comparator.
        confirmatory: whether the row is in the Holm family.
    """

    focal: str
    reference: str
    countries: tuple[str, ...]
    confirmatory: bool = False
    topic: str | None = None
    sensitive: bool | Literal["difference"] | None = None
    language: str | None = None
    stance: str | None = None
    criterion: str | None = None
    judge: str | None = None

    def keep(self, blocks: Blocks) -> Booleans:
        """Return the blocks that the contrast is about; for a difference, sensitive and control questions alike."""
        wanted = {name: getattr(self, name) for name in ("topic", "language", "stance")}
        keep = blocks.where(**{name: value for name, value in wanted.items() if value is not None})
        if self.sensitive == "difference":
            return keep & (blocks.where(sensitive=True) | blocks.where(sensitive=False))
        return keep if self.sensitive is None else keep & blocks.where(sensitive=self.sensitive)

    @property
    def is_difference(self) -> bool:
        """Whether the row is sensitive minus control, not a plain difference."""
        return self.sensitive == "difference"

    @property
    def is_pooled(self) -> bool:
        """Whether the comparator is a mean of several countries."""
        return len(self.countries) != 1 or self.reference == OTHERS

    @property
    def what(self) -> tuple[object, ...]:
        """What is compared, whatever its family: equal for a declared row and the same one listed as exploratory."""
        return (self.focal, self.reference, self.topic, self.sensitive, self.language, self.stance)


def plan(
    blocks: Blocks,
    countries: Sequence[str],
    focal: str,
    references: str | Sequence[str],
    analysis: Analysis,
) -> list[Planned]:
    """Return the rows to compute, declared ones first.

    Raises:
        InputError: a country, topic, language or stance does not occur.
    """
    _known("focal country", focal, countries)
    rest = tuple(country for country in countries if country != focal)
    pool = rest if references == OTHERS else _members(references, focal, countries)
    name = OTHERS if references == OTHERS else "+".join(pool)
    default = (Contrast(reference=OTHERS if references == OTHERS else pool),)
    declared = default if analysis.contrasts is None else analysis.contrasts
    rows = [_declared(contrast, focal, rest, countries, blocks) for contrast in declared]
    rows.append(Planned(focal, name, pool))
    rows.extend(Planned(focal, country, (country,)) for country in pool)
    for fact in analysis.by:
        rows.extend(_sliced(fact, focal, name, pool, blocks))
    if analysis.every_country:
        members = (focal, *pool)
        rows.extend(
            Planned(country, OTHERS, tuple(other for other in sorted(members) if other != country))
            for country in sorted(pool)
        )
    return rows


def _declared(
    contrast: Contrast, focal: str, rest: tuple[str, ...], countries: Sequence[str], blocks: Blocks
) -> Planned:
    for name in ("topic", "language", "stance"):
        value = getattr(contrast, name)
        if value is not None:
            _known(f"contrast {name}", value, blocks.values(name))
    pool = rest if contrast.reference == OTHERS else _members(contrast.reference, focal, countries)
    reference = OTHERS if contrast.reference == OTHERS else "+".join(pool)
    return Planned(
        focal,
        reference,
        pool,
        contrast.confirmatory,
        contrast.topic,
        contrast.sensitive,
        contrast.language,
        contrast.stance,
        contrast.criterion,
        contrast.judge,
    )


def _sliced(fact: str, focal: str, name: str, pool: tuple[str, ...], blocks: Blocks) -> list[Planned]:
    if fact != "sensitive":
        return [Planned(focal, name, pool, **{fact: value}) for value in blocks.values(fact)]  # type: ignore[arg-type]
    kinds = [kind for kind in (True, False) if bool(blocks.where(sensitive=kind).any())]
    rows = [Planned(focal, name, pool, sensitive=kind) for kind in kinds]
    return [*rows, Planned(focal, name, pool, sensitive="difference")] if len(kinds) == 2 else rows


def _members(reference: str | Sequence[str], focal: str, countries: Sequence[str]) -> tuple[str, ...]:
    """Return the countries of a comparator, without doubles, in the order of the table."""
    names = (reference,) if isinstance(reference, str) else tuple(reference)
    for name in names:
        _known("reference country", name, countries)
    members = tuple(country for country in countries if country in names and country != focal)
    if not members:
        raise InputError(f"reference {', '.join(names) or 'list'!r} holds no country but {focal!r}; name at least one.")
    return members


def _known(what: str, name: str, names: Sequence[str]) -> None:
    if name not in names:
        raise InputError(f"{what} {name!r} does not occur in the scores; {nearest(name, names)}")


def columns(countries: Sequence[str], names: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the table columns of the named countries."""
    return np.array([countries.index(name) for name in names], dtype=np.int64)
