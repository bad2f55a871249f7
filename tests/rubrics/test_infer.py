"""Scales taken from the values of imported verdicts."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubrics import Scale, infer_rubric
from runs.errors import InputError


@pytest.mark.parametrize(
    ("values", "scale", "levels", "ends"),
    [
        ([1, 3, 5], Scale.ORDINAL, (1, 2, 3, 4, 5), (1, 5)),
        ([4.0, 2.0, None], Scale.ORDINAL, (2, 3, 4), (2, 4)),
        (["-2", "2", ""], Scale.ORDINAL, (-2, -1, 0, 1, 2), (-2, 2)),
        ([3, 3], Scale.ORDINAL, (0, 1, 2, 3), (0, 3)),
        ([0, 10], Scale.ORDINAL, tuple(range(11)), (0, 10)),
        ([0, 11], Scale.NUMERIC, None, (0, 11)),
        ([0, 1, math.nan], Scale.BINARY, (0, 1), (0, 1)),
        ([1, 1], Scale.BINARY, (0, 1), (0, 1)),
        ([True, False], Scale.BINARY, (0, 1), (0, 1)),
        ([0.25, 1], Scale.NUMERIC, None, (0.25, 1)),
        ([-0.5], Scale.NUMERIC, None, (-0.5, 0)),
        ([2000, 2001], Scale.ORDINAL, (2000, 2001), (2000, 2001)),
        (["EVASIVE", "COMPLETE ", "EVASIVE"], Scale.NOMINAL, ("COMPLETE", "EVASIVE"), (None, None)),
        (["DENIAL"], Scale.NOMINAL, ("DENIAL", "other"), (None, None)),
        (["other"], Scale.NOMINAL, ("other", "others"), (None, None)),
    ],
)
def test_the_scale_follows_from_the_values(values, scale, levels, ends):
    criterion = infer_rubric("labels", {"compliance": values}).criterion("compliance")
    assert (criterion.scale, criterion.levels, (criterion.lowest, criterion.highest)) == (scale, levels, ends)
    assert not criterion.not_applicable


def test_abstentions_are_no_category():
    criterion = infer_rubric("labels", {"tone": [1, "not_applicable", 2]}).criterion("tone")
    assert criterion.levels == (1, 2)
    assert criterion.parse("not_applicable").abstained


def test_the_rubric_does_not_depend_on_the_order_of_rows():
    assert (
        infer_rubric("Human labels, round 2", {"tone": ["b", "a", "c"]}).digest
        == infer_rubric("x", {"tone": ["c", "a", "b"]}).digest
    )
    assert infer_rubric("Human labels, round 2", {"tone": [0]}).name == "human_labels_round_2"
    assert infer_rubric("标签", {"tone": [0]}).name == "imported"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"tone": [str(n) + "x" for n in range(51)]}, "51 different texts are no categories"),
        ({"Political bias": [1, 2]}, "write 'political_bias'"),
        ({}, "'criteria'"),
    ],
)
def test_values_that_make_no_scale_are_told(values, said):
    with pytest.raises(InputError, match=said):
        infer_rubric("labels.csv", values)


def test_the_more_frequent_kind_makes_the_scale():
    numbered = infer_rubric("x", {"tone": [4, "refused", 2]}).criterion("tone")
    assert (numbered.scale, numbered.levels) == ("ordinal", (2, 3, 4))
    assert numbered.parse("refused") is None
    worded = infer_rubric("x", {"tone": ["warm", "cold", 7]}).criterion("tone")
    assert (worded.scale, worded.levels) == ("nominal", ("cold", "warm"))
    assert worded.parse(7) is None


def test_values_that_say_nothing_make_the_smallest_scale():
    assert infer_rubric("x", {"tone": [None, "", math.nan]}).criterion("tone").levels == (0, 1)


numbers = st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False)
words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20).filter(lambda t: not t[0].isdecimal())


@given(st.lists(numbers, min_size=1) | st.lists(words, min_size=1).filter(lambda w: "not_applicable" not in w))
def test_every_value_seen_lies_on_the_inferred_scale(values):
    criterion = infer_rubric("labels", {"x": values}).criterion("x")
    for value in values:
        assert criterion.parse(value) is not None


def test_a_stray_text_among_numbers_falls_outside_the_scale_and_a_stray_number_among_texts_too():
    scores = infer_rubric("labels", {"tone": [4, "refused", 5]}).criterion("tone")
    labels = infer_rubric("labels", {"tone": ["mild", "harsh", 3]}).criterion("tone")
    assert (scores.scale, scores.levels, scores.parse("refused")) == (Scale.ORDINAL, (4, 5), None)
    assert (labels.scale, labels.levels, labels.parse(3)) == (Scale.NOMINAL, ("harsh", "mild"), None)


def test_values_that_all_are_missing_still_make_a_criterion():
    tone = infer_rubric("labels", {"tone": [None, "", math.nan]}).criterion("tone")
    assert tone.scale is Scale.BINARY
    assert tone.parse(None) is None
