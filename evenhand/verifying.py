"""Is a run what it says it is: every digest, every key and the table, computed again from the journals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from evenhand.analysing import MOVED_FRAMES, analysis_of, compute
from evenhand.facts import versions
from evenhand.verified import Design, Difference, Findings, check_ledger
from judging.prompt import PROMPT_VERSION
from judging.score import plan as verdicts_of
from judging.settings import Judge
from judging.variants import Variant
from rubrics import load_rubric
from runs.digest import digest, short
from runs.errors import EvenhandError
from runs.folder import Folder
from runs.frames import SCORE
from runs.generate import keys
from runs.journal import Damaged, Journal
from runs.progress import Progress, Silent
from runs.settings import Generation
from runs.store import Run, Scoring, open_run
from runs.tomlfile import parse

COMPARED = ("contrasts", "missing", "omnibus", "unexpected", *MOVED_FRAMES)
"""Frames in `analysis/` that are computed again."""
PLACE = (
    "criterion",
    "category",
    "slice",
    "topic",
    "judge",
    "focal",
    "reference",
    "country",
    "reason",
    "test",
    "family",
)
"""Columns that say which row of such a frame one is."""


@dataclass(frozen=True)
class Verified:
    """What a run came to when everything was computed again."""

    run: Path
    digests: int
    """How many digests and keys were computed again."""
    responses: int
    """Records and failures in the run."""
    verdicts: int
    """Records and failures in its scorings."""
    tables: tuple[str, ...]
    """The frames in `analysis/` that were computed again from the journals."""
    differences: tuple[Difference, ...]
    """What is not as recorded; empty: all is."""
    notes: tuple[str, ...]
    """What contradicts nothing, but ought to be known: torn tails, leftovers, keys that only a Parquet file holds."""


def verify(run: Run | Path | str, *, progress: Progress | None = None) -> Verified:
    """Compute every digest, key and table of a run again, from its journals, and say what differs. Writes nothing.

    Raises:
        InputError: there is no run.
        StoreError: its manifest or its items cannot be read, so there is nothing to compute from.
    """
    path = (run if isinstance(run, Run) else open_run(Path(run))).path
    read, found, watch = Run(path, from_journals=True), Findings(), progress or Silent()
    watch.note("verifying answers")
    _check_manifest(read, found)
    items = digest(read.items().sort("item_id").rows())
    found.compare("digest of the items", path / "items.parquet", None, read.manifest["identity"].get("items"), items)
    responses = check_ledger(read, _design_of_answers(read, found), found)
    read, verdicts = _quicker(read, found), 0
    for scoring in Run(path, from_journals=True).scorings():
        watch.note(f"verifying verdicts by {scoring.judge}")
        _check_manifest(scoring, found)
        verdicts += check_ledger(scoring, _design_of_verdicts(read, scoring, found), found)
    watch.note("computing the table again")
    tables = tuple(_check_analysis(_quicker(Run(path, from_journals=True), found), found))
    found.notes += _leftovers(path)
    recorded, ours = read.manifest.get("versions", {}).get("evenhand"), versions().get("evenhand")
    if recorded != ours:
        found.notes.append(f"{path / 'run.json'}: made by evenhand {recorded}, verified by {ours}.")
    return Verified(path, found.digests, responses, verdicts, tables, tuple(found.differences), tuple(found.notes))


def _quicker(run: Run, found: Findings) -> Run:
    """Return `run` as its Parquet files tell it, where these have turned out to hold just what the journals do."""
    return run if any(one.file.suffix == ".parquet" for one in found.differences) else Run(run.path)


def _check_manifest(folder: Folder, found: Findings) -> None:
    path, recorded = folder.path / folder.manifest_name, str(folder.manifest["digest"])
    computed = digest(folder.manifest["identity"])
    found.compare("digest of the identity", path, None, recorded, computed)
    found.compare("digest in the folder's name", folder.path, None, folder.path.name[-12:], short(computed))


def _design_of_answers(run: Run, found: Findings) -> Design:
    """Return the keys that the run's answers must have."""
    identity = run.manifest["identity"]
    if "generation" in identity:
        path = run.path / run.manifest_name
        told = parse(Generation, run.manifest["study"].get("generation") or {}, path)
        found.compare("digest of the generation", path, None, digest(identity["generation"]), digest(told.identity))
        return Design(keys(run.items(), identity["generation"], int(run.manifest["epochs"] or identity["epochs"])))
    return Design(None, lambda row: digest([identity.get("imported"), row["item_id"], row["epoch"]]))


