"""One property's Gaussian process: what the values say of its own standard deviations."""

from __future__ import annotations

import numpy as np
import pytest

from invdesign.surrogates.gaussian_process.kernels import prior_covariance
from invdesign.surrogates.gaussian_process.model import PropertyModel
from invdesign.surrogates.gaussian_process.parts import Part


def overconfident(count: int) -> PropertyModel:
    """A model that takes its values for twice as exact as they are."""
    rng = np.random.default_rng(1)
    x = rng.random((count, 1))
    values = np.sin(6 * x[:, 0]) + 0.2 * rng.standard_normal(count)
    fitted = PropertyModel.fitted(x, values, start=prior_covariance("matern-2.5", [[Part("stationary", (0,))]]))
    return PropertyModel.fitted(
        x, values, start=fitted.covariance, noise=np.full(count, 0.5 * fitted.noise_std), starts=0
    )


def left_out_by_hand(model: PropertyModel) -> tuple[np.ndarray, np.ndarray]:
    """Each value from all others by the formula of conditioning, one row at a time (Rasmussen and Williams, 2.23)."""
    matrix = model.factor @ model.factor.T
    means, deviations = [], []
    for row in range(len(matrix)):
        others = np.arange(len(matrix)) != row
        weights = np.linalg.solve(matrix[np.ix_(others, others)], matrix[others, row])
        means.append(model.mean + weights @ (model.standard[others] - model.mean))
        deviations.append(np.sqrt(matrix[row, row] - weights @ matrix[others, row]))
    return np.array(means) * model.spread + model.centre, np.array(deviations) * model.spread


