"""What every optimizer that compares candidates must keep to, whatever its way of searching."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invdesign.optimizers import (
    CmaEsOptimizer,
    GeneticOptimizer,
    History,
    ParticleSwarmOptimizer,
    PortfolioOptimizer,
    RandomOptimizer,
)
from invdesign.space import Categorical, Composition, Continuous, Integer, MoleculeGraph, MoleculePool, SearchSpace
from invdesign.targets import AtLeast, AtMost, Between, CloseTo, Maximize, Minimize, Targets

OPTIMIZERS = {
    "genetic": GeneticOptimizer(population=12),
    "swarm": ParticleSwarmOptimizer(particles=10),
    "neighbors": ParticleSwarmOptimizer(particles=10, topology="ring", neighbors=3),
    "cma-es": CmaEsOptimizer(population=10),
    "portfolio": PortfolioOptimizer(members=("genetic", "particle-swarm", "random"), lag=5),
}
SQUARE = SearchSpace(x=Continuous(0, 1), y=Continuous(0, 1))
MIXED = SearchSpace(
    cathode=Composition(
        sites={
            "A": {"elements": ["Li"], "amount": 1},
            "M": {"elements": ["Ni", "Mn", "Co", "Al"], "amount": 1, "max_elements": 3, "step": 0.01},
            "O": {"elements": ["O"], "amount": 2},
        },
        charge_balanced=True,
    ),
    temperature=Continuous(700, 950),
    hours=Integer(2, 24),
    route=Categorical(["solid", "sol-gel", "spray"]),
    constraints=["cathode.share_Co <= 0.3", "temperature - 10 * hours <= 850"],
)
SEED = np.random.SeedSequence(11)
every = pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)


def hill(frame: pd.DataFrame) -> pd.DataFrame:
    """A hill at (0.7, 0.3), and the distance to the origin."""
    f = np.exp(-(((frame["x"] - 0.7) ** 2 + (frame["y"] - 0.3) ** 2) / 0.05))
    return pd.DataFrame({"f": f, "g": np.hypot(frame["x"], frame["y"])})


def mixed_value(frame: pd.DataFrame) -> pd.DataFrame:
    nickel = MIXED.parameters["cathode"].derived("Ni", frame["cathode"].to_numpy())
    bonus = frame["route"].map({"solid": 0.0, "sol-gel": 0.1, "spray": 0.05}).to_numpy()
    return pd.DataFrame({"f": nickel + bonus - ((frame["temperature"].to_numpy(dtype=float) - 800) / 300) ** 2})


def proposals(optimizer, history, *, n=4, space=SQUARE, targets=None):
    targets = targets or Targets(Maximize("f"))
    return optimizer.propose(n, space=space, targets=targets, history=history, seed=SEED)


@every
@pytest.mark.parametrize("batch", [1, 7, 25])
def test_a_killed_search_goes_on_as_if_nothing_had_happened(optimizer, batch, search):
    targets = Targets(Maximize("f"), AtMost("g", 0.9))
    whole = search(optimizer, SQUARE, targets, hill, evaluations=56, batch=batch)
    killed = search(optimizer, SQUARE, targets, hill, evaluations=28 - 28 % batch, batch=batch)
    resumed = search(optimizer, SQUARE, targets, hill, evaluations=56, batch=batch, done=killed)
    pd.testing.assert_frame_equal(whole[0], resumed[0])


@every
def test_the_seed_sequence_may_be_spawned_from_and_the_global_states_are_left_alone(optimizer):
    done = RandomOptimizer().propose(30, space=SQUARE, targets=Targets(Maximize("f")), history=_none(SQUARE), seed=SEED)
    history = History(done, hill(done), done.iloc[:0])
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 - the state that must be left alone
    states = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    seed = np.random.SeedSequence(11)
    first = optimizer.propose(15, space=SQUARE, targets=Targets(Maximize("f")), history=history, seed=seed)
    assert random.getstate() == states[0]
    assert (np.random.get_state()[1] == states[1]).all()  # noqa: NPY002
    seed.spawn(3)
    random.seed(2)
    np.random.seed(2)  # noqa: NPY002
    again = optimizer.propose(15, space=SQUARE, targets=Targets(Maximize("f")), history=history, seed=seed)
    pd.testing.assert_frame_equal(first, again)


@every
@settings(max_examples=6)
@given(batches=st.lists(st.integers(1, 23), min_size=2, max_size=5), seed=st.integers(0, 1000))
def test_any_batches_of_a_mixed_space_are_new_and_feasible(optimizer, batches, seed):
    targets = Targets(AtLeast("f", 0.8))
    done, values = MIXED.sample(0, np.random.default_rng(0)), pd.DataFrame({"f": []}, dtype=float)
    for n in batches:
        history = History(done, values, done.iloc[:0])
        new = optimizer.propose(n, space=MIXED, targets=targets, history=history, seed=np.random.SeedSequence(seed))
        assert len(new) == n
        assert MIXED.feasible(new).all()
        MIXED.encode(new)
        done = pd.concat([done, new], ignore_index=True) if len(done) else new
        values = mixed_value(done)
    assert not done.duplicated().any()


@every
def test_pending_candidates_are_not_proposed_again(optimizer, search):
    done, values = search(optimizer, MIXED, Targets(Maximize("f")), mixed_value, evaluations=40, batch=20)
    pending = proposals(optimizer, History(done, values, done.iloc[:0]), space=MIXED, n=15)
    more = proposals(optimizer, History(done, values, pending), space=MIXED, n=15)
    assert len(more) == 15
    assert not pd.concat([done, pending, more]).duplicated().any()


@every
def test_maximize_and_minimize_mirror_each_other(optimizer, search):
    up, _ = search(optimizer, SQUARE, Targets(Maximize("f"), Minimize("g")), hill, evaluations=70, batch=10)
    down, _ = search(
        optimizer, SQUARE, Targets(Minimize("f"), Maximize("g")), lambda x: -hill(x), evaluations=70, batch=10
    )
    pd.testing.assert_frame_equal(up, down)


@every
def test_units_do_not_matter(optimizer, search):
    volts = Targets(Between("f", 0.5, 0.6, unit="V"), AtMost("g", 0.8, unit="mm"))
    milli = volts.in_units({"f": "mV", "g": "m"})

    def in_milli(frame):
        return hill(frame).assign(f=lambda v: 1000 * v["f"], g=lambda v: v["g"] / 1000)

    plain, _ = search(optimizer, SQUARE, volts, hill, evaluations=60, batch=10)
    scaled, _ = search(optimizer, SQUARE, milli, in_milli, evaluations=60, batch=10)
    pd.testing.assert_frame_equal(plain, scaled)


@every
@pytest.mark.parametrize(
    "values",
    [[2.0] * 30, [np.nan] * 30, [np.nan, 1.0, np.inf] * 10, [1e9, 1e9 + 1] * 15],
    ids=["all equal", "all failed", "some failed", "tiny spread"],
)
@pytest.mark.parametrize(
    "targets",
    [Targets(AtLeast("f", 10)), Targets(Maximize("f")), Targets(Maximize("f"), AtMost("f", -1))],
    ids=["window", "direction", "impossible"],
)
def test_it_goes_on_with_awkward_values(optimizer, values, targets):
    done = SQUARE.sample(30, np.random.default_rng(1))
    history = History(done, pd.DataFrame({"f": values}), done.iloc[:0])
    new = proposals(optimizer, history, n=14, targets=targets)
    assert len(new) == 14
    assert SQUARE.feasible(new).all()


@every
def test_an_impossible_target_leads_to_the_nearest(optimizer, search):
    _, values = search(optimizer, SQUARE, Targets(AtLeast("f", 5.0)), hill, evaluations=150, batch=15)
    assert values["f"].max() > 0.97


@every
def test_a_small_space_is_searched_whole_and_then_runs_out(optimizer, search):
    space = SearchSpace(k=Integer(0, 9), w=Categorical(["p", "q", "r"]), constraints=["k <= 7 or w == 'p'"])

    def value(frame):
        return pd.DataFrame({"f": frame["k"].to_numpy(dtype=float) - frame["w"].map({"p": 0, "q": 1, "r": 2})})

    done, _ = search(optimizer, space, Targets(Maximize("f")), value, evaluations=60, batch=8)
    assert len(done) == 10 + 8 + 8


@every
def test_a_pool_is_searched_without_repeats(optimizer, search):
    names = ["C" * n + "O" for n in range(1, 41)]
    space = SearchSpace(solvent=MoleculePool.from_smiles(names))

    def value(frame):
        return pd.DataFrame({"f": frame["solvent"].str.len().astype(float)})

    done, _ = search(optimizer, space, Targets(Between("f", 20, 22)), value, evaluations=100, batch=9)
    assert len(done) == 40


@every
def test_an_open_space_of_molecules_is_searched(optimizer, search):
    space = SearchSpace(solvent=MoleculeGraph(seeds=("CCO", "COC(=O)OC", "C1COC(=O)O1"), max_atoms=9))

    def value(frame):
        return pd.DataFrame({"f": frame["solvent"].str.count("F").astype(float)})

    done, _ = search(optimizer, space, Targets(Maximize("f")), value, evaluations=36, batch=12)
    assert len(done) == 36


@every
def test_a_window_is_found_with_far_fewer_evaluations_than_by_chance(optimizer, search):
    """A thin shell in five dimensions, of which chance finds about one in two thousand."""
    space = SearchSpace({f"x{i}": Continuous(0, 1) for i in range(5)})
    targets = Targets(CloseTo("f", 0.1, tolerance=0.02))

    def value(frame):
        return pd.DataFrame({"f": np.linalg.norm(frame.to_numpy() - 0.35, axis=1)})

    _, values = search(optimizer, space, targets, value, evaluations=400, batch=10)
    assert targets.all_met(values).sum() >= 5
    _, chance = search(RandomOptimizer(), space, targets, value, evaluations=400, batch=100)
    assert targets.all_met(chance).sum() <= 1


@every
def test_a_mixed_space_with_constraints_is_ascended(optimizer, search):
    _, values = search(optimizer, MIXED, Targets(Maximize("f")), mixed_value, evaluations=400, batch=20)
    _, chance = search(RandomOptimizer(), MIXED, Targets(Maximize("f")), mixed_value, evaluations=400, batch=400)
    assert values["f"].max() > max(1.0, chance["f"].max())


def _none(space: SearchSpace) -> History:
    empty = space.sample(0, np.random.default_rng(0))
    return History(empty, pd.DataFrame({"f": []}, dtype=float), empty)
