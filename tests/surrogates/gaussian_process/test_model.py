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
        x, values, start=fitted.covariance, noise=np.full(count, 0.5 * fitted.noise_std), refit=False
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


@pytest.mark.parametrize(("count", "weight"), [(10, 10 / 60), (50, 0.5), (150, 0.75)])
def test_calibration_takes_of_its_correction_the_more_the_more_values_there_are(count, weight):
    """Half of it, on the logarithmic scale, at 50 values: what few values say of a tail is shrunk towards none."""
    model = overconfident(count)
    means, deviations = left_out_by_hand(model)
    errors = np.abs(model.standard * model.spread + model.centre - means) / deviations
    # the conformal quantile at which nine of ten further values lie inside, over that of a normal distribution
    asked = np.quantile(errors, min(1.0, 0.9 * (count + 1) / count)) / 1.6448536
    assert 1.1 < asked < 2.0
    features = np.array([[0.2], [3.0]])
    before, after = model.predict(features), model.calibrated().predict(features)
    np.testing.assert_allclose(after[0], before[0], rtol=1e-9)
    np.testing.assert_allclose(after[1] / before[1], asked**weight, rtol=1e-4)
    assert model.calibrated().noise_std / model.noise_std == pytest.approx(asked**weight, rel=1e-4)
