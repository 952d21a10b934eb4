"""Whole numbers with a fixed sum, bounds and a limited number of nonzeros: the lattice of one site's amounts.

A site's amounts are counted in steps, so that they sum exactly and formulas have no rounding errors. The number of
such vectors and the one at a given index are in ``simplex_counting``; uniform points of the continuous
simplex are in ``simplex_volume``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ROUNDS = 80
"""Largest number of iterations of the projection; a dozen are usual, and bisection alone would need 60."""


class EmptySimplexError(Exception):
    """No vector has the sum within the bounds; the site turns this into a message with the reason."""


@dataclass(frozen=True)
class Simplex:
    """Vectors ``x`` of whole numbers with ``sum(x) == total``, ``low <= x <= high`` and a number of nonzeros.

    Use ``Simplex.of``, which tightens bounds and checks that there is such a vector.

    Attributes:
        total: the sum.
        low: smallest value of each part.
        high: largest value of each part.
        fewest: smallest number of nonzero parts.
        most: largest number of nonzero parts; either ``fewest``, or ``fewest`` is at most one.
    """

    total: int
    low: tuple[int, ...]
    high: tuple[int, ...]
    fewest: int
    most: int

    @classmethod
    def of(
        cls, total: int, low: Sequence[int], high: Sequence[int], *, fewest: int = 0, most: int | None = None
    ) -> Self:
        """Creates a simplex with the tightest bounds for the same vectors.

        Raises:
            EmptySimplexError: if there is no such vector.
        """
        most = len(low) if most is None else min(most, len(low))
        bounds = list(zip(low, high, strict=True))
        if not _reachable(total, bounds, fewest, most):
            raise EmptySimplexError
        tight = [
            _span(total, part, bounds[:place] + bounds[place + 1 :], fewest, most) for place, part in enumerate(bounds)
        ]
        return cls(total, tuple(least for least, _ in tight), tuple(greatest for _, greatest in tight), fewest, most)

    @property
    def parts(self) -> int:
        """Number of parts of the total."""
        return len(self.low)

    @property
    def is_point(self) -> bool:
        """True if there is only one vector."""
        return self.low == self.high

    def contains(self, vectors: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each row of whole numbers belongs to the simplex."""
        inside = (vectors >= self._low).all(axis=1) & (vectors <= self._high).all(axis=1)
        inside &= vectors.sum(axis=1) == self.total
        if self.fewest > 1 or self.most < self.parts:
            nonzero = (vectors > 0).sum(axis=1)
            inside &= (nonzero >= self.fewest) & (nonzero <= self.most)
        return inside

    def nearest(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """The vector nearest to each row of real numbers, shape ``n x parts``.

        The largest parts remain if not all may differ from zero (Beck and Hallak 2016, doi:10.1287/moor.2015.0722,
        show that this is the nearest where all have the same bounds), then the row is projected on the sum, and rounded
        to whole numbers with the same sum (Conway and Sloane 1982, doi:10.1109/TIT.1982.1056484). A row that belongs to
        the simplex is returned unchanged.
        """
        vectors = np.rint(points).astype(np.int64)
        wrong = np.flatnonzero(~self.contains(vectors) | (np.abs(points - vectors) > 1e-6).any(axis=1))
        if len(wrong):
            given = points[wrong]
            kept = self._kept(given)
            floor = 1 if self.fewest == self.most else 0
            low = np.where(kept, np.maximum(self._low, floor), 0)
            high = np.where(kept, self._high, 0)
            vectors[wrong] = rounded(projected(given, low, high, self.total), self.total)
        return vectors

    def _kept(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """The parts of each row that may differ from zero: the largest that can sum to the total."""
        if self.most >= self.parts:
            return np.ones(points.shape, dtype=bool)
        must = self._low > 0
        order = np.argsort(np.where(must, -np.inf, np.where(self._high > 0, -points, np.inf)), axis=1, kind="stable")
        kept = np.zeros(points.shape, dtype=bool)
        np.put_along_axis(kept, order[:, : self.most], True, axis=1)
        for _ in range(self.most):
            short = np.flatnonzero((kept * self._high).sum(axis=1) < self.total)
            if not len(short):
                break
            outside = np.where(kept[short], -1, self._high)
            inside = np.where(kept[short] & ~must, self._high, np.iinfo(np.int64).max)
            kept[short, np.argmin(inside, axis=1)] = False
            kept[short, np.argmax(outside, axis=1)] = True
        return kept

    @cached_property
    def _low(self) -> NDArray[np.int64]:
        return np.array(self.low, dtype=np.int64)

    @cached_property
    def _high(self) -> NDArray[np.int64]:
        return np.array(self.high, dtype=np.int64)


def projected(
    points: NDArray[np.float64], low: NDArray[np.int64], high: NDArray[np.int64], total: int
) -> NDArray[np.float64]:
    """Projects rows on ``sum == total`` and ``low <= row <= high``: all parts shift equally, up to their bounds.

    Args:
        points: shape ``n x parts``.
        low: of each part of each row, or of each part.
        high: as ``low``; the bounds must allow the total.
        total: the sum.
    """
    # sum(clip(points + shift)) increases with the shift and is piecewise linear: Newton's method within a bracket.
    shape = points.shape
    low, high = np.broadcast_to(low, shape), np.broadcast_to(high, shape)
    found = np.empty(shape)
    rows = np.arange(len(points))
    lowest, highest = (low - points).min(axis=1), (high - points).max(axis=1)
    shift = np.clip((total - points.sum(axis=1)) / shape[1], lowest, highest)
    for _ in range(ROUNDS):
        moved = points + shift[:, None]
        inside = np.clip(moved, low, high)
        lacking = total - inside.sum(axis=1)
        open_ = np.abs(lacking) > 1e-9 * max(total, 1)
        found[rows[~open_]] = inside[~open_]
        if not open_.any():
            return found
        free = ((moved > low) & (moved < high)).sum(axis=1)
        lowest, highest = np.where(lacking > 0, shift, lowest), np.where(lacking < 0, shift, highest)
        newton = shift + lacking / np.maximum(free, 1)
        good = (free > 0) & (newton > lowest) & (newton < highest)
        shift = np.where(good, newton, 0.5 * (lowest + highest))
        rows, points, low, high = rows[open_], points[open_], low[open_], high[open_]
        shift, lowest, highest = shift[open_], lowest[open_], highest[open_]
    found[rows] = np.clip(points + shift[:, None], low, high)
    return found


def rounded(points: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Rounds rows that sum to ``total`` to the nearest whole numbers that do, never across a whole bound."""
    vectors = np.rint(points).astype(np.int64)
    excess = vectors.sum(axis=1) - total
    wrong = np.flatnonzero(excess)
    if len(wrong):
        # The parts rounded up the most are rounded down instead, and vice versa: each part changes by one at most.
        sign = np.sign(excess[wrong])
        order = np.argsort(sign[:, None] * (points[wrong] - vectors[wrong]), axis=1, kind="stable")
        change = np.arange(points.shape[1]) < np.abs(excess[wrong])[:, None]
        moves = np.zeros_like(order)
        np.put_along_axis(moves, order, change.astype(order.dtype), axis=1)
        vectors[wrong] -= sign[:, None] * moves
    return vectors


def _reachable(total: int, bounds: Sequence[tuple[int, int]], fewest: int, most: int) -> bool:
    """True if parts within bounds, with a limited number of nonzeros, can sum to the total."""
    must = sum(low > 0 for low, _ in bounds)
    possible = sum(high > 0 for _, high in bounds)
    if any(low > high for low, high in bounds) or must > most or possible < fewest:
        return False
    return _load(bounds, fewest) <= total <= _capacity(bounds, most)


def _span(
    total: int, part: tuple[int, int], others: Sequence[tuple[int, int]], fewest: int, most: int
) -> tuple[int, int]:
    """The smallest and the largest value of a part in any vector: zero, or what the others leave."""
    may_be_zero = part[0] == 0 and _reachable(total, others, fewest, most)
    least = max(part[0], 1, total - _capacity(others, most - 1))
    greatest = min(part[1], total - _load(others, fewest - 1))
    must, possible = sum(low > 0 for low, _ in others), sum(high > 0 for _, high in others)
    if least > greatest or must > most - 1 or possible < fewest - 1:
        return 0, 0
    return (0 if may_be_zero else least), greatest


def _load(bounds: Sequence[tuple[int, int]], fewest: int) -> int:
    """The smallest sum of parts with the required number of nonzeros."""
    must = sum(low > 0 for low, _ in bounds)
    return sum(low for low, _ in bounds) + max(0, fewest - must)


def _capacity(bounds: Sequence[tuple[int, int]], most: int) -> int:
    """The largest sum of at most ``most`` parts, including those that must not be zero."""
    must = [high for low, high in bounds if low > 0]
    rest = sorted((high for low, high in bounds if low == 0), reverse=True)
    return sum(must) + sum(rest[: max(0, most - len(must))])
