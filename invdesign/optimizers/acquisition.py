"""Acquisition for targets: what a candidate is worth evaluating, from the model of the properties themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd
from scipy.stats import qmc

from invdesign.targets import Targets
from surrogates.base import Surrogate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from surrogates.gaussian_process import GaussianProcess

LIKELY = 1e-2
"""Probability of meeting all targets from which candidates are judged by it alone."""
SAMPLES = 256


class Acquisition(Protocol):
    """Scores candidates; the highest is evaluated next."""

    def __call__(self, candidates: pd.DataFrame) -> NDArray[np.float64]:
        """Scores of shape ``n``, finite, larger is better."""


def predicted(surrogate: Surrogate, candidates: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Means and standard deviations of candidates."""
    return surrogate.predict(candidates, return_std=True)


@dataclass(frozen=True)
class HitProbability:
    """The logarithm of the probability of meeting all targets.

    Attributes:
        surrogate: a fitted model of the properties.
        targets: in the units of the properties.
    """

    surrogate: Surrogate
    targets: Targets

    def __call__(self, candidates: pd.DataFrame) -> NDArray[np.float64]:
        return np.maximum(self.targets.log_probability(*predicted(self.surrogate, candidates)), -1e300)


@dataclass(frozen=True)
class ShortfallReduction:
    """How much a candidate is expected to come nearer to the targets than the nearest one known.

    Shortfalls of different properties are made comparable by a scale each and added up. The expectation over the
    predictive distribution is taken on the same quasi-random normal samples for every candidate, so the score is smooth
    in the candidate; it is never zero everywhere, unlike the probability.

    Attributes:
        surrogate: a fitted model of the properties.
        targets: in the units of the properties.
        best: the smallest summed shortfall known, in scales.
        scales: a length for each property by which its shortfall is measured.
    """

    surrogate: Surrogate
    targets: Targets
    best: float
    scales: Mapping[str, float]

    def __call__(self, candidates: pd.DataFrame) -> NDArray[np.float64]:
        mean, std = predicted(self.surrogate, candidates)
        names = self.targets.properties
        normal = _normal_samples(len(names))
        scores = np.empty(len(candidates))
        for start in range(0, len(candidates), 4096):
            block = slice(start, start + 4096)
            total = np.zeros((SAMPLES, len(mean.iloc[block])))
            for place, name in enumerate(names):
                drawn = mean[name].to_numpy()[block] + normal[:, place, None] * std[name].to_numpy()[block]
                total += self._shortfall(name, drawn)
            scores[block] = np.maximum(self.best - total, 0.0).mean(axis=0)
        # Where not one sample improves, the mean shortfall still tells better from worse, below every real improvement.
        expected = summed_shortfall(self.targets, mean, self.scales)
        return np.where(scores > 0.0, scores, -expected - 1e-9)

    def _shortfall(self, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.zeros_like(values)
        for target in self.targets.bounded:
            if target.property == name:
                total += target.shortfall(values) / self.scales[name]
        return total


def summed_shortfall(targets: Targets, values: pd.DataFrame, scales: Mapping[str, float]) -> NDArray[np.float64]:
    """Shortfalls of all targets added up in units of each property's scale, shape ``n``; NaN for a missing value."""
    total = np.zeros(len(values))
    for target in targets.bounded:
        total += target.shortfall(values[target.property]) / scales[target.property]
    return total


def property_scales(targets: Targets, values: pd.DataFrame) -> dict[str, float]:
    """A length for each property by which its shortfalls are measured: the spread of its known values.

    Taken from values alone, it follows any change of unit; one stands in where all values are equal.
    """
    spread = values[list(targets.properties)].std(ddof=0)
    return {str(name): float(deviation) if deviation > 0 else 1.0 for name, deviation in spread.items()}


@dataclass(frozen=True)
class HypervolumeImprovement:
    """Expected improvement of the front of Maximize and Minimize targets, among candidates that meet the others.

    For two directions or more this is BoTorch's qLogNEHVI (Daulton et al. 2021, Ament et al. 2023), for one its
    qLogNEI; the other targets enter as constraints, by their probability.

    Attributes:
        surrogate: a fitted Gaussian process.
        targets: in the units of the properties; at least one is a direction.
        known: candidates with values.
        values: their property values.
        pending: candidates that are under way.
        seed: of the quasi-random samples.
    """

    surrogate: GaussianProcess
    targets: Targets
    known: pd.DataFrame
    values: pd.DataFrame
    pending: pd.DataFrame
    seed: int
    _score: Callable[[NDArray[np.float64]], NDArray[np.float64]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        from invdesign.optimizers.botorch_acquisition import noisy_improvement

        # Building it is the dear part (the baseline's samples); a frozen object may still keep what it derived.
        object.__setattr__(self, "_score", noisy_improvement(self))

    def __call__(self, candidates: pd.DataFrame) -> NDArray[np.float64]:
        return self._score(self.surrogate.transform(candidates))


def _normal_samples(dimension: int) -> NDArray[np.float64]:
    """Quasi-random standard normal samples, shape ``SAMPLES x dimension``; always the same."""
    from scipy.special import ndtri

    points = qmc.Sobol(dimension, scramble=True, rng=np.random.default_rng(0)).random(SAMPLES)
    return ndtri(np.clip(points, 1e-6, 1 - 1e-6))
