"""How much of a property's values is noise of measuring it, for families that do not separate it themselves.

The error of a prediction that was held out is noise and model error together, and a family that fits badly would take
all of it for noise. So the noise is estimated without the family: it is what a Gaussian process learns as the part of
the values that does not depend smoothly on the features (the nugget of kriging). Where the known rows are too few or
too far apart to show it, the estimate stays at the process's prior, which is small: a search then explores too much
rather than too little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from invdesign.surrogates.gaussian_process.kernels import prior_covariance
from invdesign.surrogates.gaussian_process.marginal_likelihood import fitted_covariance
from invdesign.surrogates.gaussian_process.parts import Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_ROWS = 200
"""Rows from which the noise is learned; of more, that many at random: it is one number."""


def learned_noise_std(features: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """The standard deviation of the noise, in the unit of the values, by a process with one length scale.

    Args:
        features: shape ``n x d``.
        values: shape ``n``, not all equal.
    """
    if len(values) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(len(values), MOST_ROWS, replace=False))
        features, values = features[rows], values[rows]
    size = float(values.std())
    if size == 0.0:
        return 0.0
    center, spread = features.mean(axis=0), features.std(axis=0)
    varied = spread > 1e-9 * (1.0 + np.abs(center))
    standard = (features[:, varied] - center[varied]) / spread[varied]
    start = prior_covariance("matern-2.5", [[Part("stationary", tuple(range(standard.shape[1])))]])
    return size * float(np.sqrt(fitted_covariance(start, standard, (values - values.mean()) / size).noise))
