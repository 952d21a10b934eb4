"""k nearest neighbors: the mean of the most similar known candidates."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from invdesign.core.settings import bounded, settings
from invdesign.surrogates.conformal import ConformalRegressor


@settings(frozen=False, kw_only=True)
class KNearestNeighbors(ConformalRegressor):
    """The mean over the nearest rows, the nearer the heavier (scikit-learn; Cover and Hart 1967).

    Paper: doi:10.1109/TIT.1967.1053964. Standard deviations by cross-conformal prediction.
    """

    n_neighbors: int = bounded(default=5, ge=1)
    """Number of neighbors; all rows if there are fewer."""
    # It costs nothing to fit and is much worse without a fifth of the rows, by which its errors would look too large.
    _folds: ClassVar[int] = 20

    def _estimator(self, features: NDArray[np.float64], values: NDArray[np.float64]) -> Any:
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        from invdesign.surrogates.weighted_neighbors import WeightedNeighbors

        fewest = len(values) - -(-len(values) // self._folds)  # what is left where the largest fold is out
        count = min(self.n_neighbors, fewest)
        return make_pipeline(StandardScaler(), WeightedNeighbors(count, weights="distance", p=1))
