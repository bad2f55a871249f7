import csv
import io
import json
import re

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from analysis import CONTRASTS, contrasts, footnotes, rich_table
from analysis.export import to_csv, to_html, to_json, to_latex, to_markdown
from rubrics import Criterion, Scale
from runs.frames import SCORES, frame

TONE = Criterion(
    id="tone_a_b",
    question="Warm?",
    scale=Scale.ORDINAL,
    direction="5 is warm",
    anchors={str(level): "level" for level in range(1, 6)},
)


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(0)
    rows = [
        {"question_id": f"q{i}", "country": country, "language": "en", "epoch": 1, "repeat": 1, "judge": "j&k_1|x"}
        | {"criterion": "tone_a_b", "score": float(generator.integers(1, 6)), "missing": None}
        for country in ("CN", "US", "FR")
        for i in range(12)
    ]
    rows[0] |= {"score": None, "missing": "truncated"}
    return contrasts(frame(rows, SCORES), [TONE], focal="CN")


def test_csv_and_json_hold_every_column(table):
    rows = list(csv.DictReader(io.StringIO(to_csv(table))))
    records = json.loads(to_json(table))
    assert list(rows[0]) == list(records[0]) == CONTRASTS.names()
    assert float(rows[0]["difference"]) == records[0]["difference"] == table["difference"][0]
    assert rows[1]["p_holm"] == ""
    assert records[1]["p_holm"] is None


def test_markdown_keeps_its_columns_whatever_the_names(table):
    lines = [line for line in to_markdown(table).splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(table)
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1


def test_latex_escapes_and_closes(table):
    text = to_latex(table)
    assert r"j\&k\_1|x" in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 1
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in body.strip().splitlines()} == {13}
    assert not re.search(r"(?<!\\)[%#_]", text)


def test_html_is_a_table_with_its_notes(table):
    pytest.importorskip("great_tables")
    text = to_html(table, title="Tone & all")
    assert "Tone &amp; all" in text
    assert "j&amp;k_1|x" in text
    assert "Seed 1" in text


@pytest.mark.parametrize("write", [to_csv, to_json, to_markdown, to_latex, to_html])
def test_the_same_table_gives_the_same_bytes(table, write):
    assert write(table) == write(table.clone())


def printed(table, width):
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(rich_table(table))
    return console.export_text()


def test_the_terminal_table_shows_names_with_brackets_and_the_verdict(table):
    text = printed(table, 140)
    assert "j&k_1|x" in text
    assert "differs" in text or "inconclusive" in text
    assert "flags" in text


@pytest.mark.parametrize("width", [80, 100, 120, 140])
def test_a_narrow_terminal_leaves_out_columns_and_cuts_no_number(table, width):
    text = printed(table, width)
    assert max(len(line) for line in text.splitlines()) <= width
    for row in table.iter_rows(named=True):
        assert f"{row['difference']:+.2f}" in text
        assert f"{row['ci_low']:.2f} to {row['ci_high']:.2f}" in text


def test_footnotes_state_families_n_and_seed(table):
    notes = " ".join(footnotes(table))
    assert "Holm over the confirmatory rows of one judge: m = 1 (j&k_1|x)." in notes
    assert "Benjamini–Hochberg over the exploratory rows of one judge: m = 2" in notes
    assert "n is the number of questions: 11." in notes
    assert "below 0.333" in notes
    assert "Seed 1" in notes


HOSTILE = ("=1+1", "+x", "-cmd|' /C calc'!A0", "@SUM(A1)", "\tq", "\rq", "\n=1", "  =1", "＝1", "=-1")


@pytest.mark.parametrize("name", HOSTILE)
def test_no_spreadsheet_computes_a_name(name):
    table = pl.DataFrame({"judge": [name], "=evil": [1], "kind": pl.Series([name], dtype=pl.Categorical)})
    (head, row) = list(csv.reader(io.StringIO(to_csv(table), newline="")))
    assert head == ["judge", "'=evil", "kind"]
    assert row == ["'" + name, "1", "'" + name]


def test_numbers_stay_numbers():
    table = pl.DataFrame({"difference": [-0.3, 1e-7, None], "label": ["-1", "+2.5e3", "a-b"], "n": [-1, 2, 3]})
    read = list(csv.reader(io.StringIO(to_csv(table))))
    assert read[1:] == [["-0.3", "-1", "-1"], ["1e-7", "+2.5e3", "2"], ["", "a-b", "3"]]


@pytest.mark.parametrize("name", ["--- | x", "a\n\n| b |", "<img src=x>", "[x](javascript:y)", "\\|", "~~a~~ $x$ &lt;"])
def test_a_hostile_name_stays_in_its_markdown_cell(table, name):
    text = to_markdown(table.with_columns(judge=pl.lit(name)))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(table)
    assert len({len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in lines}) == 1
    assert not re.search(r"(?<!\\)[<\[~$]", "".join(lines))


@pytest.mark.parametrize("name", [r"\input{/etc/passwd}", "[2em]", "*x", "a\n\nb", "%", "\x00\x1b", "^^41", r"\\[1cm]"])
def test_a_hostile_name_is_no_latex(table, name):
    text = to_latex(table.with_columns(criterion=pl.lit(name), judge=pl.lit(name)))
    rows = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert len(rows) == len(table)
    assert not any(row.lstrip().startswith(("[", "*")) for row in rows)
    assert r"\input" not in text
    assert "\x00" not in text
