"""A Gaussian process of many rows learns from all of them, and agrees with the exact one and with itself."""

from __future__ import annotations

import itertools
from dataclasses import replace

import cloudpickle
import numpy as np
import pandas as pd
import pytest

from invdesign.core.columns import Column
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.gaussian_process import inducing_points
from invdesign.surrogates.gaussian_process.inducing_points import InducingPointModel
from invdesign.surrogates.gaussian_process.model import PropertyModel
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess

COLUMNS = tuple(Column(name, "number", bounds=(0.0, 1.0)) for name in "xyz")


@pytest.fixture
def small(monkeypatch):
    """The limits of rows, a tenth of what they are or less."""
    monkeypatch.setattr(inducing_points, "HYPERPARAMETER_ROWS", 80)
    monkeypatch.setattr(inducing_points, "EXACT_ROWS", 200)
    monkeypatch.setattr(inducing_points, "INDUCING_POINTS", 150)


def data(count: int, noise: float = 0.02, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    x, y, z = points = rng.random((3, count))
    value = np.sin(9 * x) * np.cos(7 * y) + z**2 + noise * rng.standard_normal(count)
    return pd.DataFrame(dict(zip("xyz", points, strict=True))), pd.DataFrame({"f": value})


def fitted(count: int, **settings) -> GaussianProcess:
    frame, y = data(count)
    return GaussianProcess(**settings).fit(frame, y, columns=COLUMNS)


def only(model: GaussianProcess) -> InducingPointModel:
    (found,) = model.models(["f"])
    assert isinstance(found, InducingPointModel)
    return found


def error_and_coverage(model: GaussianProcess) -> tuple[float, float]:
    frame, y = data(400, seed=9)
    mean, std = model.predict(frame, return_std=True)
    error = (mean["f"] - y["f"]).abs()
    spread = np.hypot(std["f"], model.noise_std()["f"])
    return float(np.sqrt((error**2).mean())), float((error < 1.645 * spread).mean())


@pytest.mark.usefixtures("small")
def test_each_number_of_rows_has_its_process():
    for count, expected in ((80, PropertyModel), (200, PropertyModel), (201, InducingPointModel)):
        assert type(fitted(count).models(["f"])[0]) is expected


@pytest.mark.usefixtures("small")
def test_of_fingerprints_more_rows_are_known_exactly(monkeypatch):
    monkeypatch.setattr(inducing_points, "EXACT_COUNTED_ROWS", 230)
    chains = ["".join(parts) for parts in itertools.product("CNO", ["C", "CC", "C(F)C"], "CNO", ["C", "CO"], "CNOF")]
    y = pd.DataFrame({"f": [float(len(smiles)) for smiles in chains]})
    model = GaussianProcess(features=Features(molecules="fingerprints"))
    for count, expected in ((200, PropertyModel), (216, PropertyModel)):
        frame = pd.DataFrame({"m": chains[:count]})
        fit = replace(model).fit(frame, y.head(count), columns=[Column("m", "molecule")])
        assert type(fit.models(["f"])[0]) is expected
    monkeypatch.setattr(inducing_points, "EXACT_COUNTED_ROWS", 215)
    fit = replace(model).fit(pd.DataFrame({"m": chains}), y, columns=[Column("m", "molecule")])
    assert type(fit.models(["f"])[0]) is InducingPointModel


def test_up_to_the_limit_all_rows_are_known_exactly():
    frame, y = data(1100)
    model = GaussianProcess(calibrate=False).fit(frame, y, columns=COLUMNS)
    (found,) = model.models(["f"])
    assert isinstance(found, PropertyModel)
    features = model.transform(frame)
    exact = PropertyModel.fitted(features, y["f"].to_numpy(), start=found.covariance, starts=0)
    np.testing.assert_array_equal(found.predict(features[:9]), exact.predict(features[:9]))
    assert len(found.features) == 1100


@pytest.mark.usefixtures("small")
def test_more_rows_predict_better_than_some_of_them_with_honest_intervals():
    few, _ = error_and_coverage(fitted(80))
    many, coverage = error_and_coverage(fitted(900))
    assert many < 0.6 * few
    assert 0.85 < coverage < 0.96


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("known_noise", [False, True])
def test_with_all_rows_as_inducing_points_it_is_the_exact_process(monkeypatch, known_noise):
    monkeypatch.setattr(inducing_points, "INDUCING_POINTS", 1000)
    frame, y = data(300)
    noise = pd.DataFrame({"f": np.linspace(0.01, 0.5, 300)}) if known_noise else None
    model = GaussianProcess(calibrate=False).fit(frame, y, columns=COLUMNS, noise_std=noise)
    sparse = only(model)
    # In the core's scale, as the hyperparameters are.
    standard = (y["f"].to_numpy() - sparse.core.centre) / sparse.core.spread
    covariance, variance = sparse.covariance, standard.var()
    exact = PropertyModel.fitted(
        model.transform(frame),
        standard,
        start=replace(covariance, scales=covariance.scales / variance, noise=covariance.noise / variance),
        noise=None if noise is None else noise["f"].to_numpy() / sparse.core.spread,
        starts=0,
    )
    features = model.transform(data(25, seed=4)[0])
    mean, std = exact.predict(features)
    found, deviation = sparse.predict(features)
    np.testing.assert_allclose(found, mean * sparse.core.spread + sparse.core.centre, atol=2e-3)
    np.testing.assert_allclose(deviation, std * sparse.core.spread, rtol=0.02, atol=1e-3)


@pytest.mark.usefixtures("small")
def test_joint_posterior_and_single_rows_agree():
    model = fitted(500)
    rows = data(6, seed=5)[0]
    mean, std = model.predict(rows, return_std=True)
    pd.testing.assert_frame_equal(model.predict(rows), mean)
    covariance = model.posterior_covariance(rows, rows)["f"]
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), std["f"], rtol=1e-4)
    np.testing.assert_allclose(model.posterior_covariance(rows[:2], rows)["f"], covariance[:2], atol=1e-9)
    drawn = model.posterior(rows, samples=4000, rng=np.random.default_rng(0))["f"]
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.1 * covariance.max())
    assert (np.abs(drawn.mean(axis=0) - mean["f"]) < 5 * std["f"] / np.sqrt(4000)).all()


