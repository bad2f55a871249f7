import numpy as np
import pytest

from analysis.classical import fisher, mann_whitney, mcnemar, paired_t, signed_rank, welch
from analysis.familiar import FAMILIAR, TESTS, familiar_tests
from analysis.signflip import sign_flip
from rubrics import Criterion, Scale
from runs.errors import InputError
from runs.frames import SCORES, frame

TONE = Criterion(id="tone", question="?", scale=Scale.ORDINAL, anchors={str(level): "x" for level in range(1, 6)})
REFUSED = Criterion(id="refused", question="?", scale=Scale.BINARY, anchors={"0": "no", "1": "yes"})
KIND = Criterion(id="kind", question="?", scale=Scale.NOMINAL, anchors={"full": "x", "evasive": "y"})
CN, US, FR = [1, 2, 5, 3, 2, 1], [3, 3, 4, 5, 2, 3], [2, 4, 3, 5, 5, 2]


def rows(values, criterion="tone", epoch=1, key="score"):
    return [
        {"question_id": f"q{q}", "country": country, "language": "en", "epoch": epoch, "repeat": 1, "judge": "j"}
        | {"criterion": criterion, key: score}
        for country, column in values.items()
        for q, score in enumerate(column)
    ]


def one(table, **where):
    (row,) = table.filter(**where).rows(named=True)
    return row


def test_tests_on_differences_take_one_number_per_question_and_tests_on_rows_take_rows():
    # A second epoch that repeats the first: nothing new, yet twice the rows.
    both = rows({"CN": CN, "US": US, "FR": FR}) + rows({"CN": CN, "US": US, "FR": FR}, epoch=2)
    table = familiar_tests(frame(both, SCORES), [TONE], ["t", "wilcoxon", "mannwhitney", "welch"], focal="CN")
    assert table.schema == FAMILIAR
    d = np.array(CN) - (np.array(US) + FR) / 2
    others = {"reference": "others"}
    assert one(table, test="t", **others)["p"] == pytest.approx(paired_t(d).p)
    assert one(table, test="wilcoxon", **others)["p"] == pytest.approx(signed_rank(d).p)
    assert one(table, test="t", **others)["n"] == 6
    assert one(table, test="mannwhitney", **others)["p"] == pytest.approx(mann_whitney(CN * 2, (US + FR) * 2).p)
    assert one(table, test="welch", reference="US")["p"] == pytest.approx(welch(CN * 2, US * 2).p)
    assert one(table, test="welch", reference="US")["n"] == 24


def test_rates_have_tests_of_their_own():
    focal, reference = [1, 1, 1, 0, 1, 1, 1, 1], [0, 0, 1, 0, 0, 0, 0, 1]
    table = familiar_tests(
        frame(rows({"CN": focal, "US": reference}, "refused"), SCORES),
        [REFUSED],
        ["fisher", "mcnemar", "boschloo"],
        focal="CN",
    )
    # Rows yes and no, columns CN and US.
    assert one(table, test="fisher", reference="US")["p"] == pytest.approx(fisher([[7, 2], [1, 6]]).p)
    found = one(table, test="mcnemar", reference="US")
    assert found["p"] == pytest.approx(mcnemar([[2, 5], [0, 1]]).p)
    # With one answer per question the default, the sign-flip, is the same test.
    assert found["p"] == pytest.approx(sign_flip(np.subtract(focal, reference)).p)
    assert one(table, test="boschloo", reference="US")["p"] <= one(table, test="fisher", reference="US")["p"]


def test_mcnemar_says_when_answers_are_not_paired():
    more = rows({"CN": [1, 1, 0], "US": [0, 0, 0]}, "refused") + rows({"CN": [0, 1, 1], "US": [0, 0, 0]}, "refused", 2)
    found = one(familiar_tests(frame(more, SCORES), [REFUSED], ["mcnemar"], focal="CN"), reference="US")
    assert (found["p"], found["flags"]) == (None, "not_paired_answers")


def test_nominal_criteria_are_tested_per_category_and_ordinal_ones_not_as_rates():
    given = rows({"CN": ["full", "evasive", "full"], "US": ["full"] * 3}, "kind", key="label")
    table = familiar_tests(frame(given, SCORES), [KIND], ["fisher"], focal="CN")
    assert table.filter(reference="others")["category"].to_list() == ["full", "evasive"]
    ordinal = frame(rows({"CN": CN, "US": US}), SCORES)
    assert familiar_tests(ordinal, [TONE], ["fisher"], focal="CN").is_empty()


@pytest.mark.parametrize("name", sorted(TESTS))
def test_every_test_has_its_caveat_with_a_figure(name):
    given = frame(rows({"CN": [1, 0, 1, 1], "US": [0, 0, 1, 0]}, "refused"), SCORES)
    found = one(familiar_tests(given, [REFUSED], [name], focal="CN"), reference="US")
    assert found["test"] == name
    assert 0 < found["p"] <= 1
    assert any(character.isdigit() for character in found["caveat"])


def test_an_unknown_test_or_country_names_the_nearest():
    given = frame(rows({"CN": CN, "US": US}), SCORES)
    with pytest.raises(InputError, match="mannwhitney"):
        familiar_tests(given, [TONE], ["mann-whitney"], focal="CN")
    with pytest.raises(InputError, match="XX"):
        familiar_tests(given, [TONE], ["t"], focal="XX")


def test_rows_of_clustered_data_reject_far_too_often():
    # Question × country spread and 15 rows per cell, no country different: Welch on rows against the paired t. 150
    # studies: standard error 0.018 at 0.05.
    rng = np.random.default_rng(1)
    rejected = {"welch": 0, "t": 0}
    for _ in range(150):
        cells = rng.normal(0, 0.5, (2, 20, 1)) + rng.normal(0, 0.7, (2, 20, 15))
        rejected["welch"] += welch(*cells.reshape(2, -1)).p <= 0.05
        rejected["t"] += paired_t(np.subtract(*cells.mean(axis=2))).p <= 0.05
    assert rejected["welch"] / 150 > 0.3
    assert rejected["t"] / 150 < 0.11
