"""A decision tree: weak as a predictor, but a rule that can be read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invdesign.surrogates.checks import check_positive
from invdesign.surrogates.conformal import ConformalRegressor


@dataclass(kw_only=True)
class DecisionTree(ConformalRegressor):
    """One regression tree (scikit-learn; Breiman, Friedman, Olshen and Stone 1984, ISBN 978-0-412-04841-8).

    Standard deviations by cross-conformal prediction; they are those of an observed value.

    Attributes:
        leaf: fewest rows that share a leaf.
        depth: most decisions from the root to a leaf. None: as many as the rows allow.
    """

    leaf: int = 3
    depth: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(leaf=self.leaf, depth=self.depth)

    def _estimator(self, features: NDArray[np.float64], values: NDArray[np.float64]) -> Any:
        from sklearn.tree import DecisionTreeRegressor

        return DecisionTreeRegressor(min_samples_leaf=self.leaf, max_depth=self.depth, random_state=self.seed)
