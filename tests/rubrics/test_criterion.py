"""Criteria: what fits a scale, what does not, and what the user is told."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubrics import Criterion, Rubric, Scale, Score, as_id
from runs.errors import InputError
from runs.tomlfile import parse

ORDINAL = {"id": "tone", "question": "How warm is it?", "scale": "ordinal", "anchors": {"1": "cold", "2": "warm"}}
BINARY = {"id": "refusal", "question": "Refused?", "scale": "binary", "anchors": {"0": "no", "1": "yes"}}
NOMINAL = {"id": "kind", "question": "Which kind?", "scale": "nominal", "anchors": {"open": "a", "shut": "b"}}
NUMERIC = {"id": "share", "question": "Which share?", "scale": "numeric", "minimum": 0, "maximum": 100}


def told(content: dict[str, object]) -> str:
    """Return the sentence a user reads about a criterion that cannot be used."""
    rubric = {"name": "mine", "version": "1", "description": "d", "criteria": [content]}
    with pytest.raises(InputError) as caught:
        parse(Rubric, rubric, "mine.toml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "levels", "lowest", "highest"),
    [
        (ORDINAL, (1, 2), 1.0, 2.0),
        (ORDINAL | {"anchors": {"2": "warm", "1": "cold", "0": "icy", "-1": "gone"}}, (-1, 0, 1, 2), -1.0, 2.0),
        (BINARY, (0, 1), 0.0, 1.0),
        (NOMINAL, ("open", "shut"), None, None),
        (NUMERIC, None, 0.0, 100.0),
    ],
)
def test_a_scale_knows_its_levels_and_ends(content, levels, lowest, highest):
    criterion = Criterion.model_validate(content)
    assert (criterion.levels, criterion.lowest, criterion.highest) == (levels, lowest, highest)


@pytest.mark.parametrize(
    ("content", "key", "fix"),
    [
        (ORDINAL | {"anchors": {"1": "cold", "3": "hot"}}, "criteria[1].anchors", "add '2'"),
        (ORDINAL | {"anchors": {"1": "cold"}}, "criteria[1].anchors", "at least two"),
        (ORDINAL | {"anchors": {"01": "cold", "2": "hot"}}, "criteria[1].anchors", "got '01'"),
        (ORDINAL | {"anchors": {"low": "cold", "high": "hot"}}, "criteria[1].anchors", "use scale 'nominal'"),
        ({k: v for k, v in ORDINAL.items() if k != "anchors"}, "criteria[1].anchors", "at least two"),
        (ORDINAL | {"anchors": {"1": "", "2": "warm"}}, "criteria[1].anchors.1", "at least 1 character"),
        (ORDINAL | {"minimum": 1}, "criteria[1].minimum", "remove it"),
        (ORDINAL | {"examples": {"3": "hot"}}, "criteria[1].examples", "no anchor '3'"),
        (ORDINAL | {"weight": -1}, "criteria[1].weight", "greater than or equal to 0"),
        (ORDINAL | {"scale": "likert"}, "criteria[1].scale", "'ordinal'"),
        (ORDINAL | {"anchor": {}}, "criteria[1].anchor", "did you mean 'anchors'?"),
        (ORDINAL | {"id": "Warm Tone"}, "criteria[1].id", "write 'warm_tone'"),
        (ORDINAL | {"id": "语气"}, "criteria[1].id", "English name"),
        (BINARY | {"anchors": {"0": "no", "1": "yes", "2": "maybe"}}, "criteria[1].anchors", "exactly"),
        (NOMINAL | {"anchors": {"open": "a"}}, "criteria[1].anchors", "at least two"),
        (NOMINAL | {"anchors": {"open": "a", "not_applicable": "b"}}, "criteria[1].anchors", "not_applicable = true"),
        (NOMINAL | {"anchors": {"open": "a", "shut ": "b"}}, "criteria[1].anchors", "rename 'shut '"),
        (NUMERIC | {"maximum": 0}, "criteria[1].maximum", "above 'minimum'"),
        ({k: v for k, v in NUMERIC.items() if k != "minimum"}, "criteria[1].minimum", "add both"),
        (NUMERIC | {"anchors": {"101": "all and more"}}, "criteria[1].anchors", "from 0 to 100"),
    ],
)
def test_what_does_not_fit_its_scale_is_told_with_key_and_fix(content, key, fix):
    sentence = told(content)
    assert sentence.startswith("mine.toml: ")
    assert repr(key) in sentence
    assert fix in sentence


@pytest.mark.parametrize(
    ("content", "value", "expected"),
    [
        (ORDINAL, 2, 2.0),
        (ORDINAL, "2", 2.0),
        (ORDINAL, " 2.0 ", 2.0),
        (BINARY, True, 1.0),
        (BINARY, "0", 0.0),
        (NUMERIC, 99.5, 99.5),
        (NUMERIC, "1e1", 10.0),
    ],
)
def test_a_value_on_the_scale_is_a_score(content, value, expected):
    criterion = Criterion.model_validate(content)
    assert criterion.parse(value, "why") == Score(criterion.id, expected, None, "why")


@pytest.mark.parametrize("content", [ORDINAL, BINARY, NUMERIC, NOMINAL])
@pytest.mark.parametrize("value", [None, math.nan, math.inf, "", "nan", "-", 2.5e9, 10**400, -1, [1], {"score": 1}])
def test_null_and_what_lies_outside_the_scale_is_no_score(content, value):
    assert Criterion.model_validate(content).parse(value) is None


@pytest.mark.parametrize(("content", "value"), [(ORDINAL, 1.5), (ORDINAL, True), (NUMERIC, True), (BINARY, "yes")])
def test_nothing_is_rounded_or_guessed(content, value):
    assert Criterion.model_validate(content).parse(value) is None


def test_a_category_is_a_label_and_keeps_its_case():
    criterion = Criterion.model_validate(NOMINAL)
    assert criterion.parse(" open ") == Score("kind", None, "open", None)
    assert criterion.parse("Open") is None


@pytest.mark.parametrize("content", [ORDINAL, BINARY, NUMERIC, NOMINAL])
def test_a_judge_abstains_only_where_it_may(content):
    assert Criterion.model_validate(content).parse("not_applicable") is None
    allowed = Criterion.model_validate(content | {"not_applicable": True})
    assert allowed.parse("not_applicable", "why") == Score(allowed.id, None, None, "why", abstained=True)


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text())
def test_whatever_is_parsed_lies_on_the_scale(value):
    for content in (ORDINAL, BINARY, NUMERIC):
        criterion = Criterion.model_validate(content)
        score = criterion.parse(value)
        if score is not None:
            assert score.score is not None
            assert criterion.lowest <= score.score <= criterion.highest
            assert criterion.scale is Scale.NUMERIC or score.score in criterion.levels


@given(st.text())
def test_an_id_made_from_any_text_is_an_id_or_empty(text):
    made = as_id(text)
    assert made == "" or Criterion.model_validate(ORDINAL | {"id": made}).id == made
    assert as_id(made) == made


def test_ids_are_made_from_words_and_left_alone_where_they_are_ids():
    assert as_id("Political bias (0-5)") == "political_bias_0_5"
    assert as_id("kind-of-text") == "kind-of-text"
    assert as_id("语气") == ""
    assert as_id("x" * 70) == "x" * 64
