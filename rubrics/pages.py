"""A rubric's page in the manual: the part that is its data, as Markdown.

`python -m rubrics.pages docs/rubrics` brings the shipped rubrics' pages up to date.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from rubrics.criterion import NOT_APPLICABLE, Criterion, Scale
from rubrics.examples import Example, load_examples
from rubrics.rubric import Rubric, load_rubric, shipped

BEGIN = "<!-- from the rubric's data; written by `python -m rubrics.pages docs/rubrics` -->"


def rubric_markdown(rubric: Rubric, examples: Sequence[Example] = ()) -> str:
    """Return the criteria of `rubric`, with every level, and its worked examples as Markdown."""
    parts = ["## Criteria", *(_criterion(criterion) for criterion in rubric.criteria)]
    if examples:
        parts += ["## Worked examples", *(_example(number, example) for number, example in enumerate(examples, 1))]
    return "\n\n".join(parts) + "\n"


def with_data(page: str, data: str) -> str:
    """Return `page` with `data` in place of everything below the line that marks it.

    Raises:
        ValueError: the page has no such line.
    """
    head, mark, _ = page.partition(BEGIN)
    if not mark:
        raise ValueError(f"the page has no line {BEGIN!r}")
    return f"{head}{mark}\n\n{data}"


def _criterion(criterion: Criterion) -> str:
    about = [f"*{criterion.question}*", f"Scale: {_scale(criterion)}."]
    if criterion.direction:
        about.append(f"Direction: {criterion.direction}")
    if criterion.not_applicable:
        about.append(f"A judge may answer `{NOT_APPLICABLE}` where the question gives no occasion for it.")
    rows = [_row("level", "meaning", "for example"), "| --- | --- | --- |"]
    rows += [_row(f"`{key}`", text, criterion.examples.get(key, "")) for key, text in criterion.anchors.items()]
    return "\n\n".join([f"### `{criterion.id}`", " ".join(about), "\n".join(rows)])


def _scale(criterion: Criterion) -> str:
    if criterion.scale is Scale.NOMINAL:
        return f"nominal, {len(criterion.anchors)} categories"
    return f"{criterion.scale}, {criterion.lowest:g} to {criterion.highest:g}"


def _example(number: int, example: Example) -> str:
    quoted = example.answer.replace("\n", "\n> ")
    scores = ", ".join(f"`{criterion}` {value}" for criterion, value in example.scores.items())
    return f"**{number}. {example.question}**\n\n> {quoted}\n\n{scores}. {example.why}"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def main(folder: Path) -> None:
    """Bring the pages of all shipped rubrics in `folder` up to date."""
    for name in shipped():
        page = folder / f"{name}.md"
        data = rubric_markdown(load_rubric(name), load_examples(name))
        page.write_text(with_data(page.read_text("utf-8"), data), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
