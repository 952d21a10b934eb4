"""What scikit-learn's tools need of a surrogate: parameters, clones, a score, and one property as a Series."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from invdesign.core.settings import setting_names

if TYPE_CHECKING:
    from sklearn.utils import Tags

ONLY = "y"
"""Name of a property that is given as a Series without a name."""


class ScikitLearnEstimator:
    """Mixin of surrogates, so that ``clone``, ``cross_val_score`` and ``GridSearchCV`` of scikit-learn take them.

    Columns that are molecules or formulas are described by ``columns``: ``cross_val_score(surrogate, frame, y,
    params={"columns": space.columns})``.
    """

    def get_params(self, *, deep: bool = True) -> dict[str, Any]:
        """The settings by name; ``deep`` has no effect, because settings are not estimators."""
        return {name: getattr(self, name) for name in setting_names(type(self))}

    def set_params(self, **settings: Any) -> Self:
        """Sets settings, and returns the surrogate.

        Raises:
            InputError: if a setting is unknown or its value invalid.
        """
        made: Any = replace(self, **settings)  # type: ignore[type-var]  # every surrogate is a dataclass
        for name in settings:
            setattr(self, name, getattr(made, name))
        return self

    def score(self, frame: pd.DataFrame, y: pd.DataFrame | pd.Series) -> float:
        """The share of the variance that predictions explain (R2), the mean over the properties.

        Args:
            frame: candidates, one row each.
            y: their values; NaN where one is missing.
        """
        known = as_frame(y)
        predicted: pd.DataFrame = self.predict(frame)  # type: ignore[attr-defined]  # of the surrogate
        error = ((known - predicted) ** 2).sum()
        return float(np.mean(1.0 - error / ((known - known.mean()) ** 2).sum()))

    def __sklearn_clone__(self) -> Self:
        """An unfitted surrogate of the same settings."""
        made: Self = replace(self)  # type: ignore[type-var]
        return made

    def __sklearn_tags__(self) -> Tags:
        """A regressor: classes are predicted by their probability."""
        from sklearn.utils import RegressorTags, Tags, TargetTags

        return Tags(estimator_type="regressor", target_tags=TargetTags(required=True), regressor_tags=RegressorTags())


def as_frame(y: pd.DataFrame | pd.Series) -> pd.DataFrame:
    """Returns values as a frame with one column per property, also of a single property given as a Series."""
    if isinstance(y, pd.Series):
        return y.to_frame(ONLY if y.name is None else y.name)
    return y
