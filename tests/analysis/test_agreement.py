import numpy as np
import polars as pl
import pytest

from analysis.agreement import AGREEMENT, agreement
from analysis.coefficients import cohen_kappa, gwet_ac, icc, krippendorff_alpha, rank_correlation
from rubrics import Criterion, Scale
from runs.frames import SCORES, frame

TONE = Criterion(id="tone", question="?", scale=Scale.ORDINAL, anchors={str(level): "x" for level in range(1, 6)})
REFUSED = Criterion(id="refused", question="?", scale=Scale.BINARY, anchors={"0": "no", "1": "yes"})
KIND = Criterion(id="kind", question="?", scale=Scale.NOMINAL, anchors={"full": "x", "evasive": "y", "canned": "z"})
NUMBER = Criterion(id="number", question="?", scale=Scale.NUMERIC, minimum=0, maximum=100, anchors={"0": "a"})

RNG = np.random.default_rng(11)
TRUE = RNG.integers(1, 6, 48)
GIVEN = {name: np.clip(TRUE + RNG.integers(-1, 2, 48), 1, 5).tolist() for name in ("a", "b", "human:x", "human:y")}


def scores(given, criterion="tone", repeat=1, value="score"):
    """Two countries, two epochs, twelve questions; None: no score came."""
    rows = []
    for judge, column in given.items():
        for i, rating in enumerate(column):
            row = {"question_id": f"q{i // 4:02d}", "country": "CN" if i % 2 else "US", "epoch": 1 + i // 2 % 2}
            row |= {"language": "en", "repeat": repeat, "judge": judge, "criterion": criterion, value: rating}
            rows.append(row | {"missing": "timeout" if rating is None else None})
    return frame(rows, SCORES)


def value(table, **where):
    found = table.filter(*(pl.col(name).eq_missing(pl.lit(wanted)) for name, wanted in where.items()))
    assert len(found) == 1, found
    return found.row(0, named=True)


def test_every_comparison_has_its_statistics():
    table = agreement(scores(GIVEN), [TONE], resamples=200)
    assert table.schema == AGREEMENT
    who = table.select("comparison", "first", "second").unique(maintain_order=True).rows()
    pairs = [("a", "b"), ("a", "human:x"), ("a", "human:y"), ("b", "human:x"), ("b", "human:y"), ("human:x", "human:y")]
    pairs += [("panel", "human:x"), ("panel", "human:y")]
    assert who == [("judges", None, None), ("humans", None, None), *(("pair", *pair) for pair in pairs)]
    pair = table.filter(comparison="pair", first="a", second="human:x")
    assert pair["statistic"].to_list() == [
        "raw_agreement",
        "krippendorff_alpha",
        "gwet_ac2",
        "quadratic_kappa",
        "icc_single",
        "icc_average",
        "kendall_tau_b",
    ]


def test_values_are_the_coefficients_of_the_ratings():
    table = agreement(scores(GIVEN), [TONE], resamples=200)
    a, b = GIVEN["a"], GIVEN["b"]
    where = {"comparison": "pair", "first": "a", "second": "b"}
    expected = {
        "krippendorff_alpha": krippendorff_alpha([a, b], "ordinal"),
        "gwet_ac2": gwet_ac([a, b], "ordinal", range(1, 6)),
        "quadratic_kappa": cohen_kappa(a, b, range(1, 6)),
        "icc_single": icc([a, b]).single,
        "icc_average": icc([a, b]).average,
        "kendall_tau_b": rank_correlation(a, b).tau_b,
        "raw_agreement": np.mean(np.array(a) == np.array(b)),
    }
    for statistic, wanted in expected.items():
        row = value(table, statistic=statistic, **where)
        assert row["value"] == pytest.approx(wanted)
        assert row["ci_low"] <= row["value"] <= row["ci_high"]
        assert (row["n_raters"], row["n_questions"], row["n_units"], row["flags"]) == (2, 12, 48, "few_questions")


def near(levels, off):
    """Expected scores a hundredth or so beside `levels`, on the scale's side of its ends."""
    low, high = min(levels), max(levels)
    return [min(max(level + off * (1 + i % 3), low + abs(off)), high - abs(off)) for i, level in enumerate(levels)]


OF_LEVELS = ["raw_agreement", "krippendorff_alpha", "gwet_ac1", "gwet_ac2", "cohen_kappa", "quadratic_kappa"]


@pytest.mark.parametrize(
    ("criterion", "first", "second"),
    [
        (REFUSED, [level % 2 for level in GIVEN["a"]], [level % 2 for level in GIVEN["b"]]),
        (TONE, GIVEN["a"], GIVEN["b"]),
    ],
    ids=["binary", "ordinal"],
)
def test_expected_scores_near_a_level_agree_as_the_level_does(criterion, first, second):
    def table(one, other):
        again = scores({"a": other}, criterion.id, repeat=2)  # for the judge's agreement with itself
        return agreement(
            pl.concat([scores({"a": one, "b": other}, criterion.id), again]), [criterion], resamples=100
        ).filter(pl.col("statistic").is_in(OF_LEVELS))

    given, expected = table(first, second), table(near(first, 0.01), near(second, -0.01))
    assert set(given["comparison"]) == {"judges", "pair", "repeats"}
    assert expected.equals(given)
    assert 0 < given.filter(statistic="raw_agreement")["value"].min() < 1
    same = table(near(first, 0.01), near(first, -0.01)).filter(pl.col("value") != 1)
    assert same.is_empty()


def test_icc_and_tau_take_expected_scores_as_they_are():
    one, other = [level + 0.3 * (i % 2) for i, level in enumerate(TRUE)], [float(level) for level in TRUE]
    table = agreement(scores({"a": one, "b": other}), [TONE], resamples=100)
    where = {"comparison": "pair", "first": "a", "second": "b"}
    assert value(table, statistic="icc_single", **where)["value"] == pytest.approx(icc([one, other]).single)
    assert value(table, statistic="kendall_tau_b", **where)["value"] == pytest.approx(
        rank_correlation(one, other).tau_b
    )
    assert value(table, statistic="icc_single", **where)["value"] < 1
    assert value(table, statistic="quadratic_kappa", **where)["value"] == 1
    steady = agreement(scores({"a": [3.2, 3.1] * 24, "b": [3.3, 3.2] * 24}), [TONE], resamples=100)
    flags = {row["statistic"]: row["flags"].split() for row in steady.filter(comparison="pair").to_dicts()}
    assert "constant" in flags["quadratic_kappa"]  # everything is a 3
    assert "constant" not in flags["icc_single"]


def test_the_panel_is_compared_with_people_and_with_nobody_else():
    # Questions 1 to 4, both judges on each: the panel's means are 2, 3, 2.5 (the even level: 2) and 3.5 (4).
    given = {"a": [2, 3, 2, 3], "b": [2, 3, 3, 4], "human:x": [2, 3, 2, 5]}
    table = agreement(scores(given), [TONE], resamples=50)
    assert table.filter(first="panel")["second"].unique().to_list() == ["human:x"]
    assert "panel" not in table["second"]
    where = {"comparison": "pair", "first": "panel", "second": "human:x"}
    assert value(table, statistic="raw_agreement", **where)["value"] == 3 / 4
    kappa = cohen_kappa([2, 3, 2, 4], given["human:x"], range(1, 6))
    assert value(table, statistic="quadratic_kappa", **where)["value"] == pytest.approx(kappa)
    means = icc([[2, 3, 2.5, 3.5], given["human:x"]]).single
    assert value(table, statistic="icc_single", **where)["value"] == pytest.approx(means)
    for alone in (
        agreement(scores(given), [TONE], panel="none"),
        agreement(scores({"a": [2], "human:x": [3]}), [TONE]),
    ):
        assert "panel" not in alone["first"]
    # A binary vote that is tied is no "yes".
    tied = scores({"a": [1, 1, 0, 0], "b": [1, 0, 1, 0], "human:x": [1, 0, 0, 0]}, "refused")
    assert value(agreement(tied, [REFUSED], resamples=50), statistic="raw_agreement", **where)["value"] == 1


def test_missing_scores_leave_their_unit_out_of_a_pair_only():
    given = GIVEN | {"a": [None] * 8 + GIVEN["a"][8:]}
    table = agreement(scores(given), [TONE], resamples=100)
    row = value(table, comparison="pair", first="a", second="b", statistic="icc_single")
    assert (row["n_units"], row["n_questions"]) == (40, 10)
    assert row["value"] == pytest.approx(icc([GIVEN["a"][8:], GIVEN["b"][8:]]).single)
    assert value(table, comparison="humans", statistic="icc_single")["n_units"] == 48


def test_repeats_are_compared_with_each_other_and_matched_between_judges():
    again = [min(rating + i % 2, 5) for i, rating in enumerate(GIVEN["a"])]
    both = pl.concat([scores({"a": GIVEN["a"], "b": GIVEN["b"]}), scores({"a": again}, repeat=2)])
    table = agreement(both, [TONE], resamples=100)
    row = value(table, comparison="repeats", statistic="krippendorff_alpha")
    assert (row["first"], row["n_raters"]) == ("a", 2)
    assert row["value"] == pytest.approx(krippendorff_alpha([GIVEN["a"], again], "ordinal"))
    assert value(table, comparison="pair", statistic="krippendorff_alpha")["n_units"] == 48
    assert table.filter(comparison="repeats", statistic="icc_single").is_empty()


def test_nominal_criteria_compare_labels():
    words = ["full", "evasive", "canned"]
    given = {name: [words[rating % 3] for rating in column] for name, column in GIVEN.items() if name in "ab"}
    table = agreement(scores(given, "kind", value="label"), [KIND], resamples=100)
    row = value(table, comparison="pair", statistic="cohen_kappa")
    assert row["value"] == pytest.approx(cohen_kappa(given["a"], given["b"], words, "none"))
    assert "kendall_tau_b" not in table["statistic"]
    assert value(table, comparison="judges", statistic="gwet_ac1")["value"] == pytest.approx(
        gwet_ac([given["a"], given["b"]], categories=words)
    )


def test_numeric_criteria_have_interval_alpha_and_no_categories():
    given = {name: [rating * 7.5 for rating in column] for name, column in GIVEN.items() if name in "ab"}
    table = agreement(scores(given, "number"), [NUMBER], resamples=100)
    alpha = value(table, comparison="judges", statistic="krippendorff_alpha")
    assert alpha["value"] == pytest.approx(krippendorff_alpha([given["a"], given["b"]], "interval"))
    assert not set(table["statistic"]) & {"gwet_ac2", "quadratic_kappa"}


def test_constant_ratings_are_null_beside_their_raw_agreement():
    table = agreement(scores({"a": [4] * 48, "b": [4] * 48}), [TONE], resamples=100)
    raw = value(table, comparison="pair", statistic="raw_agreement")
    assert (raw["value"], raw["ci_low"], raw["ci_high"]) == (1, 1, 1)
    others = table.filter(pl.col("statistic") != "raw_agreement")
    assert others["value"].null_count() == others["ci_low"].null_count() == len(others)
    assert all("constant" in flags.split() for flags in table["flags"])


def test_the_seed_fixes_the_intervals_and_the_order_of_rows_does_not_count():
    rows = scores(GIVEN)
    first = agreement(rows, [TONE], resamples=300, seed=3)
    assert agreement(rows.sample(fraction=1, shuffle=True, seed=1), [TONE], resamples=300, seed=3).equals(first)
    assert not agreement(rows, [TONE], resamples=300, seed=4).equals(first)


def test_one_judge_alone_has_nothing_to_agree_with():
    assert agreement(scores({"a": GIVEN["a"]}), [TONE]).is_empty()
    assert agreement(frame([], SCORES), [TONE]).is_empty()


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    # Two raters of one normal truth with equal noise: ICC(2,1) is 1/(1 + 1) = 0.5. 60 questions of one unit each. The
    # bootstrap's own error at this n is a few percent; 60 studies have a standard error of 3 %.
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(60):
        truth = rng.normal(size=60)
        rows = [
            {"question_id": f"q{i}", "country": "CN", "language": "en", "epoch": 1, "repeat": 1, "judge": judge}
            | {"criterion": "number", "score": 50 + truth[i] + noise}
            for judge in "ab"
            for i, noise in enumerate(rng.normal(size=60))
        ]
        table = agreement(frame(rows, SCORES), [NUMBER], resamples=200)
        row = value(table, comparison="judges", statistic="icc_single")
        covered += row["ci_low"] <= 0.5 <= row["ci_high"]
    assert covered / 60 >= 0.85
