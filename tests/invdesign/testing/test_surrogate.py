"""Every surrogate of ours keeps to the contract, and the contract finds those that do not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from invdesign.core.errors import InputError
from invdesign.core.plugins import known_words, settings_class
from invdesign.surrogates.checks import known_noise
from invdesign.surrogates.classifiers import Classifier
from invdesign.surrogates.forests import RandomForest
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.testing import check_surrogate

SMALL = {
    "random-forest": {"n_estimators": 40},
    "extra-trees": {"n_estimators": 40},
    "random-forest-classifier": {"n_estimators": 40},
    "gradient-boosting": {"n_estimators": 60},
    "xgboost": {"n_estimators": 60},
    "lightgbm": {"n_estimators": 60},
    "graph-network": {"width": 8, "updates": 40, "learning_rate": 0.05},
    "neural-network": {"members": 10, "epochs": 60},
    "stacked": {"members": (GaussianProcess(), RandomForest(n_estimators=20))},
}


@pytest.mark.parametrize("word", list(known_words("surrogate")))
def test_ours_keep_to_the_contract(word):
    surrogate = settings_class("surrogate", word)(**SMALL.get(word, {}))
    check_surrogate(surrogate, classes=isinstance(surrogate, Classifier))


@dataclass
class Mean:
    """Predicts the mean, and takes all that differs from it for noise; a minimal surrogate."""

    offset: float = 0.0
    _known: Any = field(default=None, init=False, repr=False, compare=False)
    _weights: Any = field(default=None, init=False, repr=False, compare=False)

    def fit(self, frame, y, *, columns=None, noise_std=None):
        if len(frame) != len(y) or y.isna().all().any() or np.isinf(y.to_numpy()).any():
            raise InputError("These values cannot be learned.")
        noise = known_noise(noise_std, y)
        self._known = y
        self._weights = 1.0 + y * 0.0 if noise is None else 1.0 / (0.1 * y.var() + noise.fillna(0.0) ** 2)
        return self

    def predict(self, frame, *, return_std=False):
        if self._known is None:
            raise InputError("Call fit first.")
        means = (self._known * self._weights).sum() / self._weights.where(self._known.notna()).sum() + self.offset
        mean = pd.DataFrame({name: means[name] for name in means.index}, index=frame.index)
        if not return_std:
            return mean
        return mean, mean * 0.0 + self._known.std(ddof=0) / np.sqrt(len(self._known))

    def noise_std(self):
        if self._known is None:
            raise InputError("Call fit first.")
        return dict(self._known.std(ddof=0))


class Forgetful(Mean):
    def fit(self, frame, y, *, columns=None, noise_std=None):
        super().fit(frame, y, columns=columns, noise_std=noise_std)


class Rowless(Mean):
    def predict(self, frame, *, return_std=False):
        return super().predict(frame.reset_index(drop=True), return_std=return_std)


class Negative(Mean):
    def predict(self, frame, *, return_std=False):
        found = super().predict(frame, return_std=return_std)
        return (found[0], -found[1]) if return_std else found


class Ready(Mean):
    def predict(self, frame, *, return_std=False):
        return super().predict(frame, return_std=return_std) if self._known is not None else frame


class Greedy(Mean):
    def fit(self, frame, y, *, columns=None, noise_std=None):
        frame["x"] = 0.0
        return super().fit(frame, y, columns=columns, noise_std=noise_std)


class Wrong(Mean):
    def posterior(self, frame, *, samples, rng):
        mean = self.predict(frame)
        return {name: rng.normal(mean[name] + 5.0, 1.0, (samples, len(frame))) for name in mean}


class TooSure(Mean):
    def posterior(self, frame, *, samples, rng):
        mean, std = self.predict(frame, return_std=True)
        return {name: rng.normal(mean[name], 0.5 * std[name], (samples, len(frame))) for name in mean}


class NoiseInPredict(Mean):
    """What families without a model of the noise gave: one standard deviation, of a new measurement."""

    def predict(self, frame, *, return_std=False):
        found = super().predict(frame, return_std=return_std)
        return (found[0], found[1] * 0.0 + self._known.std(ddof=0)) if return_std else found


class Noiseless(Mean):
    def noise_std(self):
        return dict.fromkeys(super().noise_std(), 0.0)


class Unweighted(Mean):
    def fit(self, frame, y, *, columns=None, noise_std=None):
        super().fit(frame, y, columns=columns, noise_std=noise_std)
        self._weights = 1.0 + y * 0.0
        return self


class Unchecked(Mean):
    def fit(self, frame, y, *, columns=None, noise_std=None):
        return super().fit(frame, y, columns=columns)


class Unmoved(Mean):
    def condition_on(self, frame, y, *, noise_std=None):
        return self


def test_a_minimal_one_keeps_to_it():
    check_surrogate(Mean())


@pytest.mark.parametrize(
    ("surrogate", "words"),
    [
        (Forgetful(), "must return the surrogate itself"),
        (Rowless(), "must have the index"),
        (Negative(), "must not be negative"),
        (Ready(), "must raise InputError"),
        (Greedy(), "changed the candidates"),
        (Wrong(), "another mean than predict"),
        (TooSure(), "another standard deviation than predict"),
        (Unmoved(), "must come nearer"),
        (NoiseInPredict(), "must not contain the noise"),
        (Noiseless(), "noise_std of 'voltage' is 0;"),
        (Unweighted(), "must weigh less"),
        (Unchecked(), "InputError for negative noise_std"),
        (object(), "is a dataclass"),
    ],
)
def test_those_that_do_not_are_found(surrogate, words):
    with pytest.raises(AssertionError, match=words):
        check_surrogate(surrogate)
