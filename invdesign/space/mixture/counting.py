"""The number of mixtures, the one at an index, and uniform random ones: exact, without listing them.

Components of a role are exchangeable except for those in pair rules. A pattern fixes which of the latter are in the
mixture and how many components each role has; within it, the other components are any subset of their number, and the
amounts are any whole numbers within bounds, whose sums are counted by dynamic programming. An index is decoded pattern
by pattern, subset by subset and amount by amount (combinatorial unranking, Nijenhuis and Wilf 1978, Combinatorial
Algorithms).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from invdesign.core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.space.mixture.role import RoleLattice

MOST_PATTERNS = 200_000
TOO_MANY = (
    "The mixtures are of too many kinds to be counted. Use fewer roles, a smaller pick, or fewer exclude and require."
)


class Source(Protocol):
    """Chooses among counted possibilities, for several rows at once."""

    @property
    def count(self) -> int:
        """Number of rows."""

    def split(self, size: int) -> Source:
        """The source of a part with a number of possibilities; this one goes on with the rest."""

    def below(self, size: int) -> NDArray[np.int64]:
        """One of a number of possibilities for each row."""

    def search(
        self, summed: NDArray[np.float64], start: NDArray[np.int64], stop: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """An entry from ``start`` up to ``stop`` for each row, ``summed`` being the possibilities before each."""


class Ranks:
    """Chooses the possibilities at given indices, in order.

    Args:
        ranks: whole numbers, shape ``n``.
    """

    def __init__(self, ranks: NDArray[np.float64]) -> None:
        self._ranks = ranks

    @property
    def count(self) -> int:
        return len(self._ranks)

    def split(self, size: int) -> Ranks:
        self._ranks, own = np.divmod(self._ranks, float(size))
        return Ranks(own)

    def below(self, size: int) -> NDArray[np.int64]:
        self._ranks, own = np.divmod(self._ranks, float(size))
        return own.astype(np.int64)

    def search(
        self, summed: NDArray[np.float64], start: NDArray[np.int64], stop: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        position = summed[start] + self._ranks
        found = np.searchsorted(summed, position, side="right") - 1
        self._ranks = position - summed[found]
        return found


@dataclass(frozen=True)
class Draws:
    """Chooses each possibility with the same probability.

    Attributes:
        count: number of rows.
        rng: source of randomness.
    """

    count: int
    rng: np.random.Generator

    def split(self, size: int) -> Draws:
        return self

    def below(self, size: int) -> NDArray[np.int64]:
        return self.rng.integers(0, size, self.count)

    def search(
        self, summed: NDArray[np.float64], start: NDArray[np.int64], stop: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        position = summed[start] + self.rng.random(self.count) * (summed[stop] - summed[start])
        return np.searchsorted(summed, position, side="right") - 1


@dataclass(frozen=True)
class Group:
    """Roles whose amounts have a common sum, or a single role without one.

    Attributes:
        roles: their indices.
        total: sum of the amounts, in steps; None if they are free.
    """

    roles: tuple[int, ...]
    total: int | None


Bounds = tuple[tuple[int, int], ...]


class Tables:
    """In how many ways whole numbers within bounds reach each sum; those of shorter lists serve longer ones.

    Args:
        total: the largest sum.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._exact: dict[Bounds, NDArray[np.object_]] = {}
        self._summed: dict[Bounds, NDArray[np.float64]] = {}

    def exact(self, bounds: Bounds) -> NDArray[np.object_]:
        """Whole numbers, for each sum up to the total."""
        if bounds not in self._exact:
            before = self.exact(bounds[1:]) if bounds else np.array([1, *[0] * self._total], dtype=object)
            self._exact[bounds] = _spread(before, *bounds[0]) if bounds else before
        return self._exact[bounds]

    def summed(self, bounds: Bounds) -> NDArray[np.float64]:
        """The numbers for all smaller sums together, from none on; floats are exact up to 2^53."""
        if bounds not in self._summed:
            self._summed[bounds] = np.concatenate([[0.0], np.cumsum(self.exact(bounds).astype(np.float64))])
        return self._summed[bounds]


