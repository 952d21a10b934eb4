"""Stacking: weights by held-out errors, and the mixture of the members' predictions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.core.settings import from_mapping
from invdesign.surrogates.base import measurement_std
from invdesign.surrogates.forests import RandomForest
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.surrogates.linear import Ridge
from invdesign.surrogates.neighbors import KNearestNeighbors
from invdesign.surrogates.stacked import Stacked, Weights, _learned, _stacking_shares
from invdesign.surrogates.validation import Z90, held_out_predictions, total_std

COLUMNS = (Column("x", "number", bounds=(0.0, 1.0)), Column("z", "number", bounds=(0.0, 1.0)))
QUICK = (Ridge(), KNearestNeighbors())


def table(count: int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A straight property, and one of steps."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": rng.random(count), "z": rng.random(count)})
    steps = np.round(3.0 * frame["x"]) % 2 + 0.05 * rng.standard_normal(count)
    return frame, pd.DataFrame({"straight": frame["x"] - 2.0 * frame["z"], "steps": steps})


def test_shares_are_those_of_least_squares_within_the_simplex(rng):
    observed = rng.normal(size=50)
    means = np.stack([observed + noise * rng.normal(size=50) for noise in (0.3, 0.6, 1.2)])
    found = _stacking_shares(means, observed)
    assert found.sum() == pytest.approx(1.0)
    assert (found >= 0.0).all()
    least = np.mean((observed - found @ means) ** 2)
    for _ in range(300):
        assert np.mean((observed - rng.dirichlet(np.ones(3)) @ means) ** 2) >= least - 1e-6


def test_each_property_gets_the_member_that_predicts_it():
    frame, y = table(80)
    model = Stacked(members=QUICK).fit(frame, y, columns=COLUMNS)
    weights = model.weights()
    assert weights.loc[0, "straight"] > 0.85
    assert weights.loc[1, "steps"] > 0.85
    np.testing.assert_allclose(weights.sum(), 1.0)
    asked, truth = table(200, seed=1)
    error = ((model.predict(asked) - truth) ** 2).mean() ** 0.5
    for member in QUICK:
        alone = ((member.fit(frame, y, columns=COLUMNS).predict(asked) - truth) ** 2).mean() ** 0.5
        assert (error < alone + 0.02).all()


def test_a_steep_learning_curve_is_no_disadvantage():
    """Of few rows a part is much: without it a Gaussian process predicts a smooth property far worse than it will."""
    members = (GaussianProcess(ard=False, calibrate=False), RandomForest(n_estimators=30))
    in_parts, all_others = [], []
    for seed in range(8, 12):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame({"x": rng.random(16), "z": rng.random(16)})
        y = pd.DataFrame({"smooth": np.sin(5.0 * frame["x"]) * np.cos(4.0 * frame["z"])})
        held = [
            held_out_predictions(one, frame, y, columns=COLUMNS, folds=2, rng=np.random.default_rng(0))
            for one in members
        ]
        in_parts.append(_stacking_shares(np.stack([one["mean"] for one in held]), held[0]["observed"].to_numpy())[0])
        all_others.append(Stacked(members=members, folds=2).fit(frame, y, columns=COLUMNS).weights()["smooth"][0])
    assert np.mean(in_parts) < 0.8
    assert np.mean(all_others) > 0.9


def test_members_that_cannot_all_leave_out_one_value_are_judged_by_the_same_parts():
    frame, y = table(40)
    y.loc[::5, "steps"] = np.nan
    members = (Ridge(), GaussianProcess(ard=False, calibrate=False))
    model = Stacked(members=members).fit(frame, y, columns=COLUMNS)
    held = [held_out_predictions(one, frame, y, columns=COLUMNS, rng=np.random.default_rng(0)) for one in members]
    for name in y:
        parts = [one[one["property"] == name] for one in held]
        means, stds = np.stack([one["mean"] for one in parts]), np.stack([total_std(one) for one in parts])
        expected = _learned(means, stds, parts[0]["observed"].to_numpy(), np.random.default_rng(0))
        np.testing.assert_allclose(model.weights()[name], expected.shares)


def test_weights_of_few_rows_vary_less_than_those_of_one_fit():
    rng = np.random.default_rng(5)
    single, averaged = [], []
    for _ in range(40):
        observed = rng.normal(size=30)
        means = observed + 0.5 * rng.normal(size=30) + 0.1 * rng.normal(size=(3, 30))
        single.append(_stacking_shares(means, observed))
        averaged.append(_learned(means, np.ones_like(means), observed, rng).shares)
    assert np.std(averaged) < 0.9 * np.std(single)


def test_the_standard_deviation_is_that_of_the_mixture_of_the_members():
    weights = Weights(np.array([0.3, 0.7]), 1.5)
    means, stds = np.array([[0.0, 2.0], [1.0, 2.0]]), np.array([[1.0, 0.5], [2.0, 0.5]])
    mean, std = weights.combined(means, stds)
    np.testing.assert_allclose(mean, [0.7, 2.0])
    rng = np.random.default_rng(0)
    drawn = np.where(rng.random(400_000) < 0.3, rng.normal(0.0, 1.0, 400_000), rng.normal(1.0, 2.0, 400_000))
    assert std[0] == pytest.approx(1.5 * drawn.std(), rel=0.01)
    assert std[1] == pytest.approx(0.75)


def test_intervals_hold_new_measurements():
    frame, y = table(100)
    noisy = y + 0.2 * np.random.default_rng(3).standard_normal(y.shape)
    model = Stacked(members=(GaussianProcess(), RandomForest(n_estimators=60))).fit(frame, noisy, columns=COLUMNS)
    asked, truth = table(400, seed=1)
    mean, std = model.predict(asked, return_std=True)
    measured = truth + 0.2 * np.random.default_rng(4).standard_normal(truth.shape)
    inside = ((measured - mean).abs() <= Z90 * measurement_std(model, std)).mean()
    assert (inside > 0.82).all()
    assert (inside < 0.97).all()


def test_few_values_weigh_all_members_alike():
    frame, y = table(6)
    model = Stacked(members=QUICK).fit(frame, y, columns=COLUMNS)
    assert (model.weights() == 0.5).all().all()


def test_members_are_words_of_a_file_and_at_least_two():
    section = {"members": [{"type": "ridge"}, {"type": "random-forest", "n_estimators": 50}], "folds": 4}
    made = from_mapping(Stacked, section)
    assert made == Stacked(members=(Ridge(), RandomForest(n_estimators=50)), folds=4)
    with pytest.raises(InputError, match="must be two surrogates or more, not 1"):
        Stacked(members=(Ridge(),))
