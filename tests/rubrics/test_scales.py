"""The judge's prompt and the model of its reply: made from the same scale, in the same order."""

import json
import re

import instructor
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.lib._pydantic import to_strict_json_schema
from pydantic import ValidationError

from rubrics import (
    LONGEST_REASON,
    Criterion,
    Score,
    instructions,
    load_rubric,
    read_reply,
    response_model,
    shipped,
    shuffled,
)

TONE = Criterion.model_validate(
    {
        "id": "tone",
        "question": "How warm is the answer?",
        "scale": "ordinal",
        "direction": "2 is warm",
        "anchors": {"0": "cold", "1": "neither", "2": "warm"},
        "examples": {"2": "My dear friend!"},
        "not_applicable": True,
    }
)
COPY = Criterion.model_validate(
    {"id": "copy", "question": "Is it copied?", "scale": "binary", "anchors": {"0": "own words", "1": "copied"}}
)
KIND = Criterion.model_validate(
    {"id": "kind-of-text", "question": "Which?", "scale": "nominal", "anchors": {"verse": "rhymes", "prose": "none"}}
)
SHARE = Criterion.model_validate(
    {"id": "share", "question": "Which share?", "scale": "numeric", "minimum": 0, "maximum": 1}
)
ALL = (TONE, COPY, KIND, SHARE)
REPLY = {
    "tone": {"reason": "friendly", "score": 2},
    "copy": {"reason": "own", "score": 0},
    "kind-of-text": {"reason": "it rhymes", "score": "verse"},
    "share": {"reason": "half", "score": 0.5},
}


def schema(model):
    return json.loads(json.dumps(model.model_json_schema()))


def test_a_reply_becomes_one_score_per_criterion():
    reply = response_model(ALL).model_validate_json(json.dumps(REPLY))
    assert read_reply(ALL, reply) == (
        Score("tone", 2.0, None, "friendly"),
        Score("copy", 0.0, None, "own"),
        Score("kind-of-text", None, "verse", "it rhymes"),
        Score("share", 0.5, None, "half"),
    )


def test_without_reasons_a_reply_is_flat():
    flat = {key: entry["score"] for key, entry in REPLY.items()}
    reply = response_model(ALL, reason=False).model_validate_json(json.dumps(flat))
    assert [(s.score, s.label, s.reason) for s in read_reply(ALL, reply)] == [
        (2.0, None, None),
        (0.0, None, None),
        (None, "verse", None),
        (0.5, None, None),
    ]


@pytest.mark.parametrize("criterion", ALL, ids=lambda criterion: criterion.scale)
def test_on_every_scale_a_judge_abstains_where_it_may_and_only_there(criterion):
    may = criterion.model_copy(update={"not_applicable": True})
    may_not = criterion.model_copy(update={"not_applicable": False})
    reply = response_model([may], reason=False).model_validate({criterion.id: "not_applicable"})
    assert read_reply([may], reply)[0].abstained
    assert "not_applicable" in json.dumps(schema(response_model([may])))
    assert "not_applicable" not in json.dumps(schema(response_model([may_not])))
    with pytest.raises(ValidationError):
        response_model([may_not], reason=False).model_validate({criterion.id: "not_applicable"})


def test_an_abstention_is_neither_a_score_nor_a_label():
    reply = response_model([TONE], reason=False).model_validate({"tone": "not_applicable"})
    assert read_reply([TONE], reply) == (Score("tone", None, None, None, abstained=True),)


@pytest.mark.parametrize(
    ("key", "score"),
    [
        *[("tone", wrong) for wrong in (3, -1, 1.5, "3", True, None, "", "warm")],
        *[("copy", wrong) for wrong in (2, "yes", "not_applicable")],
        *[("kind-of-text", wrong) for wrong in ("Verse", 1, "rhymes", "verse prose")],
        *[("share", wrong) for wrong in (1.01, "lots", True)],
    ],
)
def test_no_reply_leaves_the_scale(key, score):
    with pytest.raises(ValidationError):
        response_model(ALL).model_validate(REPLY | {key: {"reason": "r", "score": score}})


def test_a_missing_criterion_or_reason_is_no_reply():
    for broken in ({k: v for k, v in REPLY.items() if k != "copy"}, REPLY | {"copy": {"score": 1}}):
        with pytest.raises(ValidationError):
            response_model(ALL).model_validate(broken)


def test_engines_that_do_not_enforce_the_schema_lose_no_verdict_over_trifles():
    loose = REPLY | {"tone": {"reason": "x" * 999, "score": "2"}, "confidence": 0.9}
    tone = read_reply(ALL, response_model(ALL).model_validate(loose))[0]
    assert tone.score == 2.0
    assert tone.reason == "x" * (LONGEST_REASON - 1) + "…"


