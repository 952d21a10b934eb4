"""Forests: many deep trees on random rows, whose disagreement estimates their uncertainty."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from invdesign.core.columns import Column
from invdesign.core.settings import bounded, settings
from invdesign.surrogates.checks import known_noise
from invdesign.surrogates.conformal import calibrated_scale
from invdesign.surrogates.ensembles import EnsembleModel, EnsembleRegressor
from invdesign.surrogates.noise import RowNoise

SURE_SHARE = 0.3
"""Difficulty that every row has, in units of the trees' mean spread: trees that agree may all be wrong."""


@dataclass(frozen=True)
class ForestModel(EnsembleModel):
    """A fitted forest.

    Attributes:
        forest: scikit-learn's.
        floor: difficulty of a row on which all trees agree.
        scale: standard deviation for a difficulty of one.
        noise: standard deviation of the noise beside it; 0 if the scale contains it.
    """

    forest: Any
    floor: float
    scale: float
    noise: float = 0.0

    def predict(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        rows = _as_trees_read(features)
        total, squares = np.zeros(len(rows)), np.zeros(len(rows))
        for tree in self.forest.estimators_:
            predicted = _leaf_values(tree, rows)
            total += predicted
            squares += predicted**2
        mean, spread = _moments(total, squares, np.full(len(rows), len(self.forest.estimators_)))
        return mean, np.hypot(self.scale * (spread + self.floor), self.noise)

    def left_out(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation of each row that it learned from, by the trees that had not drawn it.

        A row that all trees but one had drawn is predicted by the mean of all rows.

        Args:
            features: of all these rows, in the order in which it learned from them, shape ``n x d``.
        """
        mean, spread, counted = _out_of_bag(self.forest, features)
        std = np.hypot(self.scale * (spread + self.floor), self.noise)
        return np.where(counted, mean, 0.0), np.where(counted, std, 1.0)

    def members(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = _as_trees_read(features)
        return np.stack([_leaf_values(tree, rows) for tree in self.forest.estimators_])


@settings(frozen=False, kw_only=True)
class _Forest(EnsembleRegressor):
    """Averaged trees."""

    n_estimators: int = bounded(default=300, ge=1)
    """Number of trees."""
    min_samples_leaf: int = bounded(default=1, ge=1)
    """Smallest number of rows in a leaf."""
    max_features: float = bounded(default=0.5, gt=0, le=1)
    """Share of the features to consider for each split."""

    def _fitted(
        self, features: NDArray[np.float64], values: NDArray[np.float64], noise: RowNoise | None
    ) -> ForestModel:
        forest = self._forest().fit(features, values, sample_weight=None if noise is None else noise.weights)
        mean, spread, counted = _out_of_bag(forest, features)
        floor = SURE_SHARE * float(spread[counted].mean()) or 1e-6
        own = None if noise is None else noise.std[counted]
        scale = calibrated_scale((values - mean)[counted], spread[counted] + floor, own)
        return ForestModel(forest, floor, scale, 0.0 if noise is None else noise.further)

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
        """Each value by the trees that had not drawn it; see ``LeaveOneOutSurrogate.leave_one_out``."""
        return replace(self).fit(frame, y, columns=columns, noise_std=noise_std).out_of_bag(frame, y, noise_std)

    def out_of_bag(
        self, frame: pd.DataFrame, y: pd.DataFrame, noise_std: pd.DataFrame | None = None
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Predicts each value that it was fitted on by the trees that had not drawn it.

        Args:
            frame: the candidates that it was fitted on.
            y: their values, likewise.
            noise_std: their noise, likewise.

        Returns:
            Means and standard deviations of new measurements, shaped as ``y``; NaN where the value is missing.
        """
        features, known = self._matrix(frame), known_noise(noise_std, y)
        means, deviations = (pd.DataFrame(np.nan, index=y.index, columns=y.columns) for _ in range(2))
        for place, name in enumerate(y.columns):
            learned = self._learned[str(name)]
            rows = self._known_rows(features, y[name].to_numpy(np.float64))
            if isinstance(learned.model, ForestModel):
                mean, std = learned.in_unit(*learned.model.left_out(features[rows]))
            else:
                mean, std = learned.predict(features[rows])
            own = np.full(len(rows), np.nan) if known is None else known[name].to_numpy(np.float64)[rows]
            means.iloc[rows, place] = mean
            deviations.iloc[rows, place] = np.hypot(std, np.where(np.isnan(own), learned.noise * learned.spread, own))
        return means, deviations

    @abstractmethod
    def _forest(self) -> Any:
        """Scikit-learn's forest, not yet fitted."""

    def _settings(self) -> dict[str, Any]:
        return {
            "n_estimators": self.n_estimators,
            "min_samples_leaf": self.min_samples_leaf,
            "max_features": self.max_features,
            "bootstrap": True,
            "random_state": self.seed,
            "n_jobs": 1,
        }


@settings(frozen=False, kw_only=True)
class RandomForest(_Forest):
    """A random forest (scikit-learn; Breiman 2001, doi:10.1023/A:1010933404324).

    Standard deviations grow with the spread of the trees, calibrated on the rows that each tree had not drawn
    (Johansson et al. 2014, doi:10.1007/s10994-014-5453-0).
    """

    def _forest(self) -> Any:
        from sklearn.ensemble import RandomForestRegressor

        return RandomForestRegressor(**self._settings())


@settings(frozen=False, kw_only=True)
class ExtraTrees(_Forest):
    """Extremely randomized trees (scikit-learn; Geurts, Ernst and Wehenkel 2006, doi:10.1007/s10994-006-6226-1).

    Their thresholds are drawn at random, which makes smoother functions than those of a random forest. Standard
    deviations as there.
    """

    max_features: float = bounded(default=1.0, gt=0, le=1)
    """Share of the features to consider for each split."""

    def _forest(self) -> Any:
        from sklearn.ensemble import ExtraTreesRegressor

        return ExtraTreesRegressor(**self._settings())


def _out_of_bag(
    forest: Any, features: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Mean and spread over the trees that had not drawn a row, and whether there are at least two of these."""
    rows = _as_trees_read(features)
    total, squares, trees = (np.zeros(len(rows)) for _ in range(3))
    for tree, drawn in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        out = np.ones(len(rows), dtype=bool)
        out[drawn] = False
        predicted = _leaf_values(tree, rows[out])
        total[out] += predicted
        squares[out] += predicted**2
        trees[out] += 1.0
    mean, spread = _moments(total, squares, np.maximum(trees, 1.0))
    return mean, spread, trees >= 2.0


def _moments(
    total: NDArray[np.float64], squares: NDArray[np.float64], count: NDArray[np.float64] | NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean = total / count
    return mean, np.sqrt(np.maximum(squares / count - mean**2, 0.0))


def _as_trees_read(features: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.ascontiguousarray(features, dtype=np.float32)


def _leaf_values(tree: Any, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    # The checks of the input cost more than a small tree does.
    return tree.predict(rows, check_input=False)
