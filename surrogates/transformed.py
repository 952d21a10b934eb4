"""A surrogate that learns transformed properties and predicts them in their own unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, overload

import numpy as np
import pandas as pd

from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest
from invdesign.core.plugins import ByWord
from invdesign.core.settings import STATE, Real, from_elsewhere, settings
from invdesign.surrogates.base import Surrogate, noise_argument
from invdesign.surrogates.checks import check_values, known_noise
from invdesign.surrogates.features.featurizer import Featurizer
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.surrogates.gaussian_process.views import COMPACT
from invdesign.surrogates.known_rows import KnownRows
from invdesign.surrogates.scikit_learn import ScikitLearnEstimator, as_frame
from invdesign.surrogates.transforms import Transform, TransformName, likeliest, transform

if TYPE_CHECKING:
    from numpy.typing import NDArray


@settings(frozen=False, kw_only=True)
class Transformed(ScikitLearnEstimator):
    """A surrogate of transformed properties: logarithms, log-odds, powers or normal scores.

    Noise that is alike in the logarithm grows with the value; ``noise_std_at`` gives it candidate by candidate. Means
    and standard deviations are those of the property itself, by quadrature over the model's normal distribution.
    """

    surrogate: Annotated[Surrogate, ByWord("surrogate")] = from_elsewhere(default_factory=GaussianProcess)
    """The model of the transformed properties; a copy of it is fitted."""
    transform: Literal["auto", "none", "log", "logit", "yeo-johnson", "rank"] = "auto"
    """``auto``: for each property log, logit (if it has bounds), Yeo-Johnson or none, by the likelihood of its values
    given the features. ``rank``: normal scores, which predict no value beyond the known ones."""
    bounds: dict[str, tuple[Real, Real]] = field(default_factory=dict)
    """For properties between two bounds, such as an efficiency, the least and the greatest value, in their unit."""
    _model: Annotated[Surrogate | None, STATE] = field(default=None, init=False, repr=False, compare=False)
    _names: Annotated[dict[str, TransformName], STATE] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _known: Annotated[KnownRows | None, STATE] = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, (low, high) in self.bounds.items():
            if not low < high:
                raise InputError(
                    f"The bounds of '{name}' must be a smaller and a greater value, not {low:g} and {high:g}."
                )

    def fit(
        self,
        frame: pd.DataFrame,
        y: pd.DataFrame | pd.Series,
        *,
        columns: Sequence[Column] | None = None,
        noise_std: pd.DataFrame | pd.Series | None = None,
    ) -> Self:
        """Chooses the transforms and learns every column of ``y``; see ``Surrogate.fit``.

        Raises:
            InputError: if a transform does not suit the values, or the model cannot be fitted.
        """
        y = as_frame(y)
        check_values(frame, y)
        noise = known_noise(noise_std, y)
        for name in self.bounds:
            if name not in y:
                raise InputError(f"'bounds' refers to unknown property '{name}'.{nearest(name, map(str, y.columns))}")
        vars(self).pop("_transforms", None)
        self._known = KnownRows.of(frame, y, columns, noise)
        self._names = self._chosen(frame, y, columns)
        moved, moved_noise = y.astype(float), None if noise is None else noise.copy()
        for name, one in self._transforms.items():
            known = y[name].notna().to_numpy()
            values = y[name].to_numpy(dtype=np.float64)[known]
            moved.loc[known, name] = one.forward(values)
            if moved_noise is not None:
                moved_noise.loc[known, name] *= one.slope(values)
        fresh: Any = replace(self.surrogate)
        self._model = fresh.fit(frame, moved, columns=columns, **noise_argument(moved_noise))
        return self

    @overload
    def predict(self, frame: pd.DataFrame, *, return_std: Literal[False] = False) -> pd.DataFrame: ...

    @overload
    def predict(self, frame: pd.DataFrame, *, return_std: Literal[True]) -> tuple[pd.DataFrame, pd.DataFrame]: ...

    def predict(
        self, frame: pd.DataFrame, *, return_std: bool = False
    ) -> pd.DataFrame | tuple[pd.DataFrame, pd.DataFrame]:
        """Predicts every property in its own unit; see ``Surrogate.predict``."""
        mean, std = self.model.predict(frame, return_std=True)
        for name, one in self._transforms.items():
            center, spread = one.moments(mean[name].to_numpy(np.float64), std[name].to_numpy(np.float64))
            mean[name], std[name] = center, spread
        return (mean, std) if return_std else mean

    def noise_std(self) -> dict[str, float]:
        """The standard deviation of measuring each property, the root mean square over the known values."""
        known = self._known.values if self._known is not None else pd.DataFrame()
        found = {}
        for name, noise in self.model.noise_std().items():
            values = known[name].dropna().to_numpy(dtype=np.float64)
            found[name] = float(np.sqrt(np.mean(self._noise(name, noise, self._transforms[name].forward(values)) ** 2)))
        return found

    def noise_std_at(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The standard deviation of measuring each property at candidates; see ``NoiseAtCandidates``."""
        mean, noise = self.model.predict(frame), self.model.noise_std()
        return pd.DataFrame(
            {name: self._noise(str(name), noise[str(name)], mean[name].to_numpy(np.float64)) for name in mean},
            index=frame.index,
        )

    def transforms(self) -> dict[str, TransformName]:
        """The name of each property's transform.

        Raises:
            InputError: if the surrogate has not been fitted.
        """
        _ = self.model
        return dict(self._names)

    @property
    def model(self) -> Surrogate:
        """The fitted model of the transformed properties.

        Raises:
            InputError: if the surrogate has not been fitted.
        """
        if self._model is None:
            raise InputError("This Transformed surrogate has not been fitted. Call fit first.")
        return self._model

    def __getstate__(self) -> dict[str, Any]:
        """Without the transforms, which are functions: they follow from their names and the known values."""
        return {name: value for name, value in vars(self).items() if name != "_transforms"}

    @cached_property
    def _transforms(self) -> dict[str, Transform]:
        known = self._known.values if self._known is not None else pd.DataFrame()
        return {
            name: transform(one, known[name].dropna().to_numpy(dtype=np.float64), self.bounds.get(name))
            for name, one in self._names.items()
        }

    def _noise(self, name: str, noise: float, transformed: NDArray[np.float64]) -> NDArray[np.float64]:
        """Noise in the property's unit at transformed values: half of what a standard deviation each way spans."""
        one = self._transforms[name]
        return (one.inverse(transformed + noise) - one.inverse(transformed - noise)) / 2.0

    def _chosen(
        self, frame: pd.DataFrame, y: pd.DataFrame, columns: Sequence[Column] | None
    ) -> dict[str, TransformName]:
        """The name of each property's transform, which suits its values."""
        features = None
        if self.transform == "auto":
            own = getattr(self.surrogate, "features", None)
            features = Featurizer(own if isinstance(own, Features) else COMPACT).fit(frame, columns).transform(frame)
        found: dict[str, TransformName] = {}
        for name in y.columns:
            known = y[name].notna().to_numpy()
            values, bounds = y[name].to_numpy(dtype=np.float64)[known], self.bounds.get(str(name))
            try:
                if features is not None:
                    found[str(name)] = likeliest(features[known], values, bounds).name
                elif self.transform != "auto":
                    found[str(name)] = transform(self.transform, values, bounds).name
            except InputError as error:
                raise InputError(f"Property '{name}': {error}") from None
        return found
