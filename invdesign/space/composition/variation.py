"""Children of compositions: site swaps and transfers of one, mixtures of two, always within the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from invdesign.space.composition.moves import Moves
from invdesign.space.cube_moves import simulated_binary_crossover

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.space.composition.region import Region

TRIES = 16
"""Changes that are tried at once for each composition that still waits for one that keeps the rules."""
ROUNDS = 4
FINEST = 0.02
"""The shortest transfer, as a share of the longest."""
LONGEST = 4.0
"""The longest transfer in steps: spread over its orders of magnitude from the shortest on, its mean is one step."""
BEYOND = 0.25
"""How far a mixture may lie beyond its parents, as a share of their distance."""


def mutated_amounts(
    region: Region, amounts: NDArray[np.int64], rng: np.random.Generator, step: float
) -> NDArray[np.int64]:
    """One feasible filling a small change away from each; the filling itself where none was found.

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
    """One feasible filling of each pair: amounts crossed one by one, and projected on each site's sum and bounds.

    Where that breaks a rule across sites, each site becomes a mixture of the parents' as a whole, which keeps what is
    linear (charges cancel in a mixture as they do in both parents) but for the rounding to steps. Where that fails too,
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
