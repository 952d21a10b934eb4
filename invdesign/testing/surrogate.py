"""The contract of a surrogate, as a test that any class can run."""

from __future__ import annotations

import dataclasses
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.surrogates.base import (
    ConditionalSurrogate,
    CovarianceSurrogate,
    DifferentiableSurrogate,
    JointSurrogate,
    Surrogate,
    measurement_std,
)
from invdesign.surrogates.validation import Z90

COLUMNS = (
    Column("x", "number", bounds=(0.0, 1.0)),
    Column("t", "number", bounds=(300.0, 900.0), unit="K"),
    Column("route", "category", values=("sol-gel", "solid")),
)

CONDITIONED = 0.9
"""Share of the distance to further values that may be left once they are known; our families leave 0.03 to 0.8."""

HALFWAY = 2.0
"""Error, in spreads, of the mean of a right value and one that is 4 spreads off."""

NOISE = {"voltage": 0.5, "cost": 40.0}
"""Standard deviation of the noise of measured values; the properties themselves vary about as much."""


def check_surrogate(surrogate: Surrogate, *, classes: bool = False) -> None:
    """Checks that a surrogate keeps to the contract; raises AssertionError with what it does not keep to.

    It is a dataclass of settings; unfitted it says so; ``fit`` returns it and leaves its arguments alone; predictions
    keep the rows and properties, with finite standard deviations; these are of the property itself, and with the noise
    (``noise_std``) of a new measurement; values of larger known noise weigh less; missing, constant and few values are
    learned from; the order of rows and the run do not matter; it travels to a worker; and what it offers besides
    (gradients, joint posterior, covariances, conditioning) agrees with its predictions.

    Args:
        surrogate: with its settings; it is never fitted itself, only copies of it.
        classes: whether it learns properties that are 0 or 1, as classifiers do.
    """
    assert dataclasses.is_dataclass(surrogate), "A surrogate is a dataclass: its fields are what a file may say."
    assert isinstance(surrogate, Surrogate), (
        "A surrogate has fit(frame, y, columns=, noise_std=), predict(frame, return_std=) and noise_std()."
    )
    frame, y = _data(40, classes=classes)
    fresh = _copy(surrogate)
    _check_unfitted(fresh, frame)
    kept = frame.copy(), y.copy()
    fitted = fresh.fit(frame, y, columns=COLUMNS)
    assert fitted is fresh, "fit must return the surrogate itself."
    assert frame.equals(kept[0]), "fit changed the candidates that it was given."
    assert y.equals(kept[1]), "fit changed the values that it was given."
    assert _copy(fitted) == surrogate, "dataclasses.replace must give an unfitted surrogate of the same settings."
    _check_unfitted(_copy(fitted), frame)
    test = _data(7, seed=5, classes=classes)[0].set_index(pd.Index(range(70, 77)))
    mean = _check_prediction(fitted, test, y)
    _check_repeatable(surrogate, frame, y, test, mean)
    _check_values(surrogate, frame, y, classes=classes)
    _check_noise_argument(surrogate, frame, y, mean, test)
    if classes:
        _check_refused(surrogate, frame, y, y * 0.0 + 0.1, "noise of classes")
    else:
        _check_noise(surrogate)
        _check_known_noise(surrogate)
    _check_capabilities(fitted, test, mean, classes=classes)


def _copy(surrogate: Surrogate) -> Surrogate:
    settings: Any = surrogate  # a dataclass, which the protocol cannot say
    copied: Surrogate = dataclasses.replace(settings)
    return copied


def _data(count: int, *, seed: int = 0, classes: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Candidates with two numbers and a category, and two properties of them; or whether these are large."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "x": rng.random(count),
            "t": 300.0 + 600.0 * rng.random(count),
            "route": np.where(rng.random(count) < 0.5, "solid", "sol-gel"),
        }
    )
    heat, route = (frame["t"] - 300.0) / 600.0, (frame["route"] == "solid").to_numpy(dtype=float)
    values = pd.DataFrame({"voltage": 3.0 + np.sin(3.0 * frame["x"]) + heat * route, "cost": 100.0 * heat + route})
    return frame, (values > values.median()).astype(float) if classes else values


def _check_unfitted(surrogate: Surrogate, frame: pd.DataFrame) -> None:
    for name, call in (("predict", lambda: surrogate.predict(frame)), ("noise_std", surrogate.noise_std)):
        try:
            call()
        except InputError:
            continue
        raise AssertionError(f"{name} of an unfitted surrogate must raise InputError.")


