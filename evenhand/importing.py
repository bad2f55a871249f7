"""Answers, and verdicts, that came from elsewhere: CSV, JSONL or Parquet → a run and its scorings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evenhand.facts import made_by
from evenhand.tabular import Misfit, Place, Row, Table, check_names, place_of, read_table, whole_number
from rubrics import Criterion, Rubric, Score, as_id, dump_toml, infer_rubric, load_rubric
from runs.digest import digest
from runs.errors import InputError
from runs.frames import ITEMS, FailureKind, Status, frame
from runs.journal import Journal
from runs.store import DEFAULT_ROOT, Run, Scoring, create_run, slug

RESPONSES = ("question_id", "country", "text")
"""The columns that a file of answers must have."""
MORE_OF_RESPONSES = ("language", "epoch", "prompt", "topic", "sensitive", "stance", "reasoning", "model", "status")
VERDICTS = ("question_id", "country", "judge", "criterion", "score")
"""The columns that a file of verdicts must have."""
MORE_OF_VERDICTS = ("language", "epoch", "repeat", "reason", "status", "model")
MOST_MODELS = 1000
"""Each makes a run; more of them are a wrong column."""
UNNAMED_MODEL = "imported"
"""What a model is called that the file does not name."""


@dataclass
class Imported:
    """What became of one model's answers."""

    run: Run
    responses: int
    verdicts: int = 0
    """Verdict rows with a score or label on their scale, or an abstention."""
    failures: int = 0
    """Verdict rows whose score is null or outside its scale."""
    damage: list[str] = field(default_factory=list)
    """What was found damaged in the run, a sentence each; it was set aside, and written anew."""


@dataclass
class Result:
    """What an import came to: one run per model, and the rows that did not fit."""

    runs: list[Imported] = field(default_factory=list)
    rejected: list[Row] = field(default_factory=list)
    """`file`, `row` (counted from 1), `why`, and the row itself as `content`."""

    def reject(self, table: Table, number: int, row: Row, why: Misfit) -> None:
        """Keep a row that does not fit, and why."""
        content = {name: value if isinstance(value, str | int | None) else str(value) for name, value in row.items()}
        self.rejected.append({"file": str(table.path), "row": number, "why": str(why), "content": content})

    def check_some_fit(self, table: Table, fitting: Mapping[Any, Any]) -> None:
        """Raise an InputError if no row of `table` fits."""
        if not fitting:
            last = self.rejected[-1]
            raise InputError(
                f"{table.path}: none of its {len(table.rows)} rows fits; row {last['row']}: {last['why']}."
            )


def import_(
    file: Path | str,
    *,
    verdicts: Path | str | None = None,
    name: str | None = None,
    focal: str | None = None,
    names: Mapping[str, str] | None = None,
    rubric: str | None = None,
    root: Path = DEFAULT_ROOT,
) -> Result:
    """Bring answers, and verdicts about them, into the store.

    Args:
        file: the answers (columns: see `docs/importing.md`).
        verdicts: scores and labels about them; a judge called `human:<name>` is a person.
        name: the study's name; by default the file's.
        focal: the country under test, as the file or the country table calls it; null: said later, to `analyze`.
        names: their column → ours, for either file.
        rubric: the rubric of the verdicts; by default scales are taken from their values.
        root: the store.

    Raises:
        InputError: a file cannot be read, lacks a column, or holds no row that fits.
        StoreError: the disk refuses.
    """
    tables = [read_table(Path(file), names or {}, RESPONSES, MORE_OF_RESPONSES)]
    if verdicts is not None:
        tables.append(read_table(Path(verdicts), names or {}, VERDICTS, MORE_OF_VERDICTS))
    check_names(names or {}, tables)
    scale = load_rubric(rubric) if rubric else None
    result = Result()
    study = {"name": name or Path(file).stem, "focal": focal}
    for model, responses in _responses(tables[0], result).items():
        result.runs.append(_store_responses(root, study, model, responses))
    if verdicts is not None:
        _store_verdicts(tables[1], result, scale)
    for imported in result.runs:
        journal = Journal(imported.run.path / "rejected.jsonl")
        with imported.run.lock():
            known = {json.dumps(row) for row in journal.read() if isinstance(row, dict)}
            journal.append(rejected for rejected in result.rejected if json.dumps(rejected) not in known)
            journal.close()
    return result


def _responses(answers: Table, result: Result) -> dict[str, dict[Place, Row]]:
    """Return each model's answers by place; rows that do not fit go to `result`."""
    models: dict[str, dict[Place, Row]] = {}
    for number, row in answers:
        try:
            place, answer = place_of(row), _answer(row)
            known = models.setdefault(str(row.get("model") or UNNAMED_MODEL), {})
            if known.setdefault(place, answer) != answer:
                raise Misfit("another row answers the same question about the same country; number the epochs")
        except Misfit as why:
            result.reject(answers, number, row, why)
    result.check_some_fit(answers, models)
    if len(models) > MOST_MODELS:
        raise InputError(
            f"{answers.path}: names {len(models):,} models, and each would become a run ({MOST_MODELS:,} at most); "
            "is `model` the right column?"
        )
    return models


