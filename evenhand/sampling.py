"""Which answers people label, so that their labels can correct a judge (PPI++, `analysis.ppi`).

A correction compares people and judge on the questions that people labelled, and carries over to the other questions.
So questions are drawn at random, without a look at answers or scores; of a question drawn, the focal country and
others are labelled, in one wording and language and one answer each, all drawn at random too. On average over such
draws a labelled difference is the question's whole difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from runs.digest import digest
from runs.errors import InputError
from runs.frames import Status
from runs.store import Run

FEWEST = 10
"""Questions that are labelled at least, if there are so many: with fewer a correction says next to nothing."""


Countries = dict[str, list[tuple[str, int]]]
"""Country → the places (item, epoch) of its answers."""


@dataclass(frozen=True)
class Drawn:
    """One answer to be labelled."""

    item_id: str
    epoch: int
    country: str
    language: str
    prompt: str | None
    text: str


@dataclass(frozen=True)
class Sample:
    """The answers to be labelled, in the order in which they are shown."""

    answers: tuple[Drawn, ...]
    questions: int
    of_questions: int
    """Those that have an answer about the focal country and about another."""
    references: int
    """Countries besides the focal one per question, at most."""


def draw(run: Run, focal: str, n: int, seed: int) -> Sample:
    """Return at least `n` answers to whole questions, or all there are; the same for the same run, `n` and `seed`.

    All countries of a question are taken where that gives ten questions, else the focal one and as many others as
    leave ten. A larger `n` draws the same questions, and more.

    Args:
        run: whose answers.
        focal: the country under test.
        n: answers, from 1.
        seed: of all that is random.

    Raises:
        InputError: no question has an answer about the focal country and about another.
    """
    blocks = _blocks(run, focal, seed)
    if not blocks:
        raise InputError(f"{run.path}: no question has an answer about {focal!r} and one about another country.")
    widest = max(len(countries) for countries in blocks.values()) - 1
    references = min(widest, max(1, n // min(FEWEST, len(blocks)) - 1))
    chosen: list[tuple[str, int]] = []
    questions = 0
    for block in sorted(blocks, key=lambda block: digest([seed, block])):
        if len(chosen) >= n:
            break
        questions += 1
        countries = blocks[block]
        others = sorted((one for one in countries if one != focal), key=lambda one: digest([seed, block, one]))
        answers = (countries[country] for country in (focal, *others[:references]))
        chosen += [min(places, key=lambda place: digest([seed, *place])) for places in answers]
    chosen.sort(key=lambda place: digest([seed, "order", *place]))
    return Sample(_read(run, chosen), questions, len(blocks), references)


def _blocks(run: Run, focal: str, seed: int) -> dict[str, Countries]:
    """Return each question's answers, in one wording and language."""
    items = run.items().lazy().with_columns(unit=pl.coalesce("variant_of", "question_id"))
    came = run.responses().filter(pl.col("status") == Status.OK, pl.col("text").str.len_bytes() > 0)
    rows = (
        came.select("item_id", "epoch")
        .join(items, on="item_id")
        .select("unit", "question_id", "language", "country", "item_id", "epoch")
        .sort(pl.all())
        .collect()
    )
    found: dict[str, dict[str, Countries]] = {}
    for unit, question, language, country, item_id, epoch in rows.iter_rows():
        wording = found.setdefault(unit, {}).setdefault(f"{question}/{language}", {})
        wording.setdefault(country, []).append((item_id, epoch))
    drawn: dict[str, Countries] = {}
    for unit, wordings in found.items():
        fitting = [name for name, countries in wordings.items() if focal in countries and len(countries) > 1]
        if fitting:
            drawn[unit] = wordings[min(fitting, key=lambda name: digest([seed, unit, name]))]
    return drawn


def _read(run: Run, places: Sequence[tuple[str, int]]) -> tuple[Drawn, ...]:
    """Return the answers at `places`, in their order."""
    wanted = pl.DataFrame(places, schema={"item_id": pl.String, "epoch": pl.Int64}, orient="row")
    items = run.items().select("item_id", "country", "language", "prompt")
    texts = (
        run.responses().filter(pl.col("item_id").is_in(wanted["item_id"].implode())).select("item_id", "epoch", "text")
    )
    rows = wanted.join(texts.collect(), on=["item_id", "epoch"], how="left", maintain_order="left")
    whole = rows.join(items, on="item_id", how="left", maintain_order="left")
    return tuple(Drawn(**row) for row in whole.to_dicts())
