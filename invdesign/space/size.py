"""How many candidates a space holds, in words."""

from __future__ import annotations

import math

import numpy as np

from invdesign.space.search_space import SearchSpace


def describe_size(space: SearchSpace) -> str:
    """Says how many candidates meet the constraints: exactly where they can be counted, else as a labelled estimate."""
    grid = space.grid()
    if grid is not None:
        return f"The space holds exactly {len(grid):,} candidates."
    share = space.feasible_share(np.random.default_rng(0)) if space.constraints else 1.0
    kept = f"; about {share:.2g} of the unit cube meets the constraints (estimate)" if space.constraints else ""
    if math.isinf(space.size):
        return f"The space is continuous in {space.dimension} dimensions{kept}."
    return f"The space holds {'about ' if space.constraints else ''}{space.size * share:.3g} candidates{kept}."
