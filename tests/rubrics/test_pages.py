"""Worked examples and the manual's pages: both follow from the rubrics' data."""

import re
from pathlib import Path

import pytest

from rubrics import lint_rubric, load_examples, load_rubric, shipped
from rubrics.pages import rubric_markdown, with_data
from runs.errors import InputError

PAGES = Path(__file__).parents[2] / "docs" / "rubrics"


@pytest.mark.parametrize("name", shipped())
def test_six_worked_examples_score_every_criterion_on_its_scale(name):
    rubric, examples = load_rubric(name), load_examples(name)
    assert len(examples) == 6
    for example in examples:
        assert list(example.scores) == [criterion.id for criterion in rubric.criteria]
        assert all(rubric.criterion(key).parse(value) for key, value in example.scores.items())


@pytest.mark.parametrize("name", shipped())
def test_worked_examples_show_differences_on_every_criterion(name):
    """An example set on which a criterion never moves cannot tell a good judge from a constant one."""
    for criterion in load_rubric(name).criteria:
        assert len({example.scores[criterion.id] for example in load_examples(name)}) > 1


@pytest.mark.parametrize("name", shipped())
def test_every_page_is_up_to_date(name):
    page = (PAGES / f"{name}.md").read_text("utf-8")
    assert page == with_data(page, rubric_markdown(load_rubric(name), load_examples(name)))
    for section in ("## What it measures", "## What it does not measure", "## Known failure cases"):
        assert section in page


def test_there_is_a_page_for_every_rubric_and_no_other():
    assert {page.stem for page in PAGES.glob("*.md")} - {"README"} == set(shipped())


def test_a_page_without_the_mark_is_left_alone():
    with pytest.raises(ValueError, match="no line"):
        with_data("# candour\n", "data")


def test_examples_of_an_unknown_rubric_are_told():
    with pytest.raises(InputError, match="did you mean 'candour'"):
        load_examples("candor")


def test_the_manuals_own_rubric_loads_and_is_sound(tmp_path):
    text = (PAGES / "README.md").read_text("utf-8")
    path = tmp_path / "courtesy.toml"
    rubric, examples = (block.split("```")[0] for block in text.split("```toml\n")[1:])
    path.write_text(rubric, "utf-8")
    assert lint_rubric(load_rubric(path)) == []
    with pytest.raises(InputError, match=r"no worked examples; write .* into .*courtesy\.examples\.toml\.$"):
        load_examples(path)
    (tmp_path / "courtesy.examples.toml").write_text(examples, "utf-8")
    (example,) = load_examples(path)
    assert example.scores == {"warmth": 3}
    (tmp_path / "courtesy.examples.toml").write_text(examples.replace("warmth", "warm"), "utf-8")
    with pytest.raises(InputError, match=r"courtesy\.examples\.toml, example 1: score every criterion"):
        load_examples(path)


def test_the_manual_names_every_rubric_and_every_rule():
    text = (PAGES / "README.md").read_text("utf-8")
    for name in shipped():
        assert f"[`{name}`]({name}.md)" in text
    source = (Path(__file__).parents[2] / "rubrics" / "lint.py").read_text("utf-8")
    rules = set(re.findall(r'_finding\(\s*"(\w+)"', source)) | set(re.findall(r'\("(long_\w+)"', source))
    assert len(rules) >= 14
    assert {rule for rule in rules if f"`{rule}`" not in text} == set()
