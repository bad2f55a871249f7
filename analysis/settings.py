"""What a study declares about its analysis, before the data."""

from typing import Annotated, Literal

from pydantic import Field

from runs.tomlfile import Table

OTHERS = "others"
"""The pooled comparator: the equal-weight mean of all other countries."""

Slice = Literal["topic", "sensitive", "language", "stance"]
"""A fact of the questions by which a contrast can be split."""

Margin = Annotated[float, Field(gt=0)]


class Contrast(Table):
    """One declared contrast. What is left out is not narrowed."""

    criterion: str | None = None
    """One criterion; null: every criterion of the rubric."""
    reference: str | tuple[str, ...] = OTHERS
    """"others", a country, or several countries whose mean is the comparator."""
    topic: str | None = None
    sensitive: bool | Literal["difference"] | None = None
    """true: sensitive questions; false: control questions; "difference": sensitive minus control."""
    language: str | None = None
    stance: str | None = None
    judge: str | None = None
    """One judge; null: each judge, and the panel if there is one."""
    confirmatory: bool = True
    """Whether it is in the family that Holm's adjustment protects; the others are exploratory."""


class Analysis(Table):
    """The `[analysis]` table of a study."""

    contrasts: tuple[Contrast, ...] | None = None
    """Null: focal against its references, confirmatory, on every criterion."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Level of the tests; intervals are at 1 - alpha, those of the equivalence test at 1 - 2·alpha."""
    margin: Margin | dict[str, Margin] | None = None
    """Equivalence margin in the criteria's units: a number for all ordinal and numeric criteria, or one per criterion.

    Where nothing is said: 0.25 points, and 5 % of the scale for numeric, binary and nominal criteria.
    """
    by: tuple[Slice, ...] = ()
    """Facts of the questions to split by, as exploratory rows; "sensitive" adds sensitive minus control."""
    every_country: bool = False
    """Put every other country in the focal place too, as exploratory rows."""
    mid_p: bool = False
    """Report mid-p for binary and nominal criteria."""
    panel: Literal["mean", "median", "none"] = "mean"
    """How two or more judges are joined into one more; binary and nominal criteria take the majority."""
    max_t: bool = False
    """Adjust the confirmatory rows by the largest of their statistics too, which uses how they go together."""
    seed: int = 1
    """Of random permutations."""
