"""Real-coded variation in the unit cube: mutation, crossover and differential evolution, on all rows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPREAD = 2.0
"""Distribution index of the crossover: the larger, the closer children are to their parents."""
SAME = 1e-14
Value = TypeVar("Value", bound=np.generic)


def polynomial_mutation(points: NDArray[np.float64], rng: np.random.Generator, step: float) -> NDArray[np.float64]:
    """Moves one coordinate of each row, and each other one with probability one over their number.

    Polynomial mutation (Deb and Goyal 1996) with bounds, as in NSGA-II. Its index ``eta`` is chosen so that the mean
    distance of an unbounded move, ``1 / (eta + 2)``, is the step.

    Args:
        points: of the unit cube, shape ``n x d``.
        rng: source of randomness.
        step: mean length of a move in the cube, above 0 and at most 0.5.

    Returns:
        Points of the unit cube, same shape.
    """
    rows, width = points.shape
    power = 1.0 / (max(0.0, 1.0 / step - 2.0) + 1.0)
    moved = rng.random(points.shape) < 1.0 / width
    moved[np.arange(rows), rng.integers(0, width, rows)] = True
    chance = rng.random(points.shape)
    down = chance < 0.5
    room = np.where(down, 1.0 - points, points) ** (1.0 / power)
    share = np.where(down, 2.0 * chance, 2.0 * (1.0 - chance))
    length = 1.0 - (share + (1.0 - share) * room) ** power
    return np.clip(np.where(moved, points + np.where(down, -length, length), points), 0.0, 1.0)


def simulated_binary_crossover(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    rng: np.random.Generator,
    spread: float | NDArray[np.float64] = SPREAD,
) -> NDArray[np.float64]:
    """One child of each pair: half the coordinates are the first parent's, half are spread around both.

    Simulated binary crossover (Deb and Agrawal 1995) with bounds, as in NSGA-II.

    Args:
        first: points of the unit cube, shape ``n x d``.
        second: the other parents, same shape.
        rng: source of randomness.
        spread: distribution index, at least 0, one or shape ``n x 1``; the larger, the closer children are to their
            parents.

    Returns:
        Points of the unit cube, same shape.
    """
    low, high = np.minimum(first, second), np.maximum(first, second)
    apart = high - low
    lower = rng.random(first.shape) < 0.5
    chance = rng.random(first.shape)
    crossed = (rng.random(first.shape) < 0.5) & (apart > SAME)
    room = np.where(lower, low, 1.0 - high)
    alpha = 2.0 - (1.0 + 2.0 * room / np.where(apart > SAME, apart, 1.0)) ** -(spread + 1.0)
    scaled = chance * alpha
    inner = scaled <= 1.0
    beta = np.where(inner, scaled, 1.0 / np.where(inner, 1.0, 2.0 - scaled)) ** (1.0 / (spread + 1.0))
    child = 0.5 * (low + high + np.where(lower, -1.0, 1.0) * beta * apart)
    return np.clip(np.where(crossed, child, first), 0.0, 1.0)


def differential_move(
    points: NDArray[np.float64],
    toward: NDArray[np.float64],
    one: NDArray[np.float64],
    other: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Moves each row part of the way to another one, plus along the difference of two more.

    Differential evolution's current-to-rand move (Storn and Price 1997, doi:10.1023/A:1008202821328), with random
    lengths of both parts for each row. It changes all coordinates together, so that a population in a diagonal valley
    or along a boundary continues along it.

    Args:
        points: of the unit cube, shape ``n x d``.
        toward: the points to move to, same shape.
        one: ends of the differences, same shape.
        other: starts of the differences, same shape.
        rng: source of randomness.

    Returns:
        Points of the unit cube, same shape; coordinates outside are mirrored at the bound.
    """
    nearer, along = rng.random((2, len(points), 1))
    moved = np.abs(points + nearer * (toward - points) + along * (one - other))
    return np.clip(np.where(moved > 1.0, 2.0 - moved, moved), 0.0, 1.0)


def from_either(first: NDArray[Value], second: NDArray[Value], rng: np.random.Generator) -> NDArray[Value]:
    """Each value from the first or the second parent with equal probability; shape ``n``."""
    return np.where(rng.random(len(first)) < 0.5, first, second)
