"""A Gaussian process of many rows: the exact process on some of them, corrected by the nearest of the others.

The exact process on the rows that the hyperparameters were fitted on is the prior; each candidate is then conditioned
on its nearest further rows, by the distance that the kernel sees (a full-scale approximation: Sang and Huang 2012,
doi:10.1111/j.1467-9868.2011.01007.x; nearest neighbors: Datta et al. 2016, doi:10.1080/01621459.2015.1044091). That
takes a time linear in the rows, where the exact process on all takes a cubic one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_solve

from invdesign.surrogates.gaussian_process.marginal_likelihood import LEAST_NOISE
from invdesign.surrogates.gaussian_process.model import ROWS_AT_ONCE, PropertyModel, factorized, stretch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.spatial import KDTree

    from invdesign.surrogates.gaussian_process.kernels import Covariance

HYPERPARAMETER_ROWS = 1000
"""Rows up to which all are used for the hyperparameters; of more, as many are drawn, always the same ones."""
EXACT_ROWS = 3000
"""Rows up to which predictions are exact: one factorization of them takes about a second."""
NEIGHBORS = 64
"""Further rows on which a candidate is conditioned."""
CALIBRATION_ROWS = 300
"""Further rows by which standard deviations are calibrated."""
MOST_JOINT = 1000
"""Further rows on which candidates are conditioned together."""


@dataclass(frozen=True)
class NearestNeighborModel:
    """A fitted Gaussian process of one property: an exact core, and further rows of which the nearest count.

    The core's part of every further row is held in memory: 8 kB a row.

    Attributes:
        core: the exact process on the rows that the hyperparameters were fitted on.
        features: of the further rows, shape ``n x d``.
        standard: their values less the core's ``centre``, divided by its ``spread``.
        row_noise: variance of the noise of each standardized value; None where one was learned for all.
    """

    core: PropertyModel
    features: NDArray[np.float64]
    standard: NDArray[np.float64]
    row_noise: NDArray[np.float64] | None

    @property
    def covariance(self) -> Covariance:
        """The kernel with fitted hyperparameters."""
        return self.core.covariance

    @property
    def noise_std(self) -> float:
        """Standard deviation of the noise, in the property's unit."""
        return self.core.noise_std

    def predict(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation of the property, each of shape ``n``, for features of shape ``n x d``."""
        means, variances = np.empty(len(features)), np.empty(len(features))
        for start in range(0, len(features), ROWS_AT_ONCE):
            block = slice(start, start + ROWS_AT_ONCE)
            near = self._near(features[block], NEIGHBORS)
            means[block], variances[block] = self._corrected(features[block], near)
        return means * self.core.spread + self.core.centre, np.sqrt(np.maximum(variances, 0.0)) * self.core.spread

    def mean_of(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean of the property, shape ``n``, for features of shape ``n x d``."""
        return self.predict(features)[0]

    def slopes(
        self, features: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation ``n``, and their gradients by the features ``n x d``, in the property's unit.

        Gradients hold for the neighbors that a row has; where these change, the prediction makes a small step.
        """
        near = self._near(features, NEIGHBORS)
        found = [self._on(rows).slopes(features[[place]]) for place, rows in enumerate(near)]
        mean, deviation, by_mean, by_deviation = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return mean, deviation, by_mean, by_deviation

    def shared(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        """Posterior covariance of two sets of features in squared units, ``n x d`` and ``m x d`` to ``n x m``."""
        return self._together(np.concatenate([first, second])).shared(first, second)

    def joint(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean ``n`` and covariance ``n x n`` of the property at features of shape ``n x d``."""
        return self._together(features).joint(features)

    def conditioned(self, features: NDArray[np.float64], values: NDArray[np.float64]) -> NearestNeighborModel:
        """The same process with further values, hyperparameters unchanged; shapes ``n x d`` and ``n``."""
        more = (values - self.core.centre) / self.core.spread
        noise = self.row_noise
        return replace(
            self,
            features=np.concatenate([self.features, features]),
            standard=np.concatenate([self.standard, more]),
            row_noise=None if noise is None else np.append(noise, np.full(len(more), float(noise.mean()))),
        )

    def calibrated(self) -> NearestNeighborModel:
        """The same means, with standard deviations that further values ask for, each predicted without itself."""
        rows = np.linspace(0, len(self.standard) - 1, min(CALIBRATION_ROWS, len(self.standard))).astype(np.int64)
        features = self.features[rows]
        near = self._near(features, NEIGHBORS + 1)
        others = np.array([own[own != row][:NEIGHBORS] for row, own in zip(rows, near, strict=True)])
        means, variances = self._corrected(features, others)
        noise = self.covariance.noise if self.row_noise is None else self.row_noise[rows] + LEAST_NOISE
        errors = np.abs(self.standard[rows] - means) / np.sqrt(np.maximum(variances, 0.0) + noise)
        factor = stretch(errors)
        row_noise = None if self.row_noise is None else self.row_noise * factor**2
        return replace(self, core=self.core.stretched(factor), row_noise=row_noise)

    def _corrected(
        self, features: NDArray[np.float64], near: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Standardized mean and variance: the core's, conditioned on each row's neighbors, shape ``n x k``."""
        means, explained = self.core.standard_moments(features)
        variances = self.covariance.diagonal(features) - np.einsum("ij,ij->i", explained, explained)
        noise = np.full(len(self.standard), self.covariance.noise) if self.row_noise is None else self.row_noise
        for place, rows in enumerate(near):
            of_rows = self._explained[rows]
            cross = self.covariance.between(features[[place]], self.features[rows])[0] - of_rows @ explained[place]
            matrix = self.covariance.between(self.features[rows], self.features[rows]) - of_rows @ of_rows.T
            matrix.flat[:: len(rows) + 1] += noise[rows] + LEAST_NOISE
            weights = cho_solve((factorized(matrix), True), cross, check_finite=False)
            means[place] += weights @ self._left_by_core[rows]
            variances[place] -= weights @ cross
        return means, variances

    @cached_property
    def _explained(self) -> NDArray[np.float64]:
        """What the core explains of every further row, shape ``n x m``."""
        return self._core_moments[1]

    @cached_property
    def _left_by_core(self) -> NDArray[np.float64]:
        """The further values less what the core predicts for them, standardized."""
        return self.standard - self._core_moments[0]

    @cached_property
    def _core_moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.core.standard_moments(self.features)

    @cached_property
    def _scale(self) -> NDArray[np.float64]:
        """What each feature is multiplied by, so that distances are those of the kernel."""
        scale = np.zeros(self.features.shape[1])
        parts = [part for term in self.covariance.terms for part in term]
        for part, length_scale in zip(parts, self.covariance.lengthscales, strict=True):
            places = list(part.places)
            wide = part.spread_out(length_scale) if part.kind == "stationary" else np.ones(1)
            scale[places] = np.maximum(scale[places], 1.0 / np.broadcast_to(wide, len(places)))
        return scale

    @cached_property
    def _tree(self) -> KDTree:
        from scipy.spatial import KDTree

        return KDTree(self.features * self._scale)

    def _near(self, features: NDArray[np.float64], count: int) -> NDArray[np.int64]:
        """The nearest further rows of each row of features, shape ``n x count``."""
        count = min(count, len(self.features))
        return np.asarray(self._tree.query(features * self._scale, k=count)[1], dtype=np.int64).reshape(-1, count)

    def _together(self, features: NDArray[np.float64]) -> PropertyModel:
        """The core conditioned on the nearest further rows of all, as many of each as are affordable."""
        return self._on(np.unique(self._near(features, max(1, min(NEIGHBORS, MOST_JOINT // max(1, len(features)))))))

    def _on(self, rows: NDArray[np.int64]) -> PropertyModel:
        """The core conditioned on some further rows."""
        return self.core.conditioned(self.features[rows], self.standard[rows] * self.core.spread + self.core.centre)


def fitted_model(
    features: NDArray[np.float64],
    values: NDArray[np.float64],
    *,
    start: Covariance,
    noise: NDArray[np.float64] | None = None,
) -> PropertyModel | NearestNeighborModel:
    """Fits the process that a number of rows affords; exact in all up to HYPERPARAMETER_ROWS.

    Args:
        features: shape ``n x d``.
        values: shape ``n``.
        start: the kernel, with the hyperparameters to start from.
        noise: known standard deviation of each value, in its unit; learned where None.
    """
    if len(values) <= HYPERPARAMETER_ROWS:
        return PropertyModel.fitted(features, values, start=start, noise=noise)
    drawn = np.random.default_rng(0).permutation(len(values))
    rows, others = np.sort(drawn[:HYPERPARAMETER_ROWS]), np.sort(drawn[HYPERPARAMETER_ROWS:])
    some = None if noise is None else noise[rows]
    core = PropertyModel.fitted(features[rows], values[rows], start=start, noise=some)
    if len(values) <= EXACT_ROWS:
        return PropertyModel.fitted(features, values, start=core.covariance, noise=noise, refit=False)
    standard = (values[others] - core.centre) / core.spread
    row_noise = None if noise is None else (noise[others] / core.spread) ** 2
    return NearestNeighborModel(core, features[others], standard, row_noise)
