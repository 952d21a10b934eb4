"""DEAP's operators by name: they stay in the cube, keep what they should, and serve every space."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
import pytest

from invdesign.core.errors import InputError
from invdesign.optimizers import Fitness, GeneticOptimizer
from invdesign.optimizers.population.deap_operators import (
    Crossover,
    Mutation,
    Selection,
    crossed_points,
    mutated_points,
    selected,
)
from invdesign.space import Categorical, Composition, Continuous, Integer, SearchSpace
from invdesign.targets import AtLeast, Between, Maximize, Minimize, Targets

MIXED = SearchSpace(
    {
        "x": Continuous(0, 1),
        "n": Integer(1, 9),
        "route": Categorical(["solid", "sol-gel", "spray"]),
        "cathode": Composition(
            sites={
                "A": {"elements": ["Li"], "amount": 1},
                "M": {"elements": ["Ni", "Mn", "Co"], "amount": 1, "step": 0.05},
                "O": {"elements": ["O"], "amount": 2},
            }
        ),
    },
    constraints=["x * n <= 5"],
)


@pytest.mark.parametrize("name", get_args(Crossover))
@pytest.mark.parametrize("dimension", [1, 4])
def test_crossover_stays_in_the_cube_and_is_repeatable(name, dimension):
    first, second = np.random.default_rng(0).random((2, 200, dimension))
    children = crossed_points(name, first, second, np.random.default_rng(1))
    assert children.shape == first.shape
    assert children.min() >= 0.0
    assert children.max() <= 1.0
    np.testing.assert_array_equal(children, crossed_points(name, first, second, np.random.default_rng(1)))
    if dimension > 1:
        assert (children != first).any()
    if name in ("uniform", "one-point", "two-point"):
        assert np.isin(children, np.concatenate([first, second])).all()


@pytest.mark.parametrize("name", get_args(Mutation))
def test_mutation_changes_about_one_coordinate(name):
    points = np.random.default_rng(0).random((500, 10))
    children = mutated_points(name, points, 0.05, np.random.default_rng(1))
    changed = (children != points).sum(axis=1).mean()
    assert 0.5 < changed < 2.5
    assert children.min() >= 0.0
    assert children.max() <= 1.0
    if name == "gaussian":
        moved = (children - points)[(children != points) & (children > 0) & (children < 1)]
        assert 0.04 < moved.std() < 0.06


@pytest.mark.parametrize("name", get_args(Selection))
def test_selection_prefers_the_better(name):
    values = pd.DataFrame({"f": np.linspace(0, 1, 60), "g": np.linspace(1, 0, 60) ** 2})
    values.loc[3, "f"] = np.nan
    targets = Targets(Maximize("f"), Minimize("g"))
    fitness = Fitness.of(values, targets)
    rows = selected(name, fitness, fitness.ranks(), 12, np.random.default_rng(2))
    assert 0 < len(rows) <= 12
    assert len(set(rows.tolist())) == len(rows)
    assert 3 not in rows
    assert values["f"].to_numpy()[rows].mean() > 0.55


def test_selection_among_fronts_keeps_hits_first():
    values = pd.DataFrame({"f": [0.1, 0.9, 0.5, 0.6], "g": [0.0, 0.2, 0.6, 0.1], "v": [4.0, 3.0, 4.0, 4.0]})
    fitness = Fitness.of(values, Targets(Maximize("f"), Minimize("g"), AtLeast("v", 3.5)))
    for name in ("nsga-2", "nsga-3", "spea-2"):
        rows = selected(name, fitness, fitness.ranks(), 2, np.random.default_rng(0))
        assert 1 not in rows  # best in f, and misses the bound


@pytest.mark.parametrize("selection", get_args(Selection))
@pytest.mark.parametrize(
    ("crossover", "mutation"), [("blend", "gaussian"), ("two-point", "shuffle"), ("uniform", None)]
)
def test_a_mixed_space_is_searched_by_any_of_them(selection, crossover, mutation, search):
    optimizer = GeneticOptimizer(
        population=8, selection=selection, crossover_operator=crossover, mutation_operator=mutation
    )

    def value(frame):
        points = MIXED.encode(frame)
        return pd.DataFrame({"f": points[:, 0] - points[:, 1] ** 2, "g": points.sum(axis=1)})

    targets = Targets(Maximize("f"), Between("g", 1.0, 3.0))
    candidates, _ = search(optimizer, MIXED, targets, value, evaluations=40, batch=8)
    assert len(candidates) == 40


def test_gaussian_steps_and_blends_find_a_bottom(search):
    space = SearchSpace({f"x{i}": Continuous(-5, 10) for i in range(4)})

    def bowl(frame):
        return pd.DataFrame({"f": ((frame - 3.3) ** 2).sum(axis=1)})

    optimizer = GeneticOptimizer(population=20, crossover_operator="blend", mutation_operator="gaussian")
    _, values = search(optimizer, space, Targets(Minimize("f")), bowl, evaluations=600, batch=20)
    assert values["f"].min() < 0.05


def test_an_unknown_operator_is_named():
    with pytest.raises(InputError, match=r"Unknown selection 'nsga2'\. Did you mean 'nsga-2'"):
        GeneticOptimizer(selection="nsga2")
