import pytest

from analysis.components import Components
from analysis.power import Design, power_of_t
from analysis.simulation import Scenario, simulated_need, simulated_power
from runs.errors import InputError

PARTS = Components(0.16, 0.49, 0.09, 0.3)
MIDDLE = {1: 0.1, 2: 0.2, 3: 0.4, 4: 0.2, 5: 0.1}
CEILING = {1: 0.02, 2: 0.03, 3: 0.05, 4: 0.15, 5: 0.75}


def test_in_mid_scale_simulation_and_formula_agree():
    found = simulated_power(Scenario(-0.25, MIDDLE, PARTS), Design(60, 12, 3))
    assert found.mean_difference == pytest.approx(-0.25, abs=0.01)
    expected = power_of_t(0.25, found.sd_difference, 60)
    # Within 0.03 of each other: three Monte Carlo errors of 0.009.
    assert found.power == pytest.approx(expected, abs=0.03)


def test_an_effect_of_zero_gives_the_false_positives():
    found = simulated_power(Scenario(0.0, MIDDLE, PARTS), Design(30, 12))
    assert found.power == pytest.approx(0.05, abs=4 * found.error)
    assert found.mean_difference == pytest.approx(0, abs=0.02)


def test_five_questions_find_nothing_however_large_the_effect():
    # The smallest p of five questions is 2/32 = 0.0625.
    assert simulated_power(Scenario(-2.5, CEILING, PARTS), Design(5, 4), studies=100).power == 0
    assert simulated_power(Scenario(-3.3, CEILING, PARTS), Design(6, 4, 3), studies=100).power > 0.9


def test_the_effect_comes_out_in_points_at_the_ceiling_too():
    for effect in (-1.0, -0.1, 0.3):
        found = simulated_power(Scenario(effect, CEILING, PARTS), Design(50, 10), studies=400)
        assert found.mean_difference == pytest.approx(effect, abs=0.03)


def test_a_binary_criterion_is_a_scale_of_two_levels():
    found = simulated_power(Scenario(0.15, {0: 0.9, 1: 0.1}, PARTS), Design(60, 12, 3))
    assert found.mean_difference == pytest.approx(0.15, abs=0.01)


def test_the_questions_needed_are_enough_and_fewer_are_not():
    scenario, design = Scenario(-0.3, CEILING, PARTS), Design(60, 12, 3)
    done = []
    count = simulated_need(scenario, design, studies=500, progress=done.append)
    assert simulated_power(scenario, Design(count, 12, 3), studies=500).power >= 0.8
    assert simulated_power(scenario, Design(count - 1, 12, 3), studies=500).power < 0.8
    # Progress tells every study of every design tried.
    assert sum(done) % 500 == 0
    assert sum(done) >= 1000


def test_epochs_can_be_what_is_varied():
    count = simulated_need(Scenario(-0.3, CEILING, PARTS), Design(45, 12), vary="epochs", studies=300)
    assert 2 <= count <= 8


def test_the_seed_fixes_everything():
    scenario, design = Scenario(-0.2, CEILING, PARTS), Design(20, 5)
    first = simulated_power(scenario, design, studies=300, seed=1)
    assert simulated_power(scenario, design, studies=300, seed=1) == first
    assert simulated_power(scenario, design, studies=300, seed=2) != first


def test_what_cannot_be_simulated_is_refused():
    design = Design(10, 3)
    # Three quarters of the answers are at 5 already: mean 4.58, room for 0.42.
    with pytest.raises(InputError, match=r"\+0.42"):
        simulated_power(Scenario(0.9, CEILING, PARTS), design)
    with pytest.raises(InputError, match="two levels"):
        simulated_power(Scenario(0.1, {3: 1.0}, PARTS), design)
    with pytest.raises(InputError, match="variance"):
        simulated_power(Scenario(0.1, MIDDLE, Components(0.0)), design)
