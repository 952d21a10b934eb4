"""The interface behind which every model family stands, and what a surrogate may be able to do beyond it.

Capabilities are protocols of their own: an optimizer asks whether a surrogate has one, never of which class it is, so
that a Gaussian process of another library gets the same look-ahead, batches and gradients as ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self, overload, runtime_checkable

import numpy as np
import pandas as pd

from invdesign.core.columns import Column

if TYPE_CHECKING:
    from numpy.typing import NDArray


@runtime_checkable
class Surrogate(Protocol):
    """A model of properties, learned from candidates and their values; in scikit-learn's conventions.

    The constructor only keeps settings; ``fit`` learns and returns the surrogate itself. A surrogate is a dataclass, so
    ``dataclasses.replace(surrogate)`` gives an unfitted one of the same settings.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def fit(
        self,
        frame: pd.DataFrame,
        y: pd.DataFrame,
        *,
        columns: Sequence[Column] | None = None,
        noise_std: pd.DataFrame | None = None,
    ) -> Self:
        """Learns every column of ``y`` from the rows of ``frame``.

        Args:
            frame: candidates, one row each.
            y: property values, one column a property, one row a candidate; NaN where a value is missing.
            columns: what the columns of ``frame`` are; guessed from their types where None.
            noise_std: known standard deviation of each value, such as the standard error of a mean, in its unit; rows
                as ``y``, any of its columns; NaN where it is unknown, which is learned. None: all unknown.

        Raises:
            InputError: where a property has too few values, or a column cannot be read; where ``noise_std`` has other
                rows or properties, or is negative or infinite.
        """

    @overload
    def predict(self, frame: pd.DataFrame, *, return_std: Literal[False] = False) -> pd.DataFrame: ...

    @overload
    def predict(self, frame: pd.DataFrame, *, return_std: Literal[True]) -> tuple[pd.DataFrame, pd.DataFrame]: ...

    def predict(
        self, frame: pd.DataFrame, *, return_std: bool = False
    ) -> pd.DataFrame | tuple[pd.DataFrame, pd.DataFrame]:
        """Predicts every property for candidates.

        Args:
            frame: candidates, one row each.
            return_std: whether to give standard deviations too.

        Returns:
            Means, one column a property, with the index of ``frame``; with ``return_std`` a pair of such frames. The
            standard deviation is that of the property itself, without the noise of measuring it. That of a new
            measurement is ``measurement_std(surrogate, std)``.
        """

    def noise_std(self) -> Mapping[str, float]:
        """The standard deviation of measuring each property, in its unit; 0 if values are exact.

        It is learned from the values of unknown noise, and that of the values (root mean square) if all are known.

        Raises:
            InputError: if the surrogate has not been fitted.
        """


def noise_argument(noise_std: pd.DataFrame | None) -> dict[str, pd.DataFrame]:
    """The argument ``noise_std`` of ``fit``, left out if no noise is known: a plain surrogate need not take it."""
    known = noise_std is not None and noise_std.notna().to_numpy().any()
    return {"noise_std": noise_std} if noise_std is not None and known else {}


def measurement_std(surrogate: Surrogate, std: pd.DataFrame) -> pd.DataFrame:
    """Standard deviations of new measurements: those of the properties and of the noise together.

    Args:
        surrogate: a fitted one.
        std: standard deviations of the properties, as its ``predict`` gives them.
    """
    noise = surrogate.noise_std()
    return pd.DataFrame({name: np.hypot(std[name], noise[str(name)]) for name in std}, index=std.index)


