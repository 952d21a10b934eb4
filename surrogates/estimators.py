"""Shared base of families that learn from a matrix of features: one model per property, fitted on its known rows.

Types are real here, not postponed: families in other files inherit these settings, and a campaign file's checks read
the types where the family stands.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, Self, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.core.settings import STATE, bounded, settings
from invdesign.surrogates.checks import check_values, known_noise, of_property
from invdesign.surrogates.features.featurizer import Featurizer
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.known_rows import KnownRows
from invdesign.surrogates.noise import RowNoise, learned_noise_std
from invdesign.surrogates.scikit_learn import ScikitLearnEstimator, as_frame
from invdesign.surrogates.validation import Z90

FEWEST_VALUES = 2
FEWEST_TO_LEARN = 5
"""Values from which on there is a relation to learn: one for each fold by which its error is calibrated."""

LEAST_SHARE = 0.2
"""Least part of a new measurement's standard deviation that is the property's, where the noise is an estimate too."""


class PropertyModel(ABC):
    """A fitted model of one property, standardized where it is a number."""

    @abstractmethod
    def predict(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation of a new measurement, each of shape ``n``, for features of shape ``n x d``."""

    def sample(self, features: NDArray[np.float64], samples: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Joint samples of all rows, shape ``samples x n``; rows are independent unless a model knows better."""
        mean, std = self.predict(features)
        return mean + std * rng.standard_normal((samples, len(mean)))


@dataclass(frozen=True)
class Constant(PropertyModel):
    """The same mean and standard deviation everywhere."""

    mean: float
    std: float

    def predict(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return np.full(len(features), self.mean), np.full(len(features), self.std)


@dataclass(frozen=True)
class Learned:
    """A fitted property: a model of its standardized values, the scale, and how much of the spread is noise.

    Attributes:
        model: of the standardized values; its standard deviation is that of a new measurement.
        center: subtracted from the values, in the property's unit.
        spread: divisor of the values, in the property's unit.
        noise: standard deviation of the noise of measuring, of standardized values.
        least_share: least part of the model's standard deviation that is the property's.
    """

    model: PropertyModel
    center: float = 0.0
    spread: float = 1.0
    noise: float = 0.0
    least_share: float = LEAST_SHARE

    def predict(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation, without the noise, in the property's unit, each of shape ``n``."""
        return self.in_unit(*self.model.predict(features))

    def in_unit(
        self, mean: NDArray[np.float64], std: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The model's mean and standard deviation, as ``predict`` gives them; each of shape ``n``."""
        return mean * self.spread + self.center, std * self._noiseless(std) * self.spread

    def sample(self, features: NDArray[np.float64], samples: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Joint samples, without the noise, in the property's unit, shape ``samples x n``."""
        mean, std = self.model.predict(features)
        drawn = self.model.sample(features, samples, rng)
        return (mean + (drawn - mean) * self._noiseless(std)) * self.spread + self.center

    def _noiseless(self, std: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of each standard deviation that remains without the noise."""
        return np.sqrt(np.maximum(1.0 - (self.noise / np.maximum(std, 1e-300)) ** 2, self.least_share**2))


@settings(frozen=False, kw_only=True)
class FeatureSurrogate(ScikitLearnEstimator, ABC):
    """A surrogate that converts candidates to features and fits one model per property.

    The residuals by which a family calibrates its standard deviations hold both noise and model error. The noise is
    estimated apart (see ``noise``) and subtracted: ``predict`` gives what remains, ``noise_std`` what was subtracted.
    """

    features: Features = field(default_factory=Features)
    """The features of the surrogate."""
    seed: int = bounded(default=0, ge=0)
    """Random seed of the fit. The order of the rows does not matter."""
    _featurizer: Annotated[Featurizer | None, STATE] = field(default=None, init=False, repr=False, compare=False)
    _learned: Annotated[dict[str, Learned], STATE] = field(default_factory=dict, init=False, repr=False, compare=False)
    _known: Annotated[KnownRows | None, STATE] = field(default=None, init=False, repr=False, compare=False)

    def fit(
        self,
        frame: pd.DataFrame,
        y: pd.DataFrame | pd.Series,
        *,
        columns: Sequence[Column] | None = None,
        noise_std: pd.DataFrame | pd.Series | None = None,
    ) -> Self:
        """Learns every column of ``y``, each from the rows where it is known; see ``Surrogate.fit``.

        Raises:
            InputError: if a property has fewer than two values, an infinite one or text, or a column cannot be
                read; if ``noise_std`` is invalid.
        """
        y = as_frame(y)
        check_values(frame, y, FEWEST_VALUES)
        noise = known_noise(noise_std, y)
        self._featurizer = Featurizer(self.features).fit(frame, columns)
        features = self._matrix(frame)
        self._learned = self._learn_all(features, y, noise)
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
        features = self._matrix(frame)
        moments = {name: learned.predict(features) for name, learned in self._learned.items()}
        mean = pd.DataFrame({name: pair[0] for name, pair in moments.items()}, index=frame.index)
        if not return_std:
            return mean
        return mean, pd.DataFrame({name: pair[1] for name, pair in moments.items()}, index=frame.index)

    def noise_std(self) -> dict[str, float]:
        """The standard deviation of measuring each property; see ``Surrogate.noise_std``."""
        self._fitted_featurizer()
        return {name: learned.noise * learned.spread for name, learned in self._learned.items()}

    def condition_on(self, frame: pd.DataFrame, y: pd.DataFrame, *, noise_std: pd.DataFrame | None = None) -> Self:
        """Returns a surrogate with these additional values; see ``ConditionalSurrogate.condition_on``.

        It is fitted again to all values, with the same settings and seed.
        """
        if self._known is None:
            raise InputError(f"This {type(self).__name__} has not been fitted. Call fit first.")
        return replace(self).fit(**self._known.with_more(frame, y, noise_std).arguments())

    def _matrix(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        return self._fitted_featurizer().transform(frame)

    def _numbers(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """The features among the columns of a matrix; all, unless a family reads more than numbers."""
        return matrix

    def _fitted_featurizer(self) -> Featurizer:
        if self._featurizer is None:
            raise InputError(f"This {type(self).__name__} has not been fitted. Call fit first.")
        return self._featurizer

    def _learn_all(
        self, features: NDArray[np.float64], y: pd.DataFrame, noise: pd.DataFrame | None
    ) -> dict[str, Learned]:
        """Learns every column of ``y`` from its known rows."""
        learned = {}
        for name in y.columns:
            values = y[name].to_numpy(dtype=np.float64)
            rows = self._known_rows(features, values)
            learned[name] = self._learn(str(name), features[rows], values[rows], of_property(noise, name, rows))
        return learned

    def _known_rows(self, features: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.intp]:
        """The rows in which a property is known, in the order in which they are learned from."""
        rows = np.flatnonzero(~np.isnan(values))
        return rows[canonical_order(self._numbers(features[rows]), values[rows])]

    @abstractmethod
    def _learn(
        self,
        name: str,
        features: NDArray[np.float64],
        values: NDArray[np.float64],
        noise: NDArray[np.float64] | None,
    ) -> Learned:
        """Learns one property from its known values, shapes ``n x d`` and ``n``, and their known noise (or NaN)."""


@settings(frozen=False, kw_only=True)
class Regressor(FeatureSurrogate):
    """A surrogate of properties that are numbers; it sees them standardized, so that their unit does not matter.

    Of a property whose values are all equal it predicts that value. Nothing tells by how much another could differ:
    its standard deviation takes the value's own size (1 where it is 0) for that, and for how likely it is Laplace's
    rule of succession, one in n + 2 after n values. Of two to four values it predicts the mean, with the 90 % interval
    that Student's t gives to a further value: they are too few to learn from and to know the error. In both cases the
    noise is unknown and taken as zero.
    """

    def _learn(
        self,
        name: str,
        features: NDArray[np.float64],
        values: NDArray[np.float64],
        noise: NDArray[np.float64] | None,
    ) -> Learned:
        center, spread = float(values.mean()), float(values.std())
        if np.ptp(values) <= 1e-12 * np.abs(values).max():
            size = abs(center) or 1.0
            return Learned(Constant(0.0, 1.0 / np.sqrt(len(values) + 2.0)), center, size)
        if len(values) < FEWEST_TO_LEARN:
            return Learned(Constant(0.0, _predictive_std(len(values))), center, spread)
        # Rounded, so that the last digits, which depend on the unit, do not decide between equal splits.
        standard = np.round((values - center) / spread, 9)
        if noise is not None:
            rows = RowNoise.of(noise / spread, self._numbers(features), standard)
            return Learned(self._fitted(features, standard, rows), center, spread, rows.further, least_share=0.0)
        model = self._fitted(features, standard, None)
        learned = learned_noise_std(self._numbers(features), standard)
        # Noise is a part of every error, so a family that errs less than it was estimated shows that it is smaller.
        return Learned(model, center, spread, min(learned, float(np.median(model.predict(features)[1]))))

    @abstractmethod
    def _fitted(
        self, features: NDArray[np.float64], values: NDArray[np.float64], noise: RowNoise | None
    ) -> PropertyModel:
        """Fits a model on standardized values, shapes ``n x d`` and ``n``.

        Args:
            features: of the known rows.
            values: standardized.
            noise: of each value, if some of it is known: rows are weighted by it.
        """


def _predictive_std(count: int) -> float:
    """The half-width of Student's 90 % interval for a further value over 1.645, of standardized values."""
    from scipy.stats import t

    return float(t.ppf(0.95, count - 1) * np.sqrt((count + 1.0) / (count - 1.0)) / Z90)


def canonical_order(features: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.int64]:
    """An order of rows that does not depend on the order in which they came, so that folds and draws do not either."""
    rows = np.ascontiguousarray(np.column_stack([features, values]))
    return np.argsort(rows.view(f"V{rows.itemsize * rows.shape[1]}").ravel(), kind="stable")