def test_left_out_predictions_are_those_of_conditioning_on_all_other_values():
    model = overconfident(12)
    for found, expected in zip(model.left_out(), left_out_by_hand(model), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def errors_by_hand(model: PropertyModel) -> np.ndarray:
    """Errors in standard deviations, each third of the values predicted by a fit on the others."""
    values, errors = model.standard, np.empty(len(model.standard))
    fold_of = np.empty(len(values), dtype=int)
    fold_of[np.argsort(values)] = np.random.default_rng(0).permutation(len(values)) % 3
    noise = np.sqrt(model.row_noise) if model.row_noise is not None else None
    for fold in range(3):
        inside = fold_of == fold
        given = None if noise is None else noise[~inside]
        x, y = model.features, values
        others = PropertyModel.fitted(x[~inside], y[~inside], start=model.covariance, noise=given, starts=1)
        mean, std = others.predict(x[inside])
        errors[inside] = np.abs(y[inside] - mean) / np.hypot(std, others.noise_std if noise is None else noise[inside])
    return errors


@pytest.mark.parametrize(("count", "weight"), [(20, 0.5), (60, 0.75), (180, 0.9)])
def test_calibration_takes_of_its_correction_the_more_the_more_values_there_are(count, weight):
    """Half of it, on the logarithmic scale, at 20 values: what few values say of a tail is shrunk towards none."""
    model = overconfident(count)
    errors = errors_by_hand(model)
    # the conformal quantile at which nine of ten further values lie inside, over that of a normal distribution
    asked = np.quantile(errors, min(1.0, 0.9 * (count + 1) / count)) / 1.6448536
    assert 1.1 < asked < 2.0
    features = np.array([[0.2], [3.0]])
    before, after = model.predict(features), model.calibrated().predict(features)
    np.testing.assert_allclose(after[0], before[0], rtol=1e-9)
    np.testing.assert_allclose(after[1] / before[1], asked**weight, rtol=1e-4)
    assert model.calibrated().noise_std / model.noise_std == pytest.approx(asked**weight, rel=1e-4)


def few_in_many_dimensions(seed: int) -> tuple[PropertyModel, np.ndarray, np.ndarray]:
    """A model with a length scale for each of twelve features, fitted on sixty values, and new measurements."""
    rng = np.random.default_rng(seed)
    x = rng.random((260, 12))
    values = np.sin(4 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.3 * rng.standard_normal(260)
    start = prior_covariance("matern-2.5", [[Part("stationary", tuple(range(12)), tuple(range(12)))]])
    return PropertyModel.fitted(x[:60], values[:60], start=start), x[60:], values[60:]


def test_refits_show_that_length_scales_were_fitted_to_the_values_that_they_predict():
    """Left out with the hyperparameters that it has shaped, a value is predicted too well."""
    plain, refitted = [], []
    for seed in range(6):
        model, x, values = few_in_many_dimensions(seed)
        for one, shares in ((model, plain), (model.calibrated(), refitted)):
            mean, std = one.predict(x)
            shares.append(np.mean(np.abs(values - mean) <= 1.6448536 * np.hypot(std, one.noise_std)))
    assert np.mean(plain) < 0.82
    assert 0.85 < np.mean(refitted) < 0.95


def test_calibration_does_not_depend_on_the_order_of_the_rows():
    model, x, _ = few_in_many_dimensions(0)
    turned = PropertyModel.fitted(
        model.features[::-1], model.standard[::-1] * model.spread + model.centre, start=model.covariance, starts=0
    )
    np.testing.assert_allclose(turned.calibrated().predict(x)[1], model.calibrated().predict(x)[1], rtol=1e-3)


@pytest.mark.parametrize("count", [2, 5])
def test_too_few_values_to_refit_leave_the_deviations_as_they_are(count):
    model = overconfident(count)
    assert model.calibrated() is model


def test_known_noise_stands_on_the_diagonal_row_by_row():
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern

    rng = np.random.default_rng(5)
    x, noise = rng.random((30, 2)), rng.uniform(0.0, 0.6, 30)
    values = np.sin(5.0 * x[:, 0]) + noise * rng.standard_normal(30)
    start = prior_covariance("matern-2.5", [[Part("stationary", (0, 1))]])
    model = PropertyModel.fitted(x, values, start=start, noise=noise)
    kernel = ConstantKernel(model.covariance.scales[0]) * Matern(float(model.covariance.lengthscales[0][0]), nu=2.5)
    peer = GaussianProcessRegressor(kernel, alpha=(noise / model.spread) ** 2 + 1e-7, optimizer=None)
    peer.fit(x, model.standard - model.mean)
    asked = rng.random((20, 2))
    mean, std = peer.predict(asked, return_std=True)
    np.testing.assert_allclose(model.predict(asked)[0], (mean + model.mean) * model.spread + model.centre, atol=1e-6)
    np.testing.assert_allclose(model.predict(asked)[1], std * model.spread, atol=1e-6)
    assert model.noise_std == pytest.approx(np.sqrt(np.mean(noise**2)), rel=1e-3)


def test_where_the_noise_is_unknown_it_is_learned_from_those_values_alone():
    rng = np.random.default_rng(6)
    x = rng.random((120, 1))
    true = np.where(np.arange(120) < 60, 0.02, 0.3)
    values = np.sin(6.0 * x[:, 0]) + true * rng.standard_normal(120)
    start = prior_covariance("matern-2.5", [[Part("stationary", (0,))]])
    exact = PropertyModel.fitted(x, values, start=start, noise=np.where(true > 0.1, true, np.nan))
    noisy = PropertyModel.fitted(x, values, start=start, noise=np.where(true < 0.1, true, np.nan))
    assert exact.noise_std == pytest.approx(0.02, rel=0.5)
    assert noisy.noise_std == pytest.approx(0.3, rel=0.3)


def test_conditioning_on_values_of_known_noise_is_as_fitting_with_them():
    rng = np.random.default_rng(7)
    x, noise = rng.random((40, 2)), np.where(rng.random(40) < 0.5, np.nan, rng.uniform(0.1, 1.0, 40))
    values = np.sin(5.0 * x[:, 0]) + 0.1 * rng.standard_normal(40)
    start = prior_covariance("matern-2.5", [[Part("stationary", (0, 1))]])
    first = PropertyModel.fitted(x[:25], values[:25], start=start, noise=noise[:25])
    step_by_step = first.conditioned(x[25:32], values[25:32], noise[25:32]).conditioned(x[32:], values[32:])
    given = np.concatenate([noise[:32], np.full(8, np.nan)])
    matrix = first.covariance.between(x, x)
    learned = first.covariance.noise
    matrix += np.diag(np.where(np.isnan(given), learned, (given / first.spread) ** 2 + 1e-7))
    np.testing.assert_allclose(step_by_step.factor @ step_by_step.factor.T, matrix, atol=1e-9)
    np.testing.assert_allclose(step_by_step.row_noise, (given / first.spread) ** 2)
