"""Which acquisition decides: probability of meeting the targets, or coming nearer to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from invdesign.optimizers import BayesianOptimizer, History
from invdesign.optimizers.bayesian.optimize import GeneticSearch
from invdesign.space import Continuous, Integer, SearchSpace
from invdesign.targets import AtLeast, Targets

SPACE = SearchSpace(k=Integer(0, 9))
LIKELIEST, NEAREST = 1, 2


@dataclass
class Given:
    """A surrogate whose predictions of ``f`` are given: two candidates matter, all others are hopeless.

    Attributes:
        std: standard deviation of the likeliest candidate, whose mean is 0.
    """

    std: float

    def fit(self, frame, y, *, columns=None):
        return self

    def predict(self, frame, *, return_std=False):
        mean = frame["k"].map({LIKELIEST: 0.0, NEAREST: 6.0}).fillna(-50.0)
        std = frame["k"].map({LIKELIEST: self.std, NEAREST: 1.0}).fillna(0.1)
        mean, std = pd.DataFrame({"f": mean}, index=frame.index), pd.DataFrame({"f": std}, index=frame.index)
        return (mean, std) if return_std else mean

    def noise_std(self):
        return {"f": 0.0}


def proposed(probability: float) -> int:
    """The candidate proposed where the likeliest one meets ``f`` at least 10 with this probability.

    The other lies at 6 with a deviation of 1: nearer, but it meets the target with a probability of 3e-5.
    """
    optimizer = BayesianOptimizer(surrogate=Given(10.0 / norm.isf(probability)))
    done = pd.DataFrame({"k": [8, 9]})
    history = History(done, pd.DataFrame({"f": [0.0, 1.0]}), done.iloc[:0])
    targets = Targets(AtLeast("f", 10.0))
    new = optimizer.propose(1, space=SPACE, targets=targets, history=history, seed=np.random.SeedSequence(0))
    return int(new["k"].iloc[0])


@pytest.mark.parametrize("probability", [0.012, 0.05, 0.4])
def test_from_one_percent_on_the_likeliest_candidate_is_asked_for(probability):
    assert proposed(probability) == LIKELIEST


@pytest.mark.parametrize("probability", [0.008, 1e-4])
def test_below_one_percent_the_one_that_is_expected_to_come_nearest_is_asked_for(probability):
    assert proposed(probability) == NEAREST


def test_a_surrogate_that_cannot_be_conditioned_keeps_its_distance_from_what_is_pending():
    """Local penalization: all candidates are alike to the model, so that only the pending ones tell them apart."""

    @dataclass
    class Flat(Given):
        def predict(self, frame, *, return_std=False):
            mean = pd.DataFrame({"f": np.zeros(len(frame))}, index=frame.index)
            return (mean, mean + 10.0) if return_std else mean

    done = pd.DataFrame({"k": [9, 7]})
    history = History(done, pd.DataFrame({"f": [0.0, 1.0]}), pd.DataFrame({"k": [0, 1, 4, 5]}))
    new = BayesianOptimizer(surrogate=Flat(1.0)).propose(
        2, space=SPACE, targets=Targets(AtLeast("f", 10.0)), history=history, seed=np.random.SeedSequence(0)
    )
    # 8 is four away from all that is pending, 6 is next to 5; of 2 and 3, each next to a pending one, either may follow
    assert new["k"].iloc[0] == 8
    assert new["k"].iloc[1] in (2, 3, 6)


def test_without_any_candidate_that_has_all_values_one_is_proposed_at_a_time():
    space = SearchSpace(k=Integer(0, 9))
    done = pd.DataFrame({"k": [0, 3, 6, 9]})
    values = pd.DataFrame({"f": [0.0, 1.0, np.nan, np.nan], "g": [np.nan, np.nan, 0.0, 1.0]})
    new = BayesianOptimizer().propose(
        1,
        space=space,
        targets=Targets(AtLeast("f", 1e3), AtLeast("g", 1e3)),
        history=History(done, values, done.iloc[:0]),
        seed=np.random.SeedSequence(0),
    )
    assert len(new) == 1
    assert not new["k"].isin(done["k"]).any()


def test_only_a_finite_space_is_looked_ahead_in(monkeypatch):
    """Hits that may follow are counted among the likeliest candidates of all, which an infinite space does not have."""
    asked = []

    def ranked(self, acquisition, seen, count):
        asked.append(count)
        return SearchSpace(x=Continuous(0.0, 1.0)).sample(1, np.random.default_rng(0))

    monkeypatch.setattr(GeneticSearch, "ranked", ranked)
    done = pd.DataFrame({"x": [0.1, 0.5, 0.9]})
    history = History(done, pd.DataFrame({"f": [0.0, 1.0, 0.5]}), done.iloc[:0])
    space, targets = SearchSpace(x=Continuous(0.0, 1.0)), Targets(AtLeast("f", 0.9))
    BayesianOptimizer().propose(1, space=space, targets=targets, history=history, seed=np.random.SeedSequence(0))
    assert set(asked) == {1}
