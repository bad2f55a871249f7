import re
from pathlib import Path

import pycountry
import pytest
from babel import Locale
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from runs import countries
from runs.errors import InputError
from runs.grammar import FIELDS, LANGUAGES

ARTICLE = {
    "en": "the ",
    "zh": "$^",
    "de": "die |das ",
    "fr": "les |le |la |l'",
    "es": "los |el |la ",
    "ar": "$^",
}

# Where the table leaves CLDR on purpose: names without their bracketed or regional second half, German forms declined
# after their article, and names that are in commoner use than CLDR's.
OWN_NAMES = {
    "en": {"CD", "MM", "PS"},
    "zh": {"AE", "CD", "PS"},
    "de": {"AE", "CD", "CI", "GB", "PS", "US"},
    "fr": {"CD", "MM", "PS", "VN"},
    "es": {"CI", "MM", "PS"},
    "ar": {"CD", "DK", "HU", "MM", "PS", "SA", "UY"},
}

# Likewise for capitals: kept apart from the country of the same name, or in commoner spelling.
OWN_CAPITALS = {
    "zh": {"TN"},
    "de": {"UA"},
    "fr": {"CO", "UA"},
    "es": {"CL", "JO"},
    "ar": {"AR", "DZ", "KR", "MN", "MY", "PG", "TN", "UG", "UY"},
}


def bare(language: str, name: str) -> str:
    return re.sub(f"^(?:{ARTICLE[language]})", "", name)


def test_codes_are_those_of_iso_3166():
    for code in countries.codes():
        assert pycountry.countries.get(alpha_2=code).alpha_3 == countries.get(code).iso3


def test_there_are_at_least_sixty_countries_and_five_regions():
    assert len(countries.codes()) >= 60
    assert {countries.get(code).region for code in countries.codes()} == {
        "africa",
        "americas",
        "asia",
        "europe",
        "oceania",
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_are_those_of_cldr_except_where_stated(language: str):
    cldr = Locale(language).territories
    differing = {
        code
        for code in countries.codes()
        if bare(language, countries.get(code).forms(language).country) != cldr[code].replace("’", "'")
    }
    assert differing == OWN_NAMES[language]


@pytest.mark.parametrize("language", OWN_CAPITALS)
def test_capitals_are_those_of_cldr_except_where_stated(language: str):
    """CLDR translates the cities that name time zones; a zone and a capital are the same city if English says so."""
    english, local = Locale("en").time_zones, Locale(language).time_zones
    compared, differing = set(), set()
    for code in countries.codes():
        country = countries.get(code)
        capital = country.forms("en").capital
        for zone in get_global("territory_zones").get(code, []):
            city = english.get(zone, {}).get("city", zone.split("/")[-1].replace("_", " "))
            if city == capital and "city" in local.get(zone, {}):
                compared.add(code)
                if local[zone]["city"] != country.forms(language).capital:
                    differing.add(code)
    assert len(compared) >= 25
    assert differing == OWN_CAPITALS[language]


@pytest.mark.parametrize(
    ("code", "language", "expected"),
    [
        ("NL", "en", ("the Netherlands", "in the Netherlands", "of the Netherlands", "the Dutch government")),
        (
            "US",
            "en",
            ("the United States", "in the United States", "of the United States", "the United States government"),
        ),
        ("CI", "en", ("Côte d'Ivoire", "in Côte d'Ivoire", "of Côte d'Ivoire", "the Ivorian government")),
        ("PH", "en", ("the Philippines", "in the Philippines", "of the Philippines", "the Philippine government")),
        ("CN", "zh", ("中国", "在中国", "中国的", "中国政府")),
        ("CN", "de", ("China", "in China", "Chinas", "die Regierung Chinas")),
        # Names that end in s have no genitive of their own (Duden, "Deklination geografischer Namen").
        ("BY", "de", ("Belarus", "in Belarus", "von Belarus", "die Regierung von Belarus")),
        ("NL", "de", ("die Niederlande", "in den Niederlanden", "der Niederlande", "die Regierung der Niederlande")),
        ("IR", "de", ("Iran", "im Iran", "des Iran", "die Regierung des Iran")),
        ("CH", "de", ("die Schweiz", "in der Schweiz", "der Schweiz", "die Regierung der Schweiz")),
        ("NL", "fr", ("les Pays-Bas", "aux Pays-Bas", "des Pays-Bas", "le gouvernement des Pays-Bas")),
        ("CN", "fr", ("la Chine", "en Chine", "de la Chine", "le gouvernement de la Chine")),
        ("JP", "fr", ("le Japon", "au Japon", "du Japon", "le gouvernement du Japon")),
        # Masculine, but with a vowel: "en", not "au".
        ("IR", "fr", ("l'Iran", "en Iran", "de l'Iran", "le gouvernement de l'Iran")),
        ("IL", "fr", ("Israël", "en Israël", "d'Israël", "le gouvernement d'Israël")),
        ("CU", "fr", ("Cuba", "à Cuba", "de Cuba", "le gouvernement de Cuba")),
        ("GB", "es", ("el Reino Unido", "en el Reino Unido", "del Reino Unido", "el gobierno del Reino Unido")),
        # The article is part of the name and does not merge (RAE, Diccionario panhispánico de dudas, "el").
        ("SV", "es", ("El Salvador", "en El Salvador", "de El Salvador", "el gobierno de El Salvador")),
        ("CN", "ar", ("الصين", "في الصين", "الصين", "حكومة الصين")),
    ],
)
def test_forms(code: str, language: str, expected: tuple[str, str, str, str]):
    forms = countries.get(code).forms(language)
    assert (forms.country, forms.in_country, forms.of_country, forms.government) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_stands_in_the_language_s_own_script_without_stray_space(language: str):
    script = {"zh": r"[\u4e00-\u9fff]+", "ar": r"[\u0600-\u06ff ]+"}.get(language, r"[A-Za-zÀ-ɏ' .-]+")
    for code in countries.codes():
        forms = countries.get(code).forms(language)
        for field in FIELDS:
            value = getattr(forms, field)
            assert re.fullmatch(script, value), (code, field, value)
            assert value == " ".join(value.split())


def test_german_adjectives_end_in_e_and_arabic_ones_are_feminine_and_definite():
    for code in countries.codes():
        assert countries.get(code).forms("de").demonym.endswith("e")
        for word in countries.get(code).forms("ar").demonym.split()[:1]:
            assert re.fullmatch("ال.*(?:ية|ة)|الجنوب", word)


def test_the_g20_are_nineteen_countries_and_world_40_contains_them():
    lists = countries.lists()
    assert len(set(lists["g20"])) == 19
    assert len(set(lists["world-40"])) == 40
    assert set(lists["g20"]) < set(lists["world-40"])
    assert set(lists["p5"]) == {"CN", "FR", "GB", "RU", "US"}


def test_lists_name_known_countries_once_each():
    for members in countries.lists().values():
        assert len(set(members)) == len(members)
        assert set(members) <= set(countries.codes())


def test_every_country_is_in_the_list_of_its_region_only():
    lists = countries.lists()
    regions = [code for region in ("africa", "americas", "asia", "europe", "oceania") for code in lists[region]]
    assert sorted(regions) == list(lists["all"]) == list(countries.codes())


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("NO", "NO"),
        ("no", "NO"),
        ("Norway", "NO"),
        ("China", "CN"),
        ("CHN", "CN"),
        ("中国", "CN"),
        ("uk", "GB"),
        ("Great Britain", "GB"),
        ("USA", "US"),
        ("the Netherlands", "NL"),
        ("netherlands", "NL"),
        ("Cote d’Ivoire", "CI"),
        ("Ivory Coast", "CI"),
        ("Turkey", "TR"),
        ("Turkiye", "TR"),
        ("Deutschland", "DE"),
    ],
)
def test_resolve_takes_codes_and_common_names(name: str, code: str):
    assert countries.resolve([name]) == (code,)


