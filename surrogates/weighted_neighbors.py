"""Nearest neighbors whose values differ in weight, which scikit-learn's do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.neighbors import KNeighborsRegressor

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_DISTANCE = 1e-12


class WeightedNeighbors(KNeighborsRegressor):  # type: ignore[misc]  # scikit-learn has no types
    """Scikit-learn's regressor, which also takes ``sample_weight``: a neighbor weighs by it over its distance."""

    def fit(self, X: Any, y: Any, sample_weight: NDArray[np.float64] | None = None) -> Self:
        """Learns rows ``n x d`` and their values and weights, each of shape ``n``."""
        self.sample_weight_ = sample_weight
        super().fit(X, y)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predicts rows ``m x d``."""
        if self.sample_weight_ is None:
            return np.asarray(super().predict(X))
        distances, places = self.kneighbors(X)
        weights = self.sample_weight_[places] / np.maximum(distances, LEAST_DISTANCE)
        return np.asarray((weights * self._y[places]).sum(axis=1) / weights.sum(axis=1))
