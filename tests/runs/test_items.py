import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs import countries
from runs.errors import InputError
from runs.frames import ITEMS
from runs.items import NO_COUNTRY, make_items, preview
from runs.questions import QuestionSet

PRESS = QuestionSet.model_validate(
    {
        "name": "press",
        "version": "1",
        "description": "Two questions.",
        "questions": [
            {
                "id": "press-freedom",
                "topic": "press",
                "sensitive": True,
                "stance": "neutral",
                "variant_of": "press-freedom",
                "text": {"en": "How free is the press {in_country}?", "de": "Wie frei ist die Presse {in_country}?"},
            },
            {
                "id": "climate",
                "topic": "geography",
                "sensitive": False,
                "text": {"en": "{country} has what climate?", "de": "Welches Klima gibt es {in_country}?"},
            },
        ],
    }
)

ITSELF = QuestionSet.model_validate(
    {
        "name": "itself",
        "version": "1",
        "description": "One question to the model about itself.",
        "about_country": False,
        "questions": [
            {
                "id": "maker",
                "topic": "identity",
                "sensitive": True,
                "text": {"en": "Who made you?", "it": "Chi ti ha creato?"},
            }
        ],
    }
)


def test_items_have_the_declared_schema_and_order():
    items = make_items(PRESS, ["NL", "Iran"], ["en", "de"])
    assert items.schema == ITEMS
    assert items["item_id"].to_list() == [
        "press-freedom/NL/en",
        "press-freedom/NL/de",
        "press-freedom/IR/en",
        "press-freedom/IR/de",
        "climate/NL/en",
        "climate/NL/de",
        "climate/IR/en",
        "climate/IR/de",
    ]


def test_items_carry_what_analysis_needs():
    items = make_items(PRESS, ["NL"])
    assert items.rows(named=True) == [
        {
            "item_id": "press-freedom/NL/en",
            "question_id": "press-freedom",
            "topic": "press",
            "sensitive": True,
            "stance": "neutral",
            "variant_of": "press-freedom",
            "country": "NL",
            "language": "en",
            "prompt": "How free is the press in the Netherlands?",
        },
        {
            "item_id": "climate/NL/en",
            "question_id": "climate",
            "topic": "geography",
            "sensitive": False,
            "stance": None,
            "variant_of": None,
            "country": "NL",
            "language": "en",
            "prompt": "The Netherlands has what climate?",
        },
    ]


@given(
    st.lists(st.sampled_from(countries.codes()), min_size=1),
    st.lists(st.sampled_from(["en", "de"]), min_size=1),
)
def test_there_is_one_item_per_question_country_and_language(codes: list[str], languages: list[str]):
    items = make_items(PRESS, codes, languages)
    assert items.height == len(PRESS.questions) * len(set(codes)) * len(set(languages))
    assert items["item_id"].is_unique().all()
    identity = items.select(pl.concat_str("question_id", "country", "language", separator="/"))
    assert identity.to_series().to_list() == items["item_id"].to_list()


def test_one_list_and_one_language_need_no_brackets():
    assert make_items(PRESS, "p5", "de").equals(make_items(PRESS, ["p5"], ["de"]))


def test_a_set_about_no_country_is_asked_once_per_language():
    items = make_items(ITSELF, languages=["en", "it"])
    assert items["item_id"].to_list() == ["maker/-/en", "maker/-/it"]
    assert items["country"].unique().to_list() == [NO_COUNTRY]
    assert items["prompt"].to_list() == ["Who made you?", "Chi ti ha creato?"]


@pytest.mark.parametrize(
    ("questions", "chosen", "languages", "message"),
    [
        (PRESS, [], ["en"], "Question set 'press' asks about countries; name at least one, or a list."),
        (PRESS, ["CN"], [], "Question set 'press' is asked in no language; name one of en, de."),
        (PRESS, ["CN"], ["fr"], "Question set 'press' has no questions in 'fr'; known: de, en."),
        (ITSELF, ["CN"], ["en"], "Question set 'itself' asks about no country; leave the countries out."),
    ],
)
def test_what_cannot_be_asked_is_an_error(
    questions: QuestionSet, chosen: list[str], languages: list[str], message: str
):
    with pytest.raises(InputError) as error:
        make_items(questions, chosen, languages)
    assert str(error.value) == message


def test_preview_shows_what_will_be_asked():
    assert preview(PRESS, "Switzerland", "de") == {
        "press-freedom": "Wie frei ist die Presse in der Schweiz?",
        "climate": "Welches Klima gibt es in der Schweiz?",
    }
    assert preview(ITSELF, "CN", "en") == {"maker": "Who made you?"}


def test_preview_wants_one_country():
    with pytest.raises(InputError, match=r"'p5' is 5 countries; name one of them: CN, FR, GB, RU, US\."):
        preview(PRESS, "p5", "en")
