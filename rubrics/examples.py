"""Worked examples: answers with the scores that a good judge gives them, to read and to try a judge on."""

from contextlib import AbstractContextManager, nullcontext
from importlib import resources
from pathlib import Path

from pydantic import Field

from rubrics.criterion import Text
from rubrics.rubric import Rubric, load_rubric, shipped
from runs.errors import InputError
from runs.tomlfile import Table, load


class Example(Table):
    """One answer and what it scores on every criterion of a rubric."""

    question: Text
    answer: Text
    why: Text
    """What decides the scores."""
    scores: dict[str, int | float | str]
    """Criterion id → score, category or "not_applicable"."""


class _Examples(Table):
    examples: tuple[Example, ...] = Field(min_length=1)


def load_examples(name_or_path: str | Path) -> tuple[Example, ...]:
    """Return the worked examples of a rubric; each scores all of its criteria, in their order.

    Those of a shipped rubric are shipped; those of `mine.toml` stand in `mine.examples.toml` beside it.

    Raises:
        InputError: there is no such rubric, it has no examples, or an example's scores do not fit it.
    """
    rubric = load_rubric(name_or_path)
    with _file(name_or_path) as path:
        if not path.exists():
            raise InputError(
                f"{name_or_path}: the rubric has no worked examples; write [[examples]] with question, answer, why "
                f"and scores into {path}."
            )
        examples = load(_Examples, path).examples
        for number, example in enumerate(examples, 1):
            _check(rubric, example, f"{path}, example {number}")
    return examples


def _file(name_or_path: str | Path) -> AbstractContextManager[Path]:
    if str(name_or_path) in shipped():
        return resources.as_file(resources.files("rubrics") / "data" / "examples" / f"{name_or_path}.toml")
    return nullcontext(Path(name_or_path).with_suffix(".examples.toml"))


def _check(rubric: Rubric, example: Example, where: str) -> None:
    if list(example.scores) != [criterion.id for criterion in rubric.criteria]:
        raise InputError(f"{where}: score every criterion of the rubric, in its order.")
    for criterion in rubric.criteria:
        value = example.scores[criterion.id]
        if criterion.parse(value) is None:
            raise InputError(f"{where}: {value!r} is outside the scale of {criterion.id!r}.")