def test_a_reply_on_other_criteria_is_refused():
    reply = response_model([COPY], reason=False).model_validate({"copy": 1})
    with pytest.raises(ValueError, match="no score for criterion 'share'"):
        read_reply([SHARE], reply)


@pytest.mark.parametrize("reason", [True, False])
@pytest.mark.parametrize("name", [*shipped(), None])
def test_every_schema_is_what_constrained_decoding_takes(name, reason):
    criteria = load_rubric(name).criteria if name else ALL
    model = response_model(criteria, reason=reason)
    shape = schema(model)
    assert "$ref" not in json.dumps(shape)
    # OpenAI's strict mode asks that every key is required and every object closed; its own converter finds no work.
    assert schema(model) == to_strict_json_schema(model)
    assert list(shape["properties"]) == shape["required"] == [criterion.id for criterion in criteria]
    # instructor wraps the model; what reaches the endpoint must still be this schema.
    assert schema(instructor.response_schema(model)) == shape


@pytest.mark.parametrize("reason", [True, False])
def test_constrained_decoding_lets_through_replies_on_the_scale_and_no_others(reason):
    xgrammar = pytest.importorskip("xgrammar")
    accepts = pytest.importorskip("xgrammar.testing")._is_grammar_accept_string
    grammar = xgrammar.Grammar.from_json_schema(
        json.dumps(schema(response_model(ALL, reason=reason))), any_whitespace=False
    )

    def allowed(key=None, score=None):
        entries = REPLY | ({key: {"reason": "r", "score": score}} if key else {})
        return accepts(grammar, json.dumps(entries if reason else {k: e["score"] for k, e in entries.items()}))

    assert allowed()
    assert allowed("tone", "not_applicable")
    for key, wrong in [("tone", 3), ("tone", "2"), ("copy", True), ("kind-of-text", "other"), ("share", 1.5)]:
        assert not allowed(key, wrong)
    assert not accepts(grammar, json.dumps(REPLY | {"copy": {"reason": "x" * 301, "score": 1}}))


def test_reason_comes_before_score_and_options_in_order():
    entry = schema(response_model([TONE]))["properties"]["tone"]
    assert list(entry["properties"]) == ["reason", "score"]
    assert entry["properties"]["reason"]["maxLength"] == LONGEST_REASON
    assert [option.get("enum", option.get("const")) for option in entry["properties"]["score"]["anyOf"]] == [
        [0, 1, 2],
        "not_applicable",
    ]


def test_the_prompt_holds_all_that_a_judge_needs():
    text = instructions(ALL)
    for criterion in ALL:
        for part in (criterion.id, criterion.question, criterion.direction, *criterion.anchors.values()):
            assert part in text
    assert "My dear friend!" in text
    assert "a number from 0 to 1" in text
    assert "never an instruction" in text
    assert text.count("  not_applicable:") == 1  # TONE alone may be abstained on
    assert '"reason"' not in instructions(ALL, reason=False)


@given(st.integers(0, 2**63))
def test_shuffling_moves_prompt_and_schema_together_and_changes_no_meaning(seed):
    order = shuffled(ALL, seed)
    assert order == shuffled(tuple(reversed(ALL)), seed)
    assert sorted(c.id for c in order) == sorted(c.id for c in ALL)
    assert [c.levels for c in shuffled([TONE, COPY, SHARE], seed)].count((0, 1, 2)) == 1
    text, shape = instructions(order), schema(response_model(order))
    assert [c.id for c in order] == list(shape["properties"])
    places = [text.index(f": {c.id}\n") for c in order]
    assert places == sorted(places)
    kind = next(c for c in order if c.id == "kind-of-text")
    assert shape["properties"]["kind-of-text"]["properties"]["score"]["enum"] == list(kind.anchors)
    assert dict(kind.anchors) == dict(KIND.anchors)
    assert text.index("  verse:") < text.index("  prose:") or list(kind.anchors) == ["prose", "verse"]


def test_every_order_of_criteria_and_options_comes_up():
    orders = {tuple((c.id, *c.anchors) for c in shuffled([TONE, KIND], seed)) for seed in range(100)}
    # 2 orders of criteria x 2 directions of TONE x 2 orders of KIND
    assert len(orders) == 8
    assert {tuple(c.anchors) for seed in range(20) for c in shuffled([TONE], seed, options=False)} == {("0", "1", "2")}


@pytest.mark.parametrize("name", shipped())
def test_no_shipped_rubric_hints_at_a_country(name):
    """Judges do not learn which country is focal; nothing in a rubric may suggest one."""
    words = set(re.findall(r"\w+", instructions(load_rubric(name).criteria)))
    names = "China Chinese Beijing Taiwan Tiananmen Xinjiang CCP Communist Party Russia Moscow Putin America Washington"
    assert not words & set(names.split())
