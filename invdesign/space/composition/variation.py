"""Children of compositions: exchanges and transfers on a site, mixtures of two parents, always feasible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from invdesign.space.composition.moves import Moves
from invdesign.space.cube_moves import simulated_binary_crossover

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.space.composition.region import Region

TRIES = 16
"""Number of changes to try at once for each composition without a feasible change."""
ROUNDS = 4
FINEST = 0.02
"""The shortest transfer, as a share of the longest."""
LONGEST = 4.0
"""The longest transfer in steps: with log-uniform lengths from the shortest on, the mean is one step."""
BEYOND = 0.25
"""Extrapolation of a mixture beyond its parents, as a share of their distance."""


def mutated_amounts(
    region: Region, amounts: NDArray[np.int64], rng: np.random.Generator, step: float
) -> NDArray[np.int64]:
    """One feasible filling a small change away from each; the filling itself if none is found.

    Args:
        region: the feasible fillings.
        amounts: feasible fillings, in steps, shape ``n x columns``.
        rng: source of randomness.
        step: mean transfer, as a share of a site's amount.
    """
    children = amounts.copy()
    longest = min(1.0, LONGEST * step)
    moves = Moves(region.product, region.charges, largest=longest, smallest=longest * FINEST)
    waiting = np.arange(len(amounts))
    for _ in range(ROUNDS):
        if not len(waiting):
            break
        parents = np.repeat(amounts[waiting], TRIES, axis=0)
        tried = moves.proposed(parents, rng)
        good = region.product.contains(tried) & (tried != parents).any(axis=1)
        good[good] = region.keeps(tried[good])
        good = good.reshape(-1, TRIES)
        found = good.any(axis=1)
        places = np.arange(len(waiting)) * TRIES + np.argmax(good, axis=1)
        children[waiting[found]] = tried[places[found]]
        waiting = waiting[~found]
    return children


def crossed_amounts(
    region: Region, first: NDArray[np.int64], second: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """One feasible child of each pair: amounts crossed one by one, and projected on each site's sum and bounds.

    If that violates a rule across sites, each site becomes a mixture of the parents' sites, which satisfies linear
    rules (such as charge balance) except for rounding to steps. If that also fails,
    the child is the first parent.

    Args:
        region: the feasible fillings.
        first: feasible fillings, in steps, shape ``n x columns``.
        second: the other parents, same shape.
        rng: source of randomness.
    """
    one, other = region.product.coordinates(first), region.product.coordinates(second)
    children = region.product.nearest(simulated_binary_crossover(one, other, rng))
    waiting = np.flatnonzero(~region.keeps(children))
    children[waiting] = first[waiting]
    site = np.concatenate(
        [np.full(part.stop - part.start, place) for place, (_, part) in enumerate(region.product.parts())]
    )[region.product.varied]
    for _ in range(ROUNDS):
        if not len(waiting):
            break
        share = rng.uniform(-BEYOND, 1.0 + BEYOND, (len(waiting), site.max() + 1))[:, site]
        tried = region.product.nearest(one[waiting] + share * (other[waiting] - one[waiting]))
        good = region.keeps(tried)
        children[waiting[good]] = tried[good]
        waiting = waiting[~good]
    return children
