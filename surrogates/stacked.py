"""Several surrogates whose predictions are averaged, weighted by what they predict of rows held out (stacking)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, overload

import numpy as np
import pandas as pd

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.core.plugins import ByWord
from invdesign.core.settings import STATE, bounded, from_elsewhere, settings
from invdesign.surrogates.base import LeaveOneOutSurrogate, Surrogate, noise_argument
from invdesign.surrogates.checks import check_values, known_noise
from invdesign.surrogates.forests import RandomForest
from invdesign.surrogates.gaussian_process.model import stretch
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.surrogates.scikit_learn import ScikitLearnEstimator, as_frame
from invdesign.surrogates.validation import held_out_predictions, total_std

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_VALUES = 10
"""Values of a property from which weights are learned; with fewer the members weigh alike."""


BOOTSTRAP_SAMPLES = 50
"""Samples of the rows over which weights are averaged; their mean then varies by a seventh of what one does."""


@dataclass(frozen=True)
class Weights:
    """How the members' predictions of a property are combined.

    Attributes:
        shares: of the members, which sum to one.
        scale: of the standard deviations.
    """

    shares: NDArray[np.float64]
    scale: float

    def combined(
        self, means: NDArray[np.float64], stds: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation of the mixture of normal predictions, ``members x n`` to ``n`` each."""
        mean = self.shares @ means
        return mean, self.scale * np.sqrt(self.shares @ (stds**2 + (means - mean) ** 2))


@settings(frozen=False, kw_only=True)
class Stacked(ScikitLearnEstimator):
    """The weighted mean of several surrogates (Wolpert 1992, doi:10.1016/S0893-6080(05)80023-1; Breiman 1996).

    The weights of each property are not negative, sum to one, and make the squared error of predictions of known values
    smallest, averaged over bootstrap samples of the rows, because those of few rows are noisy. A value is predicted
    from all others where every member can do so (see ``LeaveOneOutSurrogate``), as Gaussian processes and forests can,
    and otherwise by cross-validation. The latter's fits know fewer rows, which of small, smooth tables makes Gaussian
    processes look worse than they are. The standard deviation is that of the mixture of the members' predictions,
    scaled so that nine of ten of these values lie within their 90 % intervals.

    On 15 small development tables (``benchmarks/small_tables.py``, two splits) the error is on average 1.00 times that
    of the best of the three default members, and 1.09 times at worst; by cross-validation in five parts and one fit of
    the weights it was 1.03 and 1.21 times. Weights by the density of the predictions (Yao et al. 2018,
    doi:10.1214/17-BA1091) were better on some tables and as much worse on others.
    """

    members: tuple[Annotated[Surrogate, ByWord("surrogate")], ...] = from_elsewhere(
        default_factory=lambda: (
            GaussianProcess(ard=False, calibrate=False),
            GaussianProcess(ard=True, calibrate=False),
            RandomForest(),
        )
    )
    """The surrogates to average, two or more. By default Gaussian processes with one length scale and with one for each
    number, and a random forest: none of them is calibrated twice."""
    folds: int = bounded(default=5, ge=2)
    """Parts of the rows, without each of which the members, or their hyperparameters, are fitted."""
    seed: int = bounded(default=0, ge=0)
    """Decides which row falls into which part, and the bootstrap samples."""
    _fitted: Annotated[tuple[Surrogate, ...], STATE] = field(default=(), init=False, repr=False, compare=False)
    _weights: Annotated[dict[str, Weights], STATE] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.members) < 2:
            raise InputError(f"'members' must be two surrogates or more, not {len(self.members)}.")

    def fit(
        self,
        frame: pd.DataFrame,
        y: pd.DataFrame | pd.Series,
        *,
        columns: Sequence[Column] | None = None,
        noise_std: pd.DataFrame | pd.Series | None = None,
    ) -> Self:
        """Learns the weights, and every column of ``y`` by every member; see ``Surrogate.fit``.

        Raises:
            InputError: if a member cannot be fitted.
        """
        y = as_frame(y)
        check_values(frame, y)
        noise = known_noise(noise_std, y)
        enough = [name for name in y.columns if y[name].notna().sum() >= max(FEWEST_VALUES, self.folds)]
        equal = Weights(np.full(len(self.members), 1.0 / len(self.members)), 1.0)
        self._weights = {str(name): equal for name in y.columns}
        if enough:
            held = self._held_out(frame, y[enough], columns, None if noise is None else noise[enough])
            for name in enough:
                known = y[name].notna().to_numpy()
                means, stds = (
                    np.stack([one[part][name].to_numpy(np.float64)[known] for one in held]) for part in (0, 1)
                )
                observed = y[name].to_numpy(np.float64)[known]
                self._weights[str(name)] = _learned(means, stds, observed, np.random.default_rng(self.seed))
        fresh: list[Any] = [replace(member) for member in self.members]
        self._fitted = tuple(one.fit(frame, y, columns=columns, **noise_argument(noise)) for one in fresh)
        return self

    def _held_out(
        self,
        frame: pd.DataFrame,
        y: pd.DataFrame,
        columns: Sequence[Column] | None,
        noise: pd.DataFrame | None,
    ) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
        """Means and standard deviations (noise included) of the known values by each member, shaped as ``y``."""
        able = [member for member in self.members if isinstance(member, LeaveOneOutSurrogate)]
        # All in the same way: from fewer rows a member would be put at a disadvantage.
        if len(able) == len(self.members):
            return [
                member.leave_one_out(
                    frame, y, columns=columns, noise_std=noise, folds=self.folds, rng=np.random.default_rng(self.seed)
                )
                for member in able
            ]
        return [
            _as_frames(
                held_out_predictions(
                    member,
                    frame,
                    y,
                    columns=columns,
                    folds=self.folds,
                    rng=np.random.default_rng(self.seed),
                    noise_std=noise,
                ),
                y,
            )
            for member in self.members
        ]

    @overload
    def predict(self, frame: pd.DataFrame, *, return_std: Literal[False] = False) -> pd.DataFrame: ...

    @overload
    def predict(self, frame: pd.DataFrame, *, return_std: Literal[True]) -> tuple[pd.DataFrame, pd.DataFrame]: ...

    def predict(
        self, frame: pd.DataFrame, *, return_std: bool = False
    ) -> pd.DataFrame | tuple[pd.DataFrame, pd.DataFrame]:
        """Predicts every property; see ``Surrogate.predict``."""
        moments = [member.predict(frame, return_std=True) for member in self._ready()]
        mean, std = moments[0][0].copy(), moments[0][1].copy()
        for name, weights in self._weights.items():
            means, stds = (np.stack([one[part][name].to_numpy(np.float64) for one in moments]) for part in (0, 1))
            mean[name], std[name] = weights.combined(means, stds)
        return (mean, std) if return_std else mean

    def noise_std(self) -> dict[str, float]:
        """The noise that the members learned, combined as their standard deviations; see ``Surrogate.noise_std``."""
        learned = [member.noise_std() for member in self._ready()]
        return {
            name: weights.scale * float(np.sqrt(weights.shares @ np.square([one[name] for one in learned])))
            for name, weights in self._weights.items()
        }

    def weights(self) -> pd.DataFrame:
        """The weight of each member (rows, in their order) in each property (columns).

        Raises:
            InputError: if the surrogate has not been fitted.
        """
        self._ready()
        return pd.DataFrame({name: weights.shares for name, weights in self._weights.items()})

    def _ready(self) -> tuple[Surrogate, ...]:
        if not self._fitted:
            raise InputError("This Stacked surrogate has not been fitted. Call fit first.")
        return self._fitted


