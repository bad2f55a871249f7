"""What there is: runs, one run, one item with its verdicts, what failed."""

from pathlib import Path
from typing import Any

import polars as pl

from analysis.panel import PANEL
from analysis.tables import as_text
from analysis.verdict import interval_ends, is_distance
from evenhand.analysing import analysis_of
from runs.accounts import spent
from runs.errors import InputError, StoreError, nearest
from runs.frames import FailureKind, Status
from runs.store import DEFAULT_ROOT, Run, Scoring, find_runs, open_run


def list_(root: Path = DEFAULT_ROOT) -> list[dict[str, Any]]:
    """Return the runs below `root`, each with its scorings; of one that cannot be read, `status` says why not."""
    return [_entry_or_why(run) for run in find_runs(root)]


def show_run(run: Run | Path) -> dict[str, Any]:
    """Return what a run holds: its entry in the list, answers per country and status, and its analysis in short.

    `analysis` is null before the first `analyze`. Its `is_current` is false if answers or verdicts came since; else
    `contrasts` holds the declared ones under one judge, the panel where there is one.
    """
    run = _opened(run)
    answers = run.responses().join(run.items().lazy(), on="item_id").group_by("country", "status")
    counts = answers.len("answers").sort("country", "status").collect()
    return {**_entry(run), "answers": counts.to_dicts(), "analysis": _analysis(run)}


def show_item(run: Run | Path, item_id: str) -> dict[str, Any]:
    """Return one item, its answers and every verdict on them.

    Raises:
        InputError: the run has no such item.
    """
    run = _opened(run)
    items = run.items()
    item = items.row(by_predicate=pl.col("item_id") == item_id, named=True) if item_id in items["item_id"] else None
    if item is None:
        raise InputError(f"{run.path}: there is no item {item_id!r}; {nearest(item_id, items['item_id'].head(200))}")
    answers = run.responses().filter(pl.col("item_id") == item_id).sort("epoch").collect().to_dicts()
    verdicts = _verdicts(run, pl.col("item_id") == item_id)
    for answer in answers:
        answer["verdicts"] = [verdict for verdict in verdicts if verdict["epoch"] == answer["epoch"]]
    return {**item, "answers": answers}


def show_failures(run: Run | Path) -> dict[str, Any]:
    """Return the answers and verdicts that did not come, with their kind, what was said, and the raw reply if any.

    Tokens are those of the last try. `abstained` counts, per scoring and criterion, the verdicts in which the judge
    said "not applicable".
    """
    run = _opened(run)
    answers = run.responses().filter(pl.col("status") != Status.OK)
    told = answers.select("item_id", "epoch", kind=pl.coalesce("kind", "status"), message="message", raw=pl.col("text"),
                          prompt_tokens="prompt_tokens", completion_tokens="completion_tokens")  # fmt: skip
    nobody: dict[str, Any] = dict.fromkeys(("scoring", "judge", "on", "placebo"))
    tries: dict[str, Any] = dict.fromkeys(("repeat", "attempts"))
    rows = told.sort("item_id", "epoch").collect().to_dicts()
    failures = [_failure({"stage": "answer", **nobody, **tries, **row}) for row in rows]
    abstained: list[dict[str, Any]] = []
    for scoring in run.scorings():
        verdicts, whose = scoring.ledger.scan(), _whose(scoring)
        gone = verdicts.filter(pl.col("kind").is_not_null()).sort("item_id", "epoch", "repeat")
        failures += [_failure({"stage": "verdict", **whose, **row}) for row in gone.select(_TOLD).collect().to_dicts()]
        scores = verdicts.select(pl.col("scores").explode()).unnest("scores")
        counts = scores.filter(kind=FailureKind.ABSTAINED).group_by("criterion").len("verdicts").sort("criterion")
        abstained += [{**whose, **row} for row in counts.collect().to_dicts()]
    return {"run": str(run.path), "failures": failures, "abstained": abstained}


