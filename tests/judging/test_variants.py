"""Placebos: the same text under no country's name or under another's, and nothing else of it changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judging.variants import Variant, mask, partners, swap, variants
from runs import countries
from runs.errors import InputError

CODES = ("CN", "US", "NL", "DE", "BR", "ZA", "IR")
LANGUAGES = ("en", "zh", "de", "fr", "es", "ar")


def _forms(code: str, language: str) -> tuple[str, ...]:
    known = countries.get(code).forms(language)
    return known.country, known.demonym, known.government, known.capital


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("China is large.", "Country X is large."),
        ("CHINA and china", "Country X and Country X"),
        ("the Chinese government", "the government of Country X"),
        ("Chinese people in Beijing", "Country X's people in Capital X"),
        ("Chinatown, Indochina, porcelain", "Chinatown, Indochina, porcelain"),
        ("Russia and Moscow", "Russia and Moscow"),
        ("", ""),
    ],
)
def test_a_masked_text_names_no_country(text: str, shown: str) -> None:
    assert mask(text, "CN", "en") == shown


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", CODES)
def test_every_form_in_every_language_is_masked(code: str, language: str) -> None:
    for form in _forms(code, language):
        shown = mask(f"… {form} …", code, language)
        assert form not in shown, (form, shown)
        assert shown.startswith("… ")
        assert shown.endswith(" …")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("China is not the United States.", "the United States is not China."),
        ("The Chinese government in Beijing", "the US government in Washington, D.C."),
        ("Nothing about either", "Nothing about either"),
    ],
)
def test_swapped_countries_stand_in_each_others_place(text: str, shown: str) -> None:
    capital = countries.get("US").forms("en").capital
    government = countries.get("US").forms("en").government
    expected = shown.replace("Washington, D.C.", capital).replace("the US government", government)
    assert swap(text, "CN", "US", "en") == expected


@given(
    st.lists(st.sampled_from(CODES), unique=True, min_size=2, max_size=2), st.sampled_from(LANGUAGES),
    st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=6),
)  # fmt: skip
def test_swapping_twice_gives_the_text_back(pair: list[str], language: str, mentions: list[tuple[int, bool]]) -> None:
    one, other = pair
    forms = {True: _forms(one, language), False: _forms(other, language)}
    text = " 1 ".join(forms[first][form] for form, first in mentions)
    once = swap(text, one, other, language)
    assert once.casefold() == " 1 ".join(forms[not first][form] for form, first in mentions).casefold()
    assert swap(once, one, other, language).casefold() == text.casefold()


@given(
    st.text(st.characters(categories=("Ll", "Nd", "Zs")), max_size=50),
    st.lists(st.sampled_from(CODES), unique=True, min_size=2),
)
def test_every_country_lends_its_name_once_and_never_to_itself(question: str, present: list[str]) -> None:
    lent = partners(question, present)
    assert set(lent) == set(lent.values()) == set(present)
    assert all(country != partner for country, partner in lent.items())
    assert partners(question, present[::-1]) == lent


def test_what_cannot_be_swapped_or_is_no_word_of_ours_is_told() -> None:
    with pytest.raises(InputError, match="needs at least two countries"):
        partners("q", ["CN"])
    with pytest.raises(InputError, match="--on both-of-them: expected answer, reasoning or both"):
        variants("both-of-them", None)
    with pytest.raises(InputError, match="--placebo hide: expected mask or swap"):
        variants("answer", "hide")
    with pytest.raises(InputError):
        mask("text", "Atlantis", "en")


def test_variants_have_identities_of_their_own() -> None:
    shown = [*variants("both", None), *variants("both", "mask"), *variants("both", "swap")]
    assert len({str(one.identity) for one in shown}) == len({one.suffix for one in shown}) == 6
    assert Variant().identity == {}
    assert Variant().shown("China", "CN", "en", "US") == "China"
    assert Variant(placebo="swap").shown(None, "CN", "en", "US") is None
