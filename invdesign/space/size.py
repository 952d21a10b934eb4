"""The number of candidates of a space, as text."""

from __future__ import annotations

import math
import sys

import numpy as np

from invdesign.space.search_space import SearchSpace

RARE = "too few of them meet the constraints to estimate their share, and are sampled directly"
LARGEST_COUNT = 20_000
"""Largest number of candidates to enumerate to count those that meet the constraints."""


def describe_size(space: SearchSpace) -> str:
    """Number of candidates that meet the constraints: exact if they can be counted, otherwise a labeled estimate."""
    count = space.count
    if count is not None and count < sys.float_info.max:
        return f"The space has exactly {count:,} candidates."
    grid = space.grid(LARGEST_COUNT)
    if grid is not None:
        return f"The space has exactly {len(grid):,} candidates."
    share = space.feasible_share(np.random.default_rng(0)) if space.constraints else 1.0
    kept = ""
    if space.constraints:
        kept = f"; about {share:.2g} of them meet the constraints (estimate)" if share else f"; {RARE}"
    if math.isinf(space.size):
        return f"The space is continuous, with {space.dimension} dimensions of the unit cube{kept}."
    if not share:
        return f"The space has {space.size:.3g} candidates without the constraints{kept}."
    return f"The space has about {space.size * share:.3g} candidates (estimate){kept}."
