"""Worked examples: answers with the scores that a good judge gives them, to read and to try a judge on."""

from importlib import resources

from rubrics.criterion import Text
from rubrics.rubric import load_rubric
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
    examples: tuple[Example, ...]


def load_examples(name: str) -> tuple[Example, ...]:
    """Return the worked examples of the shipped rubric `name`; each scores all of its criteria, in their order.

    Raises:
        InputError: no such rubric is shipped, or an example's scores do not fit it.
    """
    criteria = load_rubric(name).criteria
    file = resources.files("rubrics") / "data" / "examples" / f"{name}.toml"
    with resources.as_file(file) as path:
        examples = load(_Examples, path).examples
    for number, example in enumerate(examples, 1):
        if list(example.scores) != [criterion.id for criterion in criteria]:
            raise InputError(f"{name}, example {number}: score every criterion of the rubric, in its order.")
        for criterion in criteria:
            value = example.scores[criterion.id]
            if criterion.parse(value) is None:
                raise InputError(f"{name}, example {number}: {value!r} is outside the scale of {criterion.id!r}.")
    return examples
