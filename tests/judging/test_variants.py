"""Placebos: the same text under no country's name or under another's, and nothing else of it changed."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judging.variants import Variant, code_of, mask, partners, swap, variants
from runs import countries
from runs.errors import InputError
from tests.judging.forms import FORMS, SHOWN

CODES = ("CN", "US", "NL", "DE", "BR", "ZA", "IR")
LANGUAGES = ("en", "zh", "de", "fr", "es", "ar")
SPEECHMAP = Path(__file__).parents[2].parent / "shared" / "data" / "speechmap-160.jsonl"
PLAIN = {
    "china": r"\bChina\b|\bChinese\b|\bCHIN(?:A|ESE)\b|\bPRC\b|\bBeijing\b|\bPeking\b|\bSino-",
    "us": r"\bU\. ?S\.|\bUSA?\b|\bUnited States\b|"
    r"(?<!Latin )(?<!North )(?<!South )(?<!Central )\bAmerica(?:ns?)?\b|(?<!George )\bWashington\b",
    "russia": r"\bRussia(?:ns?)?\b|\bRUSSIA|\bMoscow\b|\bKremlin\b|\bRusso-",
}
"""Independent of the table, what a reader would count as naming the country; not its places, leaders and parties."""


def _forms(code: str, language: str) -> tuple[str, ...]:
    known = countries.get(code).forms(language)
    return known.country, known.demonym, known.government, known.capital


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("China is large.", "Country X is large."),
        ("CHINA and china", "Country X and china"),
        ("the Chinese government", "the government of Country X"),
        ("Chinese people in Beijing", "Country X's people in Capital X"),
        ("Chinatown, Indochina, porcelain", "Chinatown, Indochina, porcelain"),
        ("Russia and Moscow", "Russia and Moscow"),
        ("", ""),
    ],
)
def test_a_masked_text_names_no_country(text: str, shown: str) -> None:
    assert mask(text, "CN", "en") == shown


PLACES = [(code, language) for code, languages in FORMS.items() for language in languages]


@pytest.mark.parametrize(("code", "language"), PLACES)
@given(data=st.data())
def test_texts_of_inflected_forms_are_masked_without_residue(code: str, language: str, data: st.DataObject) -> None:
    forms = FORMS[code][language].split("|")
    said = data.draw(st.lists(st.sampled_from(forms), min_size=1, max_size=4))
    between = data.draw(st.sampled_from([" 1 ", "、2。", ", ", "\n- 3 "]))
    shown = mask(f"0{between}{between.join(said)}{between}4", code, language)
    for word in re.findall(r"[^\W\d]+", shown.replace("X's", "X s")):
        assert _is_shown(word, language), (said, shown)


@pytest.mark.parametrize(("code", "language"), PLACES)
def test_each_inflected_form_is_masked_without_residue(code: str, language: str) -> None:
    for form in FORMS[code][language].split("|"):
        shown = mask(f"0 {form} 4", code, language)
        assert all(_is_shown(word, language) for word in re.findall(r"[^\W\d]+", shown.replace("X's", "X s"))), (
            form,
            shown,
        )


def _is_shown(word: str, language: str) -> bool:
    """Say whether `word` may stand where a mention stood; in Arabic with "and", "in", "for" written onto it."""
    allowed = SHOWN[language].split()
    return word in allowed or (
        language == "ar" and any(re.fullmatch(f"[وف]?[بكل]?(?:ال|ل)?{one.removeprefix('ال')}", word) for one in allowed)
    )


@pytest.mark.parametrize(
    ("code", "language", "text"),
    [
        ("PL", "en", "polish the silver; Polish the silver; the North Pole"),
        ("TR", "en", "we ate turkey"),
        ("JO", "en", "a jordan almond"),
        ("CN", "en", "bone china"),
        ("US", "en", "give us the money, ABOUT US; Latin America, South Americans, George Washington"),
        ("KR", "en", "North Korea, North Koreans, the North Korean government"),
        ("KP", "en", "South Korea, South Koreans, the South Korean government"),
        ("CD", "en", "the Republic of the Congo"),
        ("PG", "en", "Guinea, Equatorial Guinea"),
        ("NG", "en", "Niger"),
        ("IE", "en", "Northern Ireland"),
        ("SD", "en", "South Sudan, the South Sudanese"),
        ("DO", "en", "Dominica"),
        ("IN", "en", "the Indian Ocean, American Indians, Indiana, Indonesia"),
        ("MX", "en", "New Mexico"),
        ("MN", "en", "Inner Mongolia"),
        ("KR", "de", "Nordkorea, nordkoreanische"),
        ("KR", "fr", "la Corée du Nord, nord-coréenne"),
        ("KR", "es", "Corea del Norte, norcoreana"),
        ("KR", "ar", "كوريا الشمالية، الكورية الشمالية"),
        ("US", "fr", "l'Amérique latine, en Amérique du Sud, latino-américain"),
        ("SD", "fr", "au Soudan du Sud"),
        ("SD", "es", "de Sudán del Sur"),
        ("US", "ar", "أمريكا اللاتينية"),
        ("SV", "es", "Salvador Allende"),
        ("CN", "zh", "发展中国家，其中共有三个，其中国有企业，高中共三年"),
        ("US", "zh", "完美方案，南美国家，美丽，美食"),
        ("FR", "zh", "宪法国家"),
        ("IN", "zh", "印度尼西亚，印度洋"),
        ("RU", "zh", "白俄罗斯"),
        ("IE", "zh", "北爱尔兰"),
        ("JP", "zh", "今日本市"),
    ],
)
def test_what_only_looks_like_a_mention_stays(code: str, language: str, text: str) -> None:
    assert mask(text, code, language) == text


@pytest.mark.parametrize(
    ("code", "language", "text", "shown"),
    [
        ("US", "en", "U.S.-China ties, pro-American", "Country X-China ties, pro-Country X's"),
        ("US", "en", "The U.S. government met an American.", "The government of Country X met a Country X's."),
        ("US", "en", "The United\nStates' allies", "Country X' allies"),
        ("CN", "en", "Sino-American ties, _Chinese_", "Country X-American ties, _Country X's_"),
        ("DK", "en", "The Danes and a Dane", "The people of Country X and a person from Country X"),
        ("CN", "de", "Die Wirtschaft Chinas", "Die Wirtschaft Land Xs"),
        ("US", "de", "der US-Präsident", "der Land X-Präsident"),
        ("CN", "fr", "Le gouvernement chinois, les Chinois", "Le gouvernement du pays X, les habitants du pays X"),
        ("BR", "fr", "Le Brésil. Il va au Brésil.", "Le pays X. Il va au pays X."),
        ("CN", "es", "El gobierno chino va a China", "El gobierno del país X va al país X"),
        ("CN", "ar", "وللصين", "وللدولة س"),
        ("CN", "zh", "中美关系", "某国美关系"),
        ("US", "zh", "中美关系和USA的", "中某国关系和Country X的"),
        ("CN", "zh-Hans", "中国", "某国"),
    ],
)
def test_what_is_masked_stays_readable(code: str, language: str, text: str, shown: str) -> None:
    assert mask(text, code, language) == shown


@pytest.mark.skipif(not SPEECHMAP.exists(), reason="the data is not at hand")
@pytest.mark.parametrize(("country", "plain"), PLAIN.items())
def test_no_plain_mention_is_left_in_real_answers(country: str, plain: str) -> None:
    rows = [json.loads(line) for line in SPEECHMAP.read_text("utf-8").splitlines()]
    answers = [row["answer"] for row in rows if row["country"] == country]
    assert len(answers) == 40
    assert sum(bool(re.search(plain, answer)) for answer in answers) >= 35
    left = [re.findall(plain, mask(answer, str(code_of(country)), "en")) for answer in answers]
    assert left == [[]] * 40


def test_texts_made_to_keep_a_pattern_busy_are_masked_all_the_same() -> None:
    for text in ("United " * 30_000, "U.S" * 60_000, "United" + " " * 200_000, "中" * 200_000, "وبال" * 50_000):
        assert mask(text, "US", "ar") == mask(text, "CN", "zh") == text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", countries.codes())
def test_every_form_in_every_language_is_masked(code: str, language: str) -> None:
    for form in _forms(code, language):
        shown = mask(f"… {form} …", code, language)
        assert form not in shown, (form, shown)
        assert shown.startswith("… ")
        assert shown.endswith(" …")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("China is not the United States.", "The United States is not China."),
        ("The Chinese government in Beijing", "The US government in Washington, D.C."),
        ("Nothing about either", "Nothing about either"),
    ],
)
def test_swapped_countries_stand_in_each_others_place(text: str, shown: str) -> None:
    capital = countries.get("US").forms("en").capital
    government = countries.get("US").forms("en").government.removeprefix("the ")
    expected = shown.replace("Washington, D.C.", capital).replace("US government", government)
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


@pytest.mark.parametrize(
    ("text", "language", "shown"),
    [
        ("An American is no Chinese, a Chinese no American", "en", "A Chinese is no American, an American no Chinese"),
        ("Americans", "en", "People of China"),
        ("aus den USA in China", "de", "aus China in den USA"),
        ("die Wirtschaft Chinas und die der USA", "de", "die Wirtschaft der USA und die Chinas"),
        ("du gouvernement chinois, aux États-Unis", "fr", "du gouvernement des États-Unis, en Chine"),
        ("los chinos de China", "es", "los estadounidenses de Estados Unidos"),
        ("وللصين والصينيين", "ar", "وللولايات المتحدة والأمريكيين"),
    ],
)  # fmt: skip
def test_inflected_forms_are_swapped_for_the_partner_s(text: str, language: str, shown: str) -> None:
    assert swap(text, "CN", "US", language) == shown


def test_names_of_a_run_are_countries_where_the_table_knows_them() -> None:
    assert [code_of(name) for name in ("CN", "china", "usa", "eu", "europe", "-")] == [
        "CN",
        "CN",
        "US",
        None,
        None,
        None,
    ]


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
