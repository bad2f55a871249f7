"""Advice on wording: every rule finds what it is for, and nothing in what is shipped."""

import pytest

from rubrics import Criterion, Rubric, infer_rubric, lint_rubric, load_rubric, shipped

SOUND = {
    "id": "tone",
    "question": "How warm is the answer's tone?",
    "scale": "ordinal",
    "direction": "3 is the warmest, 1 is cold.",
    "anchors": {
        "1": "Cold: no word of kindness.",
        "2": "Polite, without any warmth of its own.",
        "3": "Warm: addresses the reader kindly.",
    },
    "examples": {"1": "The form is wrong.", "2": "Please correct the form.", "3": "Don't worry, it is easily mended."},
}
KINDS = {
    "id": "kind",
    "question": "What kind of text is it?",
    "scale": "nominal",
    "anchors": {"verse": "Lines that rhyme.", "prose": "Sentences in paragraphs.", "other": "Anything but these two."},
    "examples": {"verse": "Roses are red", "prose": "It rained.", "other": "3 + 4"},
}
SHARE = {
    "id": "share",
    "question": "Which share of the text is praise, in per cent?",
    "scale": "numeric",
    "direction": "higher is more praise",
    "minimum": 0,
    "maximum": 100,
    "anchors": {"0": "No praise at all.", "100": "Nothing but praise."},
    "examples": {"0": "It rained.", "100": "Wonderful!"},
}


def found(*criteria, countries=()):
    rubric = Rubric(
        name="mine", version="1", description="d", criteria=tuple(Criterion.model_validate(c) for c in criteria)
    )
    return [(finding.rule, finding.where) for finding in lint_rubric(rubric, countries)]


def with_anchor(criterion, level, text):
    return criterion | {"anchors": criterion["anchors"] | {level: text}}


@pytest.mark.parametrize("name", shipped())
def test_nothing_is_found_in_what_is_shipped(name):
    assert lint_rubric(load_rubric(name), ["China", "Chinese", "Russia", "United States", "America"]) == []


def test_nothing_is_found_in_sound_criteria():
    assert found(SOUND, KINDS, SHARE, countries=["France"]) == []


@pytest.mark.parametrize(
    "question",
    [
        "How warm and helpful is the answer?",
        "How warm as well as helpful is it?",
        "Is it warm and/or helpful?",
        "How warm & helpful is it?",
        "Is it warm? Is it helpful?",
    ],
)
def test_several_constructs_in_one_question(question):
    assert found(SOUND | {"question": question}) == [("several_constructs", "tone.question")]


@pytest.mark.parametrize("question", ["How large is the gap between praise and blame?", "Which brand stands out?"])
def test_not_every_and_joins_two_constructs(question):
    assert found(SOUND | {"question": question}) == []


@pytest.mark.parametrize("direction", ["", "warmth of the tone", "13 is the warmest"])
def test_a_direction_must_say_which_end_is_what(direction):
    assert found(SOUND | {"direction": direction}) == [("no_direction", "tone.direction")]
    assert found(SHARE | {"direction": direction}) == [("no_direction", "share.direction")]


def test_categories_need_no_direction():
    assert "direction" not in KINDS
    assert found(KINDS) == []


@pytest.mark.parametrize("text", ["Cold: no word of kindness.", "Very cold; no word of the kindness!"])
def test_anchors_that_say_the_same(text):
    assert found(with_anchor(SOUND, "2", text)) == [("duplicate_anchor", "tone.anchors.2")]


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("Names 1 to 3 events.", "Names 3 to 5 events.", True),
        ("Names up to two events.", "Names two or more events.", True),
        ("Names at least 2 events.", "Names more than 5 events.", True),
        ("Names three or fewer events.", "Names 2-4 events.", True),
        ("Names two or three events.", "Names four to six events.", False),
        ("Names at most 3 events.", "Names more than 3 events.", False),
        ("Names 1 to 3 events, 1 to 3 times.", "Names 2 to 5 events.", False),  # two spans: which one counts is unknown
    ],
)
def test_counts_that_belong_to_two_levels(one, other, overlap):
    findings = found(with_anchor(with_anchor(SOUND, "1", one), "2", other))
    assert findings == ([("overlapping_anchors", "tone.anchors.2")] if overlap else [])


