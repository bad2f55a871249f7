from pathlib import Path

from runs.questions import load_questions, shipped
from runs.samples import COUNTRIES, samples_markdown


def test_the_page_of_samples_is_what_the_sets_say():
    page = Path(__file__).parents[2] / "docs" / "samples.md"
    assert page.read_text("utf-8") == samples_markdown()


def test_it_shows_every_set_topic_language_and_country():
    page = samples_markdown()
    for name in shipped():
        asked = load_questions(name)
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        shown = [question for question in asked.questions if f"\n### {question.id}\n" in section]
        assert {question.topic for question in shown} == {question.topic for question in asked.questions}
        assert section.count("    - ") == len(shown) * len(COUNTRIES) * 6
    assert all(f"\n### {question.id}\n" in page for question in load_questions("quick").questions)
