"""Rosenbrock's function (1960, doi:10.1093/comjnl/3.3.175): a curved valley whose lowest point is 0 at (1, 1, 1, 1)."""

from itertools import pairwise


def valley(**parameters: float) -> dict[str, float]:
    """Height of the valley."""
    x = list(parameters.values())
    return {"height": sum(100.0 * (after - before**2) ** 2 + (1.0 - before) ** 2 for before, after in pairwise(x))}
