"""A Gaussian process of many rows is as good as one of a thousand and better, and agrees with itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.surrogates.gaussian_process import nearest_neighbors
from invdesign.surrogates.gaussian_process.model import PropertyModel
from invdesign.surrogates.gaussian_process.nearest_neighbors import NearestNeighborModel, fitted_model
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess


def value(points):
    return np.sin(9 * points[:, 0]) * np.cos(7 * points[:, 1]) + points[:, 2] ** 2


@pytest.fixture
def small(monkeypatch):
    """The limits of rows, a tenth of what they are."""
    monkeypatch.setattr(nearest_neighbors, "HYPERPARAMETER_ROWS", 80)
    monkeypatch.setattr(nearest_neighbors, "EXACT_ROWS", 200)


def data(count, noise=0.02, seed=0):
    rng = np.random.default_rng(seed)
    points = rng.random((count, 3))
    frame = pd.DataFrame(points, columns=["x", "y", "z"])
    return frame, pd.DataFrame({"f": value(points) + noise * rng.standard_normal(count)})


def rmse(model, seed=9):
    frame, y = data(400, seed=seed)
    mean, std = model.predict(frame, return_std=True)
    error = mean["f"] - y["f"]
    spread = np.sqrt(std["f"] ** 2 + model.noise_std()["f"] ** 2)
    return float(np.sqrt((error**2).mean())), float((error.abs() < 1.645 * spread).mean())


def kind(model):
    return type(model.models(["f"])[0])


@pytest.mark.usefixtures("small")
def test_each_number_of_rows_has_its_process():
    for count, expected in ((80, PropertyModel), (200, PropertyModel), (201, NearestNeighborModel)):
        frame, y = data(count)
        assert kind(GaussianProcess().fit(frame, y)) is expected


@pytest.mark.usefixtures("small")
def test_more_rows_predict_better_than_some_of_them_with_honest_intervals():
    frame, y = data(900)
    few, _ = rmse(GaussianProcess().fit(frame[:80], y[:80]))
    many, coverage = rmse(GaussianProcess().fit(frame, y))
    assert many < 0.7 * few
    assert 0.8 < coverage <= 1.0


@pytest.mark.usefixtures("small")
def test_with_all_rows_as_neighbors_it_is_the_exact_process(monkeypatch):
    monkeypatch.setattr(nearest_neighbors, "NEIGHBORS", 10_000)
    frame, y = data(300)
    model = GaussianProcess(calibrate=False).fit(frame, y)
    (fitted,) = model.models(["f"])
    exact = fitted.core.conditioned(fitted.features, fitted.standard * fitted.core.spread + fitted.core.centre)
    features = model.transform(data(25, seed=4)[0])
    for ours, theirs in zip(fitted.predict(features), exact.predict(features), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("small")
def test_joint_posterior_gradients_and_single_rows_agree():
    frame, y = data(500)
    model = GaussianProcess().fit(frame, y)
    row = data(1, seed=5)[0]
    mean, std = model.predict(row, return_std=True)
    drawn = model.posterior(row, samples=4000, rng=np.random.default_rng(0))["f"]
    assert abs(drawn.mean() - mean["f"][0]) < 4 * std["f"][0] / np.sqrt(4000)
    assert drawn.std() == pytest.approx(std["f"][0], rel=0.1)
    assert model.posterior_covariance(row, row)["f"][0, 0] == pytest.approx(std["f"][0] ** 2, rel=1e-3)
    features = model.transform(row)
    (gradients,) = model.moment_gradients(features, ["f"])
    assert gradients.mean[0] == pytest.approx(mean["f"][0], rel=1e-6)
    for place in range(3):
        step = np.zeros((1, 3))
        step[0, place] = 1e-5
        up, down = (model.moment_gradients(features + sign * step, ["f"])[0] for sign in (1, -1))
        assert gradients.mean_gradient[0, place] == pytest.approx(
            (up.mean[0] - down.mean[0]) / 2e-5, rel=0.02, abs=1e-3
        )


@pytest.mark.usefixtures("small")
def test_further_values_are_taken_in():
    frame, y = data(300)
    model = GaussianProcess().fit(frame, y)
    place = pd.DataFrame({"x": [0.5], "y": [0.5], "z": [0.5]})
    before = model.predict(place)["f"][0]
    wiser = model.condition_on(pd.concat([place] * 5, ignore_index=True), pd.DataFrame({"f": [before + 1.0] * 5}))
    assert wiser.predict(place)["f"][0] > before + 0.5


@pytest.mark.usefixtures("small")
def test_known_noise_weighs_each_row():
    frame, y = data(600)
    rough = np.arange(600) % 2 == 0
    scattered = y.assign(f=y["f"] + np.where(rough, np.random.default_rng(2).standard_normal(600), 0.0))
    noise = pd.DataFrame({"f": np.where(rough, 1.0, 0.02)})
    weighed = GaussianProcess(calibrate=False).fit(frame, scattered, noise=noise)
    assert kind(weighed) is NearestNeighborModel
    assert rmse(weighed)[0] < 0.7 * rmse(GaussianProcess(calibrate=False).fit(frame, scattered))[0]


def test_below_the_limit_nothing_changes():
    frame, y = data(60)
    model = GaussianProcess(calibrate=False).fit(frame, y)
    features = model.transform(frame)
    (fitted,) = model.models(["f"])
    again = fitted_model(features, y["f"].to_numpy(), start=fitted.covariance)
    assert isinstance(again, PropertyModel)
