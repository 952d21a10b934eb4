"""Numbers with steps: proposed on them, exact in sums, uniform, and accepted as they were made."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invdesign.core.errors import InputError
from invdesign.optimizers import (
    BayesianOptimizer,
    CmaEsOptimizer,
    GeneticOptimizer,
    History,
    ParticleSwarmOptimizer,
    RandomOptimizer,
)
from invdesign.space import Continuous, Integer, SearchSpace, describe_size
from invdesign.targets import Maximize, Targets


def fractions(step: float | None = 0.05) -> SearchSpace:
    return SearchSpace({name: Continuous(0, 1, step=step) for name in "abc"}, constraints=["a + b + c == 1"])


@given(low=st.integers(-50, 50), steps=st.integers(1, 60), step=st.sampled_from([0.05, 0.1, 0.25, 1, 10]))
@settings(max_examples=50)
def test_values_on_steps_round_trip_exactly(low, steps, step):
    parameter = Continuous(low * step, (low + steps) * step, step=step)
    assert parameter.size == steps + 1
    values = parameter.at(np.arange(steps + 1))
    assert parameter.decode(parameter.encode(values)).tolist() == values.tolist()
    assert all(float(f"{value:.6g}") == value for value in values)
    drawn = parameter.decode(np.random.default_rng(0).random((2000, 1)))
    assert set(drawn) <= set(values.tolist())


def test_given_values_are_the_only_ones_and_equally_frequent():
    parameter = Continuous(values=[2, 0.5, 1], unit="mol/l")
    drawn = SearchSpace(c=parameter).sample(3000, np.random.default_rng(0))["c"]
    assert drawn.value_counts(normalize=True).sort_index().index.tolist() == [0.5, 1.0, 2.0]
    assert drawn.value_counts(normalize=True).between(0.3, 0.37).all()
    assert set(parameter.mutated([1.0] * 20, np.random.default_rng(0), step=0.01)) == {0.5, 2.0}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"low": 0, "high": 1, "step": 0.3}, "does not divide the range"),
        ({"low": 0}, "needs low and high, or values"),
        ({"values": [1, 2], "step": 1}, "Remove low, high and step"),
        ({"values": [1, 1]}, "more than once"),
        ({"low": 0, "high": 1, "step": 1e-9}, "Use a larger one"),
    ],
)
def test_invalid_steps_are_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        Continuous(**arguments)


def test_fractions_in_steps_sum_exactly_and_are_uniform():
    space = fractions()
    assert describe_size(space) == "The space has exactly 231 candidates."
    sample = space.sample(23_100, np.random.default_rng(1))
    assert space.feasible(sample).all()
    counts = sample.value_counts()
    assert len(counts) == 231
    assert ((counts - 100) ** 2 / 100).sum() < 300  # chi-squared with 230 degrees of freedom


def test_integers_that_sum_to_ten_with_at_most_four_nonzero_are_uniform():
    names = [f"x{number}" for number in range(10)]
    total, nonzero = " + ".join(names), " + ".join(f"min({name}, 1)" for name in names)
    space = SearchSpace(
        {name: Integer(0, 10) for name in names}, constraints=[f"{total} >= 10", f"{total} <= 10", f"{nonzero} <= 4"]
    )
    sample = space.sample(5000, np.random.default_rng(0))
    assert sample.mean().between(0.9, 1.1).all()
    assert space.feasible(sample).all()
    described = describe_size(space)
    assert "about 0 of them" not in described
    assert float(described.split()[4]) == pytest.approx(22_375, rel=0.05)


@given(points=st.lists(st.tuples(*[st.floats(-0.5, 1.5)] * 3), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_repair_moves_to_a_sum_that_is_exact(points):
    space = fractions()
    repaired = space.decode(space.repair(np.array(points)))
    assert space.feasible(repaired).all()


def test_sums_with_coefficients_other_than_one_are_repaired_to_the_nearest():
    space = SearchSpace(
        a=Continuous(0, 1, step=0.1), b=Continuous(0, 1, step=0.05), constraints=["a + 2 * b == 1", "a >= 0.2"]
    )
    sample = space.sample(500, np.random.default_rng(0))
    assert sorted(sample["a"].unique()) == [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    near = space.decode(space.repair(space.encode(pd.DataFrame({"a": [0.5], "b": [0.2]}))))
    assert near.to_numpy().tolist() in ([[0.4, 0.3]], [[0.6, 0.2]], [[0.5, 0.25]])


def test_a_sum_that_no_steps_reach_names_the_constraint():
    with pytest.raises(InputError, match=r"No candidate meets the constraint 'a \+ b == 1'"):
        SearchSpace(a=Continuous(0, 0.9, step=0.3), b=Continuous(0, 0.9, step=0.3), constraints=["a + b == 1"])


def test_a_sum_of_numbers_with_and_without_steps_is_refused_with_the_cure():
    with pytest.raises(InputError, match="all with steps, or all without"):
        SearchSpace(a=Continuous(0, 1, step=0.1), b=Continuous(0, 1), constraints=["a + b == 1"])


@pytest.mark.parametrize(
    "optimizer",
    [
        RandomOptimizer(),
        BayesianOptimizer(),
        GeneticOptimizer(),
        CmaEsOptimizer(population=4),
        ParticleSwarmOptimizer(particles=4),
    ],
    ids=lambda optimizer: type(optimizer).__name__,
)
def test_every_optimizer_proposes_on_the_steps(optimizer):
    space = SearchSpace(
        {**{name: Continuous(0, 1, step=0.05) for name in "abc"}, "t": Continuous(20, 60, step=10)},
        constraints=["a + b + c == 1", "a <= 0.6"],
    )
    known = space.sample(30, np.random.default_rng(0)).drop_duplicates(ignore_index=True).head(6)
    history = History(known, pd.DataFrame({"f": known["a"] - known["t"] / 100}), known.iloc[:0])
    new = optimizer.propose(
        3, space=space, targets=Targets(Maximize("f")), history=history, seed=np.random.SeedSequence(3)
    )
    assert len(new) == 3
    assert space.feasible(new).all()
    assert not pd.concat([known, new]).duplicated().any()
    for name, parameter in space.parameters.items():
        assert set(new[name]) <= set(parameter.at(np.arange(int(parameter.size))))