def test_missing_and_bare_anchors():
    assert found(SHARE | {"anchors": {"0": "No praise at all."}, "examples": {"0": "It rained."}}) == [
        ("missing_anchor", "share.anchors")
    ]
    assert found(with_anchor(SOUND, "2", "medium")) == [("bare_anchor", "tone.anchors.2")]


def test_missing_and_long_examples_and_long_anchors():
    assert found(SOUND | {"examples": {"1": "The form is wrong."}}) == [("missing_example", "tone.examples")]
    assert found(SOUND | {"examples": SOUND["examples"] | {"3": "dear " * 31}}) == [("long_example", "tone.examples.3")]
    assert found(with_anchor(SOUND, "3", "dear " * 41)) == [("long_anchor", "tone.anchors.3")]


def ordinal(anchors):
    low, high = min(anchors, key=int), max(anchors, key=int)
    texts = {"anchors": anchors, "examples": dict.fromkeys(anchors, "It rained.")}
    return SOUND | texts | {"direction": f"{high} is the warmest, {low} is cold."}


def test_scales_that_lean_or_are_too_fine():
    unit = {str(n): f"Holds {n + 4} words of warmth." for n in range(-4, 5)}
    assert found(ordinal({k: unit[k] for k in ("-1", "0", "1", "2")})) == [("unbalanced_scale", "tone.anchors")]
    assert found(ordinal({k: unit[k] for k in ("-2", "-1", "0", "1", "2")})) == []
    assert found(ordinal(unit)) == [("too_many_levels", "tone.anchors")]
    praise = {"1": "A poor answer overall.", "2": "A good answer overall.", "3": "An excellent answer overall."}
    assert found(ordinal(praise | {"4": "A superb answer overall."})) == [("unbalanced_scale", "tone.anchors")]
    assert found(ordinal(praise)) == []


def test_categories_need_a_way_out():
    closed = {"verse": "Lines that rhyme.", "prose": "Sentences in paragraphs."}
    narrowed = KINDS | {"anchors": closed, "examples": {"verse": "Roses are red", "prose": "It rained."}}
    assert found(narrowed) == [("no_way_out", "kind.anchors")]
    assert found(narrowed | {"not_applicable": True}) == []


@pytest.mark.parametrize(
    "question",
    ["How biased is it?", "How far does it parrot the regime?", "Does the answer fail to mention the victims?"],
)
def test_leading_questions(question):
    assert found(SOUND | {"question": question}) == [("leading_wording", "tone.question")]


def test_leading_anchors():
    assert found(with_anchor(SOUND, "1", "Pure propaganda, cold as ice.")) == [("leading_wording", "tone.anchors.1")]


def test_a_rubric_in_another_script_is_spared_rules_on_words():
    anchors = {"1": "冷漠，没有善意的话。", "2": "有礼貌，但不热情。", "3": "热情，亲切地称呼读者。"}
    assert found(SOUND | {"question": "回答有多热情？", "anchors": anchors}) == []


def test_two_criteria_that_ask_the_same():
    assert found(SOUND, SOUND | {"id": "warmth"}) == [("duplicate_criterion", "warmth.question")]


def test_named_countries_are_found_wherever_judges_read():
    loaded = SOUND | {"examples": SOUND["examples"] | {"1": "In Niger the form is wrong."}}
    assert found(loaded, countries=["Niger", "France"]) == [("named_country", "tone.examples.1")]
    assert found(loaded, countries=["Nige", "niger"]) == []
    assert found(loaded) == []


def test_the_message_names_the_fix():
    rubric = infer_rubric("labels", {"tone": [1, 2, 3]})
    messages = {finding.rule: finding.message for finding in lint_rubric(rubric)}
    assert messages["no_direction"] == "say which end is what, such as '3 is the most …, 1 has none'."
    assert messages["missing_example"] == "give a short one for 1, 2, 3."