def test_every_name_of_a_country_means_that_country_alone():
    for code in countries.codes():
        country = countries.get(code)
        for name in (
            code,
            country.iso3,
            country.name,
            *country.aliases,
            *(f.country for f in country.languages.values()),
        ):
            assert countries.resolve([name]) == (code,), name


@given(st.lists(st.sampled_from(countries.codes())), st.data())
def test_resolve_keeps_order_and_drops_repeats(codes: list[str], data: st.DataObject):
    written = [
        data.draw(st.sampled_from([code, code.lower(), f" {countries.get(code).name.upper()} "])) for code in codes
    ]
    assert countries.resolve(written) == tuple(dict.fromkeys(codes))


def test_resolve_expands_lists_in_place():
    assert countries.resolve(["NZ", "p5", "cn"]) == ("NZ", "CN", "FR", "GB", "RU", "US")


@pytest.mark.parametrize(
    ("name", "help_"),
    [
        ("Chnia", "did you mean 'China'?"),
        ("g21", "did you mean 'g20'?"),
        ("SX", "SE (Sweden)"),
        ("qwzzy", "write an ISO 3166 code such as 'CN'"),
        ("", "write an ISO 3166 code such as 'CN'"),
    ],
)
def test_an_unknown_name_is_an_error_that_helps(name: str, help_: str):
    with pytest.raises(InputError) as error:
        countries.resolve(["CN", name])
    assert f"Country {name!r} is unknown" in str(error.value)
    assert help_ in str(error.value)


def test_get_and_forms_say_what_is_unknown():
    with pytest.raises(InputError, match=r"Country 'XX' is unknown"):
        countries.get("XX")
    with pytest.raises(InputError, match=r"no forms in the language 'it'; known: ar, de, en, es, fr, zh"):
        countries.get("CN").forms("it")


def test_the_manual_shows_the_forms_as_they_are():
    manual = (Path(__file__).parents[2] / "docs" / "questions.md").read_text("utf-8")
    for field in FIELDS:
        row = [getattr(countries.get("NL").forms(language), field) for language in LANGUAGES]
        assert f"| `{{{field}}}` | {' | '.join(row)} |" in manual


def test_the_manual_names_every_list():
    manual = (Path(__file__).parents[2] / "docs" / "questions.md").read_text("utf-8")
    assert all(f"`{name}`" in manual for name in countries.lists())
    assert f"holds {len(countries.codes())} countries" in manual
