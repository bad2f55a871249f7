"""`evenhand view` as its user has it: the real command, and pages in a real browser."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

import evenhand

pytestmark = pytest.mark.browser

COUNTRIES = ("china", "norway", "france", "brazil")
HOSTILE = (
    "<script>document.title = 'taken'</script><img src=x onerror=\"document.title='taken'\"> &lt;b&gt; </div></main>"
    "[link](javascript:document.title='taken') javascript:document.title='taken' \u202e\u2067right to left\u0000\u0007 "
    "=HYPERLINK(\"http://evil.example\") {{constructor.constructor('x')()}}"
)
WIDTHS = (360, 768, 1280)


def score(question, country, judge):
    """Return a level that depends on all three, lower about China."""
    return max(1, 4 - 2 * (country == "china") - (question % 3 == 0) - (judge == "second" and question % 4 == 0))


def text(question, country):
    if (question, country) == (5, "china"):
        return HOSTILE
    if (question, country) == (6, "china"):
        return "word " * 40_000
    return (
        f"Answer to question {question} about {country}: the press {'is Zebra-striped' if question == 7 else 'works'}."
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("view")
    places = [(question, country) for question in range(1, 21) for country in COUNTRIES]
    answers = [
        {"question_id": f"q{q:02}", "country": c, "text": text(q, c), "prompt": f"Question {q} on {c}?"}
        | {"topic": "press" if q % 2 else "courts"}
        for q, c in places
    ]  # fmt: skip
    answers[3] |= {"text": "", "status": "filtered"}
    verdicts = [
        {"question_id": f"q{q:02}", "country": c, "judge": j, "criterion": "open", "score": score(q, c, j)}
        | {"reason": f"{j} on {q}: {c} {HOSTILE if q == 5 else ''}".strip()}
        for q, c in places for j in ("first", "second") if (q, c) != (1, "brazil")
    ]  # fmt: skip
    verdicts[6] |= {"score": None}
    for name, rows in (("answers", answers), ("verdicts", verdicts)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = evenhand.import_(
        folder / "answers.jsonl", verdicts=folder / "verdicts.jsonl", focal="china", root=folder / "out"
    )
    evenhand.analyze(result.runs[0].run)
    return result.runs[0].run.path


@pytest.fixture(scope="module")
def server(served, run):
    return served("view", run)


@pytest.fixture
def at(server, run):
    return f"{server.at}/run/{run.parent.name}/{run.name}"


@pytest.fixture
def enter(open_page, server):
    """Return a function that opens the pages with the token, as the command's user does."""
    return lambda **options: open_page(server.address, **options)


def no_finding(page):
    """Assert that axe-core has nothing serious to say, and that nothing stands out at the side."""
    found = Axe().run(page).response["violations"]
    told = [(one["id"], one["impact"], [node["html"] for node in one["nodes"]][:3]) for one in found]
    assert not [one for one in told if one[1] in ("serious", "critical")], told
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def count(page):
    return page.locator("#count")


def test_filters_are_used_and_kept_in_the_address(enter, at):
    page = enter()
    assert "token" not in page.url
    page.get_by_role("link", name="Answers", exact=True).click()
    expect(count(page)).to_have_text("80 answers to 20 questions")
    expect(page.locator(".answers > li")).to_have_count(50)
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("Shown: 51 to 80.")).to_be_visible()
    page.locator("summary", has_text="any").first.click()
    page.get_by_role("checkbox", name="norway").check()
    page.get_by_label("Criterion").select_option("open")
    page.get_by_label("Judge", exact=True).select_option("first")
    page.get_by_label("Lowest score").fill("4")
    page.get_by_role("button", name="Show").click()
    # Of 20 answers about Norway the six to questions 3, 6, … 18 have 3, the others 4.
    expect(count(page)).to_have_text("14 answers to 14 questions, 14 scores")
    assert "country=norway" in page.url
    assert "low=4" in page.url
    page.reload()
    expect(count(page)).to_have_text("14 answers to 14 questions, 14 scores")
    page.get_by_role("link", name="Without score from 4").click()
    expect(count(page)).to_have_text("20 answers to 20 questions, 20 scores")
    page.get_by_role("searchbox", name="Text").fill("zebra-STRIPED")
    page.get_by_role("searchbox", name="Text").press("Enter")
    expect(count(page)).to_have_text("1 answer to 1 question, 1 score")
    page.goto(f"{at}/answers?search=second+on+7:&where=reason")
    expect(count(page)).to_have_text("4 answers to 1 question")
    page.goto(f"{at}/answers?status=filtered")
    expect(count(page)).to_have_text("1 answer to 1 question")
    page.goto(f"{at}/answers?search=nothing+holds+this")
    expect(page.get_by_text("No answer fits")).to_be_visible()


def test_every_number_of_the_table_leads_to_the_answers_behind_it(enter, run, at):
    page = enter()
    rows = pl.read_parquet(run / "analysis" / "contrasts.parquet").filter(family="confirmatory").to_dicts()
    table = page.locator("table.contrasts tbody tr")
    expect(table).to_have_count(len(rows))
    for place, row in enumerate(rows):
        cells = table.nth(place).get_by_role("link")
        addresses = cells.evaluate_all("links => links.map(link => link.href)")
        n, missing_focal, missing_reference, focal, reference, difference = addresses
        assert n == difference
        told = {}
        for name, address in {"n": n, "mf": missing_focal, "mr": missing_reference, "f": focal, "r": reference}.items():
            page.goto(address)
            told[name] = [int(number) for number in re.findall(r"\d+", count(page).inner_text())]
        assert told["n"][1] == row["n_questions"]
        assert told["mf"][0] == row["missing_focal"]
        assert told["mr"][0] == row["missing_reference"]
        assert told["f"][0] == row["rows_focal"]
        assert told["r"][0] == row["rows_reference"]
        page.goto(at)
    assert any(row["missing_focal"] for row in rows)
    assert any(row["missing_reference"] for row in rows)


