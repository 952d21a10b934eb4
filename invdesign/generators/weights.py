"""Draws candidates in proportion to weights: Bayes' rule, with candidates of a generator as draws of the prior."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def drawn_by_weight(logarithm: NDArray[np.float64], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draws without replacement in proportion to weights (Efraimidis and Spirakis 2006, doi:10.1016/j.ipl.2005.11.003).

    Args:
        logarithm: of the weights, shape ``m``.
        n: how many; all if there are fewer.
        rng: source of randomness.

    Returns:
        Places of those drawn, in increasing order.
    """
    keys = logarithm + rng.gumbel(size=len(logarithm))
    return np.sort(np.argsort(-keys, kind="stable")[:n])
