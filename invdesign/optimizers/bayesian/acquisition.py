"""Acquisition for targets: what a candidate is worth evaluating, from the model of the properties themselves.

Those that look at a candidate's predictive means and standard deviations alone serve every surrogate that has them, and
are functions of these moments: so an acquisition optimizer can follow them along a model's gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import pandas as pd
import scipy

from invdesign.optimizers.success import SUCCESS, log_success
from invdesign.surrogates.base import Surrogate
from invdesign.targets import Target, Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIKELY = 1e-2
"""Probability of meeting all targets from which candidates are judged by it alone."""
SAMPLES = 256
LOWEST = -1e300
TINY = 1e-300
ROWS_AT_ONCE = 4096


class Acquisition(Protocol):
    """Scores candidates; the highest is evaluated next."""

    def __call__(self, candidates: pd.DataFrame) -> NDArray[np.float64]:
        """Scores of shape ``n``, finite, larger is better."""


@runtime_checkable
class MomentScore(Protocol):
    """A score of a candidate's predictive moments."""

    @property
    def targets(self) -> Targets:
        """The targets, in the units of the properties."""

    def score(self, mean: NDArray[np.float64], std: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores of shape ``n``, larger is better.

        Args:
            mean: predictive means, shape ``n x m``, a column for each of ``targets.properties``.
            std: predictive standard deviations, same shape.
        """


@dataclass(frozen=True)
class MomentAcquisition:
    """A score of moments, on what a surrogate predicts.

    Attributes:
        surrogate: a fitted model of the properties.
        scorer: of its moments.
    """

    surrogate: Surrogate
    scorer: MomentScore

    def __call__(self, candidates: pd.DataFrame) -> NDArray[np.float64]:
        names = list(self.scorer.targets.properties)
        scores = [np.empty(0)]
        for start in range(0, len(candidates), ROWS_AT_ONCE):
            mean, std = predicted(self.surrogate, candidates.iloc[start : start + ROWS_AT_ONCE])
            scores.append(self.scorer.score(mean[names].to_numpy(), std[names].to_numpy()))
        return np.concatenate(scores)


def predicted(surrogate: Surrogate, candidates: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Means and standard deviations of candidates."""
    return surrogate.predict(candidates, return_std=True)


@dataclass(frozen=True)
class HitProbability:
    """The logarithm of the probability of meeting all targets.

    Attributes:
        targets: in the units of the properties.
    """

    targets: Targets

    def score(self, mean: NDArray[np.float64], std: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.zeros(len(mean))
        for place, window in enumerate(self._windows):
            if window is None:  # targets that exclude each other
                return np.full(len(mean), LOWEST)
            chance = log_success if window.property == SUCCESS else type(window).log_probability
            total += chance(window, mean[:, place], std[:, place])
        return np.maximum(total, LOWEST)

    @cached_property
    def _windows(self) -> tuple[Target | None, ...]:
        return tuple(self.targets.window(name) for name in self.targets.properties)


@dataclass(frozen=True)
class ShortfallReduction:
    """How much a candidate is expected to come nearer to the targets than the nearest one known.

    Shortfalls of different properties are made comparable by a scale each and added up. The expectation over the
    predictive distribution is taken on the same quasi-random normal samples for every candidate, so the score is smooth
    in the candidate; it is never zero everywhere, unlike the probability.

    Attributes:
        targets: in the units of the properties.
        best: the smallest summed shortfall known, in scales.
        scales: a length for each property by which its shortfall is measured.
    """

    targets: Targets
    best: float
    scales: Mapping[str, float]

    def score(self, mean: NDArray[np.float64], std: NDArray[np.float64]) -> NDArray[np.float64]:
        normal = normal_samples(mean.shape[1])
        drawn = mean + normal[:, None, :] * std
        gained = np.maximum(self.best - self._shortfall(drawn), 0.0).mean(axis=0)
        # Where not one sample improves, the mean shortfall still tells better from worse, below every improvement.
        return np.where(gained > 0.0, gained, -self._shortfall(mean) - 1e-9)

    def _shortfall(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.zeros(values.shape[:-1])
        for target in self.targets.bounded:
            place = self.targets.properties.index(target.property)
            total += target.importance * target.shortfall(values[..., place]) / self.scales[target.property]
        return total


@dataclass(frozen=True)
class IfSuccessful:
    """A score that is not a logarithm, times the probability that the evaluation succeeds.

    Attributes:
        targets: those of the score, and one on success.
        scorer: the score, of the other properties.
    """

    targets: Targets
    scorer: MomentScore

    def score(self, mean: NDArray[np.float64], std: NDArray[np.float64]) -> NDArray[np.float64]:
        others = [self.targets.properties.index(name) for name in self.scorer.targets.properties]
        place = self.targets.properties.index(SUCCESS)
        (success,) = (target for target in self.targets if target.property == SUCCESS)
        scores = self.scorer.score(mean[:, others], std[:, others])
        chance = np.exp(log_success(success, mean[:, place], std[:, place]))
        # Below zero stands what gains nothing: there an unlikely candidate is worse.
        return np.where(scores > 0.0, scores * chance, scores / np.maximum(chance, TINY))


@dataclass(frozen=True)
class ExpectedImprovement:
    """The logarithm of one direction's expected improvement, times the probability of meeting the other targets.

    Ament et al. 2023, arXiv:2310.20708, for its logarithm, which has a slope where the improvement itself is zero.

    Attributes:
        targets: in the units of the properties; one of them is a direction.
        best: the best value that is known to meet the other targets, as the model has it.
    """

    targets: Targets
    best: float

    def score(self, mean: NDArray[np.float64], std: NDArray[np.float64]) -> NDArray[np.float64]:
        (target,) = self.targets.optimized
        place = self.targets.properties.index(target.property)
        deviation = np.maximum(std[:, place], 1e-12)
        improvement = target.direction * (mean[:, place] - self.best) / deviation
        gained = np.log(deviation) + log_expected_excess(improvement)
        return np.maximum(gained + self._others.score(mean, std), LOWEST)

    @cached_property
    def _others(self) -> HitProbability:
        return HitProbability(self.targets)


@dataclass(frozen=True)
class ScalarizedImprovement:
    """Expected improvement of several directions made one by random weights (ParEGO, Knowles 2006).

    The augmented Chebyshev scalarization of directions scaled to the span of the known front; the expectation is taken
    on quasi-random samples, since the scalarization of normal properties is not normal. The other targets enter by
    their probability.

    Attributes:
        targets: in the units of the properties.
        lowest: of each direction's gain, over the known front.
        span: of each direction's gain, over the known front.
        weights: of the directions, positive, summing to one.
        best: the best scalarized gain known.
    """

    targets: Targets
    lowest: NDArray[np.float64]
    span: NDArray[np.float64]
    weights: NDArray[np.float64]
    best: float

    def score(self, mean: NDArray[np.float64], std: NDArray[np.float64]) -> NDArray[np.float64]:
        places = [self.targets.properties.index(target.property) for target in self.targets.optimized]
        signs = np.array([target.direction for target in self.targets.optimized])
        normal = normal_samples(len(places))
        drawn = signs * (mean[:, places] + normal[:, None, :] * std[:, places])
        improvement = np.maximum(self.scalarized(drawn) - self.best, 0.0).mean(axis=0)
        expected = self.scalarized(signs * mean[:, places]) - self.best
        # Where no sample improves, nearer is still better, below every improvement.
        gained = np.where(improvement > 1e-12, np.log(np.maximum(improvement, 1e-12)), np.log(1e-12) + expected)
        return np.maximum(gained + HitProbability(self.targets).score(mean, std), LOWEST)

    def scalarized(self, gains: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scalarization of gains, shape ``... x m`` to ``...``; larger is better."""
        weighted = self.weights * (gains - self.lowest) / self.span
        return weighted.min(axis=-1) + 0.05 * weighted.sum(axis=-1)


def log_expected_excess(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of ``E[max(0, z + e)]`` for a standard normal ``e``, stable however negative ``z`` is."""
    clipped = np.clip(z, -1e100, 1e100)
    log_density = -0.5 * clipped**2 - 0.5 * np.log(2.0 * np.pi)
    ratio = np.sqrt(np.pi / 2.0) * scipy.special.erfcx(-np.minimum(clipped, 25.0) / np.sqrt(2.0))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        near = log_density + np.log1p(clipped * ratio)
        far = log_density - 2.0 * np.log(np.abs(clipped))
        large = np.log(np.maximum(clipped, 1e-300))
    return np.where(clipped > 25.0, large, np.where(clipped < -50.0, far, near))


def summed_shortfall(targets: Targets, values: pd.DataFrame, scales: Mapping[str, float]) -> NDArray[np.float64]:
    """Shortfalls of all targets added up, each in units of its property's scale times the target's importance.

    Returns:
        Shape ``n``; NaN for a missing value.
    """
    total = np.zeros(len(values))
    for target in targets.bounded:
        total += target.importance * target.shortfall(values[target.property]) / scales[target.property]
    return total


def property_scales(targets: Targets, values: pd.DataFrame) -> dict[str, float]:
    """A length for each property by which its shortfalls are measured: the spread of its known values.

    Taken from values alone, it follows any change of unit; one stands in where all values are equal.
    """
    spread = values[list(targets.properties)].std(ddof=0)
    return {str(name): float(deviation) if deviation > 0 else 1.0 for name, deviation in spread.items()}


@lru_cache(maxsize=16)
def normal_samples(dimension: int, count: int = SAMPLES) -> NDArray[np.float64]:
    """Quasi-random standard normal samples, shape ``count x dimension``; always the same, and not to be changed."""
    from scipy.stats import qmc  # loaded where it is used: most commands never do

    points = qmc.Sobol(dimension, scramble=True, rng=np.random.default_rng(0)).random(count)
    return scipy.special.ndtri(np.clip(points, 1e-6, 1 - 1e-6))
