"""Gradient boosting: many shallow trees, each fitted to the residuals of the ones before it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from invdesign.core.settings import bounded, settings
from invdesign.surrogates.conformal import ConformalRegressor


@settings(frozen=False, kw_only=True)
class _Boosting(ConformalRegressor):
    """Boosted trees."""

    n_estimators: int = bounded(default=400, ge=1)
    """Number of trees."""
    max_depth: int = bounded(default=4, ge=1)
    """Largest depth of a tree."""
    learning_rate: float = bounded(default=0.05, gt=0)
    """Factor by which each tree's prediction is multiplied."""


@settings(frozen=False, kw_only=True)
class GradientBoosting(_Boosting):
    """Stochastic gradient boosting with exact splits (scikit-learn; Friedman 2002, doi:10.1016/S0167-9473(01)00065-2).

    Standard deviations by cross-conformal prediction.
    """

    def _estimator(self, features: NDArray[np.float64], values: NDArray[np.float64]) -> Any:
        from sklearn.ensemble import GradientBoostingRegressor

        return GradientBoostingRegressor(
            n_estimators=self.n_estimators,
            max_depth=self.max_depth,
            learning_rate=self.learning_rate,
            subsample=0.8,
            max_features=0.5,
            min_samples_leaf=2,
            random_state=self.seed,
        )


@settings(frozen=False, kw_only=True)
class XGBoost(_Boosting):
    """Regularized boosting (xgboost; Chen and Guestrin 2016, doi:10.1145/2939672.2939785).

    Standard deviations by cross-conformal prediction.
    """

    def _estimator(self, features: NDArray[np.float64], values: NDArray[np.float64]) -> Any:
        from xgboost import XGBRegressor

        return XGBRegressor(
            n_estimators=self.n_estimators,
            max_depth=self.max_depth,
            learning_rate=self.learning_rate,
            subsample=0.8,
            colsample_bytree=0.8,
            tree_method="hist",
            n_jobs=1,
            random_state=self.seed,
        )


@settings(frozen=False, kw_only=True)
class LightGBM(_Boosting):
    """Boosting by histograms and by the best leaf (lightgbm; Ke et al. 2017, NeurIPS 30, 3146).

    Standard deviations by cross-conformal prediction.
    """

    def _estimator(self, features: NDArray[np.float64], values: NDArray[np.float64]) -> Any:
        from lightgbm import LGBMRegressor

        return LGBMRegressor(
            n_estimators=self.n_estimators,
            max_depth=self.max_depth,
            num_leaves=2 ** min(self.max_depth, 10),
            learning_rate=self.learning_rate,
            # Its default of 20 rows per leaf is too large for the small tables of a laboratory.
            min_child_samples=min(5, max(1, len(values) // 10)),
            subsample=0.8,
            subsample_freq=1,
            colsample_bytree=0.8,
            deterministic=True,
            force_row_wise=True,
            n_jobs=1,
            random_state=self.seed,
            verbose=-1,
        )