def _check_prediction(fitted: Surrogate, test: pd.DataFrame, y: pd.DataFrame) -> pd.DataFrame:
    mean, std = fitted.predict(test, return_std=True)
    for what, found in (("means", mean), ("standard deviations", std)):
        assert list(found.columns) == list(y.columns), f"The {what} must have the columns {list(y.columns)}."
        assert found.index.equals(test.index), f"The {what} must have the index of the candidates."
        assert np.isfinite(found.to_numpy()).all(), f"The {what} must be finite."
    assert (std.to_numpy() >= 0.0).all(), "Standard deviations must not be negative."
    noise = fitted.noise_std()
    assert list(noise) == list(y.columns), f"noise_std must name the properties {list(y.columns)}."
    assert all(np.isfinite(one) and one >= 0.0 for one in noise.values()), (
        "The standard deviation of the noise must be finite and not negative."
    )
    np.testing.assert_allclose(fitted.predict(test), mean, rtol=1e-6, atol=1e-9, err_msg="predict without return_std")
    return mean


def _check_repeatable(
    surrogate: Surrogate, frame: pd.DataFrame, y: pd.DataFrame, test: pd.DataFrame, mean: pd.DataFrame
) -> None:
    again = _copy(surrogate).fit(frame, y, columns=COLUMNS).predict(test)
    assert np.allclose(again, mean, rtol=1e-6, atol=1e-8), "The same settings and values gave another prediction."
    order = np.random.default_rng(1).permutation(len(frame))
    turned = _copy(surrogate).fit(frame.iloc[order], y.iloc[order], columns=COLUMNS).predict(test)
    scale = np.maximum(y.std().to_numpy(), 1e-12)
    off = np.abs((turned - mean).to_numpy() / scale)
    assert off.max() < 0.2, "The order of the rows changes the prediction."
    sent = cloudpickle.loads(cloudpickle.dumps(_copy(surrogate).fit(frame, y, columns=COLUMNS)))
    assert np.allclose(sent.predict(test), mean, rtol=1e-6, atol=1e-8), "Sent to a worker, it predicts otherwise."


def _check_values(surrogate: Surrogate, frame: pd.DataFrame, y: pd.DataFrame, *, classes: bool) -> None:
    """Missing, few and constant values; and values that cannot be learned from."""
    gaps = y.copy()
    gaps.iloc[::3, 0] = np.nan
    mean = _copy(surrogate).fit(frame, gaps, columns=COLUMNS).predict(frame)
    assert np.isfinite(mean.to_numpy()).all(), "Rows without a value of one property must not spoil predictions."
    if not classes:
        constant = y.assign(cost=7.0)
        mean, std = _copy(surrogate).fit(frame, constant, columns=COLUMNS).predict(frame, return_std=True)
        assert np.allclose(mean["cost"], 7.0, rtol=0.02), "A constant property must be predicted as that value."
        assert np.isfinite(std["cost"]).all(), "The standard deviation of a constant property must be finite."
        few = _copy(surrogate).fit(frame.head(3), y.head(3), columns=COLUMNS).predict(frame)
        assert np.isfinite(few.to_numpy()).all(), "Three values are enough to fit."
    for wrong in (y.assign(cost=np.nan), y.assign(cost=np.inf), y.head(5)):
        try:
            _copy(surrogate).fit(frame, wrong, columns=COLUMNS)
        except InputError:
            continue
        raise AssertionError("fit must raise InputError for a property without values, infinite values, or other rows.")


def _check_noise(surrogate: Surrogate) -> None:
    """Eight candidates, measured twenty times each: the property is well known, a new measurement is not."""
    candidates, truth = _data(8)
    rng = np.random.default_rng(2)

    def measured(times: int) -> pd.DataFrame:
        repeated = pd.concat([truth] * times, ignore_index=True)
        return repeated + rng.standard_normal(repeated.shape) * np.array(list(NOISE.values()))

    fitted = _copy(surrogate).fit(pd.concat([candidates] * 20, ignore_index=True), measured(20), columns=COLUMNS)
    mean, std = fitted.predict(candidates, return_std=True)
    noise, total = fitted.noise_std(), measurement_std(fitted, std)
    for name, new in measured(50).items():
        true = NOISE[str(name)]
        assert 0.5 < noise[str(name)] / true < 2.0, (
            f"noise_std of '{name}' is {noise[str(name)]:.3g}; 20 values of each candidate show {true:g}."
        )
        assert std[name].mean() < true, (
            f"The standard deviation of '{name}' that predict gives must not contain the noise: 20 values average it."
        )
        inside = np.abs(new - np.tile(mean[name], 50)) <= Z90 * np.tile(total[name], 50)
        assert 0.8 <= inside.mean() <= 0.99, (
            f"The 90 % intervals of new measurements of '{name}', noise_std included, contain {inside.mean():.2f}."
        )