def _as_frames(held: pd.DataFrame, y: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Held-out predictions, one row a value in the order of the rows, as means and standard deviations like ``y``."""
    means, stds = (pd.DataFrame(np.nan, index=y.index, columns=y.columns) for _ in range(2))
    for place, name in enumerate(y.columns):
        part = held[held["property"] == name]
        rows = np.flatnonzero(y[name].notna().to_numpy())
        means.iloc[rows, place], stds.iloc[rows, place] = part["mean"].to_numpy(np.float64), total_std(part)
    return means, stds


def _learned(
    means: NDArray[np.float64], stds: NDArray[np.float64], observed: NDArray[np.float64], rng: np.random.Generator
) -> Weights:
    """Weights from the members' predictions of one property, ``members x n``, and its values, ``n``."""
    samples = rng.integers(len(observed), size=(BOOTSTRAP_SAMPLES, len(observed)))
    shares = np.mean([_stacking_shares(means[:, rows], observed[rows]) for rows in samples], axis=0)
    mean, std = Weights(shares, 1.0).combined(means, stds)
    return Weights(shares, stretch(np.abs(observed - mean) / np.maximum(std, 1e-300)))


def _stacking_shares(means: NDArray[np.float64], observed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights that are not negative and sum to one, of least squared error; by non-negative least squares."""
    from scipy.optimize import nnls

    size = float(np.abs(observed - means).max()) or 1.0
    # A row of great weight makes them sum to one.
    rows = np.vstack([(observed - means).T / size, np.full((1, len(means)), 1e3)])
    shares, _ = nnls(rows, np.append(np.zeros(len(observed)), 1e3))
    return np.asarray(shares / shares.sum())