def _design_of_verdicts(run: Run, scoring: Scoring, found: Findings) -> Design:
    """Return the keys that a scoring's verdicts must have; what they are made of is compared on the way."""
    manifest, path = scoring.manifest, scoring.path / scoring.manifest_name
    identity = manifest["identity"]
    rubric = load_rubric(scoring.rubric_path)
    found.compare("digest of the rubric", scoring.rubric_path, None, identity["rubric"], rubric.digest)
    if "imported" in identity:
        _check_imported(scoring, found)
        place = ("item_id", "epoch", "repeat")
        return Design(None, lambda row: digest([identity["imported"], *(row[name] for name in place)]))
    if "human" in identity:
        return Design(None, lambda row: digest([manifest["digest"], row["item_id"], row["epoch"]]))
    judge = parse(Judge, manifest["settings"] or {}, path)
    found.compare("digest of the judge", path, None, digest(identity["judge"]), digest(judge.identity))
    if identity["prompt"] != PROMPT_VERSION:
        told = f"asked with prompt {identity['prompt']}, and this version has {PROMPT_VERSION}: keys are not verified."
        found.notes.append(f"{path}: {told}")
        return Design(None, None)
    variant = Variant(manifest.get("on") or "answer", manifest.get("placebo"))
    if identity.get("mentions") != variant.identity.get("mentions"):
        found.notes.append(f"{path}: its placebo is of another version of evenhand: keys are not verified.")
        return Design(None, None)
    wanted = verdicts_of(run, rubric, judge, variant)
    return Design({one.key: (one.item_id, one.epoch, one.repeat) for one in wanted})


def _check_imported(scoring: Scoring, found: Findings) -> None:
    """Compare the digest of imported verdicts with what the journal holds: of these it is a digest of the content."""
    if scoring.ledger.damaged() or not scoring.ledger.records.path.exists():
        return
    fields = [field.name for field in SCORE.fields if field.name not in ("expected", "unexpected")]  # type: ignore[attr-defined]
    rows = [
        {name: row[name] for name in ("item_id", "epoch", "repeat")}
        | {"scores": [{name: score[name] for name in fields} for score in row["scores"]]}
        for row in scoring.ledger.records.read()
        if not isinstance(row, Damaged)
    ]
    computed = digest([scoring.judge, rows])
    path = scoring.ledger.records.path
    found.compare("digest of the imported verdicts", path, None, scoring.manifest["identity"]["imported"], computed)


def _check_analysis(run: Run, found: Findings) -> Iterator[str]:
    """Compute the tables of the last analysis again; yield the names of those that were compared."""
    folder, told = run.path / "analysis", analysis_of(run)
    if told is None:
        if (folder / "contrasts.parquet").exists():
            found.notes.append(f"{folder}: has no analysis.json, so its tables are not verified; analyze once more.")
        return
    if not told["is_current"]:
        found.notes.append(f"{folder}: is older than the verdicts, so its tables are not verified; analyze once more.")
        return
    try:
        again = compute(run, focal=told["focal"], references=told["references"], **told["settings"])
    except EvenhandError as error:
        found.differences.append(Difference("analysis", folder, None, "a table", str(error)))
        return
    if again.contrasts["version"][0] != told["version"]:
        found.notes.append(f"{folder}: computed by evenhand {told['version']}; another version may compute otherwise.")
    frames = again.frames()
    for name in COMPARED:
        path = folder / f"{name}.parquet"
        if name in frames:
            _compare_frames(path, frames[name], found)
            yield name


def _compare_frames(path: Path, again: pl.DataFrame, found: Findings) -> None:
    try:
        recorded = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        found.differences.append(Difference("table", path, None, "a table", str(error).partition("\n")[0]))
        return
    if recorded.equals(again):
        return
    if recorded.schema != again.schema or recorded.height != again.height:
        shape = "{} rows and {} columns".format
        found.differences.append(Difference("table", path, None, shape(*recorded.shape), shape(*again.shape)))
        return
    for old, new in zip(recorded.to_dicts(), again.to_dicts(), strict=True):
        where = " ".join(str(new[name]) for name in PLACE if new.get(name) is not None)
        found.differences += [
            Difference(name, path, where, str(old[name]), str(new[name])) for name in old if old[name] != new[name]
        ]


def _leftovers(folder: Path) -> Sequence[str]:
    """Return what was set aside, and what a killed program left behind."""
    told = []
    for path in sorted(folder.rglob("*")):
        if path.name.endswith(".torn") or ".damaged" in path.name:
            told.append(f"{path}: was set aside when it was found broken; nothing reads it.")
        elif path.name.startswith(".") and path.name != ".lock" and path.suffix[1:].isdigit():
            told.append(f"{path}: left by a program that was killed; it may be removed when none is at work.")
        elif path.suffix == ".jsonl" and (size := Journal(path).torn()):
            told.append(f"{path}: ends in {size} bytes that are no whole line; the next append sets them aside.")
    return told
