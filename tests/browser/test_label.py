"""`evenhand label` as its user has it: ten answers by keyboard, stopped and gone on with, and found again."""

import json
import re
import subprocess
import sys

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

import evenhand

pytestmark = pytest.mark.browser

COUNTRIES = ("China", "Norway", "France")
RUBRIC = """
name = "two"
version = "1"
description = "Two criteria."
[[criteria]]
id = "open"
question = "How open is it?"
direction = "3 is the most open."
scale = "ordinal"
not_applicable = true
anchors = {1 = "Closed.", 2 = "Between.", 3 = "Open."}
[[criteria]]
id = "tone"
question = "Which tone has it?"
scale = "nominal"
anchors = {warm = "It is warm.", cold = "It is cold."}
"""


@pytest.fixture
def run(tmp_path):
    places = [(question, country) for question in range(12) for country in COUNTRIES]
    answers = [
        {"question_id": f"q{q}", "country": c, "prompt": f"How is {c}, {q}?", "text": f"In {c} all is well, {q} times."}
        for q, c in places
    ]  # fmt: skip
    verdicts = [
        {"question_id": f"q{q}", "country": c, "judge": "machine", "criterion": criterion, "score": value}
        for q, c in places
        for criterion, value in (("open", 1 + (q + (c == "Norway")) % 3), ("tone", "warm" if q % 2 else "cold"))
    ]
    for name, rows in (("answers", answers), ("verdicts", verdicts)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "two.toml").write_text(RUBRIC)
    result = evenhand.import_(
        tmp_path / "answers.jsonl", verdicts=tmp_path / "verdicts.jsonl", rubric=str(tmp_path / "two.toml"),
        focal="China", root=tmp_path / "out",
    )  # fmt: skip
    return result.runs[0].run.path


def told(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "evenhand", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return json.loads(done.stdout)


def labels(run):
    [path] = run.rglob("labels.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def heading(page, number, of):
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Answer {number} of {of}")
    expect(page.locator(".criterion.now")).to_have_count(1)  # its script listens


def test_ten_answers_by_keyboard_stopped_and_resumed_and_found_again(served, open_page, run):  # noqa: PLR0915 — one sitting
    options = ("--name", "anna", "--n", "10", "--seed", "3")
    server = served("label", run, *options)
    page = open_page(server.address)
    # Ten questions are wanted, and one country beside the focal one is left for each: five questions make ten answers.
    heading(page, 1, 10)
    assert not re.search("machine|imported|focal|answers-", page.content())
    for number in range(1, 5):
        heading(page, number, 10)
        page.keyboard.press("123"[number % 3])
        expect(page.get_by_role("status")).to_contain_text("Saved: open")
        assert len(labels(run)) == 2 * number - 1
        page.keyboard.press("w")
    heading(page, 5, 10)
    assert [one["label"] for one in labels(run) if one["criterion"] == "tone"] == ["warm"] * 4
    # A correction: back to the label before, which is the tone of answer 4.
    page.keyboard.press("u")
    heading(page, 4, 10)
    page.keyboard.press("c")
    expect(page.get_by_role("status")).to_contain_text("Saved: tone cold")
    heading(page, 4, 10)
    page.keyboard.press("ArrowUp")
    # A reason goes with the label; keys in the field are text.
    page.keyboard.press("r")
    page.keyboard.type("1 u r ?")
    page.keyboard.press("Escape")
    page.keyboard.press("-")
    expect(page.get_by_role("status")).to_contain_text("Saved: open not applicable")
    assert (labels(run)[-1]["reason"], labels(run)[-1]["kind"]) == ("1 u r ?", "abstained")
    page.keyboard.press("ArrowRight")
    heading(page, 5, 10)
    page.keyboard.press("2")
    expect(page.get_by_role("status")).to_contain_text("Saved: open 2")
    before = labels(run)
    server.process.kill()
    server.process.wait()
    assert labels(run) == before

    server = served("label", run, *options)
    page = open_page(server.address)
    heading(page, 5, 10)
    expect(page.locator(".done:visible")).to_have_count(1)
    for number in range(5, 11):
        heading(page, number, 10)
        if number > 5:
            page.keyboard.press("2")
            expect(page.get_by_role("status")).to_contain_text("Saved: open 2")
        page.keyboard.press("w")
    expect(page.get_by_text("All 10 answers are labelled.")).to_be_visible()
    code, err = server.end()
    assert (code, "10 of 10 answers labelled" in err) == (0, True)

    assert told("label", run, "--list", "--json")["labellers"] == [
        {"name": "anna", "rubric": "two", "masked": False, "answers": 10, "labels": 20, "drawn": 10}
    ]
    agreed = told("agree", run, "--json")
    assert any("human:anna" in json.dumps(row) for row in agreed["agreement"])
    [corrected] = [row for row in agreed["corrected"] if row["criterion"] == "open"]
    assert corrected["judge"] == "machine"
    # Five of twelve questions are labelled; the abstention leaves one of them without a difference from people.
    assert corrected["n_labelled"] == 4
    analyzed = told("analyze", run, "--json")
    human = [row for row in analyzed["contrasts"] if row["judge"] == "human:anna"]
    pooled = {row["criterion"]: row for row in human if row["category"] is None and row["reference"] == "others"}
    assert pooled["tone"]["rows_focal"] == 5
    assert pooled["open"]["rows_focal"] in (4, 5)  # the abstention may be about either country
    assert pooled["open"]["n_questions"] == 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_masked_and_for_everybody(served, open_page, run, scheme):
    server = served("label", run, "--name", f"b-{scheme}", "--n", "6", "--mask")
    page = open_page(server.address, color_scheme=scheme)
    for number in range(1, 7):
        page.goto(f"{server.at}/answer/{number}")
        assert not any(country in page.content() for country in COUNTRIES)
        expect(page.locator(".prose").first).to_contain_text("Country X")
    for width in (360, 768, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page).response["violations"]
    assert not [(one["id"], one["nodes"]) for one in found if one["impact"] in ("serious", "critical")]
    # By pointer too.
    page.goto(server.at)
    page.get_by_label("It is warm.").check()
    expect(page.get_by_role("status")).to_contain_text("Saved: tone warm")
