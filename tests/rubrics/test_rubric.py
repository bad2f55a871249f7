"""Rubrics: loading, identity, and the way back to TOML."""

import hashlib
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubrics import Criterion, Rubric, dump_toml, load_rubric, shipped
from runs.errors import InputError
from runs.tomlfile import parse

TEXT = """
name = "mine"
version = "0.1"
description = "Mine."

[[criteria]]
id = "tone"
question = "How warm is the answer?"
scale = "ordinal"
direction = "3 is warm"
anchors = {1 = "cold", 2 = "neither", 3 = "warm"}

[[criteria]]
id = "share"
question = "Which share of it is praise?"
scale = "numeric"
minimum = 0
maximum = 1
not_applicable = true
weight = 0.5
"""


@pytest.fixture
def mine(tmp_path):
    def write(text=TEXT):
        path = tmp_path / "mine.toml"
        path.write_text(text, "utf-8")
        return load_rubric(path)

    return write


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_rubric_loads_by_name_and_survives_the_way_back(name, tmp_path):
    rubric = load_rubric(name)
    assert rubric.name == name
    copy = tmp_path / "rubric.toml"
    copy.write_text(dump_toml(rubric), "utf-8")
    assert load_rubric(str(copy)) == rubric
    assert load_rubric(copy).digest == rubric.digest


def test_candour_is_shipped_with_several_scales():
    assert "candour" in shipped()
    criteria = load_rubric("candour").criteria
    assert len(criteria) >= 3
    assert len({criterion.scale for criterion in criteria}) >= 2


def test_text_with_anything_in_it_survives_the_way_back(mine, tmp_path):
    rubric = mine(TEXT.replace("cold", 'a \\"quote\\", a \\\\ and\\r\\n日本 \\u0007'))
    copy = tmp_path / "copy.toml"
    copy.write_bytes(dump_toml(rubric).encode())
    assert load_rubric(copy) == rubric


def test_the_digest_is_that_of_what_judges_see(mine):
    before = mine().digest
    assert len(before) == 64
    for old, new in [('"0.1"', '"0.2"'), ('"Mine."', '"Ours."'), ("0.5", "2"), ('"mine"', '"ours"')]:
        assert mine(TEXT.replace(old, new)).digest == before
    for old, new in [("cold", "icy"), ("How warm", "How kind"), ("maximum = 1", "maximum = 2"), ("3 is warm", "up")]:
        assert mine(TEXT.replace(old, new)).digest != before
    assert mine(TEXT.replace('1 = "cold", 2 = "neither"', '2 = "neither", 1 = "cold"')).digest != before


def test_the_digest_is_the_same_everywhere_and_always(mine):
    """Verdicts are kept under it: a release that changed it would have every answer judged anew."""
    seen = (
        '[{"direction":"3 is warm","id":"tone","levels":[["1","cold",null],["2","neither",null],["3","warm",null]],'
        '"maximum":null,"minimum":null,"not_applicable":false,"question":"How warm is the answer?","scale":"ordinal"},'
        '{"direction":"","id":"share","levels":[],"maximum":1.0,"minimum":0.0,"not_applicable":true,'
        '"question":"Which share of it is praise?","scale":"numeric"}]'
    )
    assert mine().digest == hashlib.sha256(seen.encode()).hexdigest()


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
names = texts.filter(lambda t: t == t.strip() and t.isprintable() and t != "not_applicable")
nominal = st.dictionaries(names, texts, min_size=2, max_size=4).map(lambda a: {"scale": "nominal", "anchors": a})
ordinal = st.lists(texts, min_size=2, max_size=5).map(
    lambda a: {"scale": "ordinal", "anchors": {str(n): text for n, text in enumerate(a, -2)}}
)
numeric = st.floats(-1e9, 1e9).map(lambda low: {"scale": "numeric", "minimum": low, "maximum": low + 1e3})


@given(st.lists(nominal | ordinal | numeric, min_size=1, max_size=3), texts, st.booleans(), st.floats(0, 1e6))
def test_every_rubric_survives_the_way_through_toml(scales, text, abstain, weight):
    common = {"question": text, "direction": text, "not_applicable": abstain, "weight": weight}
    criteria = tuple(Criterion.model_validate(s | common | {"id": f"c{n}"}) for n, s in enumerate(scales))
    rubric = Rubric(name="any", version="1", description=text, criteria=criteria)
    again = parse(Rubric, tomllib.loads(dump_toml(rubric)), "again")
    assert again == rubric
    assert again.digest == rubric.digest


def test_a_criterion_is_found_by_its_id(mine):
    rubric = mine()
    assert rubric.criterion("share").maximum == 1.0
    with pytest.raises(InputError, match=r"rubric 'mine' has no criterion 'shard'; did you mean 'share'\?"):
        rubric.criterion("shard")


def test_an_unknown_name_is_told_with_the_nearest():
    with pytest.raises(InputError, match=r"rubric 'candor': .*did you mean 'candour'\?"):
        load_rubric("candor")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "share"', 'id = "tone"', "2 criteria have the id 'tone'"),
        ('name = "mine"', 'name = "My rubric"', "write 'my_rubric'"),
        ('"0.1"', '"0.1 beta"', "'version'"),
        ('description = "Mine."', "", "'description' is missing"),
        ("version =", 'versions = "1"\nversion =', "unknown key 'versions'; did you mean 'version'?"),
    ],
)
def test_a_rubric_that_does_not_fit_is_told_with_file_and_fix(mine, tmp_path, old, new, said):
    with pytest.raises(InputError) as caught:
        mine(TEXT.replace(old, new))
    assert str(caught.value).startswith(f"{tmp_path / 'mine.toml'}: ")
    assert said in str(caught.value)


def test_a_missing_file_and_a_rubric_without_criteria_are_told(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        load_rubric(tmp_path / "none.toml")
    empty = tmp_path / "empty.toml"
    empty.write_text('name = "e"\nversion = "1"\ndescription = "d"\ncriteria = []\n')
    with pytest.raises(InputError, match=r"'criteria' is .*at least 1 item"):
        load_rubric(empty)
