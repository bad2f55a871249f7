"""What a study will ask, and how much of it, before any model runs."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from analysis.power import Design, power_table
from evenhand.cautions import cautions
from evenhand.study import Plan, load_study
from judging.forms import forms
from judging.prompt import messages
from judging.settings import ROOM, Judge
from rubrics import response_model
from runs.prices import cost

ANSWER, REASON, SCORE = 600, 40, 15
"""Tokens that are expected of an answer, of a judge's reason for one score, and of the score itself."""
BOUNDS = ("expected", "at_most")
COMPLAINT = 150
"""Tokens for what was wrong with one criterion of a reply that is sent back, at most."""


def check(study: Path | str) -> dict[str, Any]:
    """Read a study and all that it names, and return what it will take; no model is touched.

    Tokens of texts are estimates from their characters (`tokens_in`). `…_expected`: answers of `ANSWER` tokens, and
    verdicts that fit at once. `…_at_most`: answers as long as they may be, and every verdict cut off and sent back as
    often as the judge's settings allow; what is asked again after the endpoint failed comes on top. Costs are US
    dollars by the public price list, null where it has no price (engines and servers of one's own); the total sums
    those that there are. The smallest effects that the study finds with 80 % power rest on assumed variances.

    Raises:
        InputError: something does not fit; one sentence with file, key and fix.
    """
    plan = load_study(Path(study))
    generation, items = plan.study.generation, plan.items
    answers = items.height * generation.epochs
    prompts = sum(tokens_in(prompt) for prompt in items["prompt"]) * generation.epochs
    asked = prompts + tokens_in(generation.system or "") * answers
    written = answers * _answer_expected(plan), answers * generation.max_tokens
    costs = [cost(generation, generation.model, _used(asked, tokens)) for tokens in written]
    judges = [_judge(plan, judge, answers, prompts) for judge in plan.study.judges]
    content: dict[str, Any] = {
        "study": plan.study.name,
        "model": generation.model,
        "focal": plan.focal,
        "questions": items["question_id"].n_unique(),
        "countries": items["country"].n_unique(),
        "languages": items["language"].n_unique(),
        "epochs": generation.epochs,
        "answers": answers,
        "prompt_tokens": asked,
        "answer_tokens_expected": written[0],
        "answer_tokens_at_most": written[1],
        "rubric": f"{plan.rubric.name}@{plan.rubric.version}",
        "criteria": len(plan.rubric.criteria),
        "cost_expected": costs[0],
        "cost_at_most": costs[1],
    }
    effects = smallest_effects(plan).select("criterion", "mde", "sd_difference")
    content["smallest_detectable_effects"] = effects.to_dicts()
    content["judges"] = judges
    content["total"] = _total(asked, written, costs, judges)
    content["warnings"] = cautions(plan.study.judges)
    return content


def tokens_in(text: str) -> int:
    """Return about how many tokens `text` is: four Latin letters each, two of other alphabets, one Chinese character.

    A rule of thumb on the safe side; tokenizers differ, most outside the Latin script.
    """
    if text.isascii():
        return math.ceil(len(text) / 4)
    latin = sum(character < "\u0250" for character in text)
    large = sum(character >= "\u2e80" for character in text)  # Chinese, Japanese, Korean
    return math.ceil(latin / 4 + (len(text) - latin - large) / 2 + large)


def design_of(plan: Plan) -> Design:
    """Return how much a study asks for; repeats are those of the judge that has fewest."""
    questions = plan.items.select(pl.coalesce("variant_of", "question_id").n_unique()).item()
    repeats = min((judge.repeats for judge in plan.study.judges), default=1)
    references = max(plan.items["country"].n_unique() - 1, 1)
    return Design(questions, references, plan.study.generation.epochs, repeats)


def smallest_effects(plan: Plan) -> pl.DataFrame:
    """Return the smallest effect that a study finds with 80 % power (schema `analysis.power.POWER`).

    The variances are assumptions (`analysis.components.assumed`), for there are no data yet.
    """
    return power_table(plan.rubric.criteria, design_of(plan), alpha=plan.study.analysis.alpha)


def _judge(plan: Plan, judge: Judge, answers: int, prompts: int) -> dict[str, Any]:
    """Return what one judge will take; `prompts` are the tokens of all answers' questions together."""
    sheets = forms(plan.rubric, judge, 1)
    verdicts, asked = answers * judge.repeats, prompts * judge.repeats
    calls, longest = verdicts * len(sheets), plan.study.generation.max_tokens
    read, written = [0, 0], [0, 0]
    for form in sheets:  # first what is expected, then the most
        bare = sum(tokens_in(message["content"]) for message in messages(form.instructions, " ", ""))
        schema = tokens_in(json.dumps(response_model(form.criteria, reason=judge.reasons).model_json_schema()))
        read[0] += asked + verdicts * (bare + _answer_expected(plan))
        written[0] += verdicts * min(judge.max_tokens, len(form.criteria) * (SCORE + REASON * judge.reasons))
        # Each room that a verdict may take is tried with all repairs, and a repair reads all that came before it.
        tries, rooms = judge.repairs + 1, len(ROOM)
        read[1] += rooms * tries * (asked + verdicts * (bare + schema + longest))
        resent = judge.repairs * tries // 2
        complaint = COMPLAINT * (1 + len(form.criteria))
        read[1] += verdicts * resent * (sum(ROOM) * judge.max_tokens + rooms * complaint)
        written[1] += verdicts * tries * sum(ROOM) * judge.max_tokens
    costs = [cost(judge, judge.served_model, _used(*both)) for both in zip(read, written, strict=True)]
    parts: dict[str, Sequence[float | None]] = {"prompt_tokens": read, "verdict_tokens": written, "cost": costs}
    told = {f"{name}_{bound}": part[n] for name, part in parts.items() for n, bound in enumerate(BOUNDS)}
    return {"judge": judge.name, "calls": calls, **told}


def _total(
    asked: int, written: Sequence[int], costs: Sequence[float | None], judges: Sequence[dict[str, Any]]
) -> dict[str, float | None]:
    """Return what answers and judges take together."""
    total: dict[str, float | None] = {}
    for n, bound in enumerate(BOUNDS):
        judging = sum(judge[f"{part}_tokens_{bound}"] for judge in judges for part in ("prompt", "verdict"))
        total[f"tokens_{bound}"] = asked + written[n] + judging
        total[f"cost_{bound}"] = _known_sum([costs[n], *(judge[f"cost_{bound}"] for judge in judges)])
    return total


def _answer_expected(plan: Plan) -> int:
    return min(ANSWER, plan.study.generation.max_tokens)


def _known_sum(costs: Sequence[float | None]) -> float | None:
    known = [one for one in costs if one is not None]
    return sum(known) if known else None


def _used(prompt_tokens: int, completion_tokens: int) -> dict[str, int]:
    return {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
