"""The noise of measuring, estimated from features and values alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.surrogates.estimators import LEAST_SHARE
from invdesign.surrogates.forests import RandomForest
from invdesign.surrogates.linear import Ridge
from invdesign.surrogates.noise import RowNoise, learned_noise_std
from invdesign.surrogates.validation import Z90, held_out_predictions


def waves(count: int, noise: float, *, dimension: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.random((count, dimension))
    return x, np.sin(4.0 * x[:, 0]) + 3.0 * x[:, 1] * x[:, 2] + noise * rng.standard_normal(count)


@pytest.mark.parametrize("noise", [0.1, 0.3])
@pytest.mark.parametrize("count", [100, 600])
def test_the_noise_of_smooth_functions_is_found(noise, count):
    for seed in range(3):
        assert learned_noise_std(*waves(count, noise, seed=seed)) == pytest.approx(noise, rel=0.25)


def test_exact_values_have_hardly_any():
    x, y = waves(100, 0.0)
    assert learned_noise_std(x, y) < 0.01 * y.std()


def test_it_scales_with_the_unit_of_the_values_and_not_with_that_of_the_features():
    x, y = waves(80, 0.2)
    expected = learned_noise_std(x, y)
    assert learned_noise_std(x, 1e6 * y - 3.0) == pytest.approx(1e6 * expected, rel=1e-3)
    assert learned_noise_std(x * np.array([1e3, 1.0, 1e-3]), y) == pytest.approx(expected, rel=1e-3)


def test_where_rows_are_too_far_apart_to_show_it_the_estimate_stays_small():
    x, y = waves(30, 1.0, dimension=40)
    assert learned_noise_std(x, y) < 0.2 * y.std()


def test_without_features_that_vary_all_is_noise():
    y = np.random.default_rng(1).normal(size=50)
    assert 0.5 < learned_noise_std(np.ones((50, 2)), y) <= 1.01 * y.std()


def test_what_a_family_predicts_and_the_noise_add_up_to_its_calibrated_deviation():
    x, y = waves(150, 0.3)
    frame = pd.DataFrame(x, columns=["a", "b", "c"])
    fitted = RandomForest(n_estimators=60).fit(frame, pd.DataFrame({"f": y}))
    learned = fitted._learned["f"]
    calibrated = learned.model.predict(fitted._matrix(frame))[1] * learned.spread
    std, noise = fitted.predict(frame, return_std=True)[1]["f"].to_numpy(), fitted.noise_std()["f"]
    assert noise == pytest.approx(0.3, rel=0.3)
    assert (std < calibrated).all()
    wide = calibrated > 1.05 * noise
    assert wide.any()
    np.testing.assert_allclose(np.hypot(std, noise)[wide], calibrated[wide])
    assert (std >= LEAST_SHARE * calibrated * (1.0 - 1e-9)).all()


def test_known_noise_is_left_out_of_what_is_learned():
    x, y = waves(200, 0.0)
    rng = np.random.default_rng(3)
    true = np.where(np.arange(200) % 2 == 0, 0.1, 0.8)
    y = y + true * rng.standard_normal(200)
    rows = RowNoise.of(np.where(true > 0.5, true, np.nan), x, y)
    assert rows.further == pytest.approx(0.1, rel=0.4)
    np.testing.assert_allclose(rows.std, np.where(true > 0.5, true, rows.further))
    assert rows.weights.mean() == pytest.approx(1.0)
    assert (rows.weights[::2] > 10.0 * rows.weights[1::2]).all()
    assert RowNoise.of(true, x, y).further == pytest.approx(np.sqrt(np.mean(true**2)))


@pytest.mark.parametrize("family", [RandomForest(n_estimators=100), Ridge()], ids=["own spread", "conformal"])
def test_the_standard_deviation_is_that_of_the_property_if_the_noise_is_known(family):
    """Half of the values have much noise: intervals hold the truth, and with the noise the measured values."""
    rng = np.random.default_rng(4)
    x = rng.random((300, 2))
    truth = 3.0 * x[:, 0] - x[:, 1]
    noise = np.where(rng.random(300) < 0.5, 0.1, 1.0)
    y = truth + noise * rng.standard_normal(300)
    frame = pd.DataFrame(x, columns=["a", "b"])
    held = held_out_predictions(
        family,
        frame,
        pd.DataFrame({"f": y}),
        columns=None,
        noise_std=pd.DataFrame({"f": noise}),
        rng=np.random.default_rng(0),
    )
    np.testing.assert_allclose(held["noise"], noise)
    error = np.abs(held["mean"] - y) / np.hypot(held["std"], noise)
    for part in (noise < 0.5, noise > 0.5):
        assert 0.84 < (error[part] < Z90).mean() < 0.98
    plain = held_out_predictions(family, frame, pd.DataFrame({"f": y}), columns=None, rng=np.random.default_rng(0))
    assert np.abs(held["mean"] - truth).mean() < 0.8 * np.abs(plain["mean"] - truth).mean()
