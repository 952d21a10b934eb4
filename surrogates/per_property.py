"""A surrogate of its own for each property: a regression for one, a classifier for another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import field, replace
from typing import Annotated, Any, Literal, Self, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from invdesign.core.classes import class_property
from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest
from invdesign.core.plugins import ByWord
from invdesign.core.settings import STATE, settings
from invdesign.surrogates.base import (
    CalibratedSurrogate,
    ConditionalSurrogate,
    JointSurrogate,
    Surrogate,
    noise_argument,
)
from invdesign.surrogates.checks import check_values, known_noise
from invdesign.surrogates.classifiers import RandomForestClassifier
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.surrogates.known_rows import KnownRows


@settings(frozen=False)
class PerProperty:
    """Fits each property by the surrogate of its name.

    A property without one gets the default of its kind: a class (``structure=layered``) a random forest classifier,
    a number a Gaussian process. The classes of one property share one surrogate, under the property's name.

    Example:
        >>> PerProperty({"voltage": GaussianProcess(), "stable": LogisticRegression()})
    """

    surrogates: Annotated[dict[str, Annotated[Surrogate, ByWord("surrogate")]], Field(min_length=1)]
    """The surrogate of each property by name; copies of them are fitted."""
    _fitted: Annotated[list[tuple[tuple[str, ...], Surrogate]], STATE] = field(
        default_factory=list, init=False, repr=False, compare=False
    )
    _known: Annotated[KnownRows | None, STATE] = field(default=None, init=False, repr=False, compare=False)

    def check_names(self, names: Sequence[str]) -> None:
        """Checks that every surrogate is for a property that exists.

        Args:
            names: of the properties.

        Raises:
            InputError: naming the unknown property and the nearest one.
        """
        known = list(dict.fromkeys([*names, *map(class_property, names)]))
        for name in self.surrogates:
            if name not in known:
                raise InputError(f"'surrogate' refers to unknown property '{name}'.{nearest(name, known)}")

    def surrogate_of(self, name: str) -> Surrogate:
        """The surrogate of a property, unfitted: its own, that of its classes, or the default of its kind."""
        found = self.surrogates.get(name, self.surrogates.get(class_property(name)))
        if found is not None:
            return found
        return RandomForestClassifier() if class_property(name) != name else GaussianProcess()

    def fit(
        self,
        frame: pd.DataFrame,
        y: pd.DataFrame,
        *,
        columns: Sequence[Column] | None = None,
        noise_std: pd.DataFrame | None = None,
    ) -> Self:
        """Learns every column of ``y``, each by its surrogate from the rows where it is known; see ``Surrogate.fit``.

        Raises:
            InputError: if a property has too few values for its surrogate, or a column cannot be read.
        """
        check_values(frame, y, fewest=1)
        noise = known_noise(noise_std, y)
        parts: dict[str, list[str]] = {}
        for name in map(str, y.columns):
            parts.setdefault(name if name in self.surrogates else class_property(name), []).append(name)
        self._fitted = []
        for names in parts.values():
            rows = y[names].notna().any(axis=1).to_numpy()
            model = _unfitted(self.surrogate_of(names[0])).fit(
                frame[rows], y.loc[rows, names], columns=columns, **_noise_of(noise, rows, names)
            )
            self._fitted.append((tuple(names), model))
        self._known = KnownRows.of(frame, y, columns, noise)
        return self

    @overload
    def predict(self, frame: pd.DataFrame, *, return_std: Literal[False] = False) -> pd.DataFrame: ...

    @overload
    def predict(self, frame: pd.DataFrame, *, return_std: Literal[True]) -> tuple[pd.DataFrame, pd.DataFrame]: ...

    def predict(
        self, frame: pd.DataFrame, *, return_std: bool = False
    ) -> pd.DataFrame | tuple[pd.DataFrame, pd.DataFrame]:
        """Predicts every property; see ``Surrogate.predict``."""
        found = [model.predict(frame, return_std=True) for model in self._models.values()]
        mean = pd.concat([pair[0] for pair in found], axis=1)[self._names]
        return (mean, pd.concat([pair[1] for pair in found], axis=1)[self._names]) if return_std else mean

    def noise_std(self) -> dict[str, float]:
        """The standard deviation of measuring each property; see ``Surrogate.noise_std``."""
        return {name: std for model in self._models.values() for name, std in model.noise_std().items()}

    def condition_on(self, frame: pd.DataFrame, y: pd.DataFrame, *, noise_std: pd.DataFrame | None = None) -> Self:
        """Returns a surrogate with these additional values; those that cannot be conditioned are fitted again."""
        if self._known is None:
            raise InputError("This PerProperty has not been fitted. Call fit first.")
        new, known = known_noise(noise_std, y), self._known.with_more(frame, y, noise_std)
        candidates, everything, columns, noise = known.arguments().values()
        models: dict[tuple[str, ...], Surrogate] = {}
        for names, model in self._models.items():
            part = list(names)
            rows = everything[part].notna().any(axis=1).to_numpy()
            models[names] = (
                model.condition_on(frame, y[part], **_noise_of(new, np.ones(len(y), dtype=bool), part))
                if isinstance(model, ConditionalSurrogate)
                else _unfitted(model).fit(
                    candidates[rows], everything.loc[rows, part], columns=columns, **_noise_of(noise, rows, part)
                )
            )
        wiser = copy(self)
        vars(wiser).update(_fitted=list(models.items()), _known=known)
        return wiser

    def posterior(
        self, frame: pd.DataFrame, *, samples: int, rng: np.random.Generator
    ) -> dict[str, NDArray[np.float64]]:
        """Joint samples; see ``JointSurrogate``. Rows of a surrogate without joint samples are independent."""
        found: dict[str, NDArray[np.float64]] = {}
        for names, model in self._models.items():
            if isinstance(model, JointSurrogate):
                found |= model.posterior(frame, samples=samples, rng=rng)
                continue
            mean, std = model.predict(frame, return_std=True)
            for name in names:
                draws = rng.standard_normal((samples, len(frame)))
                found[name] = mean[name].to_numpy() + std[name].to_numpy() * draws
        return {name: found[name] for name in self._names}

    def uncalibrated(self) -> PerProperty:
        """An unfitted copy whose standard deviations are not corrected; see ``CalibratedSurrogate``."""
        plain = {
            name: one.uncalibrated() if isinstance(one, CalibratedSurrogate) else one
            for name, one in self.surrogates.items()
        }
        return PerProperty(plain)

    @property
    def _models(self) -> Mapping[tuple[str, ...], Surrogate]:
        if not self._fitted:
            raise InputError("This PerProperty has not been fitted. Call fit first.")
        return dict(self._fitted)

    @property
    def _names(self) -> list[str]:
        known = [name for names in self._models for name in names]
        return list(self._known.y) if self._known is not None else known


def _unfitted(surrogate: Surrogate) -> Surrogate:
    settings_: Any = surrogate  # by the Surrogate protocol a dataclass, which typing cannot say
    fresh: Surrogate = replace(settings_)
    return fresh


def _noise_of(noise: pd.DataFrame | None, rows: NDArray[np.bool_], names: list[str]) -> dict[str, pd.DataFrame]:
    return noise_argument(None if noise is None else noise.loc[rows, names])
