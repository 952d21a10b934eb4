"""Pareto ranks and the hypervolume.

Both are computed by moocore (López-Ibáñez et al. 2010, doi:10.1007/978-3-642-02538-9_9, and later work).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def pareto_rank(gains: ArrayLike) -> NDArray[np.int64]:
    """Non-dominated sorting (Goldberg 1989, as in NSGA-II): rank 0 is the Pareto front, rank 1 the front without it.

    Equal rows have equal ranks.

    Args:
        gains: shape ``n x m``, larger is better in every column. Rows with NaN are ranked last.

    Returns:
        The rank of each row, shape ``n``.
    """
    import moocore

    array = np.asarray(gains, dtype=np.float64)
    unknown = np.isnan(array).any(axis=1)
    ranks = np.zeros(len(array), dtype=np.int64)
    if not unknown.all():
        known = array[~unknown]
        if not np.isfinite(known).all():
            # moocore 0.3.2 crashes on infinities in three or four columns; only the order within a column matters
            known = np.stack([np.unique(column, return_inverse=True)[1] for column in known.T], axis=1).astype(float)
        ranks[~unknown] = moocore.pareto_rank(known, maximise=True)
        ranks[unknown] = ranks[~unknown].max() + 1
    return ranks


def hypervolume(gains: ArrayLike, reference: ArrayLike) -> float:
    """Volume dominated by the rows, above a reference point (Zitzler and Thiele 1998, doi:10.1007/BFb0056872).

    Args:
        gains: shape ``n x m``, larger is better in every column. Rows with NaN or an infinite value, and rows that
            are not above the reference in every column, do not contribute.
        reference: shape ``m``.

    Returns:
        The volume, in the product of the columns' units.
    """
    import moocore

    array = np.asarray(gains, dtype=np.float64)
    known = array[np.isfinite(array).all(axis=1)]
    if not len(known):
        return 0.0
    return float(moocore.hypervolume(known, ref=np.asarray(reference, dtype=np.float64), maximise=True))
