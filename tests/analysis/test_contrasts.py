import random
import warnings

import numpy as np
import polars as pl
import pytest

from analysis.contrasts import CONTRASTS, contrasts
from analysis.settings import Analysis, Contrast
from rubrics import Criterion, Scale
from runs.errors import InputError
from runs.frames import SCORES, frame

TONE = Criterion(
    id="tone",
    question="How warm is the answer?",
    scale=Scale.ORDINAL,
    direction="5 is warm",
    anchors={str(level): f"level {level}" for level in range(1, 6)},
)
REFUSED = Criterion(id="refused", question="Does it refuse?", scale=Scale.BINARY, anchors={"0": "no", "1": "yes"})
KIND = Criterion(id="kind", question="What is it?", scale=Scale.NOMINAL, anchors={"full": "x", "evasive": "y"})


def score(question, country, value, **facts):
    row = {
        "question_id": question,
        "country": country,
        "language": "en",
        "epoch": 1,
        "repeat": 1,
        "judge": "j",
        "criterion": "tone",
    }
    kind = "label" if facts.get("criterion") == "kind" else "score"
    return row | {kind: value, "missing": None if value is not None else "truncated"} | facts


def scores(rows):
    return frame(rows, SCORES)


def table_of(values, **facts):
    """Scores from {country: [value per question]}."""
    return [
        score(f"q{i:02d}", country, value, **facts)
        for country, column in values.items()
        for i, value in enumerate(column)
    ]


def row(table, **where):
    found = table.filter(**where) if where else table
    assert len(found) == 1, found
    return found.row(0, named=True)


def test_epochs_and_repeats_are_averaged_before_questions_are_counted():
    rows = table_of({"CN": [1, 2, 3], "US": [3, 3, 3]})
    # q00 of CN three times more, as epochs and repeats: mean of 1, 1, 5, 5 is 3.
    rows += [score("q00", "CN", 1, epoch=2), score("q00", "CN", 5, repeat=2), score("q00", "CN", 5, epoch=2, repeat=2)]
    found = row(contrasts(scores(rows), [TONE], focal="CN"), reference="others")
    assert found["n_questions"] == 3
    assert found["mean_focal"] == pytest.approx((3 + 2 + 3) / 3)
    assert found["difference"] == pytest.approx(-1 / 3)
    assert (found["rows_focal"], found["rows_reference"]) == (6, 3)


def test_the_comparator_is_the_equal_weight_mean_of_the_countries_that_are_there():
    rows = table_of({"CN": [1, 2, None, 4], "US": [3, None, 3, 3], "FR": [5, 4, 3, None]})
    found = row(contrasts(scores(rows), [TONE], focal="CN"), reference="others")
    # Question by question: 1 - (3 + 5)/2, 2 - 4, (no focal), 4 - 3.
    assert found["difference"] == pytest.approx((-3 - 2 + 1) / 3)
    assert (found["n_questions"], found["n_questions_complete"]) == (3, 1)
    assert (found["missing_focal"], found["missing_reference"]) == (1, 2)
    assert (found["reasons_focal"], found["reasons_reference"]) == ("truncated=1", "truncated=2")
    assert "incomplete" in found["flags"].split()


def test_languages_are_paired_before_they_are_averaged():
    rows = table_of({"CN": [2, 2], "US": [4, 4]})
    # In Chinese only the first question came from both; the second came from US alone and must not move anything.
    rows += [score("q00", "CN", 1, language="zh"), score("q00", "US", 1, language="zh")]
    rows += [score("q01", "CN", None, language="zh"), score("q01", "US", 1, language="zh")]
    found = row(contrasts(scores(rows), [TONE], focal="CN"), reference="others")
    assert found["n_questions"] == 2
    assert found["difference"] == pytest.approx(((-2 + 0) / 2 + -2) / 2)


def test_holm_holds_the_declared_rows_and_bh_the_others():
    generator = np.random.default_rng(3)
    countries = ["CN", "DE", "FR", "US"]
    rows = []
    for criterion in ("tone", "refused"):
        top = 5 if criterion == "tone" else 1
        rows += table_of({c: generator.integers(top - 1, top + 1, 30).tolist() for c in countries}, criterion=criterion)
    table = contrasts(scores(rows), [TONE, REFUSED], focal="CN")
    declared = table.filter(family="confirmatory")
    assert declared["reference"].to_list() == ["others", "others"]
    p = declared["p"].to_list()
    # Holm by hand for m = 2: the smaller doubled, the larger at least that.
    assert sorted(declared["p_holm"].to_list()) == pytest.approx([min(1, 2 * min(p)), max(min(1, 2 * min(p)), *p)])
    rest = table.filter(family="exploratory")
    assert rest["reference"].to_list() == ["DE", "FR", "US"] * 2
    assert rest["q_bh"].null_count() == 0
    assert rest["p_holm"].null_count() == len(rest)