@dataclass(frozen=True)
class Amounts:
    """Whole numbers within bounds, in order, with a fixed sum or without one.

    Attributes:
        bounds: smallest and largest value of each.
        total: their sum; None if it is free.
        tables: of the sums up to the total.
    """

    bounds: Bounds
    total: int | None
    tables: Tables

    @cached_property
    def size(self) -> int:
        """How many there are, exactly."""
        if self.total is None:
            return math.prod(high - low + 1 for low, high in self.bounds)
        return int(self.tables.exact(self.bounds)[self.total])

    def at(self, source: Source) -> NDArray[np.int64]:
        """The numbers that a source of indices chooses, shape ``n x len(bounds)``."""
        values = np.empty((source.count, len(self.bounds)), dtype=np.int64)
        if self.total is None:
            for place, (low, high) in enumerate(self.bounds):
                values[:, place] = low + source.below(high - low + 1)
            return values
        left = np.full(source.count, self.total, dtype=np.int64)
        for place, (low, high) in enumerate(self.bounds):
            summed = self.tables.summed(self.bounds[place + 1 :])
            least, most = np.maximum(left - high, 0), left - low
            rest = np.clip(source.search(summed, least, most + 1), least, most)
            values[:, place] = left - rest
            left = rest
        return values


def _spread(ways: NDArray[Any], low: int, high: int) -> NDArray[Any]:
    """The ways to reach each sum after one more value between two bounds."""
    summed = np.concatenate([np.zeros(1, dtype=ways.dtype), np.cumsum(ways)])
    sums = np.arange(len(ways))
    reached = summed[np.maximum(sums - low + 1, 0)] - summed[np.maximum(sums - high, 0)]
    return np.where(sums >= low, reached, np.zeros(1, dtype=ways.dtype))


