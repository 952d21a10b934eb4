"""What candidates cost: the search asks for the most per cost, and a cost that does not fit is refused in time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.optimizers.bayesian.cost import PerCost, cost_problems, costs

SOLVENTS = ("water", "acetonitrile", "toluene")
SPACE = ind.SearchSpace(
    temperature=ind.Continuous(20.0, 80.0, unit="degC"),
    solvent=ind.Categorical(SOLVENTS),
    cathode=ind.Composition(
        {
            "A": {"elements": ["Li"], "amount": 1},
            "M": {"elements": ["Ni", "Mn", "Co"], "amount": 1, "step": 0.1},
            "O": {"elements": ["O"], "amount": 2},
        }
    ),
)
PRICES = {"solvent": {"water": 1.0, "acetonitrile": 3.0, "toluene": 2.0}}


def test_an_expression_may_read_numbers_and_what_a_formula_holds():
    candidates = SPACE.sample(5, np.random.default_rng(0))
    cobalt = SPACE.parameters["cathode"].derived("Co", candidates["cathode"].to_numpy())
    found = costs("1 + temperature / 20 + 4 * cathode.Co", SPACE, candidates)
    np.testing.assert_allclose(found, 1.0 + candidates["temperature"] / 20.0 + 4.0 * cobalt)
    assert cost_problems("1 + 4 * cathode.Co", SPACE) == []
    np.testing.assert_allclose(costs("3", SPACE, candidates), 3.0)


def test_costs_of_values_are_added_up():
    candidates = pd.DataFrame({"solvent": ["toluene", "water"]})
    np.testing.assert_allclose(costs(PRICES, SPACE, candidates), [2.0, 1.0])
    assert cost_problems(PRICES, SPACE) == []


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        ("2 * temperatur", "reads 'temperatur', which the space does not have. Did you mean 'temperature'"),
        ("cathode.Xx", "reads 'cathode.Xx'"),
        ("50 - temperature", "above zero for every candidate, and is -"),
        ("1 + solvent", "cannot be computed"),
        ({"solvant": {"water": 1.0}}, "names 'solvant', which is not a parameter. Did you mean 'solvent'"),
        ({"solvent": {"water": 1.0, "toluene": 2.0}}, "cost of 'acetonitrile' in column 'solvent' is missing"),
        ({"temperature": {"20": 1.0}}, "'temperature' has no list of values"),
    ],
)
def test_a_cost_that_does_not_fit_the_space_is_named_before_anything_runs(cost, words):
    (problem,) = cost_problems(cost, SPACE)
    assert words in problem
    with pytest.raises(ind.InputError, match=r"cost|list of values"):
        ind.Campaign(SPACE, ind.Targets(ind.AtLeast("yield", 1.0)), optimizer=ind.BayesianOptimizer(cost=cost))


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        ("temperature <= 3", "must be a number, such as .*, not a comparison"),
        ("__import__('os')", "not allowed"),
        ("", "an expression such as"),
        ({}, "a mapping of columns"),
        ({"solvent": {"water": 0.0}}, "must be above zero"),
    ],
)
def test_a_cost_that_cannot_be_read_is_refused_at_once(cost, words):
    with pytest.raises(ind.InputError, match=words):
        ind.BayesianOptimizer(cost=cost)


@pytest.mark.parametrize("logarithmic", [True, False])
def test_of_two_equally_good_candidates_the_cheaper_is_better(logarithmic):
    candidates = pd.DataFrame({"solvent": ["acetonitrile", "water"]})
    for fidelity in (-2.0, 0.5):
        same = PerCost(lambda rows, fidelity=fidelity: np.full(len(rows), fidelity), PRICES, SPACE, logarithmic)
        dear, cheap = same(candidates)
        assert cheap > dear


def test_a_search_finds_as_much_for_less():
    space = ind.SearchSpace(x=ind.Continuous(0.0, 1.0), z=ind.Continuous(0.0, 1.0), solvent=ind.Categorical(SOLVENTS))

    prices = {"solvent": {"water": 3.0, "acetonitrile": 1.0, "toluene": 2.0}}

    def spent(cost) -> tuple[float, int]:
        campaign = ind.Campaign(
            space,
            ind.Targets(ind.Between("y", 0.2, 0.4)),
            optimizer=ind.BayesianOptimizer(cost=cost),
            seed=1,
            initial=6,
        )
        objective = ind.PythonObjective(lambda x, z, solvent: {"y": x}, {"y": ""})
        campaign.run(objective, evaluations=24)
        later = campaign.frame().iloc[6:]
        return float(costs(prices, space, later).mean()), campaign.status().hits

    (blind, _), (aware, hits) = spent(None), spent(prices)
    assert aware < 0.8 * blind
    assert hits >= 12


def test_a_campaign_file_may_say_it(tmp_path):
    text = """
campaign: priced
space:
  x: {type: continuous, low: 0, high: 1}
targets: [{property: y, at_least: 1}]
optimizer: {type: bayesian, cost: "1 + 2 * %s"}
"""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(text % "x")
    bad.write_text(text % "z")
    assert ind.read_campaign(good).optimizer.cost == "1 + 2 * x"
    with pytest.raises(ind.InputError, match=r"bad\.yaml:6: The cost reads 'z'"):
        ind.read_campaign(bad)