def _check_noise_argument(
    surrogate: Surrogate, frame: pd.DataFrame, y: pd.DataFrame, mean: pd.DataFrame, test: pd.DataFrame
) -> None:
    """Unknown noise changes nothing, and noise that makes no sense is refused."""
    unknown = y * np.nan
    again = _copy(surrogate).fit(frame, y, columns=COLUMNS, noise_std=unknown).predict(test)
    assert np.allclose(again, mean, rtol=1e-6, atol=1e-8), "noise_std of NaN must be as none at all."
    for wrong, what in (
        (unknown.fillna(-0.1), "negative noise_std"),
        (unknown.fillna(np.inf), "infinite noise_std"),
        (unknown.fillna(0.1).head(5), "noise_std of other rows"),
        (unknown.fillna(0.1).add_suffix("_"), "noise_std of unknown properties"),
    ):
        _check_refused(surrogate, frame, y, wrong, what)


def _check_refused(surrogate: Surrogate, frame: pd.DataFrame, y: pd.DataFrame, noise: pd.DataFrame, what: str) -> None:
    try:
        _copy(surrogate).fit(frame, y, columns=COLUMNS, noise_std=noise)
    except InputError:
        return
    raise AssertionError(f"fit must raise InputError for {what}.")


def _check_known_noise(surrogate: Surrogate) -> None:
    """Candidates measured well and, with a large error, badly: whoever is given the noise follows the good values."""
    candidates, truth = _data(40)
    spread = truth.std()
    twice = pd.concat([candidates, candidates], ignore_index=True)
    values = pd.concat([truth, truth + 4.0 * spread], ignore_index=True)
    noise = pd.concat([truth * 0.0 + 0.05 * spread, truth * 0.0 + 4.0 * spread], ignore_index=True)
    for partly in (noise, noise.iloc[40:].reindex(noise.index)):
        fitted = _copy(surrogate).fit(twice, values, columns=COLUMNS, noise_std=partly)
        mean, std = fitted.predict(candidates, return_std=True)
        assert np.isfinite(std.to_numpy()).all(), "With known noise standard deviations must be finite."
        off = ((mean - truth).abs() / spread).mean()
        assert (off < HALFWAY / 2.0).all(), (
            "Values of large known noise must weigh less than others: half of them are 4 spreads off, and predictions "
            f"are {off.max():.2f} off."
        )


def _check_capabilities(fitted: Surrogate, test: pd.DataFrame, mean: pd.DataFrame, *, classes: bool) -> None:
    _, std = fitted.predict(test, return_std=True)
    if isinstance(fitted, JointSurrogate):
        drawn = fitted.posterior(test, samples=2000, rng=np.random.default_rng(3))
        for name, worlds in drawn.items():
            off = np.abs(worlds.mean(axis=0) - mean[name]) / (std[name] + 1e-9 * np.abs(mean[name]) + 1e-12)
            assert worlds.shape == (2000, len(test)), f"Joint samples of '{name}' must have the shape samples x n."
            assert off.max() < 0.25, f"Joint samples of '{name}' have another mean than predict gives."
            assert np.allclose(worlds.std(axis=0), std[name], rtol=0.15, atol=1e-6), (
                f"Joint samples of '{name}' have another standard deviation than predict gives."
            )
    if isinstance(fitted, CovarianceSurrogate):
        for name, covariance in fitted.posterior_covariance(test, test).items():
            assert np.allclose(
                np.diag(covariance), std[name] ** 2, rtol=0.02, atol=1e-6 * float(std[name].max()) ** 2
            ), f"The diagonal of the covariance of '{name}' is not the square of the standard deviation."
    if isinstance(fitted, DifferentiableSurrogate):
        _check_gradients(fitted, test, mean)
    if isinstance(fitted, ConditionalSurrogate):
        shifted = 1.0 - mean.round() if classes else mean + 2.0 * (std + 1e-3 * mean.abs())
        wiser = fitted.condition_on(test, shifted)
        after = wiser.predict(test)
        left = (after - shifted).abs().mean() / (mean - shifted).abs().mean()
        assert (left < CONDITIONED).all(), (
            "Conditioned on further values, the prediction there must come nearer to them."
        )
        assert np.allclose(fitted.predict(test), mean), "condition_on changed the surrogate itself."


def _check_gradients(fitted: DifferentiableSurrogate, test: pd.DataFrame, mean: pd.DataFrame) -> None:
    features = fitted.transform(test)
    names = list(mean.columns)
    for name, gradients in zip(names, fitted.moment_gradients(features, names), strict=True):
        assert np.allclose(gradients.mean, mean[name], rtol=1e-5), f"moment_gradients gives another mean of '{name}'."
        for column in ("x", "t"):
            place = fitted.feature_index(column)
            step = np.zeros_like(features)
            step[:, place] = 1e-4
            up, down = (fitted.moment_gradients(features + sign * step, [name])[0] for sign in (1.0, -1.0))
            for what in ("mean", "std"):
                slope = (getattr(up, what) - getattr(down, what)) / 2e-4
                given = getattr(gradients, f"{what}_gradient")[:, place]
                size = np.abs(slope).max() + 1e-6 * float(mean[name].abs().max())
                assert np.abs(given - slope).max() < 0.02 * size + 1e-6, (
                    f"The gradient of the {what} of '{name}' by {column}."
                )
