"""How a run was made: settings, versions, digests, and what it took."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from runs import accounts
from runs.folder import Folder
from runs.store import Run, Scoring

SPENT = pl.Schema(
    {
        "part": pl.String,  # answers, or the name of a scoring's judge
        "came": pl.Int64,
        "failed": pl.Int64,
        "attempts": pl.Int64,  # requests, failed ones included; null for answers, which do not count them
        "prompt_tokens": pl.Int64,  # of all attempts made here; null: not known (imported)
        "completion_tokens": pl.Int64,
        "us_dollars": pl.Float64,  # null: there is no public price
    }
)
_GENERATION = ("model", "endpoint", "epochs", "temperature", "top_p", "max_tokens", "seed", "system", "vllm")
_JUDGE = (
    "model", "endpoint", "repeats", "calls", "order", "order_seed", "reasons", "logprobs", "temperature", "top_p",
    "max_tokens", "seed", "repairs",
)  # fmt: skip


def spent(run: Run) -> pl.DataFrame:
    """Return what the answers and each scoring took (schema `SPENT`)."""
    rows = [_spent("answers", run)]
    rows += [_spent(_title(scoring), scoring) for scoring in run.scorings()]
    return pl.DataFrame(rows, schema=SPENT, orient="row")


def made(run: Run) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield what `run.json` and each `scoring.json` say, as headings and facts."""
    told, study = run.manifest, run.manifest["study"]
    generation = study.get("generation") or {}
    yield (
        "The answers",
        {
            "study": study.get("name"),
            "run": run.path.name,
            "status": told.get("status"),
            "started": told.get("started"),
            **{name: _said(value) for name in _GENERATION if (value := generation.get(name)) not in (None, {}, "")},
            "model": told["model"],
            "digest": told["digest"],
            "source revision": told.get("git"),
            "versions": _said(told.get("versions")),
            "engine": _said(told.get("engine")),
            "not taken by the endpoint": _said(told.get("left_out")),
        },
    )
    for scoring in run.scorings():
        told = scoring.manifest
        settings = told.get("settings") or {}
        yield (
            f"Scoring by {_title(scoring)}",
            {
                "scoring": scoring.path.name,
                "status": told.get("status"),
                "rubric": f"{told['rubric']}, version {told.get('rubric_version')}",
                **{name: _said(value) for name in _JUDGE if (value := settings.get(name)) not in (None, {}, "")},
                "not taken by the endpoint": _said(told.get("left_out")),
                "started": told.get("started"),
                "digest": told["digest"],
                "source revision": told.get("git"),
                "versions": _said(told.get("versions")),
                "engine": _said(told.get("engine")),
            },
        )


def _title(scoring: Scoring) -> str:
    variant = [scoring.manifest.get(name) for name in ("on", "placebo")]
    told = ", ".join(str(one) for one in variant if one not in (None, "answer"))
    return f"{scoring.judge} ({scoring.manifest['rubric']}{', ' + told if told else ''})"


def _spent(part: str, folder: Folder) -> dict[str, Any]:
    failed = pl.col("kind").is_not_null()
    counts = folder.ledger.scan().select(came=(~failed).sum(), failed=failed.sum()).collect().row(0, named=True)
    taken = accounts.spent(folder.ledger)
    return {"part": part, **counts, "us_dollars": taken.pop("cost"), **taken}


def _said(value: object) -> object:
    """Return a value as one line: tables as `name value` pairs."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(one)}" for name, one in value.items() if one not in (None, "", {}))
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
