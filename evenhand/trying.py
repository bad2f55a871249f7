"""A judge tried on a rubric's worked examples, before it is trusted with answers."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from evenhand.importing import import_
from evenhand.stages import Scored
from evenhand.verbs import score
from judging.settings import Judge
from rubrics import NOT_APPLICABLE, Criterion, Example, Score, load_examples, load_rubric
from runs.budget import Budget
from runs.frames import FailureKind
from runs.items import NO_COUNTRY
from runs.progress import Progress
from runs.store import DEFAULT_ROOT, Run

TRIED = pl.Schema(
    {
        "example": pl.Int64,  # counted from 1
        "criterion": pl.String,
        "expected": pl.String,  # a level, a category, or not_applicable
        "given": pl.String,  # the same; null: no score came, and `kind` says why
        "off": pl.Float64,  # given minus expected, in the criterion's units; null: no numbers on both sides
        "agrees": pl.Boolean,  # null: no score came
        "reason": pl.String,  # the judge's; null: it was not asked
        "kind": pl.String,  # FailureKind; null if a score came
    }
)


@dataclass(frozen=True)
class Tried:
    """What a judge made of a rubric's worked examples."""

    run: Run
    """The examples as a run: `evenhand show` has every verdict in full."""
    scored: Scored
    verdicts: pl.DataFrame
    """Schema `TRIED`, one row for each example, criterion and repeat."""

    @property
    def agreement(self) -> pl.DataFrame:
        """Per criterion: scores that came, how many of them are the expected ones, and how far off the numbers are."""
        came = pl.col("agrees").is_not_null()
        return self.verdicts.group_by("criterion", maintain_order=True).agg(
            came.sum().alias("scores"),
            pl.col("agrees").sum().alias("as_expected"),
            pl.col("off").abs().mean().alias("mean_distance"),  # null: no numbers to compare
        )


def try_judge(
    rubric: Path | str,
    judge: Judge | str,
    *,
    root: Path = DEFAULT_ROOT,
    progress: Progress | None = None,
    budget: Budget | None = None,
    **settings: Any,
) -> Tried:
    """Have `judge` score the worked examples of `rubric`, and set what it gave beside what they are worth.

    The examples become a run of the study `examples-<rubric>` in the store, so that what a judge was asked once is not
    paid for twice.

    Args:
        rubric: a shipped rubric, or a path with its examples in `<name>.examples.toml` beside it.
        judge: a model such as `openai/gpt-5`, a TOML file, or a `Judge`.
        root: the store.
        progress: who watches.
        budget: how much may be spent; null: no limit.
        settings: fields of `Judge` that replace what the judge says; null: as there.

    Raises:
        InputError, StoreError, EndpointError: see `runs.errors`.
    """
    scale, examples = load_rubric(rubric), load_examples(rubric)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "examples.jsonl"
        file.write_text("".join(_line(number, example) for number, example in enumerate(examples, 1)), "utf-8")
        run = import_(file, name=f"examples-{scale.name}", root=root).runs[0].run
    (scored,) = score(run, judges=[judge], rubric=str(rubric), progress=progress, budget=budget, **settings)
    return Tried(run, scored, _compared(scored, scale.criteria, examples))


def _line(number: int, example: Example) -> str:
    where = {"question_id": f"example-{number}", "country": NO_COUNTRY, "model": "worked-examples"}
    return json.dumps({**where, "prompt": example.question, "text": example.answer}) + "\n"


def _compared(scored: Scored, criteria: tuple[Criterion, ...], examples: tuple[Example, ...]) -> pl.DataFrame:
    worth = {
        (number, criterion.id): score
        for number, example in enumerate(examples, 1)
        for criterion in criteria
        if (score := criterion.parse(example.scores[criterion.id])) is not None
    }
    verdicts = scored.scoring.ledger.scan().select("item_id", "repeat", "scores", whole="kind").collect()
    rows = []
    for item_id, _, scores, whole in verdicts.sort("item_id", "repeat").iter_rows():
        number = int(item_id.partition("/")[0].removeprefix("example-"))
        rows += [_row(number, score, whole, worth[number, score["criterion"]]) for score in scores]
    order = {criterion.id: place for place, criterion in enumerate(criteria)}
    rows.sort(key=lambda row: (row["example"], order[row["criterion"]]))
    return pl.DataFrame(rows, schema=TRIED, orient="row")


def _row(number: int, came: dict[str, Any], whole: str | None, expected: Score) -> dict[str, Any]:
    abstained = came["kind"] == FailureKind.ABSTAINED
    given = _told(came["score"], came["label"], abstained=abstained)
    worth = _told(expected.score, expected.label, abstained=expected.abstained)
    return {
        "example": number,
        "criterion": came["criterion"],
        "expected": worth,
        "given": given,
        "off": None if came["score"] is None or expected.score is None else came["score"] - expected.score,
        "agrees": None if given is None else given == worth,
        "reason": came["reason"],
        "kind": None if abstained else whole or came["kind"],
    }


def _told(score: float | None, label: str | None, *, abstained: bool) -> str | None:
    if abstained:
        return NOT_APPLICABLE
    return label if score is None else f"{score:g}"
