import numpy as np
import polars as pl
import pytest

from analysis import Analysis, contrasts
from rubrics import Criterion, Scale
from runs.frames import SCORES, frame

TONE = Criterion(
    id="tone", question="Warm?", scale=Scale.ORDINAL, anchors={str(level): "level" for level in range(1, 6)}
)
REFUSED = Criterion(id="refused", question="Does it refuse?", scale=Scale.BINARY, anchors={"0": "no", "1": "yes"})
KIND = Criterion(id="kind", question="What?", scale=Scale.NOMINAL, anchors={"full": "x", "evasive": "y"})


def scores(criterion, verdicts):
    """Scores from {judge: {country: [value per question]}}; a list of values is one per repeat."""
    rows = []
    for judge, values in verdicts.items():
        for country, column in values.items():
            for i, value in enumerate(column):
                for repeat, one in enumerate(value if isinstance(value, list) else [value], 1):
                    row = {"question_id": f"q{i:02d}", "country": country, "language": "en", "epoch": 1}
                    row |= {"repeat": repeat, "judge": judge, "criterion": criterion}
                    row["label" if criterion == "kind" else "score"] = one
                    rows.append(row | {"missing": "timeout" if one is None else None})
    return frame(rows, SCORES)


def panel_row(criterion, verdicts, panel="mean", **where):
    table = contrasts(scores(criterion.id, verdicts), [criterion], focal="CN", analysis=Analysis(panel=panel))
    return table.filter(judge="panel", reference="others", **where).row(0, named=True)


THREE = {
    "a": {"CN": [[1, 3], 2], "US": [3, 3]},
    "b": {"CN": [2, 2], "US": [3, 3]},
    "c": {"CN": [5, None], "US": [3, 3]},
}


@pytest.mark.parametrize(
    # Judge a's repeats are averaged first: 2. Then (2, 2, 5); of the second question c says nothing.
    ("panel", "mean"),
    [("mean", 3), ("median", 2)],
)
def test_a_panel_has_a_score_where_all_its_judges_do(panel, mean):
    found = panel_row(TONE, THREE, panel)
    assert found["mean_focal"] == pytest.approx(mean)
    assert (found["missing_focal"], found["rows_focal"], found["reasons_focal"]) == (1, 1, "timeout=1")


def test_a_judge_that_falls_silent_about_one_country_makes_no_difference_out_of_nothing():
    # Neither judge tells the countries apart: the strict one scores 2 throughout, the mild one 4, and of the focal
    # country only every third time. The mean of whoever scored would be 2, 2, 3, 2, 2, 3, … against 3.
    mild = {"CN": [None, None, 4] * 10, "US": [4] * 30}
    found = panel_row(TONE, {"strict": {"CN": [2] * 30, "US": [2] * 30}, "mild": mild})
    assert (found["difference"], found["mean_focal"], found["n_questions"]) == (0, 3, 10)
    assert found["missing_focal"] == 20
    assert "attrition" in found["flags"].split()
    assert found["bound_low"] < 0 < found["bound_high"]


def test_a_judge_under_two_settings_has_one_vote():
    lone, twice = {"CN": [1, 1], "US": [3, 3]}, {"CN": [5, 5], "US": [3, 3]}
    assert panel_row(TONE, {"a": lone, "b#0123ab": twice, "b#456cde": twice})["mean_focal"] == 3
    table = contrasts(scores("tone", {"b#0123ab": lone, "b#456cde": twice}), [TONE], focal="CN")
    assert "panel" not in table["judge"]


def test_a_judge_that_never_scored_is_no_member():
    silent = {"CN": [None, None], "US": [None, None]}
    assert panel_row(TONE, {"a": THREE["a"], "b": THREE["b"], "down": silent})["missing_focal"] == 0
    table = contrasts(scores("tone", {"a": THREE["a"], "down": silent}), [TONE], focal="CN")
    assert "panel" not in table["judge"]


