"""Transforms of properties: inverses, slopes, the choice by likelihood, and predictions in the property's unit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.surrogates.base import measurement_std
from invdesign.surrogates.forests import RandomForest
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.surrogates.transformed import Transformed
from invdesign.surrogates.transforms import likeliest, transform
from invdesign.surrogates.validation import Z90, held_out_predictions, total_std

NAMES = ("none", "log", "logit", "yeo-johnson", "rank")
COLUMNS = (Column("x", "number", bounds=(0.0, 1.0)), Column("z", "number", bounds=(0.0, 1.0)))


@pytest.mark.parametrize("name", NAMES)
@given(values=st.lists(st.floats(0.01, 0.99), min_size=8, max_size=30, unique=True))
def test_known_values_come_back_and_their_order_is_kept(name, values):
    known = np.array(values)
    one = transform(name, known, (0.0, 1.0))
    moved = one.forward(known)
    np.testing.assert_allclose(one.inverse(moved), known, rtol=1e-5, atol=1e-8)
    assert (np.diff(moved[np.argsort(known)]) >= -1e-12).all()


@pytest.mark.parametrize("name", NAMES[:-1])
def test_slopes_are_derivatives(name):
    known = np.random.default_rng(0).uniform(0.05, 0.95, 40) ** 2
    one = transform(name, known, (0.0, 1.0))
    numeric = (one.forward(known + 1e-6) - one.forward(known - 1e-6)) / 2e-6
    np.testing.assert_allclose(one.slope(known), numeric, rtol=1e-3)


def test_moments_are_those_of_the_textbook():
    one = transform("log", np.array([0.5, 1.0, 4.0]), None)
    mean, std = one.moments(np.array([0.2]), np.array([0.3]))
    assert mean[0] == pytest.approx(np.exp(0.2 + 0.045), rel=1e-6)
    assert std[0] == pytest.approx(mean[0] * np.sqrt(np.exp(0.09) - 1.0), rel=1e-5)


def exponential(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Values over three decades, each with 20 % of noise."""
    rng = np.random.default_rng(seed)
    x = rng.random((count, 2))
    return x, np.exp(7.0 * x[:, 0] - 2.0 * x[:, 1] + 0.2 * rng.standard_normal(count))


def test_the_likelihood_chooses_what_the_values_are_made_of():
    x, decades = exponential(80)
    rng = np.random.default_rng(1)
    share = 1.0 / (1.0 + np.exp(-(6.0 * x[:, 0] - 2.0 + 0.3 * rng.standard_normal(80))))
    plain = 3.0 + x[:, 0] + 0.1 * rng.standard_normal(80)
    assert likeliest(x, decades, None).name == "log"
    assert likeliest(x, share, (0.0, 1.0)).name == "logit"
    assert likeliest(x, plain, None).name == "none"
    # The values of a steep but smooth function are far from normal, and yet nothing is to be transformed.
    assert likeliest(x, x[:, 0] ** 4 - x[:, 1] + 0.05 * rng.standard_normal(80), None).name == "none"
    assert likeliest(x[:5], decades[:5], None).name == "none"


@pytest.mark.parametrize("family", [GaussianProcess(), RandomForest(n_estimators=80)], ids=["process", "forest"])
def test_noise_that_grows_with_the_value_is_predicted_so(family):
    x, y = exponential(150)
    frame, values = pd.DataFrame(x, columns=["x", "z"]), pd.DataFrame({"f": y})
    plain, moved = (
        held_out_predictions(one, frame, values, columns=COLUMNS, rng=np.random.default_rng(0))
        for one in (family, Transformed(surrogate=family))
    )
    relative = (moved["noise"] / moved["mean"]).to_numpy()
    assert relative.min() > 0.05
    assert relative.max() < 0.35
    small = y < np.median(y)
    for part in (small, ~small):
        inside = np.abs(moved["mean"] - y)[part] <= Z90 * total_std(moved)[part]
        assert 0.8 < inside.mean() < 1.0
    error = (np.log(moved["mean"]) - np.log(y)).abs().mean()
    assert error < 0.7 * (np.log(plain["mean"].clip(lower=y.min())) - np.log(y)).abs().mean()


def test_known_noise_is_moved_along():
    x, y = exponential(60)
    frame, values = pd.DataFrame(x, columns=["x", "z"]), pd.DataFrame({"f": y})
    wrong = np.arange(60) % 4 == 0
    values["f"] *= np.where(wrong, 30.0, 1.0)
    noise = pd.DataFrame({"f": np.where(wrong, 30.0 * values["f"], np.nan)})
    model = Transformed(transform="log").fit(frame, values, columns=COLUMNS, noise_std=noise)
    assert (np.log(model.predict(frame)["f"]) - np.log(y)).abs().mean() < 0.2


def test_without_a_transform_it_is_the_surrogate_itself():
    x, _ = exponential(30)
    frame, values = pd.DataFrame(x, columns=["x", "z"]), pd.DataFrame({"f": x[:, 0] - x[:, 1]})
    model = Transformed().fit(frame, values, columns=COLUMNS)
    same = GaussianProcess().fit(frame, values, columns=COLUMNS)
    assert model.transforms() == {"f": "none"}
    for one, other in zip(model.predict(frame, return_std=True), same.predict(frame, return_std=True), strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert model.noise_std() == pytest.approx(same.noise_std())
    _, std = model.predict(frame, return_std=True)
    assert (measurement_std(model, std) >= std).all().all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"transform": "log"}, "Property 'f': A logarithm needs positive values, not -1"),
        ({"transform": "logit"}, "needs the bounds of the property"),
        ({"transform": "logit", "bounds": {"f": (0.0, 1.0)}}, "outside of the bounds 0 to 1"),
        ({"bounds": {"g": (0.0, 1.0)}}, "'bounds' refers to unknown property 'g'"),
        ({"bounds": {"f": (1.0, 1.0)}}, "The bounds of 'f' must be a smaller and a greater value"),
        ({"transform": "box-cox"}, "Unknown transform 'box-cox'"),
    ],
)
def test_what_does_not_suit_the_values_is_refused(settings, words):
    frame, values = pd.DataFrame({"x": [0.0, 0.5, 1.0]}), pd.DataFrame({"f": [-1.0, 2.0, 3.0]})
    with pytest.raises(InputError, match=words):
        Transformed(**settings).fit(frame, values, columns=COLUMNS[:1])
