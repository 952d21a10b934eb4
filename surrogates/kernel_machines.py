"""Kernel machines: smooth functions between the known rows, without the Gaussian process's own uncertainty."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from invdesign.core.settings import bounded, settings
from invdesign.surrogates.conformal import ConformalRegressor
from invdesign.surrogates.tuning import tuned

KernelName = Literal["laplacian", "rbf"]
INVERSE_WIDTHS = (0.03, 0.1, 0.3, 1.0, 3.0)
COSTS = (1.0, 10.0, 100.0)
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)


@settings(frozen=False, kw_only=True)
class SupportVector(ConformalRegressor):
    """Support vector regression with a Gaussian kernel (scikit-learn; Smola and Schölkopf 2004).

    Paper: doi:10.1023/B:STCO.0000035301.49549.88. Standard deviations by cross-conformal prediction.
    """

    cost: float | None = bounded(default=None, gt=0)
    """Penalty of an error beyond ``tolerance``. None: chosen by cross-validation."""
    inverse_width: float | None = bounded(default=None, gt=0)
    """Inverse squared width of the kernel, divided by the number of standardized features. None: chosen by
    cross-validation."""
    tolerance: float = bounded(default=0.05, gt=0)
    """Error without penalty, in standard deviations of the property."""

    def _estimator(self, features: NDArray[np.float64], values: NDArray[np.float64]) -> Any:
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import SVR

        choices = {
            "svr__C": COSTS if self.cost is None else (self.cost,),
            "svr__gamma": _per_feature(self.inverse_width, features.shape[1]),
        }
        machine = make_pipeline(StandardScaler(), SVR(epsilon=self.tolerance))
        return tuned(machine, choices, features, values, seed=self.seed)


@settings(frozen=False, kw_only=True)
class KernelRidge(ConformalRegressor):
    """Kernel ridge regression (scikit-learn; Saunders, Gammerman and Vovk 1998, ICML, 515).

    Standard deviations by cross-conformal prediction.
    """

    kernel: KernelName = "laplacian"
    """``laplacian`` for rough properties, ``rbf`` (Gaussian) for smooth ones."""
    penalty: float | None = bounded(default=None, gt=0)
    """Penalty on the norm of the function. None: chosen by cross-validation."""
    inverse_width: float | None = bounded(default=None, gt=0)
    """Inverse squared width of the kernel, divided by the number of standardized features. None: chosen by
    cross-validation."""

    def _estimator(self, features: NDArray[np.float64], values: NDArray[np.float64]) -> Any:
        from sklearn import kernel_ridge
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        choices = {
            "kernelridge__alpha": PENALTIES if self.penalty is None else (self.penalty,),
            "kernelridge__gamma": _per_feature(self.inverse_width, features.shape[1]),
        }
        machine = make_pipeline(StandardScaler(), kernel_ridge.KernelRidge(kernel=self.kernel))
        return tuned(machine, choices, features, values, seed=self.seed)


def _per_feature(inverse_width: float | None, dimension: int) -> list[float]:
    tried = INVERSE_WIDTHS if inverse_width is None else (inverse_width,)
    return [width / max(1, dimension) for width in tried]
