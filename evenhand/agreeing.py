"""Do the judges, and the humans, agree; and what do human labels make of a judge's contrast."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from analysis.agreement import agreement
from analysis.interaction import judge_interactions
from analysis.load import load_scores
from analysis.ppi import corrected_contrasts
from analysis.settings import Analysis
from evenhand.analysing import focal_of
from rubrics import Criterion
from runs.store import Run, open_run
from runs.tomlfile import parse


@dataclass(frozen=True)
class Agreed:
    """How far raters agree, and what hangs on who judges."""

    agreement: pl.DataFrame
    """Schema `analysis.agreement.AGREEMENT`."""
    interaction: pl.DataFrame
    """Does the contrast depend on the judge: schema `analysis.interaction.INTERACTION`."""
    corrected: pl.DataFrame
    """Contrasts corrected by human labels: schema `analysis.ppi.CORRECTED`; empty without labels."""


def agree(run: Run | Path | str, *, focal: str | None = None) -> Agreed:
    """Compare the judges of a run with each other, they and their panel with the humans, and each with its own repeats.

    Raises:
        InputError: nothing has been scored, or the focal country is not in the run.
    """
    run = run if isinstance(run, Run) else open_run(Path(run))
    scored = load_scores(run)
    scores = scored.scores.collect()
    focal = focal_of(run, focal, scores["country"].unique().sort().to_list())
    settings = parse(Analysis, run.manifest["study"].get("analysis") or {}, f"{run.path}: analysis")
    return agreed(scores, scored.criteria, focal, settings)


def agreed(scores: pl.DataFrame, criteria: Sequence[Criterion], focal: str, settings: Analysis) -> Agreed:
    """Compare the judges of `scores`, a frame of schema `runs.frames.SCORES`; `settings` say how they are joined."""
    return Agreed(
        agreement(scores, criteria, panel=settings.panel),
        judge_interactions(scores, criteria, focal),
        corrected_contrasts(scores, criteria, focal),
    )