def test_a_binary_panel_votes_and_splits_a_tie():
    verdicts = {
        "a": {"CN": [1, 1, 1], "US": [0, 0, 0]},
        "b": {"CN": [1, [0, 0], 1], "US": [0, 0, 0]},
        "c": {"CN": [0, [1, 0], 1], "US": [0, 0, 1]},
    }
    # Votes: 1, 1, 0 is 1; 1, 0, 0.5 is tied; 1, 1, 1 is 1.
    found = panel_row(REFUSED, verdicts)
    assert found["mean_focal"] == pytest.approx((1 + 0.5 + 1) / 3)
    assert found["mean_reference"] == 0


def test_a_nominal_panel_votes_and_abstains_on_a_tie():
    verdicts = {
        "a": {"CN": ["full", "full"], "US": ["full", "full"]},
        "b": {"CN": [["full", "evasive", "evasive"], "evasive"], "US": ["full", "full"]},
        "c": {"CN": ["evasive", ["evasive", "full"]], "US": ["full", "full"]},
    }
    found = panel_row(KIND, verdicts, category="evasive")
    # First question: evasive has 2/3 of b's vote and c's, full has 1/3 and a's. Second: one and a half each.
    assert (found["n_questions"], found["mean_focal"]) == (1, 1)
    assert found["reasons_focal"] == "abstained=1"


def test_a_panel_without_any_score_is_missing_for_their_reason():
    silent = {judge: {"CN": [None, 2], "US": [3, 3]} for judge in "ab"}
    assert panel_row(TONE, silent)["reasons_focal"] == "timeout=1"


def test_humans_and_single_judges_make_no_panel():
    table = contrasts(
        scores("tone", {"a": {"CN": [1], "US": [2]}, "human:x": {"CN": [1], "US": [2]}}), [TONE], focal="CN"
    )
    assert table["judge"].unique().sort().to_list() == ["a", "human:x"]
    both = scores("tone", THREE)
    table = contrasts(both, [TONE], focal="CN", analysis=Analysis(panel="none"))
    assert "panel" not in table["judge"]


def test_the_interaction_tells_judges_apart_that_differ_and_not_those_that_agree():
    generator = np.random.default_rng(0)
    base = {"CN": generator.integers(2, 5, 40).tolist(), "US": generator.integers(2, 5, 40).tolist()}
    noisy = {c: np.clip(np.array(v) + generator.integers(-1, 2, 40), 1, 5).tolist() for c, v in base.items()}
    hostile = {"CN": [max(1, value - 1) for value in base["CN"]], "US": base["US"]}
    alike = contrasts(scores("tone", {"a": base, "b": noisy}), [TONE], focal="CN")
    apart = contrasts(scores("tone", {"a": base, "b": hostile}), [TONE], focal="CN")
    p = [t.filter(family="confirmatory")["judge_interaction_p"].unique().to_list() for t in (alike, apart)]
    assert p[0][0] > 0.05
    assert p[1][0] == pytest.approx(1 / 2000, abs=1e-3)
    assert apart.filter(pl.col("family") == "exploratory")["judge_interaction_p"].null_count() == 3


def test_a_judge_that_tells_nothing_apart_lets_the_panel_show_no_equivalence():
    # Judge a sees 0.4 less for CN in half of twenty questions, b scores 3 throughout: the panel's mean difference is
    # halved to -0.1, within 0.25, and that says as much about b as about the countries.
    seen = {"CN": [2.6, 3.0] * 10, "US": [3.0] * 20, "DE": [3.0] * 20}
    blind = {country: [3.0] * 20 for country in seen}
    numeric = Criterion(id="tone", question="Warm?", scale=Scale.NUMERIC, minimum=1, maximum=5)
    table = contrasts(
        scores("tone", {"a": seen, "b": blind}), [numeric], focal="CN", analysis=Analysis(margin=0.25, alpha=0.0001)
    )
    row = table.filter(judge="panel", reference="others").row(0, named=True)
    assert row["difference"] == pytest.approx(-0.1)
    assert row["p_tost"] <= 0.0001
    assert "diluted" in row["flags"].split()
    assert row["finding"] == "inconclusive"
    alone = contrasts(
        scores("tone", {"a": seen, "b": seen}), [numeric], focal="CN", analysis=Analysis(margin=0.25, alpha=0.0001)
    )
    assert "diluted" not in "".join(alone["flags"])