def test_one_answer_shows_all_that_is_known_of_it(enter, at):
    page = enter()
    page.goto(f"{at}/answers?question=q04")
    page.get_by_role("link", name="q04 · norway · answer 1", exact=True).click()
    expect(page.get_by_role("heading", name="q04 · norway · answer 1")).to_be_visible()
    expect(page.get_by_text("Question 4 on norway?").first).to_be_visible()
    rows = page.locator("table.verdicts tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("first")
    expect(rows.nth(0).locator(".given")).to_have_text("4")
    expect(rows.nth(1).locator(".given")).to_have_text("3")
    expect(rows.nth(1)).to_contain_text("second on 4: norway")


def test_two_countries_stand_side_by_side(enter, at):
    page = enter()
    page.goto(f"{at}/answers?question=q04&country=norway")
    page.get_by_role("link", name="beside another country").click()
    expect(page.locator(".side h2")).to_have_text(["norway · answer 1", "china · answer 1"])
    first = page.locator("table.beside tbody tr").first.locator("td")
    expect(first).to_have_text(["first", "4 first on 4: norway", "2 first on 4: china"])
    page.get_by_label("On the right").select_option("france")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".side h2")).to_have_text(["norway · answer 1", "france · answer 1"])
    page.get_by_role("link", name="next question").click()
    expect(page.get_by_role("heading", name="Side by side: q05")).to_be_visible()


def test_hostile_text_stays_text(enter, at):
    page = enter()
    for address in (
        f"{at}/answers?question=q05",
        f"{at}/answer?item=q05/china/en",
        f"{at}/compare?question=q05&a=china&b=norway",
        f"{at}/answers?search=%3Cscript%3E",
    ):
        page.goto(address)
        expect(page.get_by_text("<script>document.title = 'taken'</script><img src=x").first).to_be_visible()
        assert page.title().endswith("– evenhand")
        assert page.evaluate("document.scripts.length") == 1
        assert page.locator("img, iframe, object, embed").count() == 0
        assert page.locator("a[href^='javascript:' i]").count() == 0
    page.goto(f"{at}/answer?item=q05/china/en")
    whole = page.locator("h2", has_text=re.compile("^Answer$")).locator("xpath=following::div[1]").inner_text()
    assert whole == HOSTILE.replace("\0", "␀").replace("\a", "␇")
    heading = page.get_by_role("heading", name="Verdicts")
    assert heading.evaluate("node => getComputedStyle(node).direction") == "ltr"


def test_a_very_long_answer_is_folded(enter, at):
    page = enter()
    page.goto(f"{at}/answer?item=q06/china/en")
    assert page.locator("main").inner_text().count("word") < 400
    page.get_by_text("the other 198,500 characters").click()
    assert page.locator("main").inner_text().count("word") > 39_990


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_can_use_it_at_every_width(enter, at, scheme):
    page = enter(color_scheme=scheme)
    paths = ("", "/answers", "/answer?item=q05/china/en", "/compare?question=q05", "?all=yes")
    for path in paths:
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(at + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
        no_finding(page)


STUDY = """
name = "growing"
focal = "CN"
rubric = "refusal"
[questions]
set = "few.toml"
countries = ["CN", "US", "NO"]
[generation]
model = "m"
endpoint = "{url}"
concurrency = 12
[[judges]]
name = "j"
model = "j"
endpoint = "{url}"
"""


def test_a_run_being_made_is_followed(served, open_page, scripted, tmp_path):
    endpoint = scripted(rules=[{"fault": "hang", "on": "answer", "holding": "Norway"}])
    questions = 'name = "few"\nversion = "1"\ndescription = "d"\n' + "".join(
        f'[[questions]]\nid = "q{n}"\ntopic = "t"\nsensitive = true\n'
        f'text = {{en = "Question {n} about {{country}}?"}}\n'
        for n in range(4)
    )
    (tmp_path / "few.toml").write_text(questions)
    (tmp_path / "study.toml").write_text(STUDY.format(url=endpoint.url))
    command = [sys.executable, "-m", "evenhand", "run", "study.toml"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"NO_COLOR": "1"},
    ) as made:
        endpoint.wait(replies=8)
        [manifest] = Path(tmp_path / "results").glob("*/*/run.json")
        run = manifest.parent
        server = served("view", run)
        page = open_page(server.address)
        at = f"{server.at}/run/{run.parent.name}/{run.name}"
        page.goto(f"{at}/answers?status=ok")
        expect(page.get_by_text("still being made")).to_be_visible()
        expect(count(page)).to_have_text("8 answers to 4 questions", timeout=30_000)
        page.evaluate("window.kept = true")
        assert endpoint.release() == 4
        expect(count(page)).to_have_text("12 answers to 4 questions", timeout=60_000)
        expect(page.locator(".scores").first).to_contain_text("refusal", timeout=60_000)
        assert made.wait(timeout=120) == 0, made.communicate()
        expect(page.get_by_text("still being made")).to_be_hidden(timeout=30_000)
        assert page.evaluate("window.kept")
    page.goto(at)
    expect(page.locator("table.contrasts tbody tr").first).to_be_visible()
