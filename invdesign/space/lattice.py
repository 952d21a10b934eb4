"""Linear conditions between parameters with steps: counted exactly, sampled uniformly, and rounded to.

The values that parameters with steps contribute to a linear form are whole numbers of a common unit. Dynamic
programming over the parameters counts in how many ways the form reaches each sum, and walking the table backwards draws
each way with the same probability (Nijenhuis and Wilf 1978, Combinatorial Algorithms), however small the share of such
candidates is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from invdesign.space.composition.simplex import projected, rounded
from invdesign.space.parameters import Continuous, Integer, Parameter, Pinned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.space.constraints import Constraint
    from invdesign.space.expressions import Affine

FINEST = 1e-9
"""Numbers are multiples of this; what is left is an error of rounding."""
LARGEST_TABLE = 20_000_000
"""Entries of the table beyond which a condition is not counted: about 160 MB."""
LARGEST_LEVELS = 100_000
LARGEST_WORK = 100_000_000
"""Additions to fill the table where steps are not consecutive units."""
LARGEST_BLOCK = 4_000_000
"""Numbers that are in memory at once while rows are drawn or rounded."""


@dataclass(frozen=True)
class LinearSum:
    """Steps of several parameters whose contributions to a linear form have a sum between two bounds.

    Attributes:
        places: of the parameters among the coordinates of the unit cube.
        parts: contribution of each step of each parameter, in units; the smallest of each parameter is zero.
        low: smallest sum, in units.
        high: largest sum, in units.
    """

    places: tuple[int, ...]
    parts: tuple[NDArray[np.int64], ...]
    low: int
    high: int

    @property
    def is_equality(self) -> bool:
        """Whether a single sum is allowed."""
        return self.low == self.high

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of steps of each parameter."""
        return tuple(len(part) for part in self.parts)

    @cached_property
    def count(self) -> int:
        """Number of ways to reach the sum, exact up to 2^53."""
        return int(self._ways[0][self.low :].sum()) if self.low <= self.high else 0

    @property
    def share(self) -> float:
        """Share of all combinations of steps that reach the sum."""
        return self.count / math.prod(self.sizes)

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draws steps uniformly from those that reach the sum, shape ``n x parameters``."""
        block = max(1, LARGEST_BLOCK // max(self.sizes))
        return np.concatenate([self._drawn(min(block, n - start), rng) for start in range(0, max(n, 1), block)])

    def nearest(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Moves coordinates to the nearest that decode to steps with the sum; only for an equality.

        Args:
            points: coordinates of the parameters in the unit cube, shape ``n x parameters``. Those that already have
                the sum are unchanged.
        """
        sizes = np.array(self.sizes)
        steps = np.clip(np.floor(points * sizes).astype(np.int64), 0, sizes - 1)
        sums = np.sum([part[steps[:, place]] for place, part in enumerate(self.parts)], axis=0)
        wrong = np.flatnonzero(sums != self.low)
        moved = points.copy()
        if len(wrong):
            wished = points[wrong] * sizes - 0.5
            if all(map(_is_plain, self.parts)):
                zero = np.zeros(len(sizes), dtype=np.int64)
                found = rounded(projected(wished, zero, sizes - 1, self.low), self.low)
            else:
                block = max(1, LARGEST_BLOCK // (self.high + 1))
                found = np.concatenate(
                    [self._cheapest(wished[start : start + block]) for start in range(0, len(wished), block)]
                )
            moved[wrong] = (found + 0.5) / sizes
        return moved

    def _drawn(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        summed = np.cumsum(self._ways[0][self.low :])
        sums = self.low + np.searchsorted(summed, rng.random(n) * summed[-1], side="right")
        steps = np.empty((n, len(self.parts)), dtype=np.int64)
        for place, part in enumerate(self.parts):
            ways = self._ways[place + 1]
            if _is_plain(part):
                summed = np.concatenate([[0.0], np.cumsum(ways)])
                least = np.maximum(sums - len(part) + 1, 0)
                drawn = summed[least] + rng.random(n) * (summed[sums + 1] - summed[least])
                rest = np.clip(np.searchsorted(summed, drawn, side="right") - 1, least, sums)
                steps[:, place], sums = sums - rest, rest
            else:
                left = sums[:, None] - part
                steps[:, place] = _picked(np.where(left >= 0, ways[np.maximum(left, 0)], 0.0), rng)
                sums = left[np.arange(n), steps[:, place]]
        return steps

    def _cheapest(self, wished: NDArray[np.float64]) -> NDArray[np.int64]:
        """The steps with the sum and the smallest sum of squared distances from the wished ones."""
        rows = np.arange(len(wished))
        costs = np.full((len(wished), self.high + 1), np.inf)
        costs[:, 0] = 0.0
        tables = [costs]
        for place, part in enumerate(self.parts):
            more = np.full_like(costs, np.inf)
            for step, amount in enumerate(part[part <= self.high].tolist()):
                own = ((step - wished[:, place]) / len(part)) ** 2
                reached = tables[-1][:, : self.high + 1 - amount] + own[:, None]
                np.minimum(more[:, amount:], reached, out=more[:, amount:])
            tables.append(more)
        sums = np.full(len(wished), self.high)
        steps = np.empty(wished.shape, dtype=np.int64)
        for place in reversed(range(len(self.parts))):
            part = self.parts[place]
            left = sums[:, None] - part
            own = ((np.arange(len(part)) - wished[:, [place]]) / len(part)) ** 2
            total = np.where(left >= 0, tables[place][rows[:, None], np.maximum(left, 0)] + own, np.inf)
            steps[:, place] = np.argmin(total, axis=1)
            sums = left[rows, steps[:, place]]
        return steps

    @cached_property
    def _ways(self) -> list[NDArray[np.float64]]:
        """In how many ways the parameters from each one on reach each sum; floats are exact up to 2^53."""
        last = np.zeros(self.high + 1)
        last[0] = 1.0
        tables = [last]
        for part in reversed(self.parts):
            if _is_plain(part):
                found = np.cumsum(tables[0])
                found[len(part) :] -= found[: -len(part)].copy()
            else:
                found = np.zeros_like(last)
                for amount in part[part <= self.high].tolist():
                    found[amount:] += tables[0][: self.high + 1 - amount]
            tables.insert(0, found)
        return tables


@dataclass(frozen=True)
class Lattice:
    """Conditions on sums of parameters with steps, no two of which share a parameter.

    Attributes:
        sums: the conditions.
        complete: whether these are all conditions between parameters.
    """

    sums: tuple[LinearSum, ...] = ()
    complete: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether a condition cannot be satisfied."""
        return any(one.count == 0 for one in self.sums)

    @property
    def share(self) -> float:
        """Share of all combinations of steps that satisfy the conditions."""
        return math.prod(one.share for one in self.sums)

    @property
    def equalities(self) -> tuple[LinearSum, ...]:
        """The conditions that allow a single sum."""
        return tuple(one for one in self.sums if one.is_equality)

    @property
    def places(self) -> tuple[int, ...]:
        """The coordinates of the cube that the conditions are about."""
        return tuple(place for one in self.sums for place in one.places)

    def redrawn(self, points: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Points with the coordinates of the conditions drawn anew, uniformly from those that satisfy them."""
        moved = points.copy()
        for one in self.sums:
            moved[:, one.places] = (one.draw(len(points), rng) + 0.5) / np.array(one.sizes)
        return moved

    def nearest(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points moved to the nearest ones that satisfy the equalities."""
        if not self.equalities:
            return points
        moved = points.copy()
        for one in self.equalities:
            moved[:, one.places] = one.nearest(np.clip(points[:, one.places], 0.0, 1.0))
        return moved


def lattice_of(constraints: Sequence[Constraint], parameters: Mapping[str, Parameter]) -> Lattice:
    """The linear conditions of constraints on parameters with steps.

    Of conditions that share a parameter the one that excludes the most is taken; the others remain to be checked.
    """
    starts: dict[str, int] = {}
    start = 0
    for name, parameter in parameters.items():
        starts[name] = start
        start += parameter.dimension
    bounds: dict[tuple[tuple[str, float], ...], tuple[float, float]] = {}
    complete = True
    for constraint in constraints:
        found = constraint.bounds()
        if found is None or any(level_values(parameters.get(name)) is None for name in constraint.names):
            complete = False
            continue
        complete &= not constraint.is_strict()
        for form, below, above in found:
            key, low, high = _normalized(form, below, above)
            before = bounds.get(key, (-math.inf, math.inf))
            bounds[key] = max(before[0], low), min(before[1], high)
    sums = [_linear_sum(key, low, high, parameters, starts) for key, (low, high) in bounds.items() if key]
    counted = sorted((one for one in sums if one is not None), key=lambda one: (not one.is_equality, one.share))
    chosen: list[LinearSum] = []
    for one in counted:
        if not set(one.places) & {place for other in chosen for place in other.places}:
            chosen.append(one)
    return Lattice(tuple(chosen), complete=complete and len(chosen) == len(bounds))


def level_values(parameter: Parameter | None) -> NDArray[np.float64] | None:
    """The values of a number with steps, in order; None for other parameters."""
    if isinstance(parameter, Continuous):
        return parameter.grid
    if isinstance(parameter, Pinned) and level_values(parameter.parameter) is not None:
        return np.array([parameter.value], dtype=np.float64)
    if isinstance(parameter, Integer) and parameter.size <= LARGEST_LEVELS:
        return np.arange(parameter.low, parameter.high + 1, dtype=np.float64)
    return None


def is_counted(form: Affine, parameters: Mapping[str, Parameter]) -> bool:
    """Whether the equality of a linear form with zero can be counted: its parameters have steps with a common unit."""
    key, low, high = _normalized(form, 0.0, 0.0)
    return bool(key) and _linear_sum(key, low, high, parameters, dict.fromkeys(parameters, 0)) is not None


def _normalized(form: Affine, low: float, high: float) -> tuple[tuple[tuple[str, float], ...], float, float]:
    """The coefficients of a form, the first of which is positive, and the bounds of the form without its constant."""
    coefficients, constant = form
    listed = sorted((name, value) for name, value in coefficients.items() if value != 0.0)
    low, high = low - constant, high - constant
    if listed and listed[0][1] < 0.0:
        listed, low, high = [(name, -value) for name, value in listed], -high, -low
    return tuple(listed), low, high


def _linear_sum(
    coefficients: Sequence[tuple[str, float]],
    low: float,
    high: float,
    parameters: Mapping[str, Parameter],
    starts: Mapping[str, int],
) -> LinearSum | None:
    """The condition in whole units; None if a parameter has no steps, or the table would be too large."""
    wholes = []
    for name, coefficient in coefficients:
        values = level_values(parameters.get(name))
        if values is None:
            return None
        wholes.append(np.rint(coefficient * values / FINEST).astype(np.int64))
    least = sum(int(whole.min()) for whole in wholes)
    parts = [whole - whole.min() for whole in wholes]
    unit = int(np.gcd.reduce(np.concatenate(parts)))
    most = sum(int(part.max()) for part in parts) // max(unit, 1)
    # A bound is met up to rounding, as in constraints.
    bottom = 0 if math.isinf(low) else math.ceil(round((low / FINEST - least) / unit, 6))
    top = most if math.isinf(high) else math.floor(round((high / FINEST - least) / unit, 6))
    bottom, top = max(bottom, 0), min(top, most)
    units = tuple(part // unit for part in parts)
    work = (top + 1) * sum(len(part) for part in units if not _is_plain(part))
    if (top + 1) * (len(parts) + 1) > LARGEST_TABLE or work > LARGEST_WORK:
        return None
    return LinearSum(tuple(starts[name] for name, _ in coefficients), units, bottom, top)


def _is_plain(part: NDArray[np.int64]) -> bool:
    """Whether the steps contribute consecutive units: 0, 1, 2, ..."""
    return bool(part[-1] == len(part) - 1 and (np.diff(part) == 1).all())


def _picked(weights: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """One column of each row, with a probability proportional to its weight."""
    summed = np.cumsum(weights, axis=1)
    drawn = rng.random(len(weights)) * summed[:, -1]
    return np.minimum((summed <= drawn[:, None]).sum(axis=1), weights.shape[1] - 1)
