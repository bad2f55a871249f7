"""People as judges: their labels on disk, each at once, as verdicts of the judge `human:<name>`.

labels.jsonl      every label in the order in which it was given, corrections among them; it is only ever appended to
verdicts.parquet  the last label of each place, written anew from labels.jsonl after every label
"""

import contextlib
import io
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from analysis.panel import HUMAN
from evenhand.facts import made_by, now
from evenhand.sampling import Drawn, Sample
from judging.variants import code_of, mask
from rubrics import Criterion, Rubric, dump_toml
from runs.digest import digest
from runs.errors import InputError, StoreError, nearest
from runs.frames import VERDICTS, FailureKind, frame
from runs.journal import Damaged, Journal, write_whole
from runs.store import Run, Scoring, held, open_run, slug

LONGEST_NAME = 40

_SCORE = ("criterion", "score", "label", "reason", "kind")

Place = tuple[str, int, str]
"""Item, epoch, criterion."""


class Labels:
    """One person's labels of one run on one rubric.

    Args:
        run: whose answers.
        rubric: what is labelled.
        name: who labels; the judge is `human:<name>`.
        masked: whether they see answers without the country's name.

    Raises:
        InputError: `name` cannot be a name.
        StoreError: the disk refuses, or an earlier label cannot be read.
    """

    def __init__(self, run: Run, rubric: Rubric, name: str, *, masked: bool = False) -> None:
        if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
            raise InputError(f"--name {name!r}: expected 1 to {LONGEST_NAME} printable characters.")
        self.rubric = rubric
        self.judge = HUMAN + name.strip()
        self.scoring = _scoring(run, rubric, self.judge, masked=masked)
        self._journal = Journal(self.scoring.path / "labels.jsonl")
        self._given: dict[Place, Mapping[str, Any]] = {}
        self._giving = threading.Lock()
        self._read()

    def of(self, answer: Drawn) -> dict[str, Mapping[str, Any]]:
        """Return criterion → label of one answer."""
        places = ((criterion.id, (answer.item_id, answer.epoch, criterion.id)) for criterion in self.rubric.criteria)
        return {name: self._given[place] for name, place in places if place in self._given}

    def places(self) -> list[Place]:
        """Return what has been labelled, in the order of the labels."""
        return list(self._given)

    def give(self, answer: Drawn, criterion_id: str, value: object, reason: str | None) -> None:
        """Write a label, or another one in the place of an earlier one; it is on disk when this returns.

        Args:
            answer: what is labelled.
            criterion_id: on which criterion.
            value: on its scale, or "not_applicable" where the rubric lets a judge abstain.
            reason: why, in the person's words; null: not said.

        Raises:
            InputError: there is no such criterion, or the value is not on its scale.
            StoreError: the disk refuses.
        """
        criterion = self.rubric.criterion(criterion_id)
        score = criterion.parse(value, reason or None)
        if score is None:
            raise InputError(f"{criterion_id}: {value!r} is not on its scale; expected {_expected(criterion)}.")
        record = {
            "item_id": answer.item_id,
            "epoch": answer.epoch,
            "criterion": criterion.id,
            "score": score.score,
            "label": score.label,
            "reason": score.reason,
            "kind": FailureKind.ABSTAINED if score.abstained else None,
            "at": now(),
        }
        with self._giving:  # two windows on one page
            self._journal.append([record])
            self._keep(record)
            self._publish()

    def complete(self, answer: Drawn) -> bool:
        """Whether every criterion of an answer has a label."""
        return len(self.of(answer)) == len(self.rubric.criteria)

    def close(self, sample: Sample) -> None:
        """Let the file go, and note whether all of `sample` is labelled; where there is no label, nothing is left."""
        self._journal.close()
        if not self._given:
            shutil.rmtree(self.scoring.path, ignore_errors=True)
            return
        self.scoring.note(status="complete" if all(map(self.complete, sample.answers)) else "incomplete")

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold these labels, so that one window at a time gives them. Raises `StoreError` if another one does."""
        busy = f"{self.judge} is labelling already; end that, or take another --name."
        with held(self.scoring.path / ".lock", busy):
            self._read()
            self._publish()
            yield

    def _read(self) -> None:
        """Read the labels that are on disk."""
        self._given.clear()
        for record in self._journal.read():
            if isinstance(record, Damaged):
                raise StoreError(f"{record.path}:{record.line} is damaged; restore it from a copy, or remove the line.")
            self._keep(record)

    def _keep(self, record: Mapping[str, Any]) -> None:
        place = str(record["item_id"]), int(record["epoch"]), str(record["criterion"])
        self._given.pop(place, None)  # the last label is the last in order too
        self._given[place] = record

    def _publish(self) -> None:
        """Write what the rest of evenhand reads, whole or not at all."""
        verdicts: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
        for (item_id, epoch, _), record in sorted(self._given.items()):
            score = {name: record.get(name) for name in _SCORE}
            verdicts.setdefault((item_id, epoch), []).append(score)
        identity = self.scoring.manifest["digest"]
        rows = (
            {"key": digest([identity, *place]), "item_id": place[0], "epoch": place[1], "repeat": 1, "scores": scores}
            for place, scores in verdicts.items()
        )
        buffer = io.BytesIO()
        frame(rows, VERDICTS).write_parquet(buffer)
        path, content = self.scoring.ledger.sealed, buffer.getvalue()
        if not path.exists() or path.read_bytes() != content:
            write_whole(path, content)


def labellers(run: Run | Path | str) -> list[dict[str, Any]]:
    """Return who has labelled a run: name, rubric, whether masked, answers labelled (in part or whole), labels."""
    run = run if isinstance(run, Run) else open_run(Path(run))
    people = [scoring for scoring in run.scorings() if scoring.judge.startswith(HUMAN)]
    found = []
    for scoring in people:
        scores = scoring.ledger.scan().select("scores").collect()["scores"]
        facts = {"name": scoring.judge.removeprefix(HUMAN), "rubric": scoring.manifest["rubric"]}
        counts = {"answers": len(scores), "labels": int(scores.list.len().sum())}
        drawn = (scoring.manifest.get("sample") or {}).get("answers")
        found.append({**facts, "masked": bool(scoring.manifest.get("masked")), **counts, "drawn": drawn})
    return found


def masked(answer: Drawn) -> Drawn:
    """Return an answer and its question with every mention of the country taken away.

    Raises:
        InputError: the country's names are not known.
    """
    code = code_of(answer.country)
    if code is None:
        raise InputError(
            f"--mask: {answer.country!r} is no country whose names are known, so they cannot be taken away; "
            "leave --mask out."
        )
    prompt = None if answer.prompt is None else mask(answer.prompt, code, answer.language)
    return Drawn(
        answer.item_id, answer.epoch, answer.country, answer.language, prompt, mask(answer.text, code, answer.language)
    )


def _scoring(run: Run, rubric: Rubric, judge: str, *, masked: bool) -> Scoring:
    identity = {"rubric": rubric.digest, "human": judge, "masked": masked}
    facts = {"judge": judge, "rubric": rubric.name, "rubric_version": rubric.version, "masked": masked}
    name = f"{rubric.name}@{rubric.version}-{slug(judge)}"
    return run.scoring(name, identity, {**facts, "repeats": 1, "status": "incomplete", **made_by()}, dump_toml(rubric))


def _expected(criterion: Criterion) -> str:
    levels = criterion.levels
    if levels is None:
        return f"a number from {criterion.lowest:g} to {criterion.highest:g}"
    return nearest("", map(str, levels)).removeprefix("known: ").rstrip(".")
