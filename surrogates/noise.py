"""How much of a property's values is noise of measuring it, for families that do not separate it themselves.

The error of a prediction that was held out is noise and model error together, and a family that fits badly would take
all of it for noise. So the noise is estimated without the family: it is what a Gaussian process learns as the part of
the values that does not depend smoothly on the features (the nugget of kriging). Where the known rows are too few or
too far apart to show it, the estimate stays at the process's prior, which is small: a search then explores too much
rather than too little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from invdesign.surrogates.gaussian_process.kernels import prior_covariance
from invdesign.surrogates.gaussian_process.marginal_likelihood import fitted_covariance
from invdesign.surrogates.gaussian_process.parts import Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_ROWS = 200
"""Rows from which the noise is learned; of more, that many at random: it is one number."""
MODEL_ERROR = 0.1
"""Error of a model without any noise, in spreads of the property: rows with less noise than that weigh the same."""


@dataclass(frozen=True)
class RowNoise:
    """The noise of standardized values, where that of some of them is known.

    Attributes:
        std: standard deviation of the noise of each value, shape ``n``; where it is unknown, the learned one.
        further: that of a further value, whose noise is unknown.
    """

    std: NDArray[np.float64]
    further: float

    @classmethod
    def of(cls, known: NDArray[np.float64], features: NDArray[np.float64], values: NDArray[np.float64]) -> RowNoise:
        """The known noise, and where that is NaN the noise learned from features ``n x d`` and values ``n``."""
        unknown = np.isnan(known)
        further = learned_noise_std(features, values, known) if unknown.any() else float(np.sqrt(np.mean(known**2)))
        return cls(np.where(unknown, further, known), further)

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weights of the rows in a sum of squared errors: inverse variances, of mean one."""
        weights = 1.0 / (MODEL_ERROR**2 + self.std**2)
        return np.asarray(weights / weights.mean())

    def __getitem__(self, rows: Any) -> RowNoise:
        return RowNoise(self.std[rows], self.further)


def learned_noise_std(
    features: NDArray[np.float64], values: NDArray[np.float64], known: NDArray[np.float64] | None = None
) -> float:
    """The standard deviation of the unknown noise, in the unit of the values, by a process with one length scale.

    Args:
        features: shape ``n x d``.
        values: shape ``n``, not all equal.
        known: standard deviation of the noise of each value; NaN where it is unknown. None: all unknown.
    """
    if len(values) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(len(values), MOST_ROWS, replace=False))
        features, values, known = features[rows], values[rows], None if known is None else known[rows]
    size = float(values.std())
    if size == 0.0:
        return 0.0
    center, spread = features.mean(axis=0), features.std(axis=0)
    varied = spread > 1e-9 * (1.0 + np.abs(center))
    standard = (features[:, varied] - center[varied]) / spread[varied]
    start = prior_covariance("matern-2.5", [[Part("stationary", tuple(range(standard.shape[1])))]])
    row_noise = None if known is None else (known / size) ** 2
    fitted = fitted_covariance(start, standard, (values - values.mean()) / size, row_noise=row_noise)
    return size * float(np.sqrt(fitted.noise))
