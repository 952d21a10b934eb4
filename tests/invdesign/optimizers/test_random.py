from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.optimizers import History, RandomOptimizer
from invdesign.space import Categorical, Composition, Continuous, Integer, SearchSpace
from invdesign.targets import AtLeast, Targets

TARGETS = Targets(AtLeast("p", 0))
SEED = np.random.SeedSequence(5)


def propose_in_steps(space: SearchSpace, steps: list[int]) -> pd.DataFrame:
    done = space.sample(0, np.random.default_rng(0))
    for n in steps:
        history = History(done, pd.DataFrame({"p": np.zeros(len(done))}), done.iloc[:0])
        new = RandomOptimizer().propose(n, space=space, targets=TARGETS, history=history, seed=SEED)
        done = pd.concat([done, new], ignore_index=True)
    return done


@pytest.mark.parametrize(
    "space",
    [
        SearchSpace(a=Continuous(0, 1), b=Continuous(0, 1), constraints=["a + b <= 1"]),
        SearchSpace(a=Continuous(0, 1), k=Integer(0, 5), w=Categorical(["p", "q"])),
        SearchSpace(k=Integer(1, 60), w=Categorical(["p", "q"])),
    ],
    ids=["constrained", "mixed", "finite"],
)
def test_candidates_do_not_depend_on_how_they_were_batched(space):
    whole = propose_in_steps(space, [24])
    pd.testing.assert_frame_equal(propose_in_steps(space, [1, 7, 16]), whole)
    assert space.feasible(whole).all()
    assert not whole.duplicated().any()


def test_it_fills_the_square_more_evenly_than_chance(rng):
    from scipy.stats import qmc

    space = SearchSpace(a=Continuous(0, 1), b=Continuous(0, 1))
    even = qmc.discrepancy(space.encode(propose_in_steps(space, [64])))
    assert even < 0.5 * qmc.discrepancy(rng.random((64, 2)))


def test_a_small_space_runs_out():
    assert len(propose_in_steps(SearchSpace(k=Integer(1, 5)), [3, 4, 2])) == 5


def test_a_sliver_of_the_cube_is_sampled():
    space = SearchSpace(a=Continuous(0, 1), b=Continuous(0, 1), constraints=["a + b <= 0.01"])
    found = propose_in_steps(space, [5, 5])
    assert len(found) == 10
    assert space.feasible(found).all()


def test_candidates_of_another_source_are_not_repeated():
    space = SearchSpace(k=Integer(1, 10))
    taken = pd.DataFrame({"k": [1, 2, 3, 4]})
    history = History(taken, pd.DataFrame({"p": np.zeros(4)}), pd.DataFrame({"k": [5]}))
    found = RandomOptimizer().propose(9, space=space, targets=TARGETS, history=history, seed=SEED)
    assert sorted(found["k"]) == [6, 7, 8, 9, 10]


def test_a_simplex_is_filled_evenly_and_not_at_its_corners():
    """Of a uniform point of a triangle the largest amount has the mean 11/18."""
    space = SearchSpace(
        metals=Composition(sites={"M": {"elements": ["Ni", "Mn", "Co"], "amount": 1}}), t=Continuous(0, 1)
    )
    found = propose_in_steps(space, [400])
    largest = np.max(
        [space.parameters["metals"].derived(name, found["metals"].to_numpy()) for name in ("Ni", "Mn", "Co")], axis=0
    )
    assert largest.mean() == pytest.approx(11 / 18, abs=0.03)
