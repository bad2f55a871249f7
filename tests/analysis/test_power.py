import json
import math
from pathlib import Path

import numpy as np
import pytest

from analysis.components import Components, assumed
from analysis.power import (
    POWER,
    Design,
    needed,
    power_of_t,
    power_table,
    questions_needed,
    sd_of_differences,
    smallest_detectable,
)
from rubrics import Criterion, Scale
from runs.errors import InputError

CASES = Path(__file__).parents[2].parent / "shared" / "data" / "reference_cases.json"
TONE = Criterion(id="tone", question="?", scale=Scale.ORDINAL, anchors={str(level): "x" for level in range(1, 6)})
REFUSED = Criterion(id="refused", question="?", scale=Scale.BINARY, anchors={"0": "no", "1": "yes"})


def test_power_and_smallest_effect_of_the_reference_case():
    if not CASES.exists():
        pytest.skip("the reference cases are not here")
    case = next(entry for entry in json.loads(CASES.read_text()) if entry["name"] == "paired_t_power")
    given, expected, within = case["input"], case["expected"], case["tolerance"]
    power = power_of_t(given["delta"], given["sd"], given["n"], given["alpha"])
    assert power == pytest.approx(expected["power"], abs=within)
    mde = smallest_detectable(given["sd"], given["n"], given["alpha"])
    assert mde == pytest.approx(expected["mde_80pct"], abs=within)


# R 4.2.2: power.t.test(power = .8, sd = .62, n = n, type = "paired", tol = 1e-10)$delta.
@pytest.mark.parametrize(("n", "expected"), [(60, 0.2279769533), (5, 1.042838315), (2, 7.16093083)])
def test_smallest_effect_of_few_questions(n, expected):
    assert smallest_detectable(0.62, n) == pytest.approx(expected, rel=1e-8)


def test_smallest_effect_is_near_the_formula_from_twenty_questions_on():
    # (t.975 + t.80) · sd / √n at n = 60: (2.0010 + 0.8477) · 0.62 / 7.7460.
    assert smallest_detectable(0.62, 60) == pytest.approx(0.22802, rel=1e-3)


def test_questions_needed_is_rs_answer_rounded_up():
    # R: power.t.test(delta = .25, sd = .62, power = .8, type = "paired")$n is 50.22834.
    assert questions_needed(0.25, 0.62) == 51


def test_a_huge_effect_still_needs_as_many_questions_as_sign_flips_need():
    # 2/2^n ≤ 0.05 from n = 6, ≤ 0.01 from n = 8.
    assert questions_needed(100, 1) == 6
    assert questions_needed(100, 1, alpha=0.01) == 8
    assert questions_needed(0, 1) is None


def test_the_variance_of_a_difference_by_hand():
    # (1 + 1/4) · (0.16 + (0.48 + 0.08/2)/3).
    components = Components(0.16, 0.48, 0.08)
    found = sd_of_differences(components, Design(10, references=4, epochs=3, repeats=2))
    assert found**2 == pytest.approx(1.25 * (0.16 + 0.52 / 3))


def test_the_variance_of_a_difference_against_simulated_studies():
    rng = np.random.default_rng(3)
    shape = (20_000, 5, 3, 2)
    scores = 0.4 * rng.normal(size=(*shape[:2], 1, 1)) + 0.7 * rng.normal(size=(*shape[:3], 1))
    means = (scores + 0.3 * rng.normal(size=shape)).mean(axis=(2, 3))
    differences = means[:, 0] - means[:, 1:].mean(axis=1)
    expected = sd_of_differences(Components(0.16, 0.49, 0.09), Design(1, references=4, epochs=3, repeats=2))
    assert differences.std() == pytest.approx(expected, rel=0.02)


def test_what_epochs_and_countries_cannot_give_is_null():
    components, design = Components(0.16, 0.49, 0.09), Design(60, references=12, epochs=3)
    plenty = needed(0.25, components, design)
    assert (plenty.questions, plenty.epochs) == (51, 3)
    # With endless epochs sd² is 13/12 · 0.16; 0.10 then needs more than 60 questions.
    floor = math.sqrt(13 / 12 * 0.16)
    assert power_of_t(0.10, floor, 60) < 0.8
    scarce = needed(0.10, components, design)
    assert (scarce.epochs, scarce.references) == (None, None)
    sd = sd_of_differences(components, design)
    assert power_of_t(0.10, sd, scarce.questions) >= 0.8 > power_of_t(0.10, sd, scarce.questions - 1)


def test_power_rises_with_questions_and_falls_with_spread():
    powers = [power_of_t(0.3, 1.0, n) for n in (2, 5, 10, 50, 200, 2000)]
    assert powers == sorted(powers)
    assert power_of_t(0.3, 1.2, 50) < power_of_t(0.3, 1.0, 50) == power_of_t(-0.3, 1.0, 50)
    assert power_of_t(0.3, 0.0, 10) == 1
    assert power_of_t(0.3, 1.0, 1) == 0


def test_the_table_before_any_model_runs():
    table = power_table([TONE, REFUSED], Design(60, references=12, epochs=3), {"refused": Components(0.04)})
    assert table.schema == POWER
    tone, refused = table.rows(named=True)
    # Assumed on five points: 0.4, 0.7 and 0.3 points.
    assert tone["sd_difference"] == pytest.approx(math.sqrt(13 / 12 * (0.16 + (0.49 + 0.09) / 3)))
    assert tone["mde"] == pytest.approx(smallest_detectable(tone["sd_difference"], 60))
    assert tone["share_of_scale"] == pytest.approx(tone["mde"] / 4)
    assert refused["sd_difference"] == pytest.approx(math.sqrt(13 / 12 * 0.04))
    one = power_table([TONE], Design(1, references=1))
    assert one["mde"].item() is None


def test_assumptions_follow_the_width_of_the_scale():
    hundred = Criterion(id="n", question="?", scale=Scale.NUMERIC, minimum=0, maximum=100, anchors={"0": "a"})
    assert assumed(hundred).epoch == pytest.approx(17.5**2)
    assert assumed(REFUSED).question_country == pytest.approx(0.15**2)


@pytest.mark.parametrize("counts", [{"questions": 0}, {"references": 0}, {"epochs": 0}, {"repeats": -1}])
def test_a_design_without_anything_is_refused(counts):
    with pytest.raises(InputError, match=next(iter(counts))):
        Design(**({"questions": 5, "references": 2} | counts))


def test_levels_that_are_no_levels_are_refused():
    with pytest.raises(InputError, match="alpha"):
        smallest_detectable(1.0, 10, alpha=0.9)
