"""A run at one moment: small columns of its answers and scores in memory, made anew when the run has changed."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from analysis.load import PENDING, load_scores, scorings_of
from evenhand.live import GrowingRun
from rubrics import Criterion

PATIENCE = 0.1
"""Seconds that a page waits for a newer index before it shows what is known."""

_PLACE = ["question_id", "country", "language", "epoch"]


@dataclass(frozen=True)
class Index:
    """A run at one moment."""

    stamp: str
    """Another one says: something has changed."""
    growing: bool
    answers: pl.DataFrame
    """One row an answer that the design calls for, with the small columns of ITEMS and RESPONSES, `nr` and `unit`."""
    scores: pl.DataFrame
    """One row a score that the design calls for: `nr`, judge, criterion, repeat, score, label, missing."""
    criteria: tuple[Criterion, ...]
    judges: tuple[str, ...]
    searched: dict[tuple[str, str], pl.Series] = field(default_factory=dict)
    """Searches that have been done: (text, where) → rows."""
    lowered: dict[str, pl.DataFrame] = field(default_factory=dict)
    """Where was searched last → `nr` and `text` in small letters, on which the next search takes milliseconds."""

    def values(self, column: str) -> list[str]:
        """Return the values of a column of `answers`, sorted."""
        values: list[str] = self.answers[column].drop_nulls().unique().cast(pl.String).sort().to_list()
        return values


class Reader:
    """One run, for pages: the index is made anew in the background when the run has changed."""

    def __init__(self, path: Path) -> None:
        self.run = GrowingRun(path)
        self._lock = threading.Lock()
        self._index: Index | None = None
        self._of: tuple[object, ...] | None = None
        self._failed: Exception | None = None
        self._seconds = 0.0
        self._made = 0.0

    def index(self) -> Index:
        """Return the index; what changed a moment ago may not be in it yet.

        Raises:
            StoreError: the run cannot be read.
        """
        if self._index is None:
            with self._lock:
                if self._index is None:
                    self._make()
        elif self.run.stamp() != self._of and self._rested() and self._lock.acquire(blocking=False):
            thread = threading.Thread(target=self._make_and_release, daemon=True)
            thread.start()
            thread.join(PATIENCE)
        if self._failed is not None:
            raise self._failed
        assert self._index is not None  # noqa: S101 — made above, or an error said why not
        return self._index

    def _rested(self) -> bool:
        """Whether at most a third of the time goes into indexing a run that grows all the time."""
        return time.monotonic() - self._made >= 2 * self._seconds

    def _make_and_release(self) -> None:
        try:
            self._make()
        except Exception as error:
            self._failed = error
        finally:
            self._lock.release()

    def _make(self) -> None:
        started = time.monotonic()
        stamp = self.run.stamp()
        self.run.forget_manifests()
        self._index = make_index(self.run, f"{hash(stamp) & 0xFFFFFFFF:08x}")
        self._of, self._failed = stamp, None
        self._made = time.monotonic()
        self._seconds = self._made - started


def make_index(run: GrowingRun, stamp: str) -> Index:
    """Read the small columns of a run. Raises `StoreError` if it cannot be read."""
    growing = run.is_growing()
    answers = _answers(run)
    scores, criteria = _scores(run, answers)
    judges = tuple(scores["judge"].cast(pl.String).unique().sort().to_list())
    return Index(stamp, growing, answers, scores, criteria, judges)


def _answers(run: GrowingRun) -> pl.DataFrame:
    """Return every answer that the design calls for; those that nobody has asked for yet are `pending`."""
    items = run.items().drop("prompt").with_row_index("place").lazy()
    came = run.responses().select("key", "item_id", "epoch", "status")
    epochs = run.manifest["epochs"]
    if epochs is None:
        called_for = items.join(came, on="item_id", maintain_order="left")
    else:
        numbers = pl.int_range(1, int(epochs) + 1, dtype=pl.Int64)
        design = items.with_columns(epoch=numbers.implode()).explode("epoch")
        called_for = design.join(came, on=["item_id", "epoch"], how="left", maintain_order="left")
    small = ("topic", "stance", "country", "language", "status")
    return (
        called_for.with_columns(
            status=pl.col("status").fill_null(PENDING), unit=pl.coalesce("variant_of", "question_id")
        )
        .sort("place", "epoch")
        .drop("place")
        .with_columns(pl.col(name).cast(pl.Categorical) for name in small)
        .collect()
        .with_row_index("nr")
    )


def _scores(run: GrowingRun, answers: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Criterion, ...]]:
    """Return one row for every score that the design calls for, as analysis reads them."""
    columns = {"judge": pl.String, "criterion": pl.String, "repeat": pl.Int64, "score": pl.Float64}
    more = {"label": pl.String, "missing": pl.String}
    if not scorings_of(run):
        return pl.DataFrame(schema={"nr": answers.schema["nr"], **columns, **more}), ()
    scored = load_scores(run)
    places = answers.lazy().select("nr", *(pl.col(name).cast(pl.String) for name in _PLACE[:3]), "epoch")
    small = ("judge", "criterion", "label", "missing")
    scores = (
        scored.scores.select(*_PLACE, *columns, *more)
        .join(places, on=_PLACE, maintain_order="left")
        .select("nr", *columns, *more)
        .with_columns(pl.col(name).cast(pl.Categorical) for name in small)
        .collect()
    )
    return scores, scored.criteria
