"""The one interface behind which every model family stands."""

from __future__ import annotations

from collections.abc import Sequence
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

    def fit(self, frame: pd.DataFrame, y: pd.DataFrame, *, columns: Sequence[Column] | None = None) -> Self:
        """Learns every column of ``y`` from the rows of ``frame``.

        Args:
            frame: candidates, one row each.
            y: property values, one column a property, one row a candidate; NaN where a value is missing.
            columns: what the columns of ``frame`` are; guessed from their types where None.

        Raises:
            InputError: where a property has too few values, or a column cannot be read.
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
            standard deviation is that of the property itself, without the noise of measuring it, where the surrogate
            tells the two apart (it then has a method ``noise_std``); otherwise that of a value as it would be observed.
        """


@runtime_checkable
class ConditionalSurrogate(Surrogate, Protocol):
    """A surrogate that can take further values without being fitted anew: needed to choose batches."""

    def condition_on(self, frame: pd.DataFrame, y: pd.DataFrame) -> Self:
        """Returns a surrogate that also knows these values, with its settings and hyperparameters unchanged.

        Args:
            frame: further candidates.
            y: their values, columns as at ``fit``; NaN where there is none.
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