@runtime_checkable
class NoiseAtCandidates(Surrogate, Protocol):
    """A surrogate whose noise differs from candidate to candidate, such as noise that grows with the value."""

    def noise_std_at(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The standard deviation of measuring each property of candidates, shapes as ``predict``'s."""


@runtime_checkable
class ConditionalSurrogate(Surrogate, Protocol):
    """A surrogate that can take further values without being fitted anew: needed to choose batches."""

    def condition_on(self, frame: pd.DataFrame, y: pd.DataFrame, *, noise_std: pd.DataFrame | None = None) -> Self:
        """Returns a surrogate that also knows these values, with its settings and hyperparameters unchanged.

        Args:
            frame: further candidates.
            y: their values, columns as at ``fit``; NaN where there is none.
            noise_std: known standard deviation of each value, as at ``fit``.
        """


@runtime_checkable
class JointSurrogate(Surrogate, Protocol):
    """A surrogate that can draw the properties of several candidates together, not only one by one."""

    def posterior(
        self, frame: pd.DataFrame, *, samples: int, rng: np.random.Generator
    ) -> dict[str, NDArray[np.float64]]:
        """Draws what the properties may be, with the mean and the standard deviation that ``predict`` gives.

        Args:
            frame: candidates, one row each.
            samples: how many draws.
            rng: source of randomness.

        Returns:
            For each property an array of shape ``samples x n``; a row is one possible world.
        """


@runtime_checkable
class CovarianceSurrogate(Surrogate, Protocol):
    """A surrogate whose joint posterior is normal, with a covariance in closed form: needed to look ahead.

    What a value of one candidate would change of the prediction for another follows from these covariances.
    """

    def posterior_covariance(self, first: pd.DataFrame, second: pd.DataFrame) -> Mapping[str, NDArray[np.float64]]:
        """The covariance between the properties of two sets of candidates, given the known values.

        Args:
            first: candidates, ``n`` rows.
            second: candidates, ``m`` rows.

        Returns:
            For each property an array of shape ``n x m`` in the square of its unit, without the noise of measuring.
            Where both sets are the same, its diagonal is the square of the standard deviation that ``predict`` gives.
        """


@dataclass(frozen=True)
class MomentGradients:
    """Predictive moments of one property and their gradients by the features.

    Attributes:
        mean: shape ``n``, in the property's unit.
        std: standard deviation, shape ``n``, in the property's unit, without the noise of measuring.
        mean_gradient: shape ``n x d``, in the property's unit per unit of the feature.
        std_gradient: the same of the standard deviation.
    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    mean_gradient: NDArray[np.float64]
    std_gradient: NDArray[np.float64]


@runtime_checkable
class DifferentiableSurrogate(Surrogate, Protocol):
    """A surrogate with gradients of its predictive moments: acquisition functions are then optimized along them.

    Gradients are by features, of which a column of numbers is one: the number scaled to 0 to 1 between its bounds
    (between their logarithms where the column is logarithmic), as in the search space's unit cube.
    """

    def transform(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """The features of candidates, shape ``n x d``."""

    def feature_index(self, column: str) -> int | None:
        """The index of a column of numbers among the features; None if its feature is not the number scaled.

        Raises:
            InputError: where the surrogate has not been fitted, or was not fitted on such a column of numbers.
        """

    def moment_gradients(self, features: NDArray[np.float64], properties: Sequence[str]) -> Sequence[MomentGradients]:
        """Moments of properties and their gradients.

        Args:
            features: shape ``n x d``, as ``transform`` gives them, some of them changed.
            properties: their names; the result is in this order.
        """


@runtime_checkable
class MultiFidelitySurrogate(CovarianceSurrogate, Protocol):
    """A surrogate that can learn the values of all fidelities together, and how they vary together.

    Its ``posterior_covariance`` is then that between fidelities too, for rows that differ in the fidelity's column:
    needed to choose the fidelity at which a candidate is evaluated.
    """

    def learns_fidelities(self) -> bool:
        """Whether it does so with these settings; known before it is fitted."""


@runtime_checkable
class LeaveOneOutSurrogate(Surrogate, Protocol):
    """A surrogate that can predict each known value from nearly all others without as many fits as there are values.

    Cross-validation in a few parts predicts from fewer rows than there are, which makes a family whose error falls
    steeply with rows look worse than it is.
    """

    def leave_one_out(
        self,
        frame: pd.DataFrame,
        y: pd.DataFrame,
        *,
        columns: Sequence[Column] | None = None,
        noise_std: pd.DataFrame | None = None,
        folds: int = 5,
        rng: np.random.Generator,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Predicts each value by a model that does not know it; the surrogate itself is not fitted.

        Args:
            frame: as for ``fit``.
            y: as for ``fit``.
            columns: as for ``fit``.
            noise_std: as for ``fit``.
            folds: in how many parts rows are left out where hyperparameters are fitted, if the family has any.
            rng: decides which row falls into which part.

        Returns:
            Means and standard deviations of new measurements (noise included), shaped as ``y``; NaN where the value is
            missing.

        Raises:
            InputError: as ``fit``.
        """


@runtime_checkable
class CalibratedSurrogate(Surrogate, Protocol):
    """A surrogate that corrects its standard deviations by the known values, and can leave that out.

    Values that a search has chosen are few and alike: corrected by them, a model is too sure of itself to explore.
    """

    def uncalibrated(self) -> Surrogate:
        """An unfitted copy of the same settings, whose standard deviations are not corrected."""
