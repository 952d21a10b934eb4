"""Every optimizer of ours keeps to the contract, and the contract finds those that do not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from invdesign.optimizers import (
    BayesianOptimizer,
    CmaEsOptimizer,
    GeneticOptimizer,
    ParticleSwarmOptimizer,
    PortfolioOptimizer,
    RandomOptimizer,
    SequenceOptimizer,
)
from invdesign.surrogates.forests import RandomForest
from invdesign.testing import check_optimizer

OURS = {
    "bayesian": BayesianOptimizer(),
    "bayesian with a forest": BayesianOptimizer(surrogate=RandomForest(n_estimators=10)),
    "genetic": GeneticOptimizer(population=6),
    "surrogate-assisted genetic": GeneticOptimizer(population=6, surrogate_assisted=True),
    "cma-es": CmaEsOptimizer(population=6),
    "particle swarm": ParticleSwarmOptimizer(particles=6),
    "portfolio": PortfolioOptimizer(members=(GeneticOptimizer(population=6), RandomOptimizer()), lag=3),
    "random": RandomOptimizer(),
    "sequence": SequenceOptimizer(
        members=(GeneticOptimizer(population=6), CmaEsOptimizer(population=4), ParticleSwarmOptimizer(particles=4)),
        after=(5, 10),
    ),
}


@pytest.mark.parametrize("optimizer", OURS.values(), ids=OURS)
def test_ours_keep_to_the_contract(optimizer):
    check_optimizer(optimizer)


@dataclass(frozen=True)
class Forgetful:
    """Proposes the same candidates again and again."""

    def propose(self, n, *, space, targets, history, seed):
        return space.sample(n, np.random.default_rng(1))


@dataclass(frozen=True)
class Moody:
    """Draws from the global state."""

    def propose(self, n, *, space, targets, history, seed):
        return space.sample(n, np.random.default_rng(np.random.randint(10**6)))  # noqa: NPY002


@dataclass(frozen=True)
class Careless:
    """Overlooks constraints."""

    def propose(self, n, *, space, targets, history, seed):
        free = type(space)(space.parameters)
        return free.sample(n, np.random.default_rng([history.count, 5]))


@pytest.mark.parametrize(
    ("optimizer", "words"),
    [
        (Forgetful(), "proposed twice"),
        (Moody(), "gave other candidates"),
        (Careless(), "breaks a constraint"),
        (object(), "is a dataclass"),
    ],
)
def test_those_that_do_not_are_found(optimizer, words):
    with pytest.raises(AssertionError, match=words):
        check_optimizer(optimizer)
