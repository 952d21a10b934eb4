"""Gaussian process: a smooth model that knows how unsure it is, strong from a handful of values on."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self, overload

import numpy as np
import pandas as pd

from surrogates.columns import Column
from surrogates.errors import InputError, nearest
from surrogates.features.featurizer import Featurizer

if TYPE_CHECKING:
    from botorch.models import ModelListGP
    from numpy.typing import NDArray

    from surrogates.gaussian_process_model import PropertyModel

KernelName = Literal["matern-1.5", "matern-2.5", "rbf"]
FEWEST_VALUES = 2


@dataclass
class GaussianProcess:
    """A Gaussian process a property (gpytorch), on features built from the candidates' columns.

    Numbers are scaled to their bounds, categories one-hot, molecules the leading principal components of their RDKit
    descriptors. Lengthscales have the dimension-scaled prior of Hvarfner, Hellsten and Nardi (2024), so that it works
    from a few values on; noise is learned.

    Attributes:
        kernel: covariance function; ``matern-2.5`` suits most properties.
        ard: whether each feature has a lengthscale of its own. None: where there are at most 20 features and no
            molecule, whose components are many and share one scale.
        components: principal components of a molecule column.
    """

    kernel: KernelName = "matern-2.5"
    ard: bool | None = None
    components: int = 15
    _featurizer: Featurizer | None = field(default=None, init=False, repr=False, compare=False)
    _models: dict[str, PropertyModel] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = ("matern-1.5", "matern-2.5", "rbf")
        if self.kernel not in known:
            raise InputError(f"There is no kernel '{self.kernel}'.{nearest(str(self.kernel), known)}")
        if self.components < 1:
            raise InputError(f"At least one component is needed, not {self.components}.")

    def fit(self, frame: pd.DataFrame, y: pd.DataFrame, *, columns: Sequence[Column] | None = None) -> Self:
        """Learns every column of ``y``; see ``Surrogate.fit``.

        Raises:
            InputError: where a property has fewer than two values, an infinite one, or a column cannot be read.
        """
        from surrogates.gaussian_process_model import PropertyModel

        _check_values(frame, y)
        self._featurizer = Featurizer(self.components).fit(frame, columns)
        features = self._featurizer.transform(frame)
        ard = self._wants_ard(features.shape[1])
        self._models = {}
        for name in y.columns:
            values = y[name].to_numpy(dtype=np.float64)
            known = ~np.isnan(values)
            self._models[name] = PropertyModel.fitted(features[known], values[known], kernel=self.kernel, ard=ard)
        return self

    @overload
    def predict(self, frame: pd.DataFrame, *, return_std: Literal[False] = False) -> pd.DataFrame: ...

    @overload
    def predict(self, frame: pd.DataFrame, *, return_std: Literal[True]) -> tuple[pd.DataFrame, pd.DataFrame]: ...

    def predict(
        self, frame: pd.DataFrame, *, return_std: bool = False
    ) -> pd.DataFrame | tuple[pd.DataFrame, pd.DataFrame]:
        """Predicts every property; see ``Surrogate.predict``."""
        features = self.features(frame)
        moments = {name: model.predict(features) for name, model in self._models.items()}
        mean = pd.DataFrame({name: pair[0] for name, pair in moments.items()}, index=frame.index)
        if not return_std:
            return mean
        return mean, pd.DataFrame({name: pair[1] for name, pair in moments.items()}, index=frame.index)

    def noise_std(self) -> dict[str, float]:
        """The learned standard deviation of measuring each property, in its unit."""
        return {name: model.noise_std for name, model in self._models.items()}

    def condition_on(self, frame: pd.DataFrame, y: pd.DataFrame) -> Self:
        """Returns a Gaussian process that also knows these values; see ``ConditionalSurrogate.condition_on``."""
        features = self.features(frame)
        wiser = copy(self)
        models = {}
        for name, model in self._models.items():
            values = y[name].to_numpy(dtype=np.float64)
            known = ~np.isnan(values)
            models[name] = model.conditioned(features[known], values[known]) if known.any() else model
        vars(wiser)["_models"] = models
        return wiser

    def features(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """The features of candidates, shape ``n x d``.

        Raises:
            InputError: where the surrogate has not been fitted, or a column cannot be read.
        """
        if self._featurizer is None:
            raise InputError("This Gaussian process has not been fitted. Call fit first.")
        return self._featurizer.transform(frame)

    def botorch_model(self, properties: Sequence[str]) -> ModelListGP:
        """The properties as one BoTorch model over features, in the properties' own units, for its acquisitions."""
        from surrogates.gaussian_process_model import botorch_model

        return botorch_model([self._models[name] for name in properties])

    def _wants_ard(self, dimension: int) -> bool:
        if self.ard is not None:
            return self.ard
        kinds = {column.kind for column in self._featurizer.columns} if self._featurizer else set()
        return dimension <= 20 and "molecule" not in kinds


def _check_values(frame: pd.DataFrame, y: pd.DataFrame) -> None:
    if len(frame) != len(y):
        raise InputError(f"There are {len(frame)} candidates and {len(y)} rows of values.")
    if not len(y.columns):
        raise InputError("There is no property to learn: y has no columns.")
    for name in y.columns:
        try:
            values = y[name].to_numpy(dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError(f"Property '{name}' holds text where a number is needed.") from None
        if np.isinf(values).any():
            raise InputError(f"Property '{name}' is infinite in row {y.index[np.isinf(values)][0]}.")
        count = int((~np.isnan(values)).sum())
        if count < FEWEST_VALUES:
            raise InputError(f"Property '{name}' has {count} values; at least {FEWEST_VALUES} are needed to learn it.")
