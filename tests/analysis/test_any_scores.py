"""Whatever scores come, the table keeps to what its columns promise."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import CONTRASTS, Analysis, contrasts, to_csv, to_json, to_latex, to_markdown
from rubrics import Criterion, Scale
from runs.frames import SCORES, frame

LEVELS = {str(level): "level" for level in range(1, 6)}
CRITERIA = (
    Criterion(id="tone", question="?", scale=Scale.ORDINAL, anchors=LEVELS),
    Criterion(id="refused", question="?", scale=Scale.BINARY, anchors={"0": "no", "1": "yes"}),
    Criterion(id="share", question="?", scale=Scale.NUMERIC, minimum=0, maximum=100),
    Criterion(id="kind", question="?", scale=Scale.NOMINAL, anchors={"full": "x", "evasive": "y"}),
)
VALUES = {
    "tone": st.integers(1, 5).map(float),
    "refused": st.integers(0, 1).map(float),
    "share": st.floats(0, 100),
    "kind": st.sampled_from(["full", "evasive", "unforeseen"]),
}


@st.composite
def rows(draw):
    criterion = draw(st.sampled_from(sorted(VALUES)))
    value = st.none() | VALUES[criterion]
    found = []
    for question in range(draw(st.integers(1, 7))):
        sensitive = draw(st.none() | st.booleans())
        for country in ("CN", "US", "FR", "DE")[: draw(st.integers(1, 4))]:
            for language in draw(st.sampled_from([("en",), ("en", "zh")])):
                for judge in draw(st.sampled_from([("a",), ("a", "b")])):
                    one = draw(value)
                    row = {"question_id": f"q{question}", "country": country, "language": language, "judge": judge}
                    row |= {"criterion": criterion, "epoch": 1, "repeat": 1, "sensitive": sensitive, "topic": "t"}
                    row |= {"label" if criterion == "kind" else "score": one}
                    found.append(row | {"missing": None if one is not None else "timeout"})
    return found


@settings(max_examples=25)
@given(rows())
def test_the_table_keeps_its_promises(found):
    analysis = Analysis(by=("sensitive", "language"), every_country=True, max_t=True, mid_p=True)
    table = contrasts(frame(found, SCORES), CRITERIA, focal="CN", analysis=analysis)
    assert table.schema == CONTRASTS
    assert len(table) > 0
    assert table.select(pl.col(pl.Float64).is_nan().sum()).sum_horizontal().item() == 0
    for column in (
        name for name in table.columns if name == "p" or name.startswith(("p_", "q_")) or name.endswith("_p")
    ):
        values = table[column].drop_nulls()
        assert ((values > 0) & (values <= 1)).all(), column
    for row in table.iter_rows(named=True):
        check(row)
    for write in (to_csv, to_json, to_markdown, to_latex):
        assert write(table)


def check(row):
    assert row["sentence"].endswith(".")
    if row["n_questions"] == 0:
        assert row["difference"] is None
        assert row["flags"]
        return
    assert row["p"] is not None
    low, high = row["ci_low"], row["ci_high"]
    if row["test"].startswith("sign-flip") and not row["test"].endswith("mid-p"):
        excluded = (low is not None and low > 0) or (high is not None and high < 0)
        assert excluded == (row["p"] <= 0.05)
        assert low is None or low <= row["difference"] + 1e-9
        assert high is None or high >= row["difference"] - 1e-9
        assert row["n_nonzero"] == 0 or (row["p_tost"] <= 0.05) == (
            None not in (row["tost_low"], row["tost_high"])
            and -row["margin"] < row["tost_low"]
            and row["tost_high"] < row["margin"]
        )
    if row["bound_low"] is not None:
        assert row["bound_low"] <= row["bound_high"] + 1e-9
    if row["mean_focal"] is not None:
        assert row["difference"] == pytest.approx(row["mean_focal"] - row["mean_reference"], abs=1e-6)
