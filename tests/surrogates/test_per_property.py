from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.surrogates.base import ConditionalSurrogate, JointSurrogate
from invdesign.testing import check_surrogate

BOTH = ind.PerProperty({"voltage": ind.Ridge(), "stable": ind.LogisticRegression()})


def data(count: int = 60) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.uniform(size=(count, 2)), columns=["a", "b"])
    return frame, pd.DataFrame({"stable": (frame["a"] > 0.5).astype(float), "voltage": 3.0 + frame["b"]})


def test_each_property_is_predicted_as_by_its_own_surrogate_alone():
    frame, y = data()
    y.loc[:5, "voltage"] = np.nan
    found = ind.PerProperty(BOTH.surrogates).fit(frame, y)
    mean, std = found.predict(frame, return_std=True)
    assert list(mean) == ["stable", "voltage"]
    for name, alone in BOTH.surrogates.items():
        own = y[[name]].dropna()
        expected = type(alone)().fit(frame.loc[own.index], own).predict(frame, return_std=True)
        np.testing.assert_allclose(mean[name], expected[0][name])
        np.testing.assert_allclose(std[name], expected[1][name])
    assert set(found.noise_std()) == {"stable", "voltage"}


def test_known_noise_goes_to_the_surrogate_of_its_property():
    frame, y = data(24)
    noise = pd.DataFrame({"voltage": np.where(frame["a"] > 0.5, 0.5, 0.01)})
    first, more = slice(0, 19), slice(20, 23)
    model = ind.PerProperty({"voltage": ind.GaussianProcess(), "stable": ind.LogisticRegression()})
    found = model.fit(frame.loc[first], y.loc[first], noise_std=noise.loc[first])
    alone = ind.GaussianProcess().fit(frame.loc[first], y.loc[first, ["voltage"]], noise_std=noise.loc[first])
    for one, other in (
        (found, alone),
        (
            found.condition_on(frame.loc[more], y.loc[more], noise_std=noise.loc[more]),
            alone.condition_on(frame.loc[more], y.loc[more, ["voltage"]], noise_std=noise.loc[more]),
        ),
    ):
        np.testing.assert_allclose(one.predict(frame)["voltage"], other.predict(frame)["voltage"])


def test_properties_that_are_not_named_get_the_default_of_their_kind():
    frame, y = data()
    y = y.assign(**{"phase=x": y["stable"], "phase=y": 1.0 - y["stable"]})
    mean = ind.PerProperty({"voltage": ind.Ridge()}).fit(frame, y).predict(frame)
    np.testing.assert_allclose(mean["phase=x"] + mean["phase=y"], 1.0)


def test_it_can_be_conditioned_and_sampled_like_its_parts():
    frame, y = data()
    fitted = ind.PerProperty(BOTH.surrogates).fit(frame, y)
    assert isinstance(fitted, ConditionalSurrogate)
    assert isinstance(fitted, JointSurrogate)
    more = pd.DataFrame({"a": [0.1], "b": [0.9]})
    wiser = fitted.condition_on(more, pd.DataFrame({"stable": [1.0], "voltage": [9.0]}))
    assert wiser.predict(more)["voltage"].item() > fitted.predict(more)["voltage"].item()
    draws = fitted.posterior(more, samples=400, rng=np.random.default_rng(0))
    assert draws["voltage"].shape == (400, 1)
    assert draws["voltage"].mean() == pytest.approx(fitted.predict(more)["voltage"].item(), abs=0.1)


def test_it_keeps_the_contract_of_all_surrogates():
    check_surrogate(ind.PerProperty({"f": ind.GaussianProcess()}))


def test_a_surrogate_of_an_unknown_property_is_refused():
    with pytest.raises(ind.InputError, match=r"unknown property 'volt'. Did you mean 'voltage'"):
        ind.PerProperty({"volt": ind.Ridge()}).check_names(["voltage", "stable"])
    with pytest.raises(ind.InputError, match="has not been fitted"):
        ind.PerProperty(BOTH.surrogates).predict(data()[0])