def show_scoring(scoring: Scoring) -> dict[str, Any]:
    """Return what a scoring took: tokens of all attempts, failed ones included, and money where there is a price.

    Verdicts that were taken over from another scoring took nothing here; null: not known (imported).
    `without_expected_score` counts, by reason, the scores that lack the expected score asked for; null: none asked for.
    """
    verdicts, taken = scoring.ledger.scan(), spent(scoring.ledger)
    counts = [taken[name] for name in ("prompt_tokens", "completion_tokens") if taken[name] is not None]
    told = {"tokens": sum(counts) if counts else None, "cost": taken["cost"], "attempts": taken["attempts"]}
    without = None
    if scoring.manifest.get("settings", {}).get("logprobs"):
        why = verdicts.select(pl.col("scores").explode().struct.field("unexpected")).drop_nulls()
        without = dict(why.group_by("unexpected").len().sort("unexpected").collect().iter_rows())
    return {"scoring": str(scoring.path), **told, "without_expected_score": without}


_TOLD = (
    "item_id", "epoch", "repeat", "kind", "attempts", "prompt_tokens", "completion_tokens", "message", "raw",
)  # fmt: skip


def _failure(row: dict[str, Any]) -> dict[str, Any]:
    """Return a failure's row with its columns in one order."""
    return {name: row[name] for name in ("stage", "scoring", "judge", "on", "placebo", *_TOLD)}


def _whose(scoring: Scoring) -> dict[str, Any]:
    """Return what tells the rows of a scoring from those of another."""
    told = scoring.manifest
    return {
        "scoring": scoring.path.name,
        "judge": scoring.judge,
        "on": told.get("on") or "answer",
        "placebo": told.get("placebo"),
    }


def _opened(run: Run | Path) -> Run:
    return run if isinstance(run, Run) else open_run(run)


def _entry_or_why(run: Run) -> dict[str, Any]:
    try:
        return _entry(run)
    except StoreError as error:  # one damaged run hides no other
        unknown = {"model": None, "focal": None, "answers": None}
        return {"run": str(run.path), **unknown, "status": f"unreadable: {error}", "scorings": []}


def _entry(run: Run) -> dict[str, Any]:
    scorings = [
        {**_whose(scoring), "rubric": scoring.manifest["rubric"], "repeats": scoring.manifest["repeats"]}
        for scoring in run.scorings()
    ]
    return {
        "run": str(run.path),
        "model": run.manifest["model"],
        "focal": run.focal,
        "answers": run.responses().filter(pl.col("kind").is_null()).select(pl.len()).collect().item(),
        "status": run.manifest["status"],
        "scorings": scorings,
    }


def _analysis(run: Run) -> dict[str, Any] | None:
    told = analysis_of(run)
    if told is None or not told["is_current"]:
        return None if told is None else {"is_current": False}
    try:
        table = pl.read_parquet(run.path / "analysis" / "contrasts.parquet").filter(pl.col("family") == "confirmatory")
    except (pl.exceptions.PolarsError, OSError):
        return None
    judges = table["judge"].unique().sort().to_list()
    judge = PANEL if PANEL in judges else judges[0] if judges else None
    own = table.filter(pl.col("judge") == judge)
    rows = [
        {
            "criterion": label,
            "reference": row["reference"],
            "scale": row["scale"],
            "n_questions": row["n_questions"],
            "difference": row["difference"],
            **dict(zip(("interval_low", "interval_high"), interval_ends(row), strict=True)),
            "finding": row["finding"],
            "standing": row["standing"],
        }
        for row, label in zip(own.iter_rows(named=True), as_text(own)["criterion"], strict=True)
        if row["difference"] is not None and not is_distance(row)
    ]
    return {"is_current": True, "focal": told["focal"], "judge": judge, "judges": judges, "contrasts": rows}


def _verdicts(run: Run, where: pl.Expr) -> list[dict[str, Any]]:
    rows = []
    for scoring in run.scorings():
        found = scoring.ledger.scan().filter(where).select("epoch", "repeat", "scores", failed="kind")
        flat = found.explode("scores").unnest("scores").with_columns(kind=pl.coalesce("kind", "failed")).drop("failed")
        rows += [{**_whose(scoring), **row} for row in flat.sort("epoch", "repeat").collect().to_dicts()]
    return rows
