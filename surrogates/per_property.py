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
from invdesign.surrogates.base import CalibratedSurrogate, ConditionalSurrogate, JointSurrogate, Surrogate
from invdesign.surrogates.checks import check_values
from invdesign.surrogates.classifiers import RandomForestClassifier
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess


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
    _fitted: Annotated[dict[tuple[str, ...], Surrogate], STATE] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _known: Annotated[tuple[pd.DataFrame, pd.DataFrame, Sequence[Column] | None] | None, STATE] = field(
        default=None, init=False, repr=False, compare=False
    )

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

        Known noise is passed on to the surrogates whose properties have any.

        Raises:
            InputError: if a property has too few values for its surrogate, or a column cannot be read.
        """
        check_values(frame, y, fewest=1)
        parts: dict[str, list[str]] = {}
        for name in map(str, y.columns):
            parts.setdefault(name if name in self.surrogates else class_property(name), []).append(name)
        self._fitted = {}
        for names in parts.values():
            rows = y[names].notna().any(axis=1).to_numpy()
            model: Any = _unfitted(self.surrogate_of(names[0]))
            more = _noise_of(noise_std, names, rows)
            self._fitted[tuple(names)] = model.fit(frame[rows], y.loc[rows, names], columns=columns, **more)
        self._known = (frame, y, columns)
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

    def condition_on(self, frame: pd.DataFrame, y: pd.DataFrame) -> Self:
        """Returns a surrogate with these additional values; those that cannot be conditioned are fitted again."""
        self._names  # noqa: B018 - raises if there is nothing to condition
        before, values, columns = self._known or (frame, y, None)
        candidates = pd.concat([before, frame], ignore_index=True)
        everything = pd.concat([values, y], ignore_index=True)
        models: dict[tuple[str, ...], Surrogate] = {}
        for names, model in self._models.items():
            part = list(names)
            rows = everything[part].notna().any(axis=1).to_numpy()
            models[names] = (
                model.condition_on(frame, y[part])
                if isinstance(model, ConditionalSurrogate)
                else _unfitted(model).fit(candidates[rows], everything.loc[rows, part], columns=columns)
            )
        wiser = copy(self)
        vars(wiser).update(_fitted=models, _known=(candidates, everything, columns))
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
        return self._fitted

    @property
    def _names(self) -> list[str]:
        known = [name for names in self._models for name in names]
        order = list(self._known[1].columns) if self._known is not None else known
        return [str(name) for name in order]


def _noise_of(noise_std: pd.DataFrame | None, names: list[str], rows: NDArray[np.bool_]) -> dict[str, pd.DataFrame]:
    """The argument with the known noise of some properties; left out if none is known."""
    if noise_std is None:
        return {}
    mine = noise_std.loc[rows, [name for name in names if name in noise_std]]
    return {"noise_std": mine} if mine.notna().any(axis=None) else {}


def _unfitted(surrogate: Surrogate) -> Surrogate:
    settings_: Any = surrogate  # by the Surrogate protocol a dataclass, which typing cannot say
    fresh: Surrogate = replace(settings_)
    return fresh
