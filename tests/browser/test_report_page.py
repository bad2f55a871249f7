"""The report in a real browser: every plot is drawn, every number can be had, and nothing runs or leaves the page."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

import evenhand
from analysis.panel import PANEL
from evenhand.analysing import Analyzed

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
SPEECHMAP = Path(__file__).parents[2].parent / "shared" / "data" / "speechmap-160.jsonl"
WIDTHS = (360, 768, 1280)

QUESTIONS = 'name = "few"\nversion = "1"\ndescription = "Eight questions."\n' + "".join(
    f'\n[[questions]]\nid = "q{n}"\ntopic = "{("press", "courts")[n % 2]}"\nsensitive = {str(n % 4 > 0).lower()}\n'
    f'[questions.text]\nen = "How free is the press {{in_country}}, in respect number {n}?"\n'
    for n in range(8)
)
STUDY = """
name = "small"
focal = "CN"
rubric = "candour"
[questions]
set = "few.toml"
countries = ["CN", "US", "NO", "DE"]
[generation]
model = "org/model"
endpoint = "{answers}"
max_tokens = 200
[[judges]]
name = "first"
model = "judge-a"
endpoint = "{verdicts}"
repeats = 2
[[judges]]
name = "second"
model = "judge-b"
endpoint = "{verdicts}"
"""


@dataclass(frozen=True)
class Reported:
    """A report, and the frames it was made from."""

    path: Path
    analyzed: Analyzed

    def frame(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.path.parent / f"{name}.parquet")

    @property
    def lines(self) -> pl.DataFrame:
        """The declared contrasts that have an interval."""
        return self.analyzed.contrasts.filter(pl.col("family") == "confirmatory", pl.col("mean_focal").is_not_null())


def _reported(run: Path | str, **settings: Any) -> Reported:
    analyzed = evenhand.analyze(run, **settings)
    return Reported(evenhand.report(analyzed), analyzed)


def _imported(folder: Path, answers: list[dict[str, Any]], labels: list[dict[str, Any]], focal: str) -> Path:
    for name, rows in (("answers", answers), ("labels", labels)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    told = evenhand.import_(
        folder / "answers.jsonl", verdicts=folder / "labels.jsonl", name="theirs", focal=focal, root=folder / "results"
    )
    return Path(told.runs[0].run.path)


@pytest.fixture(scope="module")
def speechmap(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    """DeepSeek's answers with the labels of two judges."""
    if not SPEECHMAP.exists():
        pytest.skip("the data is not at hand")
    rows = [json.loads(line) for line in SPEECHMAP.read_text("utf-8").splitlines()]
    rows = [row for row in rows if row["model"] == "deepseek/deepseek-chat"]
    place = [{"question_id": f"criticism-{row['item']:02}", "country": row["country"]} for row in rows]
    answers = [
        {**where, "model": row["model"], "text": row["answer"], "prompt": row["question"]}
        for where, row in zip(place, rows, strict=True)
    ]
    labels = [
        {**where, "judge": judge, "criterion": "compliance", "score": row[f"judge_{judge}"]}
        for where, row in zip(place, rows, strict=True)
        for judge in ("grok", "gpt4o")
    ]
    return _reported(_imported(tmp_path_factory.mktemp("speechmap"), answers, labels, "china"), survive=True)


