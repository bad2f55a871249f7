"""Do the judges, and the humans, agree; and what do human labels make of a judge's contrast."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from analysis.agreement import agreement
from analysis.interaction import judge_interactions
from analysis.load import load_scores
from analysis.ppi import corrected_contrasts
from evenhand.analysing import focal_of
from rubrics import Criterion
from runs.store import Run, open_run


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
    """Compare the judges of a run with each other, with the humans, and with themselves over repeats.

    Raises:
        InputError: nothing has been scored, or the focal country is not in the run.
    """
    run = run if isinstance(run, Run) else open_run(Path(run))
    scored = load_scores(run)
    scores = scored.scores.collect()
    focal = focal_of(run, focal, scores["country"].unique().sort().to_list())
    return agreed(scores, scored.criteria, focal)


def agreed(scores: pl.DataFrame, criteria: Sequence[Criterion], focal: str) -> Agreed:
    """Compare the judges of `scores`, a frame of schema `runs.frames.SCORES`."""
    return Agreed(
        agreement(scores, criteria),
        judge_interactions(scores, criteria, focal),
        corrected_contrasts(scores, criteria, focal),
    )
