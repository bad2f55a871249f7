import itertools
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis import Analysis, Contrast, contrasts
from rubrics import Criterion, Scale
from runs.frames import SCORES, frame
from runs.tomlfile import parse

TONE = Criterion(
    id="tone", question="Warm?", scale=Scale.ORDINAL, anchors={str(level): "level" for level in range(1, 6)}
)
REFUSED = Criterion(id="refused", question="Does it refuse?", scale=Scale.BINARY, anchors={"0": "no", "1": "yes"})
KIND = Criterion(id="kind", question="What?", scale=Scale.NOMINAL, anchors={"full": "x", "evasive": "y", "none": "z"})


def scores(values, criterion="tone"):
    """Questions alternate between two topics; the first half is sensitive."""
    rows = []
    for country, column in values.items():
        for i, value in enumerate(column):
            row = {"question_id": f"q{i:02d}", "topic": ("press", "food")[i % 2], "sensitive": i < len(column) / 2}
            row |= {"country": country, "language": "en", "epoch": 1, "repeat": 1, "judge": "j", "stance": "critical"}
            row |= {"criterion": criterion, "label" if criterion == "kind" else "score": value}
            rows.append(row | {"missing": "timeout" if value is None else None})
    return frame(rows, SCORES)


DATA = {"CN": [1, 2, 1, 2, 3, 3, 4, 4], "US": [4, 4, 3, 5, 3, 4, 4, 4], "FR": [3, 4, 4, 3, 3, 3, 3, 4]}


def test_slices_hold_their_questions_and_are_exploratory():
    table = contrasts(scores(DATA), [TONE], focal="CN", analysis=Analysis(by=("topic", "sensitive", "stance")))
    press = table.filter(topic="press").row(0, named=True)
    assert (press["n_questions"], press["family"]) == (4, "exploratory")
    assert press["mean_focal"] == pytest.approx((1 + 1 + 3 + 4) / 4)
    assert table["sensitive"].drop_nulls().to_list() == ["sensitive", "control", "sensitive - control"]
    assert table.filter(stance="critical")["n_questions"].to_list() == [8]


def test_the_difference_in_differences_is_tested_by_flipping_questions():
    table = contrasts(scores(DATA), [TONE], focal="CN", analysis=Analysis(by=("sensitive",)))
    found = table.filter(sensitive="sensitive - control").row(0, named=True)
    parts = [table.filter(sensitive=kind)["difference"].item() for kind in ("sensitive", "control")]
    assert found["difference"] == pytest.approx(parts[0] - parts[1])
    # All 2^8 patterns of signs over the questions' differences, sensitive ones positive, control ones negative.
    others = (np.array(DATA["US"]) + np.array(DATA["FR"])) / 2
    d = (np.array(DATA["CN"]) - others) * np.array([1] * 4 + [-1] * 4) * 2
    signs = np.array(list(itertools.product([1, -1], repeat=8)))
    assert found["p"] == pytest.approx(np.mean(np.abs(signs @ d) >= abs(d.sum()) - 1e-9))


def test_declared_contrasts_are_read_from_a_study_and_make_the_family():
    content = {
        "alpha": 0.1,
        "margin": {"tone": 0.5},
        "contrasts": [
            {"sensitive": True},
            {"reference": "US", "topic": "press"},
            {"reference": ["US", "FR"]},
            {"sensitive": "difference", "confirmatory": False},
        ],
    }
    analysis = parse(Analysis, content, Path("study.toml"))
    table = contrasts(scores(DATA), [TONE], focal="CN", analysis=analysis)
    confirmatory = table.filter(family="confirmatory")
    assert confirmatory.select("reference", "topic", "sensitive").rows() == [
        ("others", None, "sensitive"),
        ("US", "press", None),
        ("FR+US", None, None),
    ]
    assert confirmatory["p_holm"].null_count() == 0
    assert table.filter(sensitive="sensitive - control")["family"].to_list() == ["exploratory"]
    assert table["margin"].unique().to_list() == [0.5]


def test_a_contrast_narrowed_to_one_criterion_leaves_the_others_exploratory():
    both = pl.concat([scores(DATA), scores({c: [v % 2 for v in column] for c, column in DATA.items()}, "refused")])
    analysis = Analysis(contrasts=(Contrast(criterion="tone"),))
    table = contrasts(both, [TONE, REFUSED], focal="CN", analysis=analysis)
    assert table.filter(family="confirmatory")["criterion"].to_list() == ["tone"]
    assert table.filter(criterion="refused", reference="others")["family"].to_list() == ["exploratory"]


def test_every_country_takes_the_focal_place():
    table = contrasts(scores(DATA), [TONE], focal="CN", analysis=Analysis(every_country=True))
    found = table.filter(reference="others").select("focal", "difference", "placebo_rank").rows(named=True)
    assert [row["focal"] for row in found] == ["CN", "FR", "US"]
    means = {country: np.mean(column) for country, column in DATA.items()}
    grand = np.mean(list(means.values()))
    for row in found:
        assert row["difference"] == pytest.approx(3 / 2 * (means[row["focal"]] - grand))
    assert sorted(row["placebo_rank"] for row in found) == [1, 2, 3]


