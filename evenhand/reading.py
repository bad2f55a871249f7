"""What the pages show of a run: the index says which answers, long texts come from disk for those shown.

store → Index (one row an answer, one row a score) → Selection (which answers) → rows with their texts
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis.load import PENDING, scorings_of
from analysis.panel import HUMAN, PANEL
from evenhand.analysing import analysis_of
from evenhand.filters import NO, YES, Filters
from evenhand.indexing import Index, Reader
from evenhand.live import GrowingRun
from runs.errors import InputError, StoreError, nearest
from runs.frames import CAME, Status

SNIPPET = 280
"""Characters of an answer in a list."""


@dataclass(frozen=True)
class Selection:
    """The answers that filters leave."""

    nr: pl.Series
    """Their rows in the index, in its order."""
    scores: int
    """The scores that the filters are about; 0 if they are about none."""
    questions: int


def select(reader: Reader, index: Index, filters: Filters) -> Selection:
    """Return the answers that `filters` leave.

    Raises:
        InputError: a judge or a criterion that the run does not have.
    """
    answers = index.answers.filter(_about_answers(filters)).select("nr", "unit", "question_id", "language", "country")
    if filters.search:
        answers = answers.filter(pl.col("nr").is_in(_found(reader, index, filters.search, filters.where).implode()))
    count = 0
    if filters.about_scores:
        scores = index.scores.filter(_about_scores(index, filters)).select("nr")
        scores = scores.filter(pl.col("nr").is_in(answers["nr"].implode()))
        if filters.judge == PANEL and (filters.score == YES or filters.paired is not None):
            # The panel has a score where all of its members do.
            lacking = filters.with_(score=NO, paired=None, low=None, high=None, label=None)
            gone = index.scores.filter(_about_scores(index, lacking))["nr"]
            scores = scores.filter(~pl.col("nr").is_in(gone.implode()))
        answers = answers.filter(pl.col("nr").is_in(scores["nr"].implode()))
        if filters.paired is not None:
            answers = answers.filter(_paired(filters.paired))
            scores = scores.filter(pl.col("nr").is_in(answers["nr"].implode()))
        count = scores.height
    return Selection(answers["nr"], count, answers["unit"].n_unique())


def _about_answers(filters: Filters) -> pl.Expr:
    wanted = [pl.col("country").is_in(filters.country)] if filters.country else []
    if filters.topic:
        wanted.append(pl.col("topic").is_in(filters.topic))
    if filters.question is not None:
        wanted.append((pl.col("question_id") == filters.question) | (pl.col("unit") == filters.question))
    if filters.sensitive is not None:
        wanted.append(pl.col("sensitive") == (filters.sensitive == YES))
    said = {name: getattr(filters, name) for name in ("language", "stance", "status")}
    wanted += [pl.col(name) == value for name, value in said.items() if value is not None]
    return pl.all_horizontal(wanted) if wanted else pl.lit(value=True)


def _about_scores(index: Index, filters: Filters) -> pl.Expr:
    wanted = []
    if filters.criterion is not None:
        known = [criterion.id for criterion in index.criteria]
        wanted.append(pl.col("criterion") == _known("criterion", filters.criterion, known))
    if filters.judge == PANEL:
        scored = index.scores.filter(CAME)["judge"].cast(pl.String).unique()
        wanted.append(pl.col("judge").is_in([judge for judge in scored if not judge.startswith(HUMAN)]))
    elif filters.judge is not None:
        wanted.append(pl.col("judge") == _known("judge", filters.judge, index.judges))
    if filters.low is not None:
        wanted.append(pl.col("score") >= filters.low)
    if filters.high is not None:
        wanted.append(pl.col("score") <= filters.high)
    if filters.label is not None:
        wanted.append(pl.col("label") == filters.label)
    if filters.score == YES or filters.paired is not None:
        wanted.append(CAME)
    elif filters.score is not None:
        wanted.append(~CAME if filters.score == NO else pl.col("missing") == filters.score)
    return pl.all_horizontal(wanted) if wanted else pl.lit(value=True)


def _known(what: str, name: str, known: Sequence[str]) -> str:
    if name not in known:
        raise InputError(f"{what} {name!r} has no scores in this run; {nearest(name, known)}")
    return name


def _paired(focal: str) -> pl.Expr:
    """Say whether a wording of a question in a language has `focal` and another country."""
    block = ["question_id", "language"]
    own = pl.col("country") == focal
    return own.any().over(block) & (~own).any().over(block)


def _found(reader: Reader, index: Index, text: str, where: str) -> pl.Series:
    """Return the rows of the answers in which `text` occurs, whether in small or in capital letters."""
    if (text, where) not in index.searched:
        # Without the bound, whoever types all day would fill the memory.
        while len(index.searched) >= 32:
            index.searched.pop(next(iter(index.searched)))
        holds = pl.col("text").str.contains(text.lower(), literal=True)
        found = _lowered(reader.run, index, where).lazy().filter(holds).select("nr").collect(engine="streaming")
        index.searched[text, where] = found["nr"].unique()
    return index.searched[text, where]


def _lowered(run: GrowingRun, index: Index, where: str) -> pl.DataFrame:
    """Return `nr` and `text` of what is searched, in small letters: kept until something else is searched."""
    lowered = index.lowered.get(where)
    if lowered is None:
        texts, place = (_reasons(run), ["item_id", "epoch"]) if where == "reason" else (_texts(run, where), ["key"])
        rows = index.answers.lazy().select("nr", *place).join(texts, on=place)
        lowered = rows.select("nr", pl.col("text").str.to_lowercase()).drop_nulls().collect()
        index.lowered.clear()
        index.lowered[where] = lowered
    return lowered


def _texts(run: GrowingRun, column: str) -> pl.LazyFrame:
    return run.responses().select("key", text=column)


def _reasons(run: GrowingRun) -> pl.LazyFrame:
    nothing = pl.LazyFrame(schema={"item_id": pl.String, "epoch": pl.Int64, "text": pl.String})
    scored = [
        scoring.ledger.scan()
        .select("item_id", "epoch", "scores")
        .explode("scores")
        .select("item_id", "epoch", text=pl.col("scores").struct.field("reason"))
        for scoring in scorings_of(run)
    ]
    return pl.concat([nothing, *scored])


def rows(reader: Reader, index: Index, nr: pl.Series) -> list[dict[str, Any]]:
    """Return the answers `nr`, in this order, each with the beginning of its text, its length, and its scores."""
    shown = index.answers.filter(pl.col("nr").is_in(nr.implode()))
    keys = shown["key"].drop_nulls()
    texts = (
        reader.run.responses()
        .filter(pl.col("key").is_in(keys.implode()))
        .select("key", snippet=pl.col("text").str.slice(0, SNIPPET), length=pl.col("text").str.len_chars())
        .collect()
    )
    scores = index.scores.filter(pl.col("nr").is_in(nr.implode())).partition_by("nr", as_dict=True)
    found = {row["nr"]: row for row in shown.join(texts, on="key", how="left").to_dicts()}
    return [{**found[at], "scores": scores[(at,)].to_dicts() if (at,) in scores else []} for at in nr]


def whole(reader: Reader, item_ids: Sequence[str], epoch: int) -> list[dict[str, Any]]:
    """Return one answer to each item whole, with the item and every verdict, whatever was shown to the judge.

    Raises:
        InputError: the run has no such item or epoch.
    """
    run = reader.run
    here = pl.col("item_id").is_in(item_ids) & (pl.col("epoch") == epoch)
    items = run.items().filter(pl.col("item_id").is_in(item_ids)).rows_by_key("item_id", named=True, unique=True)
    came = run.responses().filter(here).collect().rows_by_key("item_id", named=True, unique=True)
    epochs = run.manifest["epochs"]
    for item_id in item_ids:
        if item_id not in items:
            raise InputError(f"There is no item {item_id!r} in this run.")
        if item_id not in came and (epochs is None or not 1 <= epoch <= int(epochs)):
            raise InputError(f"There is no answer {epoch} to {item_id!r}.")
    verdicts: dict[str, list[dict[str, Any]]] = {item_id: [] for item_id in item_ids}
    for scoring in run.scorings():
        facts = {"judge": scoring.judge, "shown": _shown(scoring.manifest), "rubric": scoring.manifest["rubric"]}
        for verdict in scoring.ledger.scan().filter(here).sort("repeat").collect().to_dicts():
            verdicts[verdict["item_id"]].append({**verdict, **facts})
    pending = {"status": PENDING, "text": None, "reasoning": None, "key": None}
    return [
        {
            "item_id": item_id,
            **items[item_id],
            "epoch": epoch,
            **came.get(item_id, pending),
            "verdicts": verdicts[item_id],
        }
        for item_id in item_ids
    ]


def _shown(manifest: dict[str, Any]) -> str | None:
    """Return what the judge was shown, where it was not the answer as it is."""
    masked = "masked" if manifest.get("masked") else None
    parts = [manifest.get("on") if manifest.get("on") != "answer" else None, manifest.get("placebo"), masked]
    return ", ".join(part for part in parts if part) or None


def contrasts(reader: Reader) -> pl.DataFrame | None:
    """Return the significance table as it was last computed; null if it never was. Raises `StoreError`."""
    path = reader.run.path / "analysis" / "contrasts.parquet"
    if not path.exists():
        return None
    try:
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        told = str(error).partition("\n")[0]
        raise StoreError(f"{path}: cannot be read ({told}); run `evenhand analyze {reader.run.path}` again.") from None


def is_stale(reader: Reader) -> bool:
    """Whether answers or verdicts have come since the significance table was computed."""
    told = analysis_of(reader.run)
    return told is None or not told["is_current"]


STATUSES = (*Status, PENDING)
"""How an answer can have ended, or not begun."""