@pytest.mark.usefixtures("small")
def test_gradients_are_those_of_the_predictions():
    model = fitted(500)
    features = model.transform(data(5, seed=5)[0])
    (found,) = model.moment_gradients(features, ["f"])
    mean, std = only(model).predict(features)
    np.testing.assert_allclose(found.mean, mean)
    np.testing.assert_allclose(found.std, std, rtol=1e-6)
    for place in range(3):
        step = 1e-5 * np.eye(3)[[place]]
        up, down = only(model).predict(features + step), only(model).predict(features - step)
        np.testing.assert_allclose(found.mean_gradient[:, place], (up[0] - down[0]) / 2e-5, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(found.std_gradient[:, place], (up[1] - down[1]) / 2e-5, rtol=1e-3, atol=1e-5)


@pytest.mark.usefixtures("small")
def test_conditioning_is_a_fit_on_all_rows_with_the_same_points():
    frame, y = data(500)
    model = GaussianProcess(calibrate=False).fit(frame[:400], y[:400], columns=COLUMNS)
    wiser, before = only(model.condition_on(frame[400:], y[400:])), only(model)
    features, values = model.transform(frame), y["f"].to_numpy()
    white = before.covariance.between(features, before.points) @ np.linalg.inv(before.lower).T
    left = before.covariance.diagonal(features) - (white**2).sum(axis=1) + before.noise
    precision = np.eye(len(before.points)) + (white.T / left) @ white
    residual = (values - before.core.centre) / before.core.spread - before.mean
    weights = np.linalg.solve(precision, (white.T / left) @ residual)
    expected = (white[:7] @ weights + before.mean) * before.core.spread + before.core.centre
    np.testing.assert_allclose(wiser.mean_of(features[:7]), expected, atol=1e-5)
    assert len(wiser.core.features) == 80 + 100
    _, std = before.predict(features[400:])
    _, less = wiser.predict(features[400:])
    assert (less < std).all()


@pytest.mark.usefixtures("small")
def test_calibration_predicts_each_value_from_the_others(monkeypatch):
    """The leverage's short cut against a process that never saw the value."""
    frame, y = data(260)
    model = GaussianProcess(calibrate=False).fit(frame, y, columns=COLUMNS)
    sparse, features, values = only(model), model.transform(frame), y["f"].to_numpy()
    seen = []
    monkeypatch.setattr(inducing_points, "stretch", lambda errors: seen.append(errors) or 1.0)
    sparse.calibrated(features, values)
    standard = (values - sparse.core.centre) / sparse.core.spread
    count = len(sparse.points)
    empty = replace(sparse, precision=np.eye(count), by_values=np.zeros(count), by_ones=np.zeros(count))
    for row in (0, 57, 200):
        others = np.arange(260) != row
        without, _, _ = empty._added(features[others], standard[others], sparse.noise)
        mean, std = without.predict(features[[row]])
        error = abs(values[row] - mean[0]) / np.hypot(std[0], sparse.noise_std)
        assert seen[0][row] == pytest.approx(error, rel=1e-3)


@pytest.mark.usefixtures("small")
def test_calibration_leaves_means_and_scales_deviations_alike(monkeypatch):
    frame, y = data(300)
    plain = only(GaussianProcess(ard=True, calibrate=False).fit(frame, y, columns=COLUMNS))
    monkeypatch.setattr(inducing_points, "stretch", lambda errors: 1.5)
    wider = only(GaussianProcess(ard=True).fit(frame, y, columns=COLUMNS))
    features = data(20, seed=3)[0].to_numpy()
    (mean, std), (other, deviation) = plain.predict(features), wider.predict(features)
    np.testing.assert_allclose(mean, other, atol=1e-6)
    np.testing.assert_allclose(deviation, 1.5 * std, rtol=1e-4)
    assert wider.noise_std == pytest.approx(1.5 * plain.noise_std)


@pytest.mark.usefixtures("small")
def test_known_noise_weighs_each_row():
    frame, y = data(600)
    rough = np.arange(600) % 2 == 0
    scattered = y.assign(f=y["f"] + np.where(rough, np.random.default_rng(2).standard_normal(600), 0.0))
    noise = pd.DataFrame({"f": np.where(rough, 1.0, 0.02)})
    weighed = GaussianProcess(calibrate=False).fit(frame, scattered, columns=COLUMNS, noise_std=noise)
    assert only(weighed)
    blind = GaussianProcess(calibrate=False).fit(frame, scattered, columns=COLUMNS)
    assert error_and_coverage(weighed)[0] < 0.7 * error_and_coverage(blind)[0]


@pytest.mark.usefixtures("small")
def test_rows_that_occur_many_times_are_no_obstacle():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.integers(0, 5, 400).astype(float), "w": rng.choice(["p", "q"], 400)})
    truth = frame["a"] + 2.0 * (frame["w"] == "p")
    y = pd.DataFrame({"f": truth + 0.05 * rng.standard_normal(400)})
    model = GaussianProcess().fit(frame, y)
    assert len(only(model).points) == 10
    assert ((model.predict(frame)["f"] - truth).abs() < 0.05).all()


@pytest.mark.usefixtures("small")
def test_values_without_noise_and_constant_ones_are_learned():
    frame, y = data(300, noise=0.0)
    test, truth = data(30, noise=0.0, seed=2)
    mean, std = GaussianProcess().fit(frame, y.assign(flat=3.0), columns=COLUMNS).predict(test, return_std=True)
    assert np.isfinite(std).all().all()
    assert (mean["flat"] - 3.0).abs().max() < 1e-6
    assert np.sqrt(((mean["f"] - truth["f"]) ** 2).mean()) < 0.1


@pytest.mark.usefixtures("small")
def test_it_survives_the_way_to_a_worker_and_gives_a_botorch_model():
    import torch

    model = fitted(300)
    rows = data(4, seed=3)[0]
    pd.testing.assert_frame_equal(cloudpickle.loads(cloudpickle.dumps(model)).predict(rows), model.predict(rows))
    posterior = model.botorch_model(["f"]).posterior(torch.as_tensor(model.transform(rows)))
    np.testing.assert_allclose(posterior.mean.numpy()[:, 0], only(model).core.mean_of(model.transform(rows)), rtol=1e-6)
