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
from invdesign.targets import AtLeast, AtMost, Between, Equals, Maximize, Targets

PENDING = pd.DataFrame({"x": [0.1, 0.4, 0.9]})


class Linear:
    """Predicts ``f = x`` and ``g = 10 x`` with deviations of 0.2 and 1, and that all succeed."""

    def predict(self, frame, *, return_std=False):
        mean = pd.DataFrame({"f": frame["x"], "g": 10.0 * frame["x"], SUCCESS: 1.0}, index=frame.index)
        std = pd.DataFrame({"f": 0.2, "g": 1.0, SUCCESS: 0.3}, index=frame.index)
        return (mean, std) if return_std else mean


def taken(targets, *, reached, pending=PENDING, seed=0):
    return pending_values(Linear(), pending, targets=targets, reached=reached, seed=seed)


def test_until_a_hit_is_known_they_miss_on_the_side_on_which_they_are():
    values = taken(Targets(Between("f", 0.2, 0.6), AtMost("g", 5.0)), reached=False)
    assert values["f"].tolist() == pytest.approx([-0.1, 0.6, 1.1])
    assert values["g"].tolist() == pytest.approx([2.0, 5.0, 10.0])
    assert taken(Targets(AtLeast("f", 0.2)), reached=False)["f"].tolist() == pytest.approx([-0.1, 0.2, 0.7])


def test_then_they_are_drawn_from_their_predictions():
    targets = Targets(AtLeast("f", 0.2))
    drawn = np.array([taken(targets, reached=True, seed=seed)["f"] for seed in range(2000)])
    np.testing.assert_allclose(drawn.mean(axis=0), PENDING["x"], atol=0.02)
    np.testing.assert_allclose(drawn.std(axis=0), 0.2, atol=0.02)
    fewer = taken(targets, reached=True, pending=PENDING[:2], seed=7)
    pd.testing.assert_frame_equal(fewer, taken(targets, reached=True, seed=7)[:2])


@pytest.mark.parametrize("reached", [True, False])
def test_what_has_no_bound_or_is_optimized_keeps_its_mean(reached):
    bounded = taken(Targets(AtLeast("f", 0.2), AtLeast(SUCCESS, 0.5)), reached=reached)
    assert (bounded[SUCCESS] == 1.0).all()
    assert bounded["g"].tolist() == [1.0, 4.0, 9.0]
    optimized = taken(Targets(Maximize("f"), AtLeast("g", 0.2)), reached=reached)
    pd.testing.assert_frame_equal(optimized, Linear().predict(PENDING))


def test_a_class_is_a_bound_on_its_probability():
    targets = Targets(Equals("f", "stable"))
    (name,) = targets.properties

    class Classes(Linear):
        def predict(self, frame, *, return_std=False):
            mean, std = (one[["f"]].set_axis([name], axis=1) for one in super().predict(frame, return_std=True))
            return (mean, std) if return_std else mean

    values = pending_values(Classes(), PENDING, targets=targets, reached=False, seed=0)
    assert values[name].tolist() == pytest.approx([-0.1, 0.2, 0.7])


def test_before_a_hit_a_batch_is_spread_wider_than_by_means(monkeypatch):
    """Two peaks are alike: once a batch has looked at both, it goes on elsewhere sooner."""
    space = SearchSpace(x=Continuous(0, 1))
    done = pd.DataFrame({"x": [0.0, 0.08, 0.5, 0.92, 1.0]})
    history = History(done, pd.DataFrame({"f": [0.0, 0.5, 0.0, 0.49, 0.0]}), done.iloc[:0])

    def near_what_is_known():
        targets, seed = Targets(AtLeast("f", 1.0)), np.random.SeedSequence(0)
        batch = BayesianOptimizer().propose(4, space=space, targets=targets, history=history, seed=seed)
        return np.abs(batch["x"].to_numpy()[:, None] - done["x"].to_numpy()).min(axis=1)

    wider = near_what_is_known()
    monkeypatch.setattr(policy, "pending_values", lambda model, pending, **_: model.predict(pending))
    by_means = near_what_is_known()
    assert wider[:2] == pytest.approx(by_means[:2])
    assert (wider[2:] > by_means[2:] + 0.02).all()
