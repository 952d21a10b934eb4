"""BoTorch's acquisition functions by name, class and partial, over every kind of space and target."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest
from botorch.acquisition import LogExpectedImprovement, qLogNoisyExpectedImprovement, qUpperConfidenceBound

from invdesign.core.errors import InputError
from invdesign.optimizers import BayesianOptimizer, History
from invdesign.optimizers.bayesian import botorch_acquisition
from invdesign.space import Categorical, Continuous, Fidelity, Integer, MoleculePool, SearchSpace
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.forests import RandomForest
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.targets import AtLeast, Between, Maximize, Minimize, Targets
from invdesign.testing import check_optimizer

SQUARE = SearchSpace(x=Continuous(0, 1), y=Continuous(-5, 5))
MIXED = SearchSpace(x=Continuous(0, 1), c=Categorical(["a", "b", "c"]), n=Integer(1, 3))
BOUND = SearchSpace({"x": Continuous(0, 1), "y": Continuous(0, 1)}, constraints=["x + y <= 1"])


def hill(space):
    """A hill at 0.3 along every coordinate, and the sum of the coordinates."""

    def value(frame):
        points = space.encode(frame)
        return pd.DataFrame({"f": -((points - 0.3) ** 2).sum(axis=1), "g": points.sum(axis=1)})

    return value


def begun(space, count=8):
    done = space.sample(count, np.random.default_rng(5))
    return done, hill(space)(done)


@pytest.mark.parametrize(
    "acquisition",
    [
        "qLogNoisyExpectedImprovement",
        qLogNoisyExpectedImprovement,
        functools.partial(qUpperConfidenceBound, beta=1.0),
    ],
    ids=["name", "class", "partial"],
)
def test_the_top_of_a_hill_is_found(acquisition, search):
    optimizer = BayesianOptimizer(acquisition=acquisition)
    targets = Targets(Maximize("f"))
    _, values = search(optimizer, SQUARE, targets, hill(SQUARE), evaluations=14, done=begun(SQUARE))
    assert values["f"][8:].max() > -0.003


@pytest.mark.parametrize(
    ("space", "best"), [(MIXED, -0.70), (BOUND, -0.01)], ids=["mixed, by combinations", "constrained, by a pool"]
)
def test_other_spaces_are_searched(space, best, search):
    optimizer = BayesianOptimizer(acquisition="qLogNoisyExpectedImprovement")
    _, values = search(optimizer, space, Targets(Maximize("f")), hill(space), evaluations=14, done=begun(space))
    assert values["f"][8:].max() > best  # the top of the mixed hill is at -0.67


def test_a_reciprocal_temperature_is_searched_by_a_pool():
    space = SearchSpace(t=Continuous(250.0, 350.0, unit="K"), x=Continuous(0.0, 1.0))
    surrogate = GaussianProcess(features=Features(temperatures="arrhenius"))
    optimizer = BayesianOptimizer(acquisition="qLogNoisyExpectedImprovement", surrogate=surrogate)
    done, values = begun(space)
    asked = optimizer.propose(
        1,
        space=space,
        targets=Targets(Maximize("f")),
        history=History(done, values, done.iloc[:0]),
        seed=np.random.SeedSequence(0),
    )
    assert space.feasible(asked).all()


def test_a_pool_of_molecules_is_scored_whole(search):
    pool = SearchSpace(molecule=MoleculePool.from_smiles(["C" * length + "O" for length in range(1, 30)]))

    def length(frame):
        return pd.DataFrame({"f": -(frame["molecule"].str.len() - 20.0).abs()})

    start = pool.sample(6, np.random.default_rng(0)).drop_duplicates(ignore_index=True)
    optimizer = BayesianOptimizer(acquisition="qLogExpectedImprovement")
    done = (start, length(start))
    _, values = search(optimizer, pool, Targets(Maximize("f")), length, evaluations=len(start) + 5, done=done)
    assert values["f"].max() >= -1.0


def test_windows_and_bounds_are_met(search):
    targets = Targets(Between("f", -0.05, 0.0), AtLeast("g", 0.7))
    optimizer = BayesianOptimizer(acquisition="qLogNoisyExpectedImprovement")
    _, values = search(optimizer, SQUARE, targets, hill(SQUARE), evaluations=12, done=begun(SQUARE))
    assert targets.all_met(values[8:]).any()


def test_two_optimized_properties_spread_over_the_front(search):
    targets = Targets(Maximize("f"), Minimize("g"))
    optimizer = BayesianOptimizer(acquisition="qLogExpectedHypervolumeImprovement")
    _, values = search(optimizer, SQUARE, targets, hill(SQUARE), evaluations=12, done=begun(SQUARE))
    new = values[8:]
    assert (targets.pareto_rank(values)[8:] == 0).sum() >= 3
    assert np.ptp(new["g"]) > 0.05


def test_a_batch_is_varied_and_repeatable_and_keeps_away_from_pending_ones():
    done, values = begun(SQUARE)
    history = History(done, values, SQUARE.sample(1, np.random.default_rng(8)))
    optimizer = BayesianOptimizer(acquisition="qLogNoisyExpectedImprovement")

    def batch():
        return optimizer.propose(
            3, space=SQUARE, targets=Targets(Maximize("f")), history=history, seed=np.random.SeedSequence(4)
        )

    first = batch()
    pd.testing.assert_frame_equal(first, batch())
    points = SQUARE.encode(first)
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2)[np.triu_indices(3, 1)]
    assert gaps.min() > 1e-3


def test_it_keeps_to_the_contract(monkeypatch):
    spaces = {"numbers": SQUARE}
    # How near it comes to the optimum is not of the contract.
    for name, few in {"MOST_STEPS": 2, "RESTARTS": 1, "RAW_SAMPLES": 16, "SAMPLES": 16}.items():
        monkeypatch.setattr(botorch_acquisition, name, few)
    check_optimizer(BayesianOptimizer(acquisition="qLogNoisyExpectedImprovement"), spaces=lambda: spaces)


@pytest.mark.parametrize(
    ("settings", "space", "words"),
    [
        ({"acquisition": "qLogNoisyExpectedImprovment"}, SQUARE, "Did you mean 'qLogNoisyExpectedImprovement'"),
        ({"acquisition": LogExpectedImprovement}, SQUARE, "takes no pending points"),
        ({"acquisition": "qLogExpectedImprovement", "surrogate": RandomForest()}, SQUARE, "RandomForest has none"),
        (
            {"acquisition": "qLogExpectedImprovement"},
            SearchSpace(x=Continuous(0, 1), level=Fidelity({"xTB": 1, "DFT": 20})),
            "chooses no fidelity",
        ),
    ],
)
def test_what_does_not_fit_is_said_before_anything_runs(settings, space, words):
    (problem,) = BayesianOptimizer(**settings).check(space)
    assert words in problem


def test_an_acquisition_function_that_these_targets_cannot_serve_is_named():
    done, values = begun(SQUARE)
    optimizer = BayesianOptimizer(acquisition="qLogNoisyExpectedHypervolumeImprovement")
    with pytest.raises(InputError, match="needs 'ref_point', which these targets do not give"):
        optimizer.propose(
            1,
            space=SQUARE,
            targets=Targets(Maximize("f")),
            history=History(done, values, done.iloc[:0]),
            seed=np.random.SeedSequence(0),
        )


def test_a_cost_is_refused():
    with pytest.raises(InputError, match="knows no cost"):
        BayesianOptimizer(acquisition="qLogExpectedImprovement", cost="1 + x")
