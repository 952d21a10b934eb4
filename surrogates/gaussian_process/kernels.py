"""Covariance functions on features, with what their fit needs: values, and derivatives by squared distance.

Rasmussen and Williams 2006, chapter 4; the MinMax (Tanimoto) kernel on counts after Ralaivola et al. 2005,
doi:10.1016/j.neunet.2005.07.009.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from invdesign.surrogates.gaussian_process.parts import Part
from invdesign.surrogates.gaussian_process.priors import NOISE_PRIOR, SCALE_MODE, own_prior

if TYPE_CHECKING:
    from numpy.typing import NDArray

KernelName = Literal["matern-1.5", "matern-2.5", "rbf"]


@dataclass(frozen=True)
class Covariance:
    """A sum of products of kernels with its hyperparameters, for values of spread one.

    Attributes:
        name: of the stationary kernels.
        terms: the summands; each is a product of parts.
        scales: variance of each term.
        lengthscales: of each part in the order of the terms; empty for a part that has none.
        noise: variance of the noise.
    """

    name: KernelName
    terms: tuple[tuple[Part, ...], ...]
    scales: NDArray[np.float64]
    lengthscales: tuple[NDArray[np.float64], ...]
    noise: float

    def between(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        """Covariance of the noiseless values of two sets of features, shapes ``n x d`` and ``m x d`` to ``n x m``."""
        total = np.zeros((len(first), len(second)))
        lengthscales = iter(self.lengthscales)
        for scale, term in zip(self.scales, self.terms, strict=True):
            product: NDArray[np.float64] | float = 1.0
            for part in term:
                a, b = first[:, part.where], second[:, part.where]
                product = product * self._part(part, a, b, next(lengthscales))
            total += scale * product
        return total

    def slope(
        self, first: NDArray[np.float64], second: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Gradient by each row of ``first`` of its weighted sum of covariances with the rows of ``second``.

        Counts have no gradient; a MinMax part is taken as constant.

        Args:
            first: shape ``n x d``.
            second: shape ``m x d``.
            weights: shape ``n x m``.

        Returns:
            Shape ``n x d``.
        """
        gradient = np.zeros_like(first)
        lengthscales = iter(self.lengthscales)
        for scale, term in zip(self.scales, self.terms, strict=True):
            pieces = [(part, first[:, part.where], second[:, part.where], next(lengthscales)) for part in term]
            values = [self._part(*piece) for piece in pieces]
            for number, (part, a, b, lengthscale) in enumerate(pieces):
                others = scale * weights
                for place, value in enumerate(values):
                    if place != number:
                        others = others * value
                if part.kind == "linear":
                    gradient[:, part.places] += others @ b
                elif part.kind == "factor":
                    gradient[:, part.places] += (lengthscale - 1.0) * (others @ factors(b, lengthscale))
                elif part.kind == "stationary":
                    wide = part.spread_out(lengthscale)
                    pull = 2.0 * others * correlation_and_slope(self.name, part.squared(a, b, lengthscale))[1]
                    gradient[:, part.places] += (pull.sum(axis=1)[:, None] * a - pull @ b) / wide**2
        return gradient

    def diagonal(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Variance of the noiseless values, shape ``n``."""
        total = np.zeros(len(features))
        lengthscales = iter(self.lengthscales)
        for scale, term in zip(self.scales, self.terms, strict=True):
            product = np.ones(len(features))
            for part in term:
                weights = self._weights(part, features, next(lengthscales))
                if weights is not None:
                    product *= (weights**2).sum(axis=1)
            total += scale * product
        return total

    def diagonal_slope(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Gradient of ``diagonal`` by the features, shape ``n x d``; linear parts and factors alone have one."""
        gradient = np.zeros_like(features)
        lengthscales = iter(self.lengthscales)
        for scale, term in zip(self.scales, self.terms, strict=True):
            own = [(part, next(lengthscales)) for part in term]
            found = [(*pair, self._weights(pair[0], features, pair[1])) for pair in own]
            products = [(part, length, weights) for part, length, weights in found if weights is not None]
            for number, (part, lengthscale, weights) in enumerate(products):
                others = np.full(len(features), scale)
                for place, (_, _, other) in enumerate(products):
                    if place != number:
                        others *= (other**2).sum(axis=1)
                slope = lengthscale - 1.0 if part.kind == "factor" else 1.0
                gradient[:, part.places] += 2.0 * others[:, None] * weights * slope
        return gradient

    def with_values(self, values: NDArray[np.float64]) -> Covariance:
        """The same kernel with other hyperparameters, given as logarithms in the order of ``logarithms``."""
        count = len(self.terms)
        sizes = [len(lengthscale) for lengthscale in self.lengthscales]
        pieces = np.split(np.exp(values[count:-1]), np.cumsum(sizes)[:-1]) if sizes else []
        return replace(self, scales=np.exp(values[:count]), lengthscales=tuple(pieces), noise=float(np.exp(values[-1])))

    def alternatives(self) -> list[Covariance]:
        """The kernels whose mean this is: terms that are distances in the same features; itself elsewhere."""
        places = {part.places for term in self.terms for part in term}
        single = all(len(term) == 1 and term[0].kind == "stationary" for term in self.terms)
        if len(self.terms) < 2 or len(places) > 1 or not single:
            return [self]
        scales = self.scales * len(self.terms)
        return [
            replace(self, terms=(term,), scales=scale[None], lengthscales=(own,))
            for term, scale, own in zip(self.terms, scales, self.lengthscales, strict=True)
        ]

    def tied(self) -> Covariance | None:
        """The same with one length scale for each pooled part, where those of each are equal; None elsewhere."""
        parts = [part for term in self.terms for part in term]
        alike = [np.ptp(own) == 0.0 for part, own in zip(parts, self.lengthscales, strict=True) if part.pooled]
        if not alike or not all(alike):
            return None
        terms = tuple(tuple(_tied(part) for part in term) for term in self.terms)
        lengthscales = [own[:1] if part.pooled else own for part, own in zip(parts, self.lengthscales, strict=True)]
        return replace(self, terms=terms, lengthscales=tuple(lengthscales))

    def untied(self, tied: Covariance) -> Covariance:
        """This kernel at the hyperparameters of its tied one."""
        pairs = zip(self.lengthscales, tied.lengthscales, strict=True)
        lengthscales = tuple(np.broadcast_to(one, own.shape).copy() for own, one in pairs)
        return replace(self, scales=tied.scales, lengthscales=lengthscales, noise=tied.noise)

    def smooth(self) -> Covariance:
        """The same kernel at the medians of the length scales' priors, longer than the modes; factors as they are."""
        parts = [part for term in self.terms for part in term]
        lengthscales = tuple(
            np.full_like(own, own_prior(part).median) if part.kind == "stationary" else own
            for part, own in zip(parts, self.lengthscales, strict=True)
        )
        return replace(self, lengthscales=lengthscales)

    def logarithms(self) -> NDArray[np.float64]:
        """The hyperparameters' logarithms: scales, lengthscales, noise."""
        return np.log(np.concatenate([self.scales, *self.lengthscales, [self.noise]]))

    def _weights(
        self, part: Part, features: NDArray[np.float64], lengthscale: NDArray[np.float64]
    ) -> NDArray[np.float64] | None:
        """What a part multiplies, row by row; None for parts that go by distance or similarity."""
        if part.kind == "linear":
            return features[:, part.places]
        return factors(features[:, part.places], lengthscale) if part.kind == "factor" else None

    def _part(
        self, part: Part, a: NDArray[np.float64], b: NDArray[np.float64], lengthscale: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        if part.kind == "linear":
            return a @ b.T
        if part.kind == "tanimoto":
            return tanimoto(a, b)
        if part.kind == "factor":
            return factors(a, lengthscale) @ factors(b, lengthscale).T
        return correlation(self.name)(part.squared(a, b, lengthscale))


def _tied(part: Part) -> Part:
    return replace(part, groups=(), dimension=part.varied, pooled=False) if part.pooled else part


def factors(features: NDArray[np.float64], factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a feature from 0 to 1 multiplies by: 1 at 0, the factor at 1, shape ``n x 1``."""
    return 1.0 + (factor - 1.0) * features


def correlation(name: KernelName) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """The stationary kernel as a function of the squared scaled distance."""
    return lambda squared: correlation_and_slope(name, squared)[0]


def correlation_and_slope(
    name: KernelName, squared: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The stationary kernel and its derivative by the squared scaled distance, same shape."""
    if name == "rbf":
        value = np.exp(-0.5 * squared)
        return value, -0.5 * value
    if name == "matern-1.5":
        root = np.sqrt(3.0 * squared)
        decay = np.exp(-root)
        return (1.0 + root) * decay, -1.5 * decay
    root = np.sqrt(5.0 * squared)
    decay = np.exp(-root)
    slope = (1.0 + root) * decay
    return slope + (5.0 / 3.0) * squared * decay, (-5.0 / 6.0) * slope


def tanimoto(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """MinMax similarity of counts: the summed minima over the summed maxima; one for two rows of zeros.

    Counts are written in unary (one column for "at least one", another for "at least two", ...), so that the summed
    minima are a product of matrices.
    """
    top = np.minimum(a.max(axis=0, initial=0.0), b.max(axis=0, initial=0.0))
    levels = [np.flatnonzero(top >= level) for level in range(1, int(top.max(initial=0.0)) + 1)]
    shared = np.zeros((len(a), len(b)))
    for level, places in enumerate(levels, start=1):
        # Single precision is exact here: the sums are whole numbers far below 2**24.
        shared += (a[:, places] >= level).astype(np.float32) @ (b[:, places] >= level).astype(np.float32).T
    either = a.sum(axis=1)[:, None] + b.sum(axis=1)[None, :] - shared
    return np.where(either > 0.0, shared / np.maximum(either, 1e-300), 1.0)


def mean_covariance(kernels: Sequence[Covariance]) -> Covariance:
    """The mean of kernels, with the geometric mean of their noise; ``alternatives`` gives them back."""
    return replace(
        kernels[0],
        terms=tuple(term for kernel in kernels for term in kernel.terms),
        scales=np.concatenate([kernel.scales for kernel in kernels]) / len(kernels),
        lengthscales=tuple(own for kernel in kernels for own in kernel.lengthscales),
        noise=float(np.exp(np.mean([np.log(kernel.noise) for kernel in kernels]))),
    )


def prior_covariance(name: KernelName, terms: Sequence[Sequence[Part]]) -> Covariance:
    """A covariance at the modes of the hyperparameters' priors; see ``priors``."""
    parts = [part for term in terms for part in term]
    modes = [own_prior(part).mode for part in parts]
    return Covariance(
        name,
        tuple(tuple(term) for term in terms),
        scales=np.full(len(terms), SCALE_MODE / len(terms)),
        lengthscales=tuple(np.full(part.lengthscales, mode) for part, mode in zip(parts, modes, strict=True)),
        noise=NOISE_PRIOR.mode,
    )
