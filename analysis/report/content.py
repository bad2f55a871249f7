"""What a report is made of: every frame it shows, computed before anything is drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from analysis.panel import HUMAN, PANEL
from runs.store import Run


@dataclass(frozen=True)
class Content:
    """The frames behind a report."""

    run: Run
    focal: str
    alpha: float
    contrasts: pl.DataFrame
    """Schema `analysis.contrasts.CONTRASTS`."""
    missing: pl.DataFrame
    """Schema `analysis.missing.MISSING`."""
    countries: pl.DataFrame
    """Schema `analysis.overview.COUNTRIES`."""
    topics: pl.DataFrame
    """Schema `analysis.overview.TOPICS`."""
    omnibus: pl.DataFrame
    """Schema `analysis.omnibus.OMNIBUS`."""
    moved: Mapping[str, pl.DataFrame]
    """By the names of `analysis.moved.CHANGES`, as far as they were scored: schema `analysis.moved.MOVED`."""
    unexpected: pl.DataFrame
    """Schema `analysis.load.UNEXPECTED`; empty without expected scores, or with all of them."""
    survival: pl.DataFrame | None
    """Schema `analysis.survival.SUMMARY`; null: nobody asked."""
    agreement: pl.DataFrame
    """Schema `analysis.agreement.AGREEMENT`; empty with one judge and one repeat."""
    interaction: pl.DataFrame
    """Schema `analysis.interaction.INTERACTION`."""
    corrected: pl.DataFrame
    """Schema `analysis.ppi.CORRECTED`; empty without human labels."""

    @cached_property
    def declared(self) -> pl.DataFrame:
        """The confirmatory rows."""
        return self.contrasts.filter(pl.col("family") == "confirmatory")

    @cached_property
    def scales(self) -> dict[str, str]:
        """The scale of each criterion."""
        return dict(self.contrasts.select("criterion", "scale").iter_rows())

    @cached_property
    def asked(self) -> pl.DataFrame:
        """The rows of `missing` that somebody was asked for: the panel's are made of them."""
        return self.missing.filter(pl.col("judge") != PANEL)

    @cached_property
    def judges(self) -> list[str]:
        """Who scored, humans included, the panel not."""
        names = self.asked["judge"].unique(maintain_order=True)
        return sorted(names.to_list(), key=lambda name: (name.startswith(HUMAN), name))

    @cached_property
    def chief(self) -> str:
        """The judge to show where one has to do: the panel if there is one, else the first that is no human."""
        return PANEL if PANEL in self.contrasts["judge"] else self.judges[0]
