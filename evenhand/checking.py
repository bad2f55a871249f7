"""What a study will ask, and how much of it, before any model runs."""

from pathlib import Path
from typing import Any

import polars as pl

from analysis.power import Design, power_table
from evenhand.study import Plan, load_study
from judging.forms import forms
from judging.prompt import messages
from judging.settings import Judge
from runs.prices import cost

CHARACTERS_PER_TOKEN = 4
"""A rule of thumb for European languages; Chinese and Arabic take more tokens."""


def check(study: Path | str) -> dict[str, Any]:
    """Read a study and all that it names, and return what it will take; no model is touched.

    Token counts are estimates from characters; answers count with the length that they may have at most. Costs are US
    dollars by the public price list, null where it has no price (engines and servers of one's own). The smallest
    effects that the study finds with 80 % power rest on assumed variances.

    Raises:
        InputError: something does not fit; one sentence with file, key and fix.
    """
    plan = load_study(Path(study))
    generation, items = plan.study.generation, plan.items
    answers = items.height * generation.epochs
    asked = sum(len(prompt) for prompt in items["prompt"]) * generation.epochs // CHARACTERS_PER_TOKEN
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
        "answer_tokens_at_most": answers * generation.max_tokens,
        "rubric": f"{plan.rubric.name}@{plan.rubric.version}",
        "criteria": len(plan.rubric.criteria),
    }
    content["cost_at_most"] = cost(generation, generation.model, _used(asked, content["answer_tokens_at_most"]))
    effects = smallest_effects(plan).select("criterion", "mde", "sd_difference")
    content["smallest_detectable_effects"] = effects.to_dicts()
    content["judges"] = [_judge(plan, judge, answers) for judge in plan.study.judges]
    return content


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


def _judge(plan: Plan, judge: Judge, answers: int) -> dict[str, Any]:
    """Return what one judge will take."""
    sheets = forms(plan.rubric, judge, 1)
    prompt = plan.items["prompt"][0]
    written = sum(len(str(messages(form.instructions, prompt, ""))) for form in sheets) // CHARACTERS_PER_TOKEN
    read = answers * judge.repeats * (written + len(sheets) * plan.study.generation.max_tokens)
    calls = answers * judge.repeats * len(sheets)
    most = _used(read, calls * judge.max_tokens)
    return {
        "judge": judge.name,
        "calls": calls,
        "prompt_tokens_at_most": read,
        "verdict_tokens_at_most": calls * judge.max_tokens,
        "cost_at_most": cost(judge, judge.served_model, most),
    }


def _used(prompt_tokens: int, completion_tokens: int) -> dict[str, int]:
    return {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
