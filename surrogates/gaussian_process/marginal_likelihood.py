"""Fits the hyperparameters of a Gaussian process: the marginal likelihood with priors, and its exact gradient.

gpytorch gives the same likelihood through automatic differentiation; written out for these kernels (Rasmussen and
Williams 2006, section 5.4.1) it takes a twentieth of the time at the sizes of a campaign, which is what an optimizer
waits for at every step. A test holds both together.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
import scipy

from invdesign.surrogates.gaussian_process.kernels import (
    Covariance,
    correlation_and_slope,
    factors,
    mean_covariance,
    tanimoto,
)
from invdesign.surrogates.gaussian_process.parts import Part
from invdesign.surrogates.gaussian_process.priors import NOISE_PRIOR, own_prior, scale_prior

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_NOISE = 1e-7
"""Smallest noise variance on values of spread one: keeps the covariance well conditioned."""
LEAST_LENGTHSCALE = 2.5e-2
MOST_STEPS = 150
ENOUGH = 1e-6
"""Relative change of the likelihood at which the fit stops: it is flat long before the hyperparameters stand still."""
LARGEST_FIT = 1000
"""Rows on which hyperparameters are fitted; of more, that many at random. Predictions use all rows."""


class _Problem:
    """The negative log posterior of the hyperparameters, for one set of features and values."""

    def __init__(
        self,
        covariance: Covariance,
        features: NDArray[np.float64],
        values: NDArray[np.float64],
        row_noise: NDArray[np.float64] | None,
    ) -> None:
        self.covariance = covariance
        self.values = values
        self.row_noise = row_noise
        self.learned = slice(None) if row_noise is None else np.isnan(row_noise)
        self.parts = [part for term in covariance.terms for part in term]
        self.inputs = [np.ascontiguousarray(features[:, part.places]) for part in self.parts]
        self.fixed = [_fixed(part, given) for part, given in zip(self.parts, self.inputs, strict=True)]
        # One length scale for all features only divides distances, which are then the same at every step.
        self.apart = [
            part.squared(given, given, np.ones(1)) if part.kind == "stationary" and not part.groups else None
            for part, given in zip(self.parts, self.inputs, strict=True)
        ]

    def __call__(self, logarithms: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The negative log posterior a row and its gradient by the logarithms of the hyperparameters."""
        now = self.covariance.with_values(logarithms)
        pieces, slopes = self._pieces(now)
        products = self._products(pieces)
        matrix = np.einsum("t,tij->ij", now.scales, products) if len(products) > 1 else now.scales[0] * products[0]
        n = len(self.values)
        matrix.flat[:: n + 1] += diagonal_noise(self.row_noise, now.noise)
        try:
            factor = scipy.linalg.cholesky(matrix, lower=True, overwrite_a=True, check_finite=False)
        except np.linalg.LinAlgError:
            return 1e10, np.zeros_like(logarithms)
        inverse, _ = scipy.linalg.lapack.dpotri(factor, lower=1)
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        mean = generalized_mean(inverse, self.values)
        residual = self.values - mean
        weights = inverse @ residual
        value = -0.5 * residual @ weights - np.log(np.diag(factor)).sum() - 0.5 * n * math.log(2.0 * math.pi)
        outer = 0.5 * (np.outer(weights, weights) - inverse)
        gradient = self._gradient(now, outer, pieces, slopes, products)
        prior, prior_slope = self._prior(now, logarithms)
        return -(value + prior) / n, -(gradient + prior_slope) / n

    def _pieces(self, now: Covariance) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64] | None]]:
        values: list[NDArray[np.float64]] = []
        slopes: list[NDArray[np.float64] | None] = []
        parts = zip(self.parts, self.inputs, self.fixed, self.apart, now.lengthscales, strict=True)
        for part, given, fixed, apart, lengthscale in parts:
            if fixed is not None:
                values.append(fixed)
                slopes.append(None)
            elif part.kind == "factor":
                weights = factors(given, lengthscale)
                half = lengthscale * given @ weights.T
                values.append(weights @ weights.T)
                slopes.append(half + half.T)  # by the factor's logarithm
            else:
                squared = part.squared(given, given, lengthscale) if apart is None else apart / lengthscale[0] ** 2
                value, slope = correlation_and_slope(now.name, squared)
                values.append(value)
                slopes.append(slope)
        return values, slopes

    def _products(self, pieces: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
        products, place = [], 0
        for term in self.covariance.terms:
            product = pieces[place]
            for piece in pieces[place + 1 : place + len(term)]:
                product = product * piece
            products.append(product)
            place += len(term)
        return products

    def _gradient(
        self,
        now: Covariance,
        outer: NDArray[np.float64],
        pieces: list[NDArray[np.float64]],
        slopes: list[NDArray[np.float64] | None],
        products: list[NDArray[np.float64]],
    ) -> NDArray[np.float64]:
        by_scale = [scale * np.vdot(outer, product) for scale, product in zip(now.scales, products, strict=True)]
        by_lengthscale: list[NDArray[np.float64]] = []
        place = 0
        for scale, term in zip(now.scales, self.covariance.terms, strict=True):
            for number in range(len(term)):
                slope = slopes[place + number]
                if slope is None:
                    by_lengthscale.append(np.empty(0))
                    continue
                weight = outer * slope
                for other in range(len(term)):
                    if other != number:
                        weight *= pieces[place + other]
                by_lengthscale.append(scale * self._pulls(place + number, now.lengthscales[place + number], weight))
            place += len(term)
        by_noise = now.noise * outer.diagonal()[self.learned].sum()
        return np.concatenate([by_scale, *by_lengthscale, [by_noise]])

    def _pulls(self, number: int, lengthscale: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """Derivatives by the logarithms of a part's length scales (or factor), from those by squared distances."""
        part, apart = self.parts[number], self.apart[number]
        if part.kind == "factor":
            return np.array([weight.sum()])
        if apart is not None:
            return np.array([-2.0 * np.vdot(weight, apart) / lengthscale[0] ** 2])
        scaled = self.inputs[number] / part.spread_out(lengthscale)
        # sum_ij w_ij (x_i - x_j)^2, feature by feature, from two products of matrices
        summed = 2.0 * (weight.sum(axis=1) @ scaled**2 - np.einsum("id,id->d", scaled, weight @ scaled))
        return -2.0 * part.gathered(summed)

    def _prior(self, now: Covariance, logarithms: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        count = len(now.scales)
        value, slopes = 0.0, []
        for term, logarithm in zip(now.terms, logarithms[:count, None], strict=True):
            variance = scale_prior(term)
            value += float(variance.log_density(logarithm).sum())
            slopes.append(variance.slope(logarithm))
        place = count
        for part, lengthscale in zip(self.parts, now.lengthscales, strict=True):
            own = logarithms[place : place + len(lengthscale)]
            prior = own_prior(part)
            value += float(prior.log_density(own).sum())
            slopes.append(prior.slope(own))
            place += len(lengthscale)
        value += float(NOISE_PRIOR.log_density(logarithms[-1:]).sum())
        slopes.append(NOISE_PRIOR.slope(logarithms[-1:]))
        return value, np.concatenate(slopes)


def fitted_covariance(
    start: Covariance,
    features: NDArray[np.float64],
    values: NDArray[np.float64],
    *,
    row_noise: NDArray[np.float64] | None = None,
    starts: Literal[0, 1, 2] = 2,
) -> Covariance:
    """Fits hyperparameters by L-BFGS on the marginal likelihood times the priors, from two starts.

    The likelihood may have several maxima: with two hundred descriptors, length scales at which every candidate is
    unlike all others explain the known values as well as they explain anything, and predict nothing. So the fit is
    also started from longer length scales, and the likelier result is taken.

    Args:
        start: the kernel, at the hyperparameters from which the fit starts.
        features: shape ``n x d``.
        values: shape ``n``, of spread about one.
        row_noise: known variance of the noise of each value; one is learned for all where it is NaN. None: all unknown.
        starts: 1 to go from ``start`` alone, whose hyperparameters nearly fit already; 0 to return it.
    """
    if starts == 0:
        return start
    if len(values) > LARGEST_FIT:
        chosen = np.sort(np.random.default_rng(0).choice(len(values), LARGEST_FIT, replace=False))
        features, values = features[chosen], values[chosen]
        row_noise = row_noise[chosen] if row_noise is not None else None
    kernels = start.alternatives()
    if len(kernels) > 1:
        # Each by itself, since together one of them would take all of the variance; from one start, which is enough for
        # what the others balance.
        return mean_covariance([_likeliest(one, features, values, row_noise)[0] for one in kernels])
    if starts == 1:
        return _likeliest(start, features, values, row_noise)[0]
    # Where many length scales are alike, first their common one is found: from the prior's mode all at once go astray.
    tied = start.tied()
    if tied is not None:
        best = min((_likeliest(one, features, values, row_noise) for one in (tied, tied.smooth())), key=_loss)[0]
        return _likeliest(start.untied(best), features, values, row_noise)[0]
    return min((_likeliest(one, features, values, row_noise) for one in (start, start.smooth())), key=_loss)[0]


def _loss(found: tuple[Covariance, float]) -> float:
    return found[1]


def _likeliest(
    start: Covariance,
    features: NDArray[np.float64],
    values: NDArray[np.float64],
    row_noise: NDArray[np.float64] | None,
) -> tuple[Covariance, float]:
    """The kernel at the maximum nearest to a start, and its negative log posterior a row."""
    problem = _Problem(start, features, values, row_noise)
    low = np.full(len(start.logarithms()), math.log(1e-4))
    low[len(start.scales) : -1] = math.log(LEAST_LENGTHSCALE)
    low[-1] = math.log(LEAST_NOISE)
    bounds = [(bound, math.log(1e4)) for bound in low]
    from scipy.optimize import minimize  # loaded where it is used: most commands never do

    found = minimize(
        problem,
        np.clip(start.logarithms(), low, math.log(1e4)),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": MOST_STEPS, "ftol": ENOUGH},
    )
    return start.with_values(found.x), float(found.fun)


def generalized_mean(inverse: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """The constant mean of greatest likelihood, by generalized least squares on an inverse covariance."""
    summed = inverse.sum(axis=0)
    return float(summed @ values / max(summed.sum(), 1e-300))


def diagonal_noise(known: NDArray[np.float64] | None, learned: float) -> NDArray[np.float64] | float:
    """What noise adds to the diagonal of a covariance: the known variances, and the learned one where they are NaN."""
    return learned if known is None else np.where(np.isnan(known), learned, known + LEAST_NOISE)


def solved(factor: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """``K^-1 values`` from the lower Cholesky factor of ``K``."""
    return scipy.linalg.cho_solve((factor, True), values, check_finite=False)


def _fixed(part: Part, given: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The matrix of a part that has no hyperparameter of its own; None for the others."""
    if part.kind == "tanimoto":
        return tanimoto(given, given)
    return given @ given.T if part.kind == "linear" else None
