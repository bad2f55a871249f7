"""Verdicts → contrasts, on disk beside the run and in hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from analysis.contrasts import contrasts
from analysis.familiar import familiar_tests
from analysis.load import load_scores, scorings_of
from analysis.missing import missing_counts
from analysis.moved import moved
from analysis.omnibus import omnibus
from analysis.settings import OTHERS, Analysis
from analysis.survival import leave_one_out, survival
from runs import countries
from runs.errors import InputError
from runs.journal import refusal
from runs.store import Run, make_folder, open_run
from runs.tomlfile import parse


@dataclass(frozen=True)
class Analyzed:
    """The significance table of a run, what is missing from it, and what else was asked for."""

    run: Run
    focal: str
    contrasts: pl.DataFrame
    """Schema `analysis.contrasts.CONTRASTS`."""
    missing: pl.DataFrame
    """Schema `analysis.missing.MISSING`."""
    omnibus: pl.DataFrame
    """Does any country differ: schema `analysis.omnibus.OMNIBUS`."""
    moved: Mapping[str, pl.DataFrame]
    """How scores move under each placebo (`mask`, `swap`) or on the `reasoning`: schema `analysis.moved.MOVED`."""
    survival: pl.DataFrame | None = None
    """Does each verdict survive leaving one thing out: schema `analysis.survival.SUMMARY`; null: not asked for."""
    familiar: pl.DataFrame | None = None
    """Familiar tests: schema `analysis.familiar.FAMILIAR`; null: not asked for."""

    def frames(self) -> dict[str, pl.DataFrame]:
        """Return every frame that is there, by name."""
        named = {"contrasts": self.contrasts, "missing": self.missing, "omnibus": self.omnibus}
        named |= {f"moved_{name}": frame for name, frame in self.moved.items()}
        more = {"survival": self.survival, "familiar": self.familiar}
        return named | {name: frame for name, frame in more.items() if frame is not None}


def analyze(
    run: Run | Path | str,
    *,
    focal: str | None = None,
    references: str | Sequence[str] = OTHERS,
    survive: bool = False,
    tests: Sequence[str] = (),
    **settings: object,
) -> Analyzed:
    """Test the contrasts of a run and write them to its `analysis/` folder.

    Args:
        run: the run, or its folder.
        focal: the country under test; null: the one that the study declares.
        references: `others`, one country, or several (a list, or joined by commas).
        survive: whether to test each verdict again with each judge, repeat, country, question and topic left out.
        tests: familiar tests to compute as well, by their names in `analysis.familiar.TESTS`.
        settings: fields of `analysis.settings.Analysis` that differ from the study's, such as `alpha`; null: as there.

    Raises:
        InputError: nothing has been scored, or a name is unknown.
        StoreError: the disk refuses.
    """
    run = run if isinstance(run, Run) else open_run(Path(run))
    scored = load_scores(run)
    scores = scored.scores.collect()
    present = scores["country"].unique().sort().to_list()
    focal = focal_of(run, focal, present)
    if references != OTHERS:
        listed = references.split(",") if isinstance(references, str) else references
        references = [find_country(name, present) for name in listed]
    declared = run.manifest["study"].get("analysis") or {}
    said = {name: value for name, value in settings.items() if value is not None}
    analysis = parse(Analysis, {**declared, **said}, f"{run.path}: analysis")
    table = contrasts(scores, scored.criteria, focal=focal, references=references, analysis=analysis)
    survived = familiar = None
    if survive:
        left_out = leave_one_out(scores, scored.criteria, focal=focal, references=references, analysis=analysis)
        survived = survival(left_out)
    if tests:
        others = None if references == OTHERS else references
        familiar = familiar_tests(scores, scored.criteria, tests, focal=focal, references=others)
    result = Analyzed(
        run=run,
        focal=focal,
        contrasts=table,
        missing=missing_counts(scores),
        omnibus=omnibus(scores, scored.criteria),
        moved=_moved(run, focal),
        survival=survived,
        familiar=familiar,
    )
    _write(result)
    return result


def focal_of(run: Run, named: str | None, present: Sequence[str]) -> str:
    """Return the focal country: the one `named`, else the one that the study declares, as the run calls it.

    Raises:
        InputError: none is declared or named, or it is not among those `present`.
    """
    wanted = named or run.focal
    if wanted is None:
        raise InputError(f"{run.path}: no focal country is declared; name one with --focal: {', '.join(present)}.")
    return find_country(wanted, present)


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


def _moved(run: Run, focal: str) -> dict[str, pl.DataFrame]:
    """Return what moved in every variant that has been scored, each judge against itself on the answers as they are."""
    frames = {}
    for name, on, placebo in (("mask", "answer", "mask"), ("swap", "answer", "swap"), ("reasoning", "reasoning", None)):
        other = scorings_of(run, on=on, placebo=placebo)
        same = {(one.judge, one.manifest["rubric"]) for one in other}
        plain = [one for one in scorings_of(run) if (one.judge, one.manifest["rubric"]) in same]
        if plain and other:
            before, after = load_scores(run, plain), load_scores(run, other)
            frames[name] = moved(before.scores.collect(), after.scores.collect(), before.criteria, focal=focal)
    return frames


def _write(result: Analyzed) -> None:
    folder = result.run.path / "analysis"
    make_folder(folder)
    for name, table in result.frames().items():
        aside = folder / f".{name}.parquet"
        try:
            table.write_parquet(aside)
            aside.replace(folder / f"{name}.parquet")
        except OSError as error:
            raise refusal(folder / f"{name}.parquet", error) from None
