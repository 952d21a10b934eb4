"""A decision tree: weak as a predictor, but a rule that can be read."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from invdesign.core.settings import bounded, settings
from invdesign.surrogates.conformal import ConformalRegressor


@settings(frozen=False, kw_only=True)
class DecisionTree(ConformalRegressor):
    """One regression tree (scikit-learn; Breiman, Friedman, Olshen and Stone 1984, ISBN 978-0-412-04841-8).

    Standard deviations by cross-conformal prediction.
    """

    min_samples_leaf: int = bounded(default=3, ge=1)
    """Smallest number of rows in a leaf."""
    max_depth: int | None = bounded(default=None, ge=1)
    """Largest depth. None: no limit."""

    def _estimator(self, features: NDArray[np.float64], values: NDArray[np.float64]) -> Any:
        from sklearn.tree import DecisionTreeRegressor

        return DecisionTreeRegressor(
            min_samples_leaf=self.min_samples_leaf, max_depth=self.max_depth, random_state=self.seed
        )
