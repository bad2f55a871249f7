"""What a study will ask, and how much of it, before any model runs."""

from pathlib import Path
from typing import Any

from evenhand.study import load_study
from judging.forms import forms
from judging.prompt import messages

CHARACTERS_PER_TOKEN = 4
"""A rule of thumb for European languages; Chinese and Arabic take more tokens."""


def check(study: Path | str) -> dict[str, Any]:
    """Read a study and all that it names, and return what it will take; no model is touched.

    Token counts are estimates from characters; answers count with the length that they may have at most.

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
    for judge in plan.study.judges:
        sheets = forms(plan.rubric, judge)
        calls = answers * judge.repeats * len(sheets)
        per_answer = sum(len(str(messages(form.instructions, items["prompt"][0], ""))) for form in sheets)
        read = per_answer // CHARACTERS_PER_TOKEN + len(sheets) * generation.max_tokens
        content[f"verdicts_by_{judge.name}"] = calls
        content[f"tokens_read_by_{judge.name}_at_most"] = answers * judge.repeats * read
    return content