@dataclass(frozen=True)
class Pattern:
    """Mixtures with the same special components and the same number of components in each role.

    Attributes:
        special: indices of the special components that they contain.
        free: number of other components of each role.
        counts: number of all components of each role.
    """

    special: tuple[int, ...]
    free: tuple[int, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Counting:
    """All mixtures that satisfy the roles, the totals and the pair rules, in an order.

    Attributes:
        roles: of the mixture.
        groups: of roles.
        excluded: pairs of components, by index, that must not occur together.
        required: pairs of components, the first of which needs the second.
    """

    roles: tuple[RoleLattice, ...]
    groups: tuple[Group, ...]
    excluded: tuple[tuple[int, int], ...] = ()
    required: tuple[tuple[int, int], ...] = ()

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Index of the first component of each role, and the number of all components."""
        return (0, *itertools.accumulate(role.size for role in self.roles))

    @cached_property
    def size(self) -> int:
        """Number of mixtures."""
        return sum(self._sizes)

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draws mixtures uniformly, with replacement, as steps of each component, shape ``n x components``."""
        weights = np.cumsum([size / self.size for size in self._sizes])
        chosen = np.minimum(np.searchsorted(weights, rng.random(n), side="right"), len(weights) - 1)
        return self._made(chosen, lambda rows: Draws(len(rows), rng))

    def at(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The mixtures at indices below ``size``, shape ``n x components``; only if that is at most 2^53."""
        ends = np.cumsum(np.array(self._sizes, dtype=np.float64))
        chosen = np.searchsorted(ends, places, side="right")
        ranks = places - np.concatenate([[0.0], ends])[chosen]
        return self._made(chosen, lambda rows: Ranks(ranks[rows]))

    def _made(self, chosen: NDArray[np.int64], source_of: Callable[[NDArray[np.int64]], Source]) -> NDArray[np.int64]:
        """Mixtures of the chosen patterns, shape ``n x components``."""
        steps = np.zeros((len(chosen), self.starts[-1]), dtype=np.int64)
        order = np.argsort(chosen, kind="stable")
        borders = np.flatnonzero(np.diff(chosen[order], prepend=-1, append=-1))
        for start, stop in itertools.pairwise(borders):
            rows = order[start:stop]
            pattern, source = self.patterns[chosen[rows[0]]], source_of(rows)
            picked = self._components(pattern, source)
            for group in self.groups:
                columns = np.concatenate([picked[role] for role in group.roles], axis=1)
                amounts = self._amounts(group, pattern.counts)
                steps[rows[:, None], columns] = amounts.at(source.split(amounts.size))
        return steps

    def _components(self, pattern: Pattern, source: Source) -> list[NDArray[np.int64]]:
        """The components of each role, each of shape ``n x count``."""
        picked = []
        for place, (start, stop) in enumerate(itertools.pairwise(self.starts)):
            special = np.array([one for one in pattern.special if start <= one < stop], dtype=np.int64)
            others, count = self._others[place], pattern.free[place]
            chosen = others[subsets(len(others), count, source.split(math.comb(len(others), count)))]
            picked.append(np.concatenate([np.tile(special, (source.count, 1)), chosen], axis=1))
        return picked

    @cached_property
    def _others(self) -> list[NDArray[np.int64]]:
        """The components of each role that are in no pair rule."""
        special = {one for pair in (*self.excluded, *self.required) for one in pair}
        return [
            np.array([one for one in range(start, stop) if one not in special], dtype=np.int64)
            for start, stop in itertools.pairwise(self.starts)
        ]

    @cached_property
    def patterns(self) -> list[Pattern]:
        """All patterns with at least one mixture."""
        special = sorted({one for pair in (*self.excluded, *self.required) for one in pair})
        role_of = np.searchsorted(np.array(self.starts[1:]), special, side="right")
        most = [role.most for role in self.roles]
        found: list[Pattern] = []
        waiting: list[tuple[int, tuple[int, ...]]] = [(0, ())]
        while waiting:
            place, chosen = waiting.pop()
            if place == len(special):
                found += self._with_counts(chosen)
            else:
                waiting.append((place + 1, chosen))
                here = sum(role_of[special.index(one)] == role_of[place] for one in chosen)
                if here < most[role_of[place]] and not self._clashes(special[place], chosen):
                    waiting.append((place + 1, (*chosen, special[place])))
            if len(found) + len(waiting) > MOST_PATTERNS:
                raise InputError(TOO_MANY)
        return found

    def _clashes(self, one: int, chosen: Sequence[int]) -> bool:
        return any((one, other) in self.excluded or (other, one) in self.excluded for other in chosen)

    def _with_counts(self, special: tuple[int, ...]) -> list[Pattern]:
        if any(one in special and other not in special for one, other in self.required):
            return []
        ranges = []
        within = []
        for role, others, (start, stop) in zip(self.roles, self._others, itertools.pairwise(self.starts), strict=True):
            here = sum(start <= one < stop for one in special)
            within.append(here)
            ranges.append(range(max(role.fewest, here), min(role.most, here + len(others)) + 1))
        found: list[Pattern] = []
        if math.prod(map(len, ranges)) > MOST_PATTERNS:
            raise InputError(TOO_MANY)
        for counts in itertools.product(*ranges):
            if all(self._amounts(group, counts).size for group in self.groups):
                free = tuple(count - here for count, here in zip(counts, within, strict=True))
                found.append(Pattern(special, free, counts))
        return found

    @cached_property
    def _sizes(self) -> list[int]:
        return [
            math.prod(math.comb(len(others), count) for others, count in zip(self._others, pattern.free, strict=True))
            * math.prod(self._amounts(group, pattern.counts).size for group in self.groups)
            for pattern in self.patterns
        ]

    def _amounts(self, group: Group, counts: Sequence[int]) -> Amounts:
        key = (group, tuple(counts[role] for role in group.roles))
        if key not in self._cached:
            bounds = [
                (self.roles[role].low, self.roles[role].high) for role in group.roles for _ in range(counts[role])
            ]
            self._cached[key] = Amounts(tuple(bounds), group.total, self._tables[group])
        return self._cached[key]

    @cached_property
    def _tables(self) -> dict[Group, Tables]:
        return {group: Tables(group.total or 0) for group in self.groups}

    @cached_property
    def _cached(self) -> dict[tuple[Group, tuple[int, ...]], Amounts]:
        return {}


def subsets(size: int, count: int, source: Source) -> NDArray[np.int64]:
    """The subsets that a source of indices chooses in lexicographic order, each in order; shape ``n x count``."""
    chosen = np.empty((source.count, count), dtype=np.int64)
    first = np.zeros(source.count, dtype=np.int64)
    for place in range(count):
        # Subsets that begin with each element, summed: those before an element are before its subsets.
        begun = [math.comb(size - one - 1, count - place - 1) for one in range(size)]
        summed = np.concatenate([[0.0], np.cumsum(np.array(begun, dtype=np.float64))])
        chosen[:, place] = np.minimum(source.search(summed, first, np.full_like(first, size)), size - 1)
        first = chosen[:, place] + 1
    return chosen
