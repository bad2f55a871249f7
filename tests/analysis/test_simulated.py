"""The table's promises, on a small scale; `benchmarks/validity.py` prints them on a large one."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from scipy import stats

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DATASETS = 120


@pytest.fixture(scope="module")
def validity():
    spec = importlib.util.spec_from_file_location("validity_benchmark", ROOT / "benchmarks" / "validity.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def most(rate):
    """The share that a true rate exceeds once in a million runs of this many data sets (binomial)."""
    return stats.binom.ppf(1 - 1e-6, DATASETS, rate) / DATASETS


def least(rate):
    """The share that a true rate stays below once in a million runs."""
    return stats.binom.ppf(1e-6, DATASETS, rate) / DATASETS


@pytest.mark.parametrize("index", range(8))
def test_a_true_null_hypothesis_is_rejected_no_more_than_promised(validity, index):
    world = replace(validity.WORLDS[index], countries=7, questions=min(30, validity.WORLDS[index].questions))
    found = validity.simulate(world, DATASETS, seed=index)
    # 0.06: the page's simulations put the exact test at .049 to .059 in such worlds.
    assert found.differs <= most(0.06)
    assert found.exceptional <= most(0.08)
    assert found.attrition <= most(0.06)
    # Pairs of countries are dependent within a data set, so their mean rate has at most the spread of one test.
    assert found.against_one <= most(0.05)


def test_an_effect_is_found_and_covered(validity):
    world = replace(validity.WORLDS[0], countries=7, effect=-0.5)
    found = validity.simulate(world, DATASETS, seed=1)
    # sd of a question's difference: √(1 + 1/6) · √(0.4² + 0.7² + 1/12 for rounding) = 0.92, a little less for clipping.
    # Δ = -0.48 is then 4 standard errors of 60 questions away: power 0.97.
    assert found.differs >= least(0.95)
    assert found.covered >= least(0.94)
    assert found.equivalent <= most(0.05)


@pytest.mark.parametrize("index", [0, 2, 7])
def test_a_difference_as_large_as_the_margin_is_not_called_equivalent(validity, index):
    world = replace(validity.at_margin(validity.WORLDS[index]), countries=7)
    assert validity.simulate(world, DATASETS, seed=3).equivalent <= most(0.06)


def test_ordinary_countries_differ_but_are_not_exceptional(validity):
    world = replace(validity.WORLDS[0], countries=9, country_sd=0.3)
    found = validity.simulate(world, DATASETS, seed=2)
    assert found.differs >= 0.3
    assert found.exceptional <= most(0.06)
