"""A surrogate of any class gets what its capabilities allow: look-ahead, batches, gradients and fidelities."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest

from invdesign.optimizers import BayesianOptimizer, History
from invdesign.optimizers.bayesian.acquisition import HitProbability, MomentAcquisition
from invdesign.optimizers.bayesian.gradient_ascent import GradientAscent
from invdesign.space import Continuous, Fidelity, Integer, SearchSpace
from invdesign.surrogates.base import (
    CalibratedSurrogate,
    ConditionalSurrogate,
    CovarianceSurrogate,
    DifferentiableSurrogate,
    JointSurrogate,
    MultiFidelitySurrogate,
)
from invdesign.surrogates.forests import RandomForest
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.targets import AtLeast, Between, Maximize, Targets

CAPABILITIES = (
    CalibratedSurrogate,
    ConditionalSurrogate,
    CovarianceSurrogate,
    DifferentiableSurrogate,
    JointSurrogate,
    MultiFidelitySurrogate,
)


@dataclass
class MeansOnly:
    """Another library's model, without any capability: it does not inherit from GaussianProcess."""

    calibrate: bool = True
    _process: GaussianProcess = field(default_factory=GaussianProcess, init=False, repr=False, compare=False)

    def fit(self, frame, y, *, columns=None):
        self._process = GaussianProcess(calibrate=self.calibrate).fit(frame, y, columns=columns)
        return self

    def predict(self, frame, *, return_std=False):
        return self._process.predict(frame, return_std=return_std)

    def noise_std(self):
        return self._process.noise_std()


@dataclass
class ForeignProcess(MeansOnly):
    """The same with all capabilities."""

    fidelities: bool = True

    def condition_on(self, frame, y):
        wiser = replace(self)
        wiser._process = self._process.condition_on(frame, y)
        return wiser

    def posterior(self, frame, *, samples, rng):
        return self._process.posterior(frame, samples=samples, rng=rng)

    def posterior_covariance(self, first, second):
        return self._process.posterior_covariance(first, second)

    def noise_std(self):
        return self._process.noise_std()

    def transform(self, frame):
        return self._process.transform(frame)

    def feature_index(self, column):
        return self._process.feature_index(column)

    def moment_gradients(self, features, properties):
        return self._process.moment_gradients(features, properties)

    def learns_fidelities(self):
        return self.fidelities

    def uncalibrated(self):
        return replace(self, calibrate=False)


SQUARE = SearchSpace(x=Continuous(0, 1), y=Continuous(0, 2))
LATTICE = SearchSpace(a=Integer(0, 20), b=Integer(0, 20))
TWO_FIDELITIES = SearchSpace(k=Integer(0, 40), fidelity=Fidelity({"cheap": 1, "dear": 20}))


def waves(frame: pd.DataFrame) -> pd.DataFrame:
    numbers = frame.select_dtypes("number").to_numpy(dtype=np.float64)
    shift = 0.2 * (frame["fidelity"] == "cheap").to_numpy() if "fidelity" in frame else 0.0
    return pd.DataFrame({"f": np.sin(numbers @ np.arange(1.0, numbers.shape[1] + 1.0) / 4.0) + shift})


def proposals(surrogate, space, targets, batch=2):
    known = space.sample(12, np.random.default_rng(4))
    history = History(known, waves(known), known.iloc[:0])
    seed = np.random.SeedSequence(1)
    optimizer = BayesianOptimizer(surrogate=surrogate)
    return optimizer.propose(batch, space=space, targets=targets, history=history, seed=seed)


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_capabilities_are_seen_on_any_class(capability):
    assert isinstance(GaussianProcess(), capability)
    assert isinstance(ForeignProcess(), capability)
    assert not isinstance(MeansOnly(), capability)
    assert isinstance(RandomForest(), capability) == (capability in (ConditionalSurrogate, JointSurrogate))


@pytest.mark.parametrize(
    ("space", "targets"),
    [
        (SQUARE, Targets(Maximize("f"))),
        (LATTICE, Targets(Between("f", 0.6, 0.9))),
        (TWO_FIDELITIES, Targets(AtLeast("f", 0.9))),
    ],
    ids=["gradients", "look-ahead", "fidelities"],
)
def test_a_foreign_process_proposes_what_ours_does(space, targets):
    ours = proposals(GaussianProcess(), space, targets)
    pd.testing.assert_frame_equal(proposals(ForeignProcess(), space, targets), ours)
    assert not proposals(MeansOnly(), space, targets).equals(ours)


def test_a_model_that_does_not_learn_fidelities_stays_at_the_target_fidelity():
    targets = Targets(AtLeast("f", 0.9))
    assert (proposals(ForeignProcess(), TWO_FIDELITIES, targets, batch=6)["fidelity"] == "cheap").any()
    alone = proposals(ForeignProcess(fidelities=False), TWO_FIDELITIES, targets, batch=6)
    assert (alone["fidelity"] == "dear").all()


def test_gradients_are_followed_only_where_there_are_some():
    known = SQUARE.sample(10, np.random.default_rng(0))
    for surrogate, follows in ((ForeignProcess(), True), (MeansOnly(), False)):
        model = surrogate.fit(known, waves(known), columns=SQUARE.columns)
        acquisition = MomentAcquisition(model, HitProbability(Targets(AtLeast("f", 0.9))))
        assert (GradientAscent.of(SQUARE, acquisition) is not None) == follows
