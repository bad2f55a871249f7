"""Verdicts → contrasts, on disk beside the run and in hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from analysis.contrasts import contrasts
from analysis.load import load_scores
from analysis.missing import missing_counts
from analysis.settings import OTHERS, Analysis
from runs import countries
from runs.errors import InputError
from runs.journal import refusal
from runs.store import Run, make_folder, open_run
from runs.tomlfile import parse


@dataclass(frozen=True)
class Analyzed:
    """The significance table of a run, and what is missing from it."""

    run: Run
    focal: str
    contrasts: pl.DataFrame
    """Schema `analysis.contrasts.CONTRASTS`."""
    missing: pl.DataFrame
    """Schema `analysis.missing.MISSING`."""


def analyze(
    run: Run | Path | str,
    *,
    focal: str | None = None,
    references: str | Sequence[str] = OTHERS,
    **settings: object,
) -> Analyzed:
    """Test the contrasts of a run and write them to its `analysis/` folder.

    Args:
        run: the run, or its folder.
        focal: the country under test; null: the one that the study declares.
        references: `others`, one country, or several (a list, or joined by commas).
        settings: fields of `analysis.settings.Analysis` that differ from the study's, such as `alpha`; null: as there.

    Raises:
        InputError: nothing has been scored, or a country is not among those of the run.
        StoreError: the disk refuses.
    """
    run = run if isinstance(run, Run) else open_run(Path(run))
    scored = load_scores(run)
    scores = scored.scores.collect()
    present = scores["country"].unique().sort().to_list()
    named = focal or run.focal
    if named is None:
        raise InputError(f"{run.path}: no focal country is declared; name one with --focal: {', '.join(present)}.")
    focal = find_country(named, present)
    if references != OTHERS:
        listed = references.split(",") if isinstance(references, str) else references
        references = [find_country(name, present) for name in listed]
    declared = run.manifest["study"].get("analysis") or {}
    said = {name: value for name, value in settings.items() if value is not None}
    analysis = parse(Analysis, {**declared, **said}, f"{run.path}: analysis")
    table = contrasts(scores, scored.criteria, focal=focal, references=references, analysis=analysis)
    result = Analyzed(run, focal, table, missing_counts(scores))
    _write(result)
    return result


def find_country(name: str, present: Sequence[str]) -> str:
    """Return what the run calls the country `name`: itself, in any case, or a code or name for the same country.

    Raises:
        InputError: none of those `present` is meant.
    """
    folded = {country.casefold(): country for country in present}
    if name.casefold() in folded:
        return folded[name.casefold()]
    meant = _codes(name)
    for country in present:
        if meant and _codes(country) == meant:
            return country
    raise InputError(f"country {name!r} is not in this run; it has {', '.join(present)}.")


def _codes(name: str) -> tuple[str, ...]:
    try:
        return countries.resolve([name])
    except InputError:
        return ()


def _write(result: Analyzed) -> None:
    folder = result.run.path / "analysis"
    make_folder(folder)
    for name, table in {"contrasts": result.contrasts, "missing": result.missing}.items():
        aside = folder / f".{name}.parquet"
        try:
            table.write_parquet(aside)
            aside.replace(folder / f"{name}.parquet")
        except OSError as error:
            raise refusal(folder / f"{name}.parquet", error) from None
