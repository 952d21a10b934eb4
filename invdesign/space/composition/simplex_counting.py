"""The number of vectors of a simplex of whole numbers, and the one at an index: exact, by dynamic programming.

The table's entry ``[part][nonzeros][sum]`` is the number of ways in which the parts from that one on give that sum
with that many nonzeros. Walking it from the first part on finds the vector at any index (combinatorial unranking,
Nijenhuis and Wilf 1978, Combinatorial Algorithms), so uniform indices give uniform vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.space.composition.simplex import Simplex

LARGEST_TABLE = 20_000_000
"""Entries of the table beyond which a site is too fine to be counted: about 160 MB."""
INT64 = 2**62


def table_entries(parts: int, most: int, total: int) -> int:
    """Number of entries of the table of a simplex."""
    return (parts + 1) * (most + 1) * (total + 1)


def random_places(size: int, n: int, rng: np.random.Generator) -> NDArray[Any]:
    """Draws ``n`` uniform whole numbers below ``size``: 64-bit integers, or Python's where those overflow."""
    if size < INT64:
        return rng.integers(0, size, n, dtype=np.int64)
    bits = size.bit_length()
    wide = -(-bits // 8)
    found: list[int] = []
    while len(found) < n:
        drawn = int.from_bytes(rng.bytes(wide), "little") >> (8 * wide - bits)
        if drawn < size:
            found.append(drawn)
    return np.array(found, dtype=object)


@dataclass(frozen=True)
class Counting:
    """The ordered vectors of a simplex, counted without listing them.

    Attributes:
        simplex: the simplex.
    """

    simplex: Simplex

    @cached_property
    def size(self) -> int:
        """Number of vectors."""
        return sum(int(ways) for ways in self._by_nonzeros)

    def at(self, places: NDArray[Any]) -> NDArray[np.int64]:
        """The vectors at indices, ``0 <= place < size``, shape ``n x parts``."""
        simplex = self.simplex
        rank = np.asarray(places, dtype=self._type)
        nonzeros = np.zeros(len(rank), dtype=np.int64)
        waiting = np.ones(len(rank), dtype=bool)
        for count, ways in enumerate(self._by_nonzeros):
            here = waiting & (rank < ways)
            nonzeros[here] = count
            waiting &= ~here
            rank = np.where(waiting, rank - ways, rank)
        left = np.full(len(rank), simplex.total, dtype=np.int64)
        vectors = np.zeros((len(rank), simplex.parts), dtype=np.int64)
        for part in range(simplex.parts):
            if simplex.low[part] == 0:
                ways_without = self._ways[part + 1][nonzeros, left]
                taken = rank >= ways_without
                rank = np.where(taken, rank - ways_without, rank)
            else:
                taken = np.ones(len(rank), dtype=bool)
            if taken.any():
                value, rest = self._value(part, rank[taken], nonzeros[taken], left[taken])
                vectors[taken, part] = value
                rank[taken] = rest
                nonzeros[taken] -= 1
                left[taken] -= value
        return vectors

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draws ``n`` vectors uniformly, with replacement, shape ``n x parts``."""
        return self.at(random_places(self.size, n, rng))

    def _value(
        self, part: int, rank: NDArray[Any], nonzeros: NDArray[np.int64], left: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """The part's nonzero value at a rank, and the remaining rank among the following parts."""
        below = self._below[part + 1]
        first = max(self.simplex.low[part], 1)
        start = below[nonzeros - 1, left - first + 1]
        low = np.full(len(rank), first, dtype=np.int64)
        high = np.minimum(self.simplex.high[part], left)
        while (low < high).any():
            middle = (low + high) // 2
            enough = start - below[nonzeros - 1, left - middle] > rank
            low, high = np.where(enough, low, middle + 1), np.where(enough, middle, high)
        return low, rank - (start - below[nonzeros - 1, left - low + 1])

    @cached_property
    def _by_nonzeros(self) -> list[Any]:
        """Number of ways to reach the total with 0, 1, 2, ... nonzeros; zero if that number is not allowed."""
        ways = self._ways[0][:, self.simplex.total]
        return [count if number >= self.simplex.fewest else 0 for number, count in enumerate(ways.tolist())]

    @cached_property
    def _type(self) -> Any:
        # Floats are accurate enough to decide whether 64 bits suffice.
        rough = _tables(self.simplex, np.float64)[0][0][:, self.simplex.total].sum()
        return np.int64 if rough < INT64 / 2 and self._widest < INT64 / 2 else object

    @property
    def _widest(self) -> float:
        """An upper bound of the numbers in the tables, for any bounds of the preceding parts."""
        return float(max(table.max() for table in _tables(self.simplex, np.float64)[1]))

    @cached_property
    def _both(self) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        return _tables(self.simplex, self._type)

    @property
    def _ways(self) -> list[NDArray[Any]]:
        return self._both[0]

    @property
    def _below(self) -> list[NDArray[Any]]:
        return self._both[1]


def _tables(simplex: Simplex, dtype: Any) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    """Counts ``[part][nonzeros, sum]``, and their cumulative sums, ``[part][nonzeros, sum]``."""
    total, most = simplex.total, simplex.most
    last = np.zeros((most + 1, total + 1), dtype=dtype)
    last[0, 0] = 1
    ways, below = [last], [_summed(last)]
    for low, high in zip(reversed(simplex.low), reversed(simplex.high), strict=True):
        found = ways[0].copy() if low == 0 else np.zeros_like(last)
        first = max(low, 1)
        if first <= min(high, total):
            sums = np.arange(first, total + 1)
            found[1:, first:] += below[0][:-1, sums - first + 1] - below[0][:-1, np.maximum(sums - high, 0)]
        ways.insert(0, found)
        below.insert(0, _summed(found))
    return ways, below


def _summed(ways: NDArray[Any]) -> NDArray[Any]:
    sums = np.zeros((ways.shape[0], ways.shape[1] + 1), dtype=ways.dtype)
    np.cumsum(ways, axis=1, out=sums[:, 1:])
    return sums
