"""The texts of a run as a judge is shown them, and what a placebo did to them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from judging.variants import Variant, code_of, partners
from runs.errors import InputError
from runs.frames import Status
from runs.store import Run


@dataclass(frozen=True, slots=True)
class Text:
    """One answer with its question, as the judge sees them."""

    item_id: str
    epoch: int
    question: str | None
    """Null if it is not known."""
    answer: str
    changed: bool
    """Whether the placebo took a mention away, or put another in its place."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything in a run that there is to score under one variant."""

    texts: tuple[Text, ...]
    counts: dict[str, object] | None
    """What a placebo did: `changed` of `answers`, and those `left_out`, by country; null without one."""
    warnings: tuple[str, ...]


def show(run: Run, variant: Variant) -> Shown:
    """Return the texts of `run` that there are to score.

    A placebo leaves out the answers about what is no country in the table, for nobody knows how to find its mentions.

    Raises:
        InputError: a placebo is wanted, and no country's names are known; or there is none to swap with.
    """
    if variant.placebo is None:
        return Shown(tuple(Text(*row[:4], changed=False) for row in _answers(run, variant)), None, ())
    codes = {name: code_of(name) for name in run.items()["country"].unique().drop_nulls()}
    known = {name: code for name, code in codes.items() if code is not None}
    unknown = ", ".join(repr(name) for name in sorted(codes.keys() - known.keys()))
    if not known:
        raise InputError(
            f"{run.path}: --placebo {variant.placebo} knows no names of {unknown}, so it cannot find them; "
            "write countries as ISO codes or English names, or leave --placebo out."
        )
    texts, left_out = _changed(run, variant, known)
    changed = sum(text.changed for text in texts)
    counts = {"changed": changed, "answers": len(texts), "left_out": dict(sorted(left_out.items()))}
    told = f"{run.path}: --placebo {variant.placebo}"
    warnings = []
    if left_out:
        warnings.append(f"{told} leaves out {left_out.total()} answers: it knows no names of {unknown}.")
    if texts and not changed:
        warnings.append(f"{told} changed none of {len(texts)} answers: they name no country, so it shows nothing.")
    return Shown(tuple(texts), counts, tuple(warnings))


def _changed(run: Run, variant: Variant, known: Mapping[str, str]) -> tuple[list[Text], Counter[str]]:
    """Return the texts about the countries that are `known` (name → code), and how many there are about each other."""
    texts: list[Text] = []
    left_out, present = Counter[str](), sorted(set(known.values()))
    for item_id, epoch, question, answer, question_id, country, language in _answers(run, variant):
        code = known.get(country)
        if code is None:
            left_out[country] += 1
            continue
        partner = partners(question_id, present)[code] if variant.placebo == "swap" else code
        asked, said = (variant.shown(text, code, language, partner) for text in (question, answer))
        texts.append(Text(item_id, epoch, asked, said or "", changed=(asked, said) != (question, answer)))
    return texts, left_out


def _answers(run: Run, variant: Variant) -> Iterator[tuple[str, int, str | None, str, str, str, str]]:
    """Yield item, epoch, question, answer, question's id, country and language of all that there is to score."""
    text = "text" if variant.on == "answer" else "reasoning"
    is_there = pl.col(text).is_not_null()
    answers = (
        run.responses()
        # Thinking counts whatever became of the answer: what was thought before nothing was said tells most.
        .filter(is_there & (pl.col("status") == Status.OK) if variant.on == "answer" else is_there)
        .select("item_id", "epoch", text)
        .join(run.items().lazy(), on="item_id", maintain_order="left")
        .select("item_id", "epoch", "prompt", text, "question_id", "country", "language")
        .collect()
    )
    return answers.iter_rows()


def thinking(run: Run) -> tuple[int, int]:
    """Return how many of the run's responses came with thinking, and how many without."""
    thought = run.responses().filter(pl.col("status") != Status.ERROR).select(pl.col("reasoning").is_not_null())
    came = thought.collect()["reasoning"]
    return int(came.sum()), came.len() - int(came.sum())
