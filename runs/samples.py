"""Questions as five countries are asked them, in every language, to be read before they are trusted.

`python -m runs.samples > docs/samples.md` writes the page; a test holds it to what the sets say.
"""

import sys
from collections.abc import Iterator, Mapping

from runs import countries
from runs.items import preview
from runs.questions import Question, QuestionSet, load_questions, shipped

COUNTRIES = ("CN", "US", "NL", "CI", "NO")
"""A plain name, plurals with an article, an apostrophe, and a code that YAML takes for "no"."""

WHOLE = "quick"
"""The set that is shown in full; of the others one question a topic."""


def samples_markdown() -> str:
    """Return the page: every language of every sampled question, rendered for `COUNTRIES`."""
    names = ", ".join(f"{countries.get(code).name} ({code})" for code in COUNTRIES)
    parts = [
        "# Rendered samples",
        "What models are asked, to the letter: all of `quick`, and one question for each topic of the other shipped "
        f"sets, in every language, for {names}. Written by `python -m runs.samples > docs/samples.md`; for any other "
        "country, language or set: `evenhand questions SET --country NL --language fr`.",
    ]
    for name in (WHOLE, *(name for name in shipped() if name != WHOLE)):
        asked = load_questions(name)
        texts = {(language, code): preview(asked, code, language) for language in asked.languages for code in COUNTRIES}
        parts.append(f"## {name}")
        parts += [_sample(question.id, texts) for question in _sampled(asked, whole=name == WHOLE)]
    return "\n\n".join(parts) + "\n"


def _sampled(asked: QuestionSet, *, whole: bool) -> Iterator[Question]:
    """Yield every question, or the first of each topic."""
    topics: set[str] = set()
    for question in asked.questions:
        if whole or question.topic not in topics:
            topics.add(question.topic)
            yield question


def _sample(question_id: str, texts: Mapping[tuple[str, str], Mapping[str, str]]) -> str:
    lines = [f"### {question_id}", ""]
    for (language, code), prompts in texts.items():
        if code == COUNTRIES[0]:
            lines.append(f"- {language}")
        lines.append(f"    - {prompts[question_id]}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(samples_markdown())
