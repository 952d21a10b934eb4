"""The Gaussian process of one property, on a matrix of features: fit, predict, condition."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import scipy

from invdesign.surrogates.gaussian_process.marginal_likelihood import (
    LEAST_NOISE,
    diagonal_noise,
    fitted_covariance,
    solved,
)
from invdesign.surrogates.validation import Z90

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.surrogates.gaussian_process.kernels import Covariance

ROWS_AT_ONCE = 4096
"""Rows predicted together: bounds the memory by the batch, whatever the pool."""
CALIBRATION_ROWS = 20
"""Values at which half of a calibration's correction is believed."""
CALIBRATION_FOLDS = 3
"""Parts of the known values, each predicted by a process whose hyperparameters were fitted without it."""
STRETCHES = (0.5, 2.0)
"""Least and greatest correction of a standard deviation: beyond it the model is wrong, not its scale."""
JITTERS = (0.0, 1e-8, 1e-6, 1e-4)
"""Added to the diagonal, one after the other, until the covariance can be factorized."""


@dataclass(frozen=True)
class PropertyModel:
    """A fitted Gaussian process of one property (Rasmussen and Williams 2006, algorithm 2.1).

    Attributes:
        covariance: the kernel with fitted hyperparameters, for values of spread one.
        features: of the known rows, shape ``n x d``.
        standard: their values less ``centre``, divided by ``spread``.
        centre: mean of the values that it was fitted on, in the property's unit.
        spread: their standard deviation.
        mean: the constant mean, of standardized values.
        row_noise: known variance of the noise of each standardized value; NaN where it is that of ``covariance``; None
            if it is so for all.
        factor: lower Cholesky factor of the covariance of the known values.
    """

    covariance: Covariance
    features: NDArray[np.float64]
    standard: NDArray[np.float64]
    centre: float
    spread: float
    mean: float
    row_noise: NDArray[np.float64] | None
    factor: NDArray[np.float64]

    @classmethod
    def fitted(
        cls,
        features: NDArray[np.float64],
        values: NDArray[np.float64],
        *,
        start: Covariance,
        noise: NDArray[np.float64] | None = None,
        starts: Literal[0, 1, 2] = 2,
    ) -> PropertyModel:
        """Fits hyperparameters by the marginal likelihood (and its priors).

        Args:
            features: shape ``n x d``.
            values: shape ``n``.
            start: the kernel, with the hyperparameters to start from.
            noise: known standard deviation of each value, in its unit; NaN where it is unknown. None: all unknown.
            starts: from how many the likelihood is maximized: from ``start`` and from longer length scales, from
                ``start`` alone, or not at all, which takes the hyperparameters of ``start`` as they are.
        """
        centre = float(values.mean())
        deviation = float(values.std())
        # A constant property leaves nothing to scale by; its own size keeps the numbers near one.
        spread = deviation if deviation > 1e-12 * max(1.0, abs(centre)) else max(1.0, abs(centre))
        standard = (values - centre) / spread
        row_noise = (noise / spread) ** 2 if noise is not None else None
        covariance = fitted_covariance(start, features, standard, row_noise=row_noise, starts=starts)
        if row_noise is not None and not np.isnan(row_noise).any():
            # Nothing was learned of further values: they are taken to be like the known ones.
            covariance = replace(covariance, noise=float(row_noise.mean()) + LEAST_NOISE)
        matrix = covariance.between(features, features)
        matrix.flat[:: len(matrix) + 1] += diagonal_noise(row_noise, covariance.noise)
        factor = factorized(matrix)
        ones = solved(factor, np.ones(len(standard)))
        mean = float(ones @ standard / ones.sum())
        return cls(covariance, features, standard, centre, spread, mean, row_noise, factor)

    @property
    def noise_std(self) -> float:
        """Standard deviation of the noise of a further value, in the property's unit; see ``Surrogate.noise_std``."""
        return float(np.sqrt(self.covariance.noise)) * self.spread

    @cached_property
    def _weights(self) -> NDArray[np.float64]:
        return solved(self.factor, self.standard - self.mean)

    @cached_property
    def _inverse_factor(self) -> NDArray[np.float64]:
        """Inverse of the Cholesky factor: a pool then costs products of matrices only."""
        return scipy.linalg.solve_triangular(self.factor, np.eye(len(self.factor)), lower=True, check_finite=False)

    def predict(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation of the property, each of shape ``n``, for features of shape ``n x d``."""
        means, variances = np.empty(len(features)), np.empty(len(features))
        for start in range(0, len(features), ROWS_AT_ONCE):
            block = slice(start, start + ROWS_AT_ONCE)
            cross = self.covariance.between(features[block], self.features)
            means[block] = self.mean + cross @ self._weights
            explained = cross @ self._inverse_factor.T
            variances[block] = self.covariance.diagonal(features[block]) - np.einsum("ij,ij->i", explained, explained)
        deviations = np.sqrt(np.maximum(variances, 0.0))
        return means * self.spread + self.centre, deviations * self.spread

    def mean_of(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean of the property, shape ``n``, for features of shape ``n x d``; a third of the work of ``predict``."""
        blocks = [
            self.covariance.between(features[start : start + ROWS_AT_ONCE], self.features) @ self._weights
            for start in range(0, len(features), ROWS_AT_ONCE)
        ]
        return (np.concatenate([np.empty(0), *blocks]) + self.mean) * self.spread + self.centre

    def slopes(
        self, features: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation ``n``, and their gradients by the features ``n x d``, in the property's unit."""
        cross = self.covariance.between(features, self.features)
        explained = cross @ self._inverse_factor.T
        variance = self.covariance.diagonal(features) - np.einsum("ij,ij->i", explained, explained)
        deviation = np.sqrt(np.maximum(variance, 1e-16))
        rows = (len(features), len(self.features))
        by_mean = self.covariance.slope(features, self.features, np.broadcast_to(self._weights, rows))
        by_variance = -2.0 * self.covariance.slope(features, self.features, explained @ self._inverse_factor)
        by_variance += self.covariance.diagonal_slope(features)
        mean = (self.mean + cross @ self._weights) * self.spread + self.centre
        by_deviation = by_variance / (2.0 * deviation[:, None])
        return mean, deviation * self.spread, by_mean * self.spread, by_deviation * self.spread

    def shared(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        """Posterior covariance of two sets of features in squared units, ``n x d`` and ``m x d`` to ``n x m``."""
        left = self.covariance.between(first, self.features) @ self._inverse_factor.T
        right = self.covariance.between(second, self.features) @ self._inverse_factor.T
        return (self.covariance.between(first, second) - left @ right.T) * self.spread**2

    def joint(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean ``n`` and covariance ``n x n`` of the property at features of shape ``n x d``."""
        cross = self.covariance.between(features, self.features)
        return (self.mean + cross @ self._weights) * self.spread + self.centre, self.shared(features, features)

    def conditioned(
        self, features: NDArray[np.float64], values: NDArray[np.float64], noise: NDArray[np.float64] | None = None
    ) -> PropertyModel:
        """The same Gaussian process with further values, hyperparameters unchanged.

        Args:
            features: shape ``n x d``.
            values: shape ``n``.
            noise: known standard deviation of each of them, in its unit; NaN where it is unknown.
        """
        standard = (values - self.centre) / self.spread
        cross = self.covariance.between(self.features, features)
        below = scipy.linalg.solve_triangular(self.factor, cross, lower=True, check_finite=False)
        further = None if noise is None else (noise / self.spread) ** 2
        corner = self.covariance.between(features, features) - below.T @ below
        corner.flat[:: len(corner) + 1] += diagonal_noise(further, self.covariance.noise)
        known, more = len(self.factor), len(corner)
        factor = np.zeros((known + more, known + more))
        factor[:known, :known], factor[known:, :known], factor[known:, known:] = (
            self.factor,
            below.T,
            factorized(corner),
        )
        row_noise = None
        if self.row_noise is not None or further is not None:
            pieces = ((self.row_noise, known), (further, more))
            row_noise = np.concatenate([np.full(n, np.nan) if one is None else one for one, n in pieces])
        return replace(
            self,
            features=np.concatenate([self.features, features]),
            standard=np.concatenate([self.standard, standard]),
            row_noise=row_noise,
            factor=factor,
        )

    def left_out(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation (noise included) of each known value from all the others, each of shape ``n``.

        By the inverse covariance, hyperparameters unchanged (Rasmussen and Williams 2006, section 5.4.2).
        """
        variances = 1.0 / np.einsum("ij,ij->j", self._inverse_factor, self._inverse_factor)
        means = self.standard - self._weights * variances
        return means * self.spread + self.centre, np.sqrt(variances) * self.spread

    def calibrated(self) -> PropertyModel:
        """The same means, with the standard deviations that the known values ask for.

        All variances are multiplied by one number, so that nine of ten values lie within the central 90 % interval that
        the others give for them, the hyperparameters fitted again without them: a value that has shaped the length
        scales is predicted too well. Few values say little about a tail: the correction is halved where there are
        CALIBRATION_ROWS of them, on the logarithmic scale, and nearly whole where there are many.
        """
        if len(self.standard) < 2 * CALIBRATION_FOLDS:
            return self
        means, deviations = self.refitted(self.covariance)
        return self.stretched(stretch(np.abs(self.standard - means) / np.maximum(deviations, 1e-300)))

    def refitted(self, start: Covariance) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation (noise included) of each standardized value, each of shape ``n``.

        Each part of the values is predicted by hyperparameters that were fitted on the others.

        Args:
            start: the kernel, with the hyperparameters from which these fits start.
        """
        means, deviations = np.empty(len(self.standard)), np.empty(len(self.standard))
        # Parts go by the values' order, so that they do not depend on that of the rows.
        fold_of = np.empty(len(means), dtype=np.int64)
        shuffled = np.random.default_rng(0).permutation(len(means))
        fold_of[np.argsort(self.standard, kind="stable")] = shuffled % CALIBRATION_FOLDS
        noise = None if self.row_noise is None else np.sqrt(self.row_noise)
        for fold in range(CALIBRATION_FOLDS):
            inside = fold_of == fold
            others = PropertyModel.fitted(
                self.features[~inside],
                self.standard[~inside],
                start=start,
                noise=None if noise is None else noise[~inside],
                starts=1,
            )
            means[inside], deviations[inside] = others.predict(self.features[inside])
            own = np.full(inside.sum(), np.nan) if noise is None else noise[inside]
            deviations[inside] = np.hypot(deviations[inside], np.where(np.isnan(own), others.noise_std, own))
        return means, deviations

    def stretched(self, factor: float) -> PropertyModel:
        """The same means, all standard deviations multiplied by one factor."""
        covariance = replace(
            self.covariance, scales=self.covariance.scales * factor**2, noise=self.covariance.noise * factor**2
        )
        row_noise = None if self.row_noise is None else self.row_noise * factor**2
        return replace(self, covariance=covariance, row_noise=row_noise, factor=self.factor * factor)


def stretch(errors: NDArray[np.float64]) -> float:
    """The factor of standard deviations that absolute errors in their units ask for; see ``calibrated``."""
    count = len(errors)
    level = min(1.0, 0.9 * (count + 1) / count)
    wanted = float(np.quantile(errors, level)) / Z90
    return float(np.clip(wanted, *STRETCHES)) ** (count / (count + CALIBRATION_ROWS))


def factorized(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The lower Cholesky factor; equal rows may need a jitter on the diagonal."""
    size = float(np.mean(np.diag(matrix)))
    for jitter in JITTERS[:-1]:
        try:
            return scipy.linalg.cholesky(matrix + jitter * size * np.eye(len(matrix)), lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            continue
    return scipy.linalg.cholesky(matrix + JITTERS[-1] * size * np.eye(len(matrix)), lower=True, check_finite=False)
