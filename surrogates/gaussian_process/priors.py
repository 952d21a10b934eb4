"""Priors of a Gaussian process's hyperparameters, for values of spread one.

Densities are of the hyperparameters themselves, and taken at their logarithms, in which the fit moves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.surrogates.gaussian_process.parts import Part

SCALE_MODE = 1.0
"""Where the variances start: the spread of the values."""


@dataclass(frozen=True)
class LogNormal:
    """A log-normal prior.

    Attributes:
        centre: mean of the logarithm.
        spread: its standard deviation.
    """

    centre: float
    spread: float

    @property
    def mode(self) -> float:
        """The most probable value."""
        return math.exp(self.centre - self.spread**2)

    @property
    def median(self) -> float:
        """The value that is as probably exceeded as not."""
        return math.exp(self.centre)

    def log_density(self, logarithm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log density (up to a constant) of values with these logarithms, and so its shape."""
        return -logarithm - 0.5 * ((logarithm - self.centre) / self.spread) ** 2

    def slope(self, logarithm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Its derivative by the logarithm."""
        return -1.0 - (logarithm - self.centre) / self.spread**2


@cache
def lengthscale_prior(dimension: int) -> LogNormal:
    """The dimension-scaled prior of Hvarfner, Hellsten and Nardi (2024, arXiv:2402.02229)."""
    return LogNormal(math.sqrt(2.0) + 0.5 * math.log(max(1, dimension)), math.sqrt(3.0))


@dataclass(frozen=True)
class LogCauchy:
    """A prior whose tails are heavy: the logarithm is Cauchy, so that values far from the centre remain possible.

    Attributes:
        centre: of the logarithm.
        spread: half its width at half maximum.
    """

    centre: float
    spread: float

    @property
    def mode(self) -> float:
        """The most probable value on the logarithmic scale."""
        return math.exp(self.centre)

    def log_density(self, logarithm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log density of the logarithm (up to a constant)."""
        return -np.log1p(((logarithm - self.centre) / self.spread) ** 2)

    def slope(self, logarithm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Its derivative by the logarithm."""
        far = (logarithm - self.centre) / self.spread
        return -2.0 * far / (self.spread * (1.0 + far**2))


@dataclass(frozen=True)
class Pooled:
    """A prior of many length scales that are alike unless the values say otherwise.

    Their logarithms are normal around their mean, and the mean has a prior of its own: a hierarchical prior, by which a
    hundred features can be weighted from some dozen values, since those that tell nothing stay near the others.

    Attributes:
        mean: prior of the length scale at the mean of the logarithms.
        spread: standard deviation of the logarithms around it.
    """

    mean: LogNormal
    spread: float

    @property
    def mode(self) -> float:
        """The most probable value of each of them."""
        return self.mean.mode

    @property
    def median(self) -> float:
        """The median of the length scale at their mean."""
        return self.mean.median

    def log_density(self, logarithm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log density (up to a constant) of all values together, shape ``1``, by their logarithms, shape ``n``."""
        apart = logarithm - logarithm.mean()
        return self.mean.log_density(logarithm.mean(keepdims=True)) - 0.5 * (apart @ apart) / self.spread**2

    def slope(self, logarithm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Its gradient by the logarithms, shape ``n``."""
        centre = logarithm.mean()
        return self.mean.slope(centre) / len(logarithm) - (logarithm - centre) / self.spread**2


POOLED_SPREAD = 0.7
"""Standard deviation of the logarithms of pooled lengthscales: most lie within a factor of two of their mean."""
NOISE_PRIOR = LogCauchy(-5.0, 1.0)
"""Most probably a small part of the spread; values that a function gives without noise may still overrule it."""
FACTOR_PRIOR = LogNormal(1.0, 1.0)
"""Prior of the factor between fidelities: most probably one, and near zero where a fidelity says nothing of another."""


def own_prior(part: Part) -> LogNormal | Pooled:
    """The prior of a part's length scales, or of its factor."""
    if part.kind == "factor":
        return FACTOR_PRIOR
    prior = lengthscale_prior(part.varied)
    return Pooled(prior, POOLED_SPREAD) if part.pooled else prior


@dataclass(frozen=True)
class Gamma:
    """A gamma prior.

    Attributes:
        shape: and ``rate``: the density is proportional to ``x ** (shape - 1) * exp(-rate * x)``.
        rate: see there.
    """

    shape: float
    rate: float

    def log_density(self, logarithm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log density (up to a constant) of values with these logarithms, and so its shape."""
        return (self.shape - 1.0) * logarithm - self.rate * np.exp(logarithm)

    def slope(self, logarithm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Its derivative by the logarithm."""
        return (self.shape - 1.0) - self.rate * np.exp(logarithm)


WIDE_SCALE = Gamma(2.0, 0.15)
"""Prior of a term's variance: standardized values may still leave the spread of the design."""


@dataclass(frozen=True)
class InverseGamma:
    """An inverse gamma prior: little room below its mode, much above it.

    Attributes:
        shape: and ``scale``: the density is proportional to ``x ** (-shape - 1) * exp(-scale / x)``.
        scale: see there.
    """

    shape: float
    scale: float

    def log_density(self, logarithm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log density (up to a constant) of values with these logarithms, and so its shape."""
        return -(self.shape + 1.0) * logarithm - self.scale * np.exp(-logarithm)

    def slope(self, logarithm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Its derivative by the logarithm."""
        return self.scale * np.exp(-logarithm) - (self.shape + 1.0)


LARGE_SCALE = InverseGamma(1.0, 4.0)
"""The same where numbers and categories have length scales of their own: the length scales of Hvarfner et al. stand
for a variance of about one, and a much smaller one lets the few values of a rugged function pass for noise."""


def scale_prior(term: Sequence[Part]) -> Gamma | InverseGamma:
    """The prior of a term's variance."""
    term = [part for part in term if part.kind != "factor"]  # it is one at the cheapest fidelity
    own = all(part.kind == "stationary" and part.groups and not part.pooled for part in term)
    return LARGE_SCALE if own else WIDE_SCALE