def test_placebo_rank_and_crawford_howell():
    values = {"CN": [1] * 8, "DE": [4] * 8, "FR": [3] * 8, "US": [5] * 8}
    found = row(contrasts(scores(table_of(values)), [TONE], focal="CN"), reference="others")
    assert (found["placebo_rank"], found["placebo_n"], found["p_placebo"], found["p_placebo_min"]) == (1, 4, 0.25, 0.25)
    # t = (1 - 4)/(1·√(1 + 1/3)) = -2.598 on 2 degrees of freedom; P(|t| > c) = 1 - c/√(2 + c²) there.
    t = 3 / np.sqrt(4 / 3)
    assert found["crawford_howell_p"] == pytest.approx(1 - t / np.sqrt(2 + t**2))
    assert found["standing"] == "cannot tell"
    other = row(contrasts(scores(table_of(values)), [TONE], focal="FR"), reference="others")
    # D is 4/3 of the distance from the grand mean 3.25: CN 3, US 7/3, DE 1, FR 1/3.
    assert (other["placebo_rank"], other["standing"]) == (4, "not exceptional")


def test_countries_that_are_all_equal_make_no_country_exceptional_though_cells_are_missing():
    # Without US in two questions, FR and RU differ more from the rest there; their means are 4 all the same.
    values = {"CN": [2] * 12, "FR": [4] * 12, "RU": [4] * 12, "US": [4, None, None] + [4] * 9}
    found = row(contrasts(scores(table_of(values)), [TONE], focal="CN"), reference="others")
    assert (found["crawford_howell_p"], found["standing"]) == (None, "cannot tell")


