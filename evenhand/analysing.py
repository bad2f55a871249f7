"""Verdicts → contrasts, on disk beside the run and in hand."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from analysis.contrasts import contrasts
from analysis.familiar import familiar_tests
from analysis.load import judge_names, load_scores, scorings_of
from analysis.missing import missing_counts
from analysis.moved import CHANGES, moved
from analysis.omnibus import omnibus
from analysis.panel import with_panel
from analysis.settings import OTHERS, Analysis
from analysis.survival import leave_one_out, survival
from rubrics import Criterion
from runs import countries
from runs.digest import digest
from runs.errors import InputError
from runs.folder import Folder, make_folder, write_manifest
from runs.journal import refusal, write_whole
from runs.store import Run, Scoring, open_run
from runs.tomlfile import parse


@dataclass(frozen=True)
class Analyzed:
    """The significance table of a run, what is missing from it, and what else was asked for."""

    run: Run
    focal: str
    references: str | tuple[str, ...]
    """`others`, or the countries that the focal one is compared with."""
    settings: Analysis
    scores: pl.DataFrame = field(repr=False)
    """What it was computed from: schema `runs.frames.SCORES`."""
    criteria: tuple[Criterion, ...] = field(repr=False)
    contrasts: pl.DataFrame
    """Schema `analysis.contrasts.CONTRASTS`."""
    missing: pl.DataFrame
    """Schema `analysis.missing.MISSING`."""
    omnibus: pl.DataFrame
    """Does any country differ: schema `analysis.omnibus.OMNIBUS`."""
    moved: Mapping[str, pl.DataFrame]
    """How scores move, by the names of `analysis.moved.CHANGES`: schema `analysis.moved.MOVED`."""
    unexpected: pl.DataFrame
    """Given levels that count where an expected score could not be had: schema `analysis.load.UNEXPECTED`."""
    unpaired: tuple[str, ...]
    """Folders of placebos (or of scored thinking) that no scoring under the same settings can be compared with."""
    survival: pl.DataFrame | None = None
    """Does each verdict survive leaving one thing out: schema `analysis.survival.SUMMARY`; null: not asked for."""
    familiar: pl.DataFrame | None = None
    """Familiar tests: schema `analysis.familiar.FAMILIAR`; null: not asked for."""

    def frames(self) -> dict[str, pl.DataFrame]:
        """Return every frame that is there, by name."""
        named = {"contrasts": self.contrasts, "missing": self.missing, "omnibus": self.omnibus}
        named |= {} if self.unexpected.is_empty() else {"unexpected": self.unexpected}
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
    return _written(compute(run, focal=focal, references=references, survive=survive, tests=tests, **settings))


def compute(
    run: Run,
    *,
    focal: str | None = None,
    references: str | Sequence[str] = OTHERS,
    survive: bool = False,
    tests: Sequence[str] = (),
    **settings: object,
) -> Analyzed:
    """Return what `analyze` does, and write nothing. Raises `InputError` as it does."""
    scored = load_scores(run)
    scores = scored.scores.collect()
    present = scores["country"].unique().sort().to_list()
    focal = focal_of(run, focal, present)
    if references != OTHERS:
        listed = references.split(",") if isinstance(references, str) else references
        references = tuple(find_country(name, present) for name in listed)
    declared = run.manifest["study"].get("analysis") or {}
    said = {name: value for name, value in settings.items() if value is not None}
    analysis = parse(Analysis, {**declared, **said}, f"{run.path}: analysis")
    table = contrasts(scores, scored.criteria, focal=focal, references=references, analysis=analysis)
    whole = with_panel(scores, scored.criteria, analysis.panel).collect()
    frames, unpaired = _moved(run, focal, analysis)
    survived = familiar = None
    if survive:
        left_out = leave_one_out(scores, scored.criteria, focal=focal, references=references, analysis=analysis)
        survived = survival(left_out)
    if tests:
        others = None if references == OTHERS else references
        familiar = familiar_tests(scores, scored.criteria, tests, focal=focal, references=others)
    return Analyzed(
        run=run,
        focal=focal,
        references=references if isinstance(references, str) else tuple(references),
        settings=analysis,
        scores=scores,
        criteria=scored.criteria,
        contrasts=table,
        missing=missing_counts(whole),
        omnibus=omnibus(whole, scored.criteria),
        moved=frames,
        unexpected=scored.unexpected,
        unpaired=unpaired,
        survival=survived,
        familiar=familiar,
    )


def analysis_of(run: Run) -> dict[str, Any] | None:
    """Return what `analysis/analysis.json` says of the last analysis; null: there is none that can be read.

    `is_current` tells whether it is of the answers and verdicts that are there now.
    """
    try:
        told = json.loads((run.path / "analysis" / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    return {**told, "is_current": told.get("inputs") == _inputs(run)} if isinstance(told, dict) else None


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


def _moved(run: Run, focal: str, analysis: Analysis) -> tuple[dict[str, pl.DataFrame], tuple[str, ...]]:
    """Return what moved in every change that has been scored, each setting against itself; and what has no other side.

    A placebo by a judge under other settings would tell what those settings move.
    """
    frames, unpaired = {}, []
    for name, change in CHANGES.items():
        earlier = scorings_of(run, on=change.before)
        names = judge_names(earlier)
        pairs: list[tuple[Scoring, Scoring]] = []
        later = scorings_of(run, on=change.on, placebo=change.placebo)
        for one in sorted(later, key=lambda one: one.setting not in names):  # those at the same address first
            same = _counterpart(one, earlier)
            if same is None or any(same is other for other, _ in pairs):
                unpaired.append(one.path.name)
            else:
                pairs.append((same, one))
                names[one.setting] = names[same.setting]
        if pairs:
            read = [load_scores(run, side, names) for side in zip(*pairs, strict=True)]
            before, after = (with_panel(side.scores, side.criteria, analysis.panel).collect() for side in read)
            frames[name] = moved(before, after, read[0].criteria, focal=focal)
    return frames, tuple(unpaired)


def _counterpart(scoring: Scoring, others: Sequence[Scoring]) -> Scoring | None:
    """Return the one of `others` by the same judge under the same settings, at the same address if there is one."""
    same = [other for other in others if other.setting == scoring.setting]
    elsewhere = [other for other in others if other.setting_anywhere == scoring.setting_anywhere]
    return same[0] if same else elsewhere[0] if len(elsewhere) == 1 else None


def _written(result: Analyzed) -> Analyzed:
    """Write every frame and what they are of; return the result with what an equal analysis has found before.

    Frames of another analysis that this one does not replace are removed: they would be taken for its own.
    """
    folder = result.run.path / "analysis"
    make_folder(folder)
    told = {
        "inputs": _inputs(result.run),
        "focal": result.focal,
        "references": result.references,
        "settings": result.settings.model_dump(mode="json"),
        "version": result.contrasts["version"][0],
    }
    told = json.loads(json.dumps(told))
    before = analysis_of(result.run) or {}
    survival = folder / "survival.parquet"
    if all(before.get(name) == value for name, value in told.items()):
        if result.survival is None and survival.exists():
            result = replace(result, survival=pl.read_parquet(survival))
    else:
        for stale in (MANIFEST, *(f"{name}.parquet" for name in _OPTIONAL)):
            _remove(folder / stale)
    for name, table in result.frames().items():
        write_frame(folder / f"{name}.parquet", table)
    write_manifest(folder / MANIFEST, told)
    return result


def write_frame(path: Path, table: pl.DataFrame) -> None:
    """Write `table` to `path`, whole or not at all. Raises `StoreError` if the disk refuses."""
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    write_whole(path, buffer.getvalue())


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise refusal(path, error) from None


def _inputs(run: Run) -> str:
    """Return the digest of which answers and verdicts there are: journals only grow, so their sizes tell."""

    def extent(folder: Folder) -> list[int]:
        sizes = [folder.ledger.records.size(), folder.ledger.failures.size()]
        sealed = folder.ledger.sealed
        return sizes if any(sizes) or not sealed.exists() else [sealed.stat().st_size]

    return digest([run.manifest["digest"], extent(run), [[one.path.name, *extent(one)] for one in run.scorings()]])


MANIFEST = "analysis.json"
"""What the frames in `analysis/` are of: inputs, countries, settings, version."""
MOVED_FRAMES = tuple(f"moved_{name}" for name in CHANGES)
_OPTIONAL = ("survival", "familiar", "unexpected", *MOVED_FRAMES)
