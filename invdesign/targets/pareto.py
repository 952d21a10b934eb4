"""Pareto rank: which candidates nothing else beats in every direction at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def pareto_rank(gains: ArrayLike) -> NDArray[np.int64]:
    """Non-dominated sorting (Goldberg 1989, as in NSGA-II): rank 0 is the Pareto front, rank 1 the front without it.

    Args:
        gains: shape ``n x m``, larger is better in every column. A row with NaN is ranked behind all others.

    Returns:
        The rank of each row, shape ``n``.
    """
    array = np.asarray(gains, dtype=np.float64)
    ranks = np.zeros(len(array), dtype=np.int64)
    whole = np.flatnonzero(~np.isnan(array).any(axis=1))
    left, rank = whole, 0
    while left.size:
        front = left[_non_dominated(array[left])]
        ranks[front] = rank
        left = np.setdiff1d(left, front, assume_unique=True)
        rank += 1
    ranks[np.isnan(array).any(axis=1)] = rank
    return ranks


def _non_dominated(gains: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Marks the rows that no other row dominates (at least as good everywhere, better somewhere)."""
    kept = np.ones(len(gains), dtype=bool)
    # Best sums first: a dominating row always has the larger sum, so most rows fall to one of the first few.
    for row in np.argsort(-gains.sum(axis=1), kind="stable"):
        if kept[row]:
            dominated = (gains <= gains[row]).all(axis=1) & (gains < gains[row]).any(axis=1)
            kept &= ~dominated
    return kept
