"""What a kernel is made of: one covariance function on some of the features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PartKind = Literal["stationary", "tanimoto", "linear", "factor"]


@dataclass(frozen=True)
class Part:
    """One kernel on some of the features.

    Attributes:
        kind: ``stationary`` (by scaled distance), ``tanimoto`` (on counts), ``linear`` (a product of features) or
            ``factor`` (of one feature from 0 to 1: a product of numbers that go from 1 to a learned factor).
        places: columns of the features that it looks at.
        groups: for each of them the number of its length scale; one for all where empty. The one-hot features of a
            category of many values share one.
        dimension: how many things vary, for the prior of the length scales; the number of features where zero. A
            category whose values share a length scale is one thing, however many they are.
        pooled: whether its length scales are alike unless the values say otherwise, as many of them have to be.
        weights: of a stationary part, what each feature is multiplied by before distances are taken; nothing where
            empty.
    """

    kind: PartKind
    places: tuple[int, ...]
    groups: tuple[int, ...] = ()
    dimension: int = 0
    pooled: bool = False
    weights: tuple[float, ...] = ()

    @property
    def lengthscales(self) -> int:
        """How many length scales it has; the factor of a ``factor`` stands among them."""
        if self.kind == "factor":
            return 1
        if self.kind != "stationary":
            return 0
        return max(self.groups, default=0) + 1

    @property
    def varied(self) -> int:
        """``dimension``, or the number of features."""
        return self.dimension or len(self.places)

    @property
    def where(self) -> slice | tuple[int, ...]:
        """``places`` as an index; a slice where they follow each other, since it copies nothing."""
        first, last = (self.places[0], self.places[-1]) if self.places else (0, -1)
        return slice(first, last + 1) if self.places == tuple(range(first, last + 1)) else self.places

    def squared(
        self, a: NDArray[np.float64], b: NDArray[np.float64], lengthscales: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Squared distances in length scales, shapes ``n x d`` and ``m x d`` of the part's features to ``n x m``."""
        if not self.groups and not self.weights:
            return squared_distance(a, b) / lengthscales[0] ** 2
        wide = self.spread_out(lengthscales)
        return squared_distance(a / wide, b / wide)

    def spread_out(self, lengthscales: NDArray[np.float64]) -> NDArray[np.float64]:
        """What divides each feature (or all of them) before distances are taken, from the part's length scales."""
        wide = lengthscales[list(self.groups)] if self.groups else lengthscales
        return wide / np.array(self.weights) if self.weights else wide

    def gathered(self, by_feature: NDArray[np.float64]) -> NDArray[np.float64]:
        """Derivatives by the length scales of a stationary part with several, from those by each feature's."""
        summed = np.bincount(self.groups, weights=by_feature, minlength=self.lengthscales)
        return np.asarray(summed, dtype=np.float64)


def squared_distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared Euclidean distances, shapes ``n x d`` and ``m x d`` to ``n x m``."""
    squared = a @ b.T
    squared *= -2.0
    squared += np.einsum("ij,ij->i", a, a)[:, None]
    squared += np.einsum("ij,ij->i", b, b)
    return np.maximum(squared, 0.0, out=squared)