DEGENERATE = {
    "all tied": (table_of({"CN": [3] * 10, "US": [3] * 10}), "all_tied"),
    "constant": (table_of({"CN": [2] * 10, "US": [3] * 10}), "constant"),
    "three questions": (table_of({"CN": [1, 2, 3], "US": [3, 3, 4]}), "few_nonzero"),
    "all missing": (table_of({"CN": [None] * 4, "US": [None] * 4}), "no_data"),
    "focal missing": (table_of({"CN": [None] * 4, "US": [3] * 4}), "no_data"),
    "one country": (table_of({"CN": [1, 2, 3]}), "no_reference"),
    "one question": (table_of({"CN": [1], "US": [3], "FR": [2]}), "few_nonzero"),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_data_give_a_sensible_table(name):
    rows, flag = DEGENERATE[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = contrasts(
            scores(rows), [TONE], focal="CN", analysis=Analysis(by=("topic", "sensitive"), every_country=True)
        )
    assert table.schema == CONTRASTS
    found = row(table, reference="others", focal="CN")
    assert flag in found["flags"].split()
    assert found["p"] is None or 0 < found["p"] <= 1
    floats = table.select(pl.col(pl.Float64))
    assert sum(floats.select(pl.all().is_nan().sum()).row(0)) == 0


def test_degenerate_numbers():
    tied = row(contrasts(scores(DEGENERATE["all tied"][0]), [TONE], focal="CN"), reference="others")
    assert (tied["p"], tied["p_min"], tied["ci_low"], tied["ci_high"], tied["difference"]) == (1, 1, 0, 0, 0)
    constant = row(contrasts(scores(DEGENERATE["constant"][0]), [TONE], focal="CN"), reference="others")
    assert (constant["p"], constant["ci_low"], constant["ci_high"]) == (2 / 2**10, -1, -1)
    few = row(contrasts(scores(DEGENERATE["three questions"][0]), [TONE], focal="CN"), reference="others")
    assert (few["p"], few["p_min"], few["ci_low"], few["ci_high"]) == (0.25, 0.25, None, None)
    none = row(contrasts(scores(DEGENERATE["all missing"][0]), [TONE], focal="CN"), reference="others")
    assert (none["n_questions"], none["missing_focal"], none["p"], none["difference"]) == (0, 4, None, None)


def test_a_nominal_criterion_has_one_row_of_rates_per_category():
    values = {"CN": ["evasive", "evasive", "full", "other"], "US": ["full", "full", "full", "full"]}
    table = contrasts(scores(table_of(values, criterion="kind")), [KIND], focal="CN")
    pooled = table.filter(pl.col("reference") == "others", pl.col("category").is_not_null())
    assert pooled["category"].to_list() == ["full", "evasive", "other"]
    assert pooled["difference"].to_list() == [-0.75, 0.5, 0.25]


@pytest.mark.parametrize(("n", "finding"), [(46, "inconclusive"), (47, "equivalent")])
def test_ties_show_equivalence_once_they_are_many(n, finding):
    # With a mean difference of 0.25 on a scale 4 wide at least 1/16 of questions differ: (15/16)^46 = 0.0514 and
    # (15/16)^47 = 0.0482 are the most likely that none of them does.
    found = row(contrasts(scores(table_of({"CN": [3] * n, "US": [3] * n})), [TONE], focal="CN"), reference="others")
    assert (found["p_tost"], found["finding"]) == (pytest.approx((15 / 16) ** n), finding)


def test_declared_rows_are_the_same_without_exploratory_ones():
    generator = np.random.default_rng(4)
    rows = scores(table_of({c: generator.integers(1, 6, 12).tolist() for c in ("CN", "DE", "FR")}))
    whole, declared = (contrasts(rows, [TONE], focal="CN", exploratory=wanted) for wanted in (True, False))
    assert declared.equals(whole.filter(family="confirmatory"))


def test_no_event_on_either_side_is_no_proof_of_equal_rates():
    # Newcombe's 90 % interval of 0/20 against 0/60 ends at Wilson's limit for 0/20, z²/(20 + z²) = 0.119 with
    # z = 1.645; 0/60 against 0/180 at 0.043, which is inside 5 percentage points.
    for n, equivalent in ((20, False), (60, True)):
        rows = table_of({c: [0] * n for c in ("CN", "DE", "FR", "US")}, criterion="refused")
        found = row(contrasts(scores(rows), [REFUSED], focal="CN"), reference="others")
        assert (found["p"], found["ci_low"], found["ci_high"], found["margin"]) == (1, 0, 0, 0.05)
        assert found["tost_high"] == pytest.approx(1.6449**2 / (n + 1.6449**2), abs=1e-4)
        assert (found["finding"] == "equivalent") == (found["p_tost"] <= 0.05) == equivalent


def test_the_order_of_rows_does_not_matter():
    generator = np.random.default_rng(0)
    values = {
        c: [None if generator.random() < 0.1 else int(generator.integers(1, 6)) for _ in range(40)] for c in "ABCDE"
    }
    rows = table_of(values) + table_of(values, epoch=2)
    one = contrasts(scores(rows), [TONE], focal="A")
    random.Random(1).shuffle(rows)
    assert one.equals(contrasts(scores(rows), [TONE], focal="A"))


def test_sums_of_fractions_give_the_same_bytes_in_any_order():
    # 0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1 in floats, and threads add up in an order of their own.
    generator = np.random.default_rng(1)
    share = Criterion(id="share", question="?", scale=Scale.NUMERIC, minimum=0, maximum=1)
    rows = [
        row_
        for epoch in range(1, 10)
        for judge in ("a", "b", "c")
        for row_ in table_of(
            {c: np.round(generator.random(8), 1).tolist() for c in "ABC"}, criterion="share", epoch=epoch, judge=judge
        )
    ]
    one = contrasts(scores(rows), [share], focal="A")
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        assert one.equals(contrasts(scores(rows), [share], focal="A"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"focal": "CH"}, "'CH' does not occur in the scores; known: CN, US"),
        ({"focal": "CN", "references": ["UK"]}, "'UK' does not occur"),
        ({"focal": "CN", "references": "CN"}, "holds no country but 'CN'"),
        ({"focal": "CN", "analysis": Analysis(margin={"tonne": 1})}, "did you mean 'tone'"),
        ({"focal": "CN", "analysis": Analysis(contrasts=(Contrast(criterion="tune"),))}, "did you mean 'tone'"),
        ({"focal": "CN", "analysis": Analysis(contrasts=(Contrast(topic="press"),))}, "'press' does not occur"),
    ],
)
def test_a_wrong_name_is_told_with_the_right_one(options, says):
    with pytest.raises(InputError, match=says):
        contrasts(scores(table_of({"CN": [1, 2], "US": [2, 3]})), [TONE], **options)


def test_scores_of_an_unknown_criterion_are_refused():
    with pytest.raises(InputError, match="'tone' has scores but is not in the rubric"):
        contrasts(scores(table_of({"CN": [1]})), [REFUSED], focal="CN")


def test_wordings_of_one_question_count_once():
    rows = table_of({"CN": [1, 3, 2], "US": [3, 3, 4]})
    for row_ in rows:
        row_["variant_of"] = "same" if row_["question_id"] in ("q00", "q01") else None
    found = row(contrasts(scores(rows), [TONE], focal="CN"), reference="others")
    assert found["n_questions"] == 2
    # The two wordings average to -1, the other question has -2.
    assert found["difference"] == pytest.approx(-1.5)