def test_a_named_group_is_pooled_and_its_members_listed():
    table = contrasts(scores(DATA | {"DE": [5] * 8}), [TONE], focal="CN", references=["US", "FR"])
    assert table["reference"].to_list() == ["FR+US", "FR", "US"]
    assert table["placebo_n"].to_list() == [3, None, None]


def test_the_verdict_follows_the_numbers():
    generator = np.random.default_rng(0)
    flat = {c: generator.integers(3, 5, 200).tolist() for c in ("CN", "US", "FR", "DE")}
    found = contrasts(scores(flat), [TONE], focal="CN").row(0, named=True)
    assert found["finding"] == "equivalent"
    assert -0.25 < found["tost_low"] < found["tost_high"] < 0.25
    assert "equivalent within 0.25" in found["sentence"]
    low = flat | {"CN": [1] * 200}
    found = contrasts(scores(low), [TONE], focal="CN").row(0, named=True)
    assert (found["finding"], found["standing"]) == ("differs", "exceptional")
    assert found["sentence"].startswith("tone, j: CN differs from the other countries (difference -2.")
    few = contrasts(scores({"CN": [1, 2, 3], "US": [3, 2, 4]}), [TONE], focal="CN").row(0, named=True)
    assert few["finding"] == "inconclusive"


def test_paired_binary_answers_are_mcnemar_with_newcombes_interval():
    # Both refuse once, only CN seven times, only US once, neither twelve times.
    values = {"CN": [1] + [1] * 7 + [0] + [0] * 12, "US": [1] + [0] * 7 + [1] + [0] * 12}
    table = contrasts(scores(values, "refused"), [REFUSED], focal="CN")
    found = table.row(0, named=True)
    # Exact McNemar: 2 P(X <= 1), X binomial (8, 1/2).
    assert found["p"] == pytest.approx(18 / 256)
    # Fagerland, Lydersen & Laake 2014 with the arms exchanged: 0.286 (0.026, 0.507).
    assert found["risk_difference"] == pytest.approx(6 / 21)
    assert (found["risk_low"], found["risk_high"]) == pytest.approx((0.0255591, 0.5069202), abs=1e-6)
    mid = contrasts(scores(values, "refused"), [REFUSED], focal="CN", analysis=Analysis(mid_p=True)).row(0, named=True)
    assert mid["p"] == pytest.approx(10 / 256)
    assert mid["test"].endswith("mid-p")


def test_rare_events_get_a_label_permutation():
    countries = ["US", "FR", "DE", "GB", "JP", "IN", "BR", "ZA", "MX"]
    values = {"CN": [1, 1] + [0] * 18} | {country: [0] * 20 for country in countries}
    found = contrasts(scores(values, "refused"), [REFUSED], focal="CN").row(0, named=True)
    assert "rare" in found["flags"].split()
    # Only the two questions with an event matter. The focal country has both, D = 1 and 1, with chance 1/100; any
    # other draw is (1 - 1/9) or -2/9, which is nearer to zero. Monte Carlo error of 9,999: four times √(.01/9999).
    assert found["p_permutation"] == pytest.approx(0.01, abs=0.004)
    assert found["p"] == 0.5
    assert found["p_holm"] == found["p_permutation"]
    # Newcombe's interval of 2/20 against 0/180: Wilson gives 0.0279 to 0.3010 and 0 to 0.0209.
    assert found["risk_low"] == pytest.approx(0.1 - np.hypot(0.1 - 0.0279, 0.0209), abs=1e-4)
    assert found["risk_high"] == pytest.approx(0.3010, abs=1e-4)
    assert "interval 0.025 to 0.30" in found["sentence"]


def test_distance_between_distributions_has_a_row_of_its_own():
    values = {
        "CN": ["evasive"] * 5 + ["none"] * 4 + ["full"],
        "US": ["full"] * 10,
        "FR": ["full"] * 9 + ["evasive"],
    }
    table = contrasts(scores(values, "kind"), [KIND], focal="CN")
    whole = table.filter(pl.col("category").is_null(), pl.col("reference") == "others").row(0, named=True)
    rates = table.filter(pl.col("category").is_not_null(), pl.col("reference") == "others")["difference"].to_list()
    assert rates == pytest.approx([0.1 - 0.95, 0.5 - 0.05, 0.4])
    assert whole["difference"] == pytest.approx(sum(map(abs, rates)) / 2)
    assert whole["p"] < 0.01
    assert "total variation distance 0.85" in whole["sentence"]
    assert (whole["ci_low"], whole["p_tost"]) == (None, None)


def test_max_t_is_there_when_asked():
    table = contrasts(scores(DATA), [TONE], focal="CN", analysis=Analysis(max_t=True))
    found = table.filter(family="confirmatory").row(0, named=True)
    # One row: the same flips as the test itself, 9,999 of them.
    assert found["p_max_t"] == pytest.approx(found["p"], abs=4 * np.sqrt(found["p"] / 9999))