def _answer(row: Row) -> Row:
    """Return what a row says besides its place and model, in our types."""
    columns = ("text", "prompt", "topic", "stance", "reasoning")
    answer: Row = {column: None if row.get(column) is None else str(row[column]) for column in columns}
    status = row.get("status") or (Status.OK if answer["text"] else Status.EMPTY)
    if status not in set(Status):
        raise Misfit(f"status {status!r} is none of {', '.join(Status)}")
    truth = {"true": True, "1": True, "false": False, "0": False}
    return {**answer, "status": status, "sensitive": truth.get(str(row.get("sensitive")).lower())}


def _store_responses(root: Path, study: Row, model: str, responses: dict[Place, Row]) -> Imported:
    rows = [{**place.columns(), **answer, "model": model} for place, answer in responses.items()]
    items = frame(rows, ITEMS).unique("item_id", keep="first", maintain_order=True)
    content = digest(rows)
    facts = {"study": study, "epochs": None, "status": "complete", **made_by()}
    run = create_run(root, study["name"], model, items, {"imported": content}, facts)
    with run.lock():
        damage = _append(run, [{**row, "key": digest([content, row["item_id"], row["epoch"]])} for row in rows])
    return Imported(run, len(rows), damage=damage)


def _store_verdicts(labels: Table, result: Result, rubric: Rubric | None) -> None:
    """Sort verdict rows by run and judge, and store each judge's as a scoring."""
    answered = {str(imported.run.manifest["model"]): _answered(imported.run) for imported in result.runs}
    judged: dict[tuple[str, str], list[tuple[Place, Row]]] = {}
    for number, row in labels:
        try:
            place, model = place_of(row), _model_of(row, list(answered))
            _check_verdict(row)
            if (place.item_id, place.epoch) not in answered[model]:
                raise Misfit("there is no answer to this question about this country in this epoch")
            judged.setdefault((model, str(row["judge"])), []).append((place, row))
        except Misfit as why:
            result.reject(labels, number, row, why)
    result.check_some_fit(labels, judged)
    if rubric is None:
        values: dict[str, list[object]] = {}
        for _, row in (pair for pairs in judged.values() for pair in pairs):
            values.setdefault(as_id(str(row["criterion"])), []).append(row["score"])
        rubric = infer_rubric(labels.path.stem, values)
    by_model = {str(imported.run.manifest["model"]): imported for imported in result.runs}
    for (model, judge), pairs in judged.items():
        _store_scoring(by_model[model], judge, pairs, rubric)


def _store_scoring(imported: Imported, judge: str, pairs: list[tuple[Place, Row]], rubric: Rubric) -> None:
    rows: dict[tuple[str, int, int], Row] = {}
    for place, row in pairs:
        where = (place.item_id, place.epoch, whole_number(row, "repeat"))
        empty = dict(zip(("item_id", "epoch", "repeat"), where, strict=True)) | {"scores": []}
        score = _score(row, rubric.criterion(as_id(str(row["criterion"]))))
        rows.setdefault(where, empty)["scores"].append(score)
        came = score["kind"] in (None, FailureKind.ABSTAINED)
        imported.verdicts += came
        imported.failures += not came
    content = digest([judge, list(rows.values())])
    facts = {"judge": judge, "rubric": rubric.name, "rubric_version": rubric.version, "status": "complete"}
    scoring = imported.run.scoring(
        f"{rubric.name}@{rubric.version}-{slug(judge)}",
        {"rubric": rubric.digest, "imported": content},
        {**facts, "repeats": max(repeat for _, _, repeat in rows), **made_by()},
        dump_toml(rubric),
    )
    with imported.run.lock():
        imported.damage += _append(scoring, [{**row, "key": digest([content, *where])} for where, row in rows.items()])


def _append(folder: Run | Scoring, records: list[Row]) -> list[str]:
    """Write the records that are not there yet, and seal; return what was found damaged."""
    have, damage = folder.ledger.keys(), folder.damage()
    columns = set(folder.schema)
    new = [record for record in records if record["key"] not in have]
    folder.ledger.append({name: value for name, value in record.items() if name in columns} for record in new)
    folder.ledger.seal()
    folder.ledger.close()
    return damage


def _score(row: Row, criterion: Criterion) -> Row:
    """Return a verdict row as a score (`runs.frames.SCORE`); one that is null or outside its scale is a failure."""
    reason = None if row.get("reason") is None else str(row["reason"])
    score = criterion.parse(row["score"], reason)
    told = row.get("status")
    if score is None:
        score = Score(criterion.id, None, None, reason)
        kind: str | None = told if told in set(FailureKind) else FailureKind.INVALID_OUTPUT
    else:
        kind = FailureKind.ABSTAINED if score.abstained else None
    return {"criterion": score.criterion, "score": score.score, "label": score.label, "reason": reason, "kind": kind}


def _answered(run: Run) -> set[tuple[str, int]]:
    return set(run.responses().select("item_id", "epoch").collect().iter_rows())


def _model_of(row: Row, models: list[str]) -> str:
    """Return whose answer a verdict is about."""
    named = row.get("model")
    if named is None and len(models) == 1:
        return models[0]
    if named is None:
        raise Misfit(f"its `model` is empty, and the answers are from {len(models)}")
    if str(named) not in models:
        raise Misfit(f"its model {named!r} has no answers")
    return str(named)


def _check_verdict(row: Row) -> None:
    whole_number(row, "repeat")
    if not str(row["judge"] or "").strip():
        raise Misfit("judge is empty")
    if not as_id(str(row["criterion"] or "")):
        raise Misfit("criterion is empty")