@pytest.fixture(scope="module")
def whole(scripted: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Reported:
    """Two judges, repeats, a placebo, the thinking, failures of both kinds: what there is a section for."""
    folder = tmp_path_factory.mktemp("whole")
    answers = scripted(
        rules=[
            {"fault": "http", "status": 400, "holding": "in Norway, in respect number 1"},
            {"fault": "thinking"},
        ]
    )
    verdicts = scripted(rules=[{"fault": "prose", "holding": "in China, in respect number 2"}], lean={"China": -1})
    (folder / "few.toml").write_text(QUESTIONS, "utf-8")
    study = folder / "study.toml"
    study.write_text(STUDY.format(answers=answers.url, verdicts=verdicts.url), "utf-8")
    run = evenhand.generate(study, root=folder / "results").run
    evenhand.score(run)
    evenhand.score(run, placebo="mask")
    evenhand.score(run, on="reasoning")
    return _reported(run.path, survive=True)


HOSTILE = (
    "<script>window.pwned = 1</script>",
    '"></svg><img src=x onerror="window.pwned = 1">',
    "datum['x']",
    '=HYPERLINK("http://example.org", "look")',
    "constructor",
    "中国大陆 المملكة",
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    """Names of countries, topics, judges and criteria that would be more than text if anybody let them."""
    answers = [
        {"question_id": f"q{n}", "country": country, "topic": HOSTILE[n % 3], "text": "a\u0000b"}
        for n in range(6)
        for country in HOSTILE
    ]
    labels = [
        {"question_id": f"q{n}", "country": country, "judge": judge, "criterion": criterion}
        | {"score": (n + at + len(judge)) % 5 + 1}
        for n in range(6)
        for at, country in enumerate(HOSTILE)
        for judge in (HOSTILE[0], HOSTILE[2])
        for criterion in (HOSTILE[1], HOSTILE[3])
    ]
    return _reported(_imported(tmp_path_factory.mktemp("hostile"), answers, labels, HOSTILE[0]))


def _marks(page: Page, figure: str, group: str) -> list[dict[str, float]]:
    """Return the boxes of the marks of one group, in the drawing that is shown."""
    boxes: list[dict[str, float]] = page.evaluate(
        """([figure, group]) => [...document.querySelectorAll(
            `#${figure} [role=img] .role-mark[class*=" ${group}_"] > *`)]
          .map(mark => mark.getBoundingClientRect()).filter(box => box.width > 0 || box.height > 0)
          .map(box => ({width: box.width, height: box.height}))""",
        [figure, group],
    )
    return boxes


@pytest.mark.parametrize("width", [360, 1280])
def test_every_plot_of_a_whole_study_is_drawn(whole: Reported, open_page: Open, width: int) -> None:
    page = open_page(whole.path, viewport={"width": width, "height": 900})
    places = whole.frame("countries").filter(pl.col("difference").is_not_null())
    topics = whole.frame("topics")
    means = topics.filter(pl.col("judge") == PANEL, pl.col("mean").is_not_null())
    assert len(_marks(page, "contrasts", "values")) == len(_marks(page, "contrasts", "intervals")) == len(whole.lines)
    assert len(_marks(page, "contrasts", "margins")) == len(whole.lines)
    assert len(_marks(page, "placebo", "values")) == len(whole.lines)
    assert len(_marks(page, "placebo", "others")) == len(places.filter(~pl.col("is_focal")))
    assert len(_marks(page, "topics-0", "cells")) == len(means.filter(pl.col("topic").is_null()))
    first = page.locator("#topics-1-title").inner_text().removesuffix(", per topic").split(": ")
    own = means.filter(pl.col("criterion") == first[0], pl.col("category").eq_missing(pl.lit([*first, None][1])))
    assert len(_marks(page, "topics-1", "cells")) == len(own) > 8
    gone = whole.analyzed.missing.filter(pl.col("reason").is_not_null(), pl.col("judge") != PANEL)
    reasons = gone.select("country", "reason").unique()
    refused = means.filter(pl.col("criterion") == "refusal", pl.col("topic").is_null(), pl.col("mean") > 0)
    assert set(reasons["reason"]) >= {"error", "invalid_output"}
    assert len(_marks(page, "missing", "cells")) == len(reasons) + len(refused)
    for name in ("mask", "reasoning"):
        moved = whole.analyzed.moved[name].filter(pl.col("country") == "focal - others", pl.col("moved").is_not_null())
        assert len(_marks(page, f"moved-{name}", "values")) == len(moved) > 0
    agreed = whole.frame("agreement").filter(pl.col("statistic") == "krippendorff_alpha", pl.col("value").is_not_null())
    assert len(_marks(page, "agreement", "values")) == len(agreed) > 0
    figures = {figure.get_attribute("id") for figure in page.locator("figure").all()}
    assert figures >= {"contrasts", "placebo", "topics-0", "missing", "agreement", "moved-mask", "moved-reasoning"}
    shown = page.locator("figure [role=img]:visible")
    assert shown.count() == len(figures)
    for picture in shown.all():
        box = picture.bounding_box()
        assert box is not None
        assert box["width"] > 100
        assert box["height"] > 30


def test_every_plot_of_imported_answers_is_drawn(speechmap: Reported, open_page: Open) -> None:
    page = open_page(speechmap.path)
    assert len(_marks(page, "contrasts", "values")) == len(speechmap.lines) == 6  # two categories, two judges and panel
    assert len(_marks(page, "placebo", "others")) == 6 * 3
    assert len(_marks(page, "topics-0", "cells")) == 2 * 4
    assert (
        page.locator("#placebo figcaption")
        .inner_text()
        .endswith("With 4 countries the rank cannot give a p below 0.250.")
    )
    assert "9 declared contrasts" in page.locator("#verdict-section").inner_text()


def test_sections_without_data_say_why_and_what_to_do(speechmap: Reported, open_page: Open) -> None:
    page = open_page(speechmap.path)
    for section, command in (
        ("bias", "evenhand score RUN --placebo mask"),
        ("thinking", "evenhand score RUN --on reasoning"),
        ("missing", "evenhand score RUN --rubric refusal --judge …"),
        ("judges", "evenhand label RUN --rubric … --n 60"),
    ):
        assert command in page.locator(f"#{section}-section code").all_inner_texts()


def test_a_download_gives_the_rows_of_the_frame(whole: Reported, open_page: Open) -> None:
    page = open_page(whole.path)

    def saved(name: str) -> pl.DataFrame:
        with page.expect_download() as waited:
            page.locator(f"a[download='{name}.csv']").click()
        assert waited.value.suggested_filename == f"{name}.csv"
        return pl.read_csv(io.BytesIO(Path(waited.value.path()).read_bytes()), infer_schema_length=None)

    contrasts = saved("contrasts")
    assert contrasts["difference"].to_list() == pytest.approx(_by_units(whole.lines)["difference"].to_list())
    places = whole.frame("countries")
    told = saved("placebo")
    assert sorted(told["difference"].to_list()) == pytest.approx(sorted(places["difference"].drop_nulls()))
    table = saved("table")
    declared = whole.analyzed.contrasts.filter(pl.col("family") == "confirmatory")
    assert table.columns == declared.columns
    assert table["p"].to_list() == pytest.approx(declared["p"].to_list())


def _by_units(lines: pl.DataFrame) -> pl.DataFrame:
    """Return the lines as the plot has them: those in the units of the first one together, then the others."""
    rate = pl.col("scale").is_in(["binary", "nominal"])
    first = lines.select(rate).to_series()[0]
    place = pl.concat_str("criterion", "category", separator=": ", ignore_nulls=True)
    order = {name: at for at, name in enumerate(lines.select(place).to_series().unique(maintain_order=True))}
    return lines.with_columns(unit=rate != first, at=place.replace_strict(order)).sort(
        "unit", "at", maintain_order=True
    )


def test_the_keyboard_reaches_everything(whole: Reported, open_page: Open) -> None:
    page = open_page(whole.path, viewport={"width": 360, "height": 800})
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["y"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    summary = page.locator("#contrasts summary")
    summary.focus()
    page.keyboard.press("Enter")
    region = page.locator("#contrasts .scroll")
    assert region.is_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "scroll"
    page.evaluate(
        "() => { window.moved = new Promise(done => {"
        " document.activeElement.addEventListener('scroll', done, {once: true}) }) }"
    )
    page.keyboard.press("ArrowRight")
    assert page.evaluate("window.moved.then(() => document.activeElement.scrollLeft)") > 0
    assert page.locator(".scroll:not([tabindex='0'])").count() == 0
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(one => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["whole", "speechmap", "hostile"])
def test_axe_finds_nothing_serious(which: str, scheme: str, open_page: Open, request: pytest.FixtureRequest) -> None:
    page = open_page(request.getfixturevalue(which).path, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    violations = Axe().run(page).response["violations"]
    assert [one["id"] for one in violations if one["impact"] in {"serious", "critical"}] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_the_window(whole: Reported, open_page: Open, width: int, scheme: str) -> None:
    page = open_page(whole.path, viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"}[scheme]


def test_it_prints(whole: Reported, open_page: Open) -> None:
    page = open_page(whole.path, color_scheme="dark")
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.set_viewport_size({"width": 680, "height": 900})  # an A4 page less its margins, in CSS pixels
    wide = page.evaluate(
        "[...document.querySelectorAll('.scroll, figure svg')].filter(one => one.scrollWidth > 680).length"
    )
    assert wide == 0


def test_names_stay_text(hostile: Reported, open_page: Open) -> None:
    page = open_page(hostile.path)
    assert page.evaluate("window.pwned") is None
    assert page.locator("script, img, iframe, object, embed, link, form").count() == 0
    drawn = page.locator("#placebo .wide text").all_text_contents()
    assert HOSTILE[2] in drawn
    assert any(text.startswith("<script>window.pw") and text.endswith("…") for text in drawn)
    rows = page.locator("#topics-0 .wide .rows_marks text, #topics-0 .wide .focal_marks text").all_text_contents()
    assert {text.removeprefix("▸ ")[:12] for text in rows} == {name[:12] for name in HOSTILE}
    assert HOSTILE[0] in page.locator("#verdict-section").inner_text()
    with page.expect_download() as waited:
        page.locator("a[download='placebo.csv']").click()
    told = pl.read_csv(Path(waited.value.path()))
    assert f"'{HOSTILE[3]}" in set(told["country"])
    assert not any(
        text.startswith(("=", "+", "-", "@")) for name in ("criterion", "judge", "country") for text in told[name]
    )


def test_the_policy_forbids_scripts_and_requests(browser: Any, speechmap: Reported) -> None:
    page = browser.new_page()
    page.goto(speechmap.path.as_uri())
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.evaluate(
        """async () => {
            const script = document.createElement('script'); script.textContent = 'window.pwned = 1'
            document.body.append(script)
            const picture = new Image(); const failed = new Promise(done => { picture.onerror = done })
            picture.src = 'http://127.0.0.1:9/x.png'; document.body.append(picture); await failed }"""
    )
    assert page.evaluate("window.pwned") is None
    assert sum("Content Security Policy" in text for text in refused) == 2
    page.close()


def test_the_same_analysis_gives_the_same_bytes(whole: Reported) -> None:
    before = whole.path.read_bytes()
    again = _reported(whole.analyzed.run.path)  # what survives is still there from the last time
    assert again.path.read_bytes() == before


@pytest.fixture
def figures(speechmap: Reported, tmp_path: Path) -> Path:
    evenhand.report(speechmap.analyzed, figures=tmp_path / "figures")
    return tmp_path / "figures"


def test_figures_are_files_that_open(figures: Path, speechmap: Reported, open_page: Open) -> None:
    names = {"contrasts", "placebo", "topics-0", "agreement"}
    assert {path.name for path in figures.iterdir()} == {
        f"{n}.{s}" for n in names for s in ("png", "svg", "pdf", "csv")
    }
    for name in names:
        assert (figures / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (figures / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        assert "var(" not in (figures / f"{name}.svg").read_text("utf-8")
    assert len(pl.read_csv(figures / "contrasts.csv")) == len(speechmap.lines)
    page = open_page(figures / "contrasts.svg")
    boxes = page.locator(".values_marks path")
    assert boxes.count() == len(speechmap.lines)
    assert all((box.bounding_box() or {"width": 0})["width"] > 5 for box in boxes.all())
