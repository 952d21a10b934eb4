"""Linear models: they need few values if the property is nearly linear in the features."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invdesign.core.settings import bounded, settings
from invdesign.surrogates.conformal import ConformalRegressor
from invdesign.surrogates.tuning import LARGEST

PENALTIES = tuple(float(10.0**power) for power in np.arange(-4, 5, 0.5))


@settings(frozen=False, kw_only=True)
class Ridge(ConformalRegressor):
    """Linear regression with a penalty on squared weights (scikit-learn; Hoerl and Kennard 1970, doi:10.2307/1267351).

    Standard deviations by cross-conformal prediction.
    """

    penalty: float | None = bounded(default=None, gt=0)
    """Weight of the penalty, on standardized features and values. None: chosen by leave-one-out on at most 1000
    rows."""

    def _estimator(self, features: NDArray[np.float64], values: NDArray[np.float64]) -> Any:
        from sklearn import linear_model
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        return make_pipeline(StandardScaler(), linear_model.Ridge(alpha=self._penalty(features, values)))

    def _penalty(self, features: NDArray[np.float64], values: NDArray[np.float64]) -> float:
        if self.penalty is not None:
            return self.penalty
        from sklearn.linear_model import RidgeCV
        from sklearn.preprocessing import StandardScaler

        chosen = np.random.default_rng(self.seed).permutation(len(values))[:LARGEST]
        search = RidgeCV(alphas=PENALTIES).fit(StandardScaler().fit_transform(features[chosen]), values[chosen])
        return float(search.alpha_)


@settings(frozen=False, kw_only=True)
class Lasso(ConformalRegressor):
    """Linear regression that uses few features (scikit-learn; Tibshirani 1996, doi:10.1111/j.2517-6161.1996.tb02080.x).

    Standard deviations by cross-conformal prediction.
    """

    penalty: float | None = bounded(default=None, gt=0)
    """Weight of the absolute weights, on standardized features and values. None: chosen by cross-validation."""

    def _estimator(self, features: NDArray[np.float64], values: NDArray[np.float64]) -> Any:
        from sklearn import linear_model
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        return make_pipeline(
            StandardScaler(), linear_model.Lasso(alpha=self._penalty(features, values), tol=1e-3, max_iter=20_000)
        )

    def _penalty(self, features: NDArray[np.float64], values: NDArray[np.float64]) -> float:
        if self.penalty is not None:
            return self.penalty
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LassoCV
        from sklearn.model_selection import KFold
        from sklearn.preprocessing import StandardScaler

        parts = KFold(min(5, len(values)), shuffle=True, random_state=self.seed)
        with warnings.catch_warnings():
            # The weakest penalties of the path need not converge: they are tried, and seldom the best.
            warnings.simplefilter("ignore", ConvergenceWarning)
            search = LassoCV(alphas=30, cv=parts, tol=1e-3).fit(StandardScaler().fit_transform(features), values)
        return float(search.alpha_)
