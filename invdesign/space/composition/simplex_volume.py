"""Uniform points of a simplex with bounds and a limited number of nonzero parts.

Such a set is a union of faces, one for each choice of parts. Faces with fewer parts have zero volume relative to
others, so a uniform point has as many parts as are allowed. The choice of parts is drawn in proportion to the face's
volume, which is exact by inclusion and exclusion; parts with equal bounds can be swapped, so that choices are counted
by how many parts of each kind they take and not listed. Within a face, a point of the simplex without upper bounds is
drawn (normalized exponentials; Devroye 1986, Non-Uniform Random Variate Generation, ch. XI.4.1) and accepted if it lies
within them. If few would, chains exchange between two parts at a time (Gibbs sampling along the edges, a
coordinate form of hit-and-run), which leaves the uniform distribution unchanged.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from invdesign.space.composition.simplex import projected, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from invdesign.space.composition.simplex import Simplex

LARGEST_LIST = 50_000
"""Largest number of kinds of faces; more only occur for more than 15 parts with all different bounds."""
FEWEST_KEPT = 0.02
"""Share of drawn points within the bounds below which chains are used."""
SWEEPS = 20
"""Exchanges of a chain, to be multiplied by the square of the number of parts."""


def capped_volume(rest: int, caps: tuple[int, ...]) -> int:
    """Volume of ``{z : sum(z) == rest, 0 <= z <= caps}``, in units of ``1 / d!`` with ``d = len(caps) - 1``.

    It is ``sum over subsets S of (-1)^|S| max(rest - sum(caps in S), 0)^d``, in whole numbers and therefore exact.
    """
    signs: Counter[int] = Counter({rest: 1})
    for cap in caps:
        shifted = Counter({left - cap: -sign for left, sign in signs.items() if left > cap})
        for left, sign in shifted.items():
            signs[left] += sign
    degree = len(caps) - 1
    return sum(sign * left**degree for left, sign in signs.items())


def _parts_of(total: int, sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """All whole numbers that sum to a total and do not exceed their sizes, in order."""
    if not sizes:
        yield ()
        return
    for first in range(max(0, total - sum(sizes[1:])), min(sizes[0], total) + 1):
        for rest in _parts_of(total - first, sizes[1:]):
            yield (first, *rest)


@dataclass(frozen=True)
class Face:
    """Faces of one kind: the same number of parts from each group of parts with equal bounds.

    Attributes:
        taken: number of parts of each group.
        weight: total volume of the faces; only ratios matter.
        kept: share of the simplex without upper bounds that lies within the bounds.
    """

    taken: tuple[int, ...]
    weight: int
    kept: float


@dataclass(frozen=True)
class Volume:
    """The continuous set that a simplex with very many steps approximates.

    Attributes:
        simplex: its bounds, in steps.
    """

    simplex: Simplex

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draws ``n`` uniform points, rounded to whole steps, shape ``n x parts``."""
        faces = self._faces
        weights = np.array([face.weight / self._weight for face in faces])
        choice = rng.choice(len(faces), n, p=weights / weights.sum()) if len(faces) > 1 else np.zeros(n, dtype=np.int64)
        inside = self._parts(choice, rng)
        low = np.where(inside, self._low, 0)
        high = np.where(inside, self._high, 0)
        walk = np.array([face.kept < FEWEST_KEPT for face in faces])[choice]
        points = np.empty(low.shape)
        points[~walk] = self._thrown(low[~walk], high[~walk], rng)
        points[walk] = self._walked(low[walk], high[walk], rng)
        vectors = rounded(points, self.simplex.total)
        unfit = ~self.simplex.contains(vectors)
        if unfit.any():  # a required part was rounded to zero: once in a million
            vectors[unfit] = self.simplex.nearest(vectors[unfit].astype(np.float64))
        return vectors

    def _parts(self, choice: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.bool_]:
        """Draws which parts of each row differ from zero, given the kind of face."""
        inside = np.tile(self._low > 0, (len(choice), 1))
        taken = np.array([face.taken for face in self._faces], dtype=np.int64).reshape(len(self._faces), -1)
        for group, members in enumerate(self.groups):
            rank = np.argsort(np.argsort(rng.random((len(choice), len(members))), axis=1), axis=1)
            inside[:, members] = rank < taken[choice, group][:, None]
        return inside

    def _thrown(self, low: NDArray[np.int64], high: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Draws from the simplex without upper bounds, repeatedly until within the bounds."""
        points = np.empty(low.shape)
        rest = (self.simplex.total - low.sum(axis=1)).astype(np.float64)
        waiting = np.arange(len(low))
        while len(waiting):
            drawn = rng.standard_exponential((len(waiting), low.shape[1])) * (high[waiting] > low[waiting])
            scale = rest[waiting] / np.maximum(drawn.sum(axis=1), np.finfo(float).tiny)
            points[waiting] = low[waiting] + drawn * scale[:, None]
            waiting = waiting[(points[waiting] > high[waiting] * (1 + 1e-12)).any(axis=1)]
        return np.minimum(points, high)

    def _walked(self, low: NDArray[np.int64], high: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Draws by chains, one per row, that exchange between two of the row's parts at a time."""
        if not len(low):
            return np.empty(low.shape)
        start = np.asarray(low + rng.random(low.shape) * (high - low), dtype=np.float64)
        points = projected(start, low, high, self.simplex.total)
        free = (high > low).astype(np.float64)
        size = int(free.sum(axis=1).max())
        rows = np.arange(len(low))
        for _ in range(SWEEPS * size**2):
            order = np.argpartition(np.where(free > 0, rng.random(low.shape), 2.0), 1, axis=1)
            one, other = order[:, 0], order[:, 1]
            sums = points[rows, one] + points[rows, other]
            least = np.maximum(low[rows, one], sums - high[rows, other])
            largest = np.minimum(high[rows, one], sums - low[rows, other])
            points[rows, one] = least + rng.random(len(rows)) * np.maximum(largest - least, 0.0)
            points[rows, other] = sums - points[rows, one]
        return projected(points, low, high, self.simplex.total)

    @property
    def kinds(self) -> int:
        """Upper bound of the number of kinds of faces; beyond ``LARGEST_LIST`` it would take too long."""
        if self.simplex.most >= self.simplex.parts:
            return 1
        return math.prod(min(len(group), self.simplex.most) + 1 for group in self.groups[:-1])

    @cached_property
    def _low(self) -> NDArray[np.int64]:
        return np.array(self.simplex.low, dtype=np.int64)

    @cached_property
    def _high(self) -> NDArray[np.int64]:
        return np.array(self.simplex.high, dtype=np.int64)

    @cached_property
    def groups(self) -> list[list[int]]:
        """The parts that may be zero, grouped by upper bound, without those that are always zero."""
        groups: dict[int, list[int]] = {}
        for part, (low, high) in enumerate(zip(self.simplex.low, self.simplex.high, strict=True)):
            if low == 0 and high > 0:
                groups.setdefault(high, []).append(part)
        return list(groups.values())

    @cached_property
    def _weight(self) -> int:
        return sum(face.weight for face in self._faces)

    @cached_property
    def _faces(self) -> list[Face]:
        """The kinds of faces of the highest dimension, with their weights."""
        simplex = self.simplex
        must = [part for part, low in enumerate(simplex.low) if low > 0]
        caps_of_must = [simplex.high[part] - simplex.low[part] for part in must]
        rest = simplex.total - sum(simplex.low)
        solid: list[Face] = []
        flat: list[Face] = []
        for taken in self._choices(simplex.most - len(must)):
            caps = list(caps_of_must)
            for group, count in zip(self.groups, taken, strict=True):
                caps += [simplex.high[group[0]]] * count
            free = tuple(cap for cap in caps if cap > 0)
            ways = math.prod(math.comb(len(group), count) for group, count in zip(self.groups, taken, strict=True))
            if 0 < rest < sum(free):
                volume = capped_volume(rest, free)
                solid.append(Face(taken, volume * ways, volume / rest ** (len(free) - 1)))
            elif rest in (0, sum(free)):
                flat.append(Face(taken, ways, 0.0))
        return solid or flat

    def _choices(self, count: int) -> Iterator[tuple[int, ...]]:
        """Numbers of parts to take from each group, ``count`` in total or all available ones."""
        sizes = [len(group) for group in self.groups]
        return _parts_of(min(count, sum(sizes)), sizes)
