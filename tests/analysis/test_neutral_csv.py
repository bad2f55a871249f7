"""No spreadsheet computes what a CSV file of ours holds."""

import csv
import io

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.export import to_csv


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1+1", "-cmd|' /C calc'!A0", "@SUM(1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1+1", "=", '=HYPERLINK("x")'],
)
def test_formulas_become_text(text: str) -> None:
    (row,) = csv.DictReader(io.StringIO(to_csv(pl.DataFrame({"name": [text], "n": [-1.5]})), newline=""))
    assert row == {"name": f"'{text}", "n": "-1.5"}  # numbers are numbers, the negative ones too


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))))
def test_all_else_stays_as_it_is(texts: list[str | None]) -> None:
    frame = pl.DataFrame({"name": texts, "n": list(range(len(texts)))}, schema={"name": pl.String, "n": pl.Int64})
    back = [row["name"] for row in csv.DictReader(io.StringIO(to_csv(frame), newline=""))]
    assert len(back) == len(texts)
    for text, written in zip(texts, back, strict=True):
        assert written.removeprefix("'") == (text or "").removeprefix("'") or written == text
        assert not written.lstrip().startswith(("=", "+", "-", "@")) or _is_number(written)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
