"""Improvement of the front of several Maximize and Minimize targets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy

from invdesign.optimizers.bayesian.acquisition import LOWEST, HitProbability, log_expected_excess
from invdesign.targets import Targets, pareto_rank

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRADED = 0.05
"""Least gain in one direction, in ranges, for which a candidate of the front may give a whole range of another."""
ENTRIES_AT_ONCE = 2**21
"""Entries of a candidates by boxes matrix held at once: with four directions there may be thousands of boxes."""


@dataclass(frozen=True)
class HypervolumeImprovement:
    """The logarithm of the expected gain of the front's hypervolume, among candidates that meet the other targets.

    The other targets enter by their probability. What is not yet dominated is cut into boxes, and the gain in a box is
    a product over the directions, whose expectation is known in closed form where properties are independent given the
    candidate (Yang et al. 2019, doi:10.1007/s10898-019-00798-7). Logarithms as in Ament et al. 2023, arXiv:2310.20708,
    so that there is a slope where the gain itself is zero.

    Attributes:
        targets: in the units of the properties; at least two are directions.
        front: gains of known candidates that meet the other targets, shape ``n x m``; dominated ones change nothing.
        typical: gain in each direction that a candidate drawn blindly is expected to have, shape ``m``.
    """

    targets: Targets
    front: NDArray[np.float64]
    typical: NDArray[np.float64]

    def score(self, mean: NDArray[np.float64], std: NDArray[np.float64]) -> NDArray[np.float64]:
        places = [self.targets.properties.index(target.property) for target in self.targets.optimized]
        signs = np.array([target.direction for target in self.targets.optimized], dtype=np.float64)
        means, deviations = signs * mean[:, places], np.maximum(std[:, places], 1e-12)
        rows = max(1, ENTRIES_AT_ONCE // self._boxes.shape[1])
        blocks = [slice(start, start + rows) for start in range(0, len(mean), rows)]
        gained = np.concatenate([np.empty(0), *(self._gain(means[block], deviations[block]) for block in blocks)])
        return np.maximum(gained + self._others.score(mean, std), LOWEST)

    def _gain(self, mean: NDArray[np.float64], deviation: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logarithm of the expected gain, shape ``n``, from moments ``n x m`` of the gains."""
        total = np.zeros((len(mean), self._boxes.shape[1]))
        for place, (edges, (lower, upper)) in enumerate(self._edges):
            above = (mean[:, place, None] - edges) / deviation[:, place, None]
            excess = log_expected_excess(above) + np.log(deviation[:, place, None])
            low, high = excess[:, lower], excess[:, upper]
            # E[min(y, upper) - lower]^+ as a difference of expected excesses.
            with np.errstate(divide="ignore"):
                total += low + np.log(-np.expm1(np.minimum(high - low, 0.0)))
        return np.asarray(scipy.special.logsumexp(total, axis=1))

    @cached_property
    def _edges(self) -> list[tuple[NDArray[np.float64], NDArray[np.int64]]]:
        """For each direction the places where boxes begin and end, and which of them are each box's."""
        pairs = (np.unique(self._boxes[..., place], return_inverse=True) for place in range(self._boxes.shape[2]))
        return [(edges, which.reshape(2, -1)) for edges, which in pairs]

    @cached_property
    def _boxes(self) -> NDArray[np.float64]:
        """Lower and upper corners of the boxes, shape ``2 x k x m``."""
        import torch
        from botorch.utils.multi_objective.box_decompositions.non_dominated import FastNondominatedPartitioning

        front = torch.as_tensor(self.front, dtype=torch.float64)
        given = self.targets.reference
        point = np.where(np.isnan(given), reference_point(self.front, self.typical), given)
        reference = torch.as_tensor(point, dtype=torch.float64)
        return np.asarray(FastNondominatedPartitioning(reference, front).get_hypercell_bounds().numpy())

    @cached_property
    def _others(self) -> HitProbability:
        return HitProbability(self.targets)


def reference_point(gains: NDArray[np.float64], typical: NDArray[np.float64]) -> NDArray[np.float64]:
    """From where the hypervolume is measured without a given reference, shape ``m``: behind the worst of the front.

    The front is that of candidates that lose little for what they gain (alpha-domination, Ikeda, Kita and Kobayashi
    2001): one that is far behind, but best by a hair in one direction, would move the point far off and draw the search
    to the ends. The point lies behind it by the mean gap of the front, as Ishibuchi et al. 2018,
    doi:10.1162/evco_a_00226, show for two directions: nearer, the ends are worth less than the middle, and a front of
    few candidates is not widened.

    A front that has shrunk to one end, the best in one direction, would keep the search there, since nothing elsewhere
    lies before such a point. So whatever is better than what is typical counts too.
    """
    whole = np.ptp(gains, axis=0)
    whole = np.where(whole > 0.0, whole, 1.0)
    scaled = gains / whole
    front = gains[pareto_rank(scaled + TRADED * scaled.sum(axis=1, keepdims=True)) == 0]
    span = np.ptp(front, axis=0)
    gap = np.where(span > 0.0, span, whole) / max(1, len(front) - 1)
    return np.minimum(front.min(axis=0) - gap, typical)
