"""What pending candidates are taken for while a batch is chosen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.optimizers import BayesianOptimizer, History
from invdesign.optimizers.bayesian import policy
from invdesign.optimizers.bayesian.pending_values import pending_values
from invdesign.optimizers.success import SUCCESS
from invdesign.space import Continuous, SearchSpace
from invdesign.surrogates.classifiers import RandomForestClassifier
from invdesign.surrogates.forests import RandomForest
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.targets import AtLeast, AtMost, Between, Equals, Maximize, Targets

PENDING = pd.DataFrame({"x": [0.1, 0.4, 0.9]})


class Linear:
    """Predicts ``f = x`` and ``g = 10 x`` with deviations of 0.2 and 1, and that all succeed."""

    def predict(self, frame, *, return_std=False):
        mean = pd.DataFrame({"f": frame["x"], "g": 10.0 * frame["x"], SUCCESS: 1.0}, index=frame.index)
        std = pd.DataFrame({"f": 0.2, "g": 1.0, SUCCESS: 0.3}, index=frame.index)
        return (mean, std) if return_std else mean


def taken(targets, *, pending=PENDING, seed=0, model=None):
    return pending_values(model or Linear(), pending, targets=targets, seed=seed)


@pytest.mark.parametrize("target", [AtLeast("f", 0.2), AtMost("f", 0.2), Between("f", 0.2, 0.6)])
def test_they_are_drawn_from_their_predictions(target):
    drawn = np.array([taken(Targets(target), seed=seed)["f"] for seed in range(2000)])
    np.testing.assert_allclose(drawn.mean(axis=0), PENDING["x"], atol=0.02)
    np.testing.assert_allclose(drawn.std(axis=0), 0.2, atol=0.02)
    fewer = taken(Targets(target), pending=PENDING[:2], seed=7)
    pd.testing.assert_frame_equal(fewer, taken(Targets(target), seed=7)[:2])


def test_the_negative_of_a_property_is_drawn_alike():
    class Mirrored(Linear):
        def predict(self, frame, *, return_std=False):
            mean, std = super().predict(frame, return_std=True)
            return (-mean, std) if return_std else -mean

    values = taken(Targets(Between("f", 0.2, 0.7), AtLeast("g", 5.0)))
    mirrored = taken(Targets(Between("f", -0.7, -0.2), AtMost("g", -5.0)), model=Mirrored())
    pd.testing.assert_frame_equal(mirrored[["f", "g"]], -values[["f", "g"]])


def test_what_has_no_bound_or_is_optimized_keeps_its_mean():
    bounded = taken(Targets(AtLeast("f", 0.2), AtLeast(SUCCESS, 0.5)))
    assert (bounded[SUCCESS] == 1.0).all()
    assert bounded["g"].tolist() == [1.0, 4.0, 9.0]
    optimized = taken(Targets(Maximize("f"), AtLeast("g", 0.2)))
    pd.testing.assert_frame_equal(optimized, Linear().predict(PENDING))


@pytest.mark.parametrize(
    "surrogate", [GaussianProcess(), RandomForest(n_estimators=10), RandomForestClassifier(n_estimators=10)]
)
def test_a_batch_towards_a_class_is_proposed(surrogate):
    """Drawn probabilities may lie outside of 0 to 1; models of classes take them all the same."""
    space, targets = SearchSpace(x=Continuous(0, 1)), Targets(Equals("f", "stable"))
    (name,) = targets.properties
    done = pd.DataFrame({"x": np.linspace(0.0, 1.0, 12)})
    history = History(done, pd.DataFrame({name: (done["x"] > 0.6).astype(float)}), done.iloc[:0])
    batch = BayesianOptimizer(surrogate=surrogate).propose(
        5, space=space, targets=targets, history=history, seed=np.random.SeedSequence(0)
    )
    assert (batch["x"] > 0.5).mean() >= 0.6


def test_the_values_of_those_before_matter_to_the_next(monkeypatch):
    space, targets = SearchSpace(x=Continuous(0, 1)), Targets(AtLeast("f", 1.0))
    done = pd.DataFrame({"x": [0.0, 0.08, 0.5, 0.92, 1.0]})
    history = History(done, pd.DataFrame({"f": [0.0, 0.5, 0.0, 0.49, 0.0]}), done.iloc[:0])

    def batch(seed):
        sequence = np.random.SeedSequence(seed)
        found = BayesianOptimizer().propose(6, space=space, targets=targets, history=history, seed=sequence)
        return found["x"].to_numpy()

    drawn = np.array([batch(seed) for seed in range(4)])
    monkeypatch.setattr(policy, "pending_values", lambda model, pending, **_: model.predict(pending))
    by_means = np.array([batch(seed) for seed in range(4)])
    assert np.ptp(drawn[:, 2:], axis=0).max() > 2.0 * np.ptp(by_means[:, 2:], axis=0).max()
