"""How many candidates a space holds, in words."""

from __future__ import annotations

import math

import numpy as np

from invdesign.space.search_space import SearchSpace

LARGEST_COUNT = 20_000
"""Candidates that are looked at one by one to count those that meet the constraints."""


def describe_size(space: SearchSpace) -> str:
    """Says how many candidates meet the constraints: exactly where they can be counted, else as a labeled estimate."""
    if space.countable and not space.constraints:
        return f"The space holds exactly {int(space.size):,} candidates."
    grid = space.grid(LARGEST_COUNT)
    if grid is not None:
        return f"The space holds exactly {len(grid):,} candidates."
    share = space.feasible_share(np.random.default_rng(0)) if space.constraints else 1.0
    kept = f"; about {share:.2g} of them meet the constraints (estimate)" if space.constraints else ""
    if math.isinf(space.size):
        return f"The space holds candidates without number, in {space.dimension} dimensions of the unit cube{kept}."
    return f"The space holds about {space.size * share:.3g} candidates (estimate){kept}."
