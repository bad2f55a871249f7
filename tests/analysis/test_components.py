import numpy as np
import polars as pl
import pytest

from analysis.components import COMPONENTS, variance_components
from rubrics import Criterion, Scale
from runs.frames import SCORES, frame

NUMBER = Criterion(id="number", question="?", scale=Scale.NUMERIC, minimum=0, maximum=100, anchors={"0": "a"})


def scores(values):
    """A frame from questions × countries × epochs × repeats; NaN: no score came."""
    rows = [
        {"question_id": f"q{q:03d}", "country": f"C{c:02d}", "language": "en", "epoch": e + 1, "repeat": r + 1}
        | {"judge": "j", "criterion": "number", "score": None if np.isnan(score) else score}
        for (q, c, e, r), score in np.ndenumerate(values)
    ]
    return frame(rows, SCORES)


def test_components_by_hand():
    # Two questions, two countries, two epochs, one repeat. Within every cell the epochs are 2 apart: σ²_e = 2. Cell
    # means (10, 20 / 30, 44): interaction (10 - 20 - 30 + 44)²/4 = 4 on one degree of freedom, less σ²_e/2.
    cells = np.array([[10.0, 20.0], [30.0, 44.0]])[:, :, None, None]
    values = cells + np.array([-1.0, 1.0])[None, None, :, None]
    (row,) = variance_components(scores(values), [NUMBER]).rows(named=True)
    assert (row["epoch"], row["repeat"]) == (pytest.approx(2), None)
    assert row["question_country"] == pytest.approx(4 - 2 / 2)
    # Question means 15 and 37: variance 242, less the interaction's mean square over two countries.
    assert row["question"] == pytest.approx(242 - 4 / 2)


@pytest.mark.parametrize("gaps", [0.0, 0.2])
def test_components_are_found_again(gaps):
    rng = np.random.default_rng(9)
    found = []
    for _ in range(8):
        values = 50 + 0.8 * rng.normal(size=(40, 1, 1, 1)) + 0.5 * rng.normal(size=(1, 8, 1, 1))
        values = values + 0.4 * rng.normal(size=(40, 8, 1, 1)) + 0.7 * rng.normal(size=(40, 8, 3, 1))
        values = values + 0.3 * rng.normal(size=(40, 8, 3, 2))
        values[rng.random(values.shape) < gaps] = np.nan
        table = variance_components(scores(values), [NUMBER])
        assert table.schema == COMPONENTS
        found.append(table.select("question", "question_country", "epoch", "repeat").row(0))
    # Standard errors over 8 pilots: about 0.05, 0.008, 0.007, 0.002.
    expected = (0.64, 0.16, 0.49, 0.09)
    for value, truth, within in zip(np.mean(found, axis=0), expected, (0.2, 0.03, 0.03, 0.008), strict=True):
        assert value == pytest.approx(truth, abs=within)


def test_what_a_pilot_cannot_tell_apart_is_null_and_stays_in_the_whole():
    rng = np.random.default_rng(2)
    values = 50 + rng.normal(size=(30, 6, 1, 1))
    (row,) = variance_components(scores(values), [NUMBER]).rows(named=True)
    assert (row["epoch"], row["repeat"]) == (None, None)
    assert row["question_country"] == pytest.approx(1, abs=0.3)


def test_a_pilot_of_one_question_or_country_has_no_components():
    values = np.random.default_rng(0).normal(50, 1, (6, 1, 2, 1))
    assert variance_components(scores(values), [NUMBER]).is_empty()
    assert variance_components(scores(values.transpose(1, 0, 2, 3)), [NUMBER]).is_empty()


def test_equal_scores_vary_by_nothing():
    table = variance_components(scores(np.full((4, 3, 2, 2), 70.0)), [NUMBER])
    assert table.select(pl.col("question", "question_country", "epoch", "repeat")).row(0) == (0, 0, 0, 0)
