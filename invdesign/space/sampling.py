"""Uniform sampling of a feasible region of the unit cube, and the search for a first feasible point.

If a large enough share of the cube is feasible, rejection sampling is used. Otherwise, or if an
equality leaves no volume, chains explore the region by hit-and-run (Smith 1984) with shrinking brackets (Neal 2003,
slice sampling), which is uniform for any shape of the region.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from invdesign.space.lattice import Lattice

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_CONDITIONS = Lattice()
BLOCK = 8192
FEWEST_SHARE = 1e-3
"""Chains are used if the share of feasible points in a block is smaller than this."""
START_BLOCKS = 16
CHAINS = 64
SHRINKS = 40
BISECTIONS = 14
"""Halvings of the line from a point to its anchor: to a ten-thousandth of it."""


@dataclass(frozen=True)
class Region:
    """The feasible part of a unit cube.

    Attributes:
        dimension: of the cube.
        draw: draws ``n`` points, including infeasible ones; uniform if all of the cube decodes uniformly, otherwise as
            defined by the parameters.
        violation: returns the violation of points ``n x dimension``: zero if feasible.
        equality: rows ``a`` and right-hand sides ``b`` of linear equalities ``a @ point == b``, stacked as ``[a | b]``.
        lattice: linear conditions on coordinates with steps, which are counted.
    """

    dimension: int
    draw: Callable[[int, np.random.Generator], NDArray[np.float64]]
    violation: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    equality: NDArray[np.float64]
    lattice: Lattice = NO_CONDITIONS

    def feasible(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether points are in the cube and satisfy every condition, shape ``n``."""
        inside: NDArray[np.bool_] = np.all((points >= 0.0) & (points <= 1.0), axis=1)
        inside[inside] = self.violation(points[inside]) == 0.0
        return inside

    def sample(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draws ``n`` points uniformly from the region, shape ``n x dimension``.

        Raises:
            EmptyRegionError: if no feasible point is found.
        """
        if self.lattice.is_empty:
            raise EmptyRegionError
        if self.equality.size:
            return self._walk(n, rng)
        counted = bool(self.lattice.equalities)
        kept: list[NDArray[np.float64]] = []
        found = 0
        while found < n:
            block = self.draw(min(BLOCK, max(256, 2 * n)), rng)
            block = self.lattice.redrawn(block, rng) if counted else block
            good = block[self.feasible(block)]
            if len(good) < FEWEST_SHARE * len(block):
                if counted or not self.lattice.sums:
                    return np.concatenate([*kept, self._walk(n - found, rng)])
                counted = True
                continue
            kept.append(good[: n - found])
            found += len(kept[-1])
        return np.concatenate(kept) if kept else np.empty((0, self.dimension))

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Moves points to the nearest ones that satisfy the linear equalities (and may leave the cube)."""
        points = self.lattice.nearest(points)
        if not self.equality.size:
            return points
        a, b = self.equality[:, :-1], self.equality[:, -1]
        return points - (points @ a.T - b) @ np.linalg.pinv(a).T

    def repair(self, points: NDArray[np.float64], anchors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Moves each infeasible point into the region: along the line to its nearest anchor, no further than needed.

        Args:
            points: shape ``n x dimension``.
            anchors: feasible points, shape ``m x dimension``.

        Returns:
            Feasible points, shape ``n x dimension``; feasible ones are unchanged.
        """
        from scipy.spatial.distance import cdist

        repaired = np.array(points, dtype=np.float64)
        wrong = ~self.feasible(repaired)
        if not wrong.any():
            return repaired
        start = self.project(np.clip(repaired[wrong], 0.0, 1.0))
        anchor = anchors[np.argmin(cdist(start, anchors), axis=1)]
        low, high = np.zeros(len(start)), np.ones(len(start))
        high[self.feasible(start)] = 0.0
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            good = self.feasible(self.lattice.nearest(start + middle[:, None] * (anchor - start)))
            high, low = np.where(good, middle, high), np.where(good, low, middle)
        # The anchor itself if the move ends there: the sum may differ by rounding.
        ended = self.lattice.nearest(start + high[:, None] * (anchor - start))
        repaired[wrong] = np.where((high == 1.0)[:, None], anchor, ended)
        return repaired

    @cached_property
    def first_point(self) -> NDArray[np.float64] | None:
        """A feasible point, shape ``dimension``; None if a global search finds none."""
        if self.lattice.is_empty:
            return None
        for point in self._descents():
            projected = self.project(point[None, :])
            if self.feasible(projected)[0]:
                return projected[0]
        return None

    @cached_property
    def least_violation(self) -> float:
        """The smallest violation that a global search finds; zero for a region that is not empty."""
        return min(float(self.violation(np.clip(point[None, :], 0, 1))[0]) for point in self._descents())

    def _descents(self) -> Iterator[NDArray[np.float64]]:
        """Points of decreasing violation, from global searches with different starting points."""
        from scipy.optimize import differential_evolution  # loaded where it is used: most commands never do

        def measure(points: NDArray[np.float64]) -> NDArray[np.float64]:
            projected = self.project(points.T)
            outside = np.maximum(projected - 1.0, 0.0).sum(axis=1) + np.maximum(-projected, 0.0).sum(axis=1)
            broken = self.violation(np.clip(projected, 0.0, 1.0))
            return np.where(np.isfinite(broken), broken, 1e30) + outside

        for seed in range(3):
            found = differential_evolution(
                measure,
                [(0.0, 1.0)] * self.dimension,
                rng=np.random.default_rng(seed),
                maxiter=300,
                popsize=max(5, 60 // self.dimension),
                init="sobol",
                vectorized=True,
                updating="deferred",
                polish=False,
                tol=0.0,
                callback=lambda intermediate_result: bool(intermediate_result.fun == 0.0),
            )
            yield found.x

    def _walk(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draws points by hit-and-run chains."""
        if n == 0:
            return np.empty((0, self.dimension))
        directions = self._directions
        chains = min(CHAINS, n)
        points = self._starts(chains, rng)
        thin = 2 * self.dimension + 10
        kept = []
        for step in range(4 * thin + thin * -(-n // chains)):
            points = self._redrawn(self._step(points, directions, rng), rng)
            if step >= 4 * thin and (step + 1) % thin == 0:
                kept.append(points)
        return self.project(np.concatenate(kept))[:n]

    def _starts(self, chains: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """A feasible starting point for each chain.

        Random ones if any are found, so that every part of a disconnected region is sampled; otherwise the one that a
        global search finds.
        """
        found = np.empty((0, self.dimension))
        for _ in range(0 if self.equality.size else START_BLOCKS):
            block = self.lattice.redrawn(self.draw(BLOCK, rng), rng)
            found = np.concatenate([found, block[self.feasible(block)]])
            if len(found) >= chains:
                break
        if not len(found):
            if self.first_point is None:
                raise EmptyRegionError
            found = self.first_point[None, :]
        return np.resize(found, (chains, self.dimension))

    @cached_property
    def _directions(self) -> NDArray[np.float64]:
        """An orthonormal basis of the directions that satisfy the equalities, shape ``free x dimension``."""
        if not self.equality.size:
            free = np.eye(self.dimension)
            return free[[place for place in range(self.dimension) if place not in self.lattice.places]]
        _, singular, rows = np.linalg.svd(self.equality[:, :-1])
        rank = int((singular > 1e-12 * singular.max()).sum())
        return rows[rank:]

    def _step(
        self, points: NDArray[np.float64], basis: NDArray[np.float64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Moves every chain once: a random direction, a random length within the cube, shrunk until feasible."""
        chains = len(points)
        if not len(basis):
            return points
        direction = rng.standard_normal((chains, len(basis))) @ basis
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            ends = np.stack([(0.0 - points) / direction, (1.0 - points) / direction])
        ends = np.where(np.abs(direction) < 1e-15, np.array([-np.inf, np.inf])[:, None, None], ends)
        low = np.maximum.reduce(np.minimum(*ends), axis=1)
        high = np.minimum.reduce(np.maximum(*ends), axis=1)
        moved, waiting = points.copy(), np.ones(chains, dtype=bool)
        for _ in range(SHRINKS):
            length = low + rng.random(chains) * (high - low)
            tried = np.clip(points + length[:, None] * direction, 0.0, 1.0)
            good = waiting.copy()
            good[waiting] = self.feasible(tried[waiting])
            moved[good] = tried[good]
            waiting &= ~good
            if not waiting.any():
                break
            low, high = np.where(length < 0, length, low), np.where(length >= 0, length, high)
        return moved

    def _redrawn(self, points: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Draws the counted coordinates of each chain anew, where the result is feasible."""
        if not self.lattice.sums:
            return points
        tried = self.lattice.redrawn(points, rng)
        return np.where(self.feasible(tried)[:, None], tried, points)


class EmptyRegionError(Exception):
    """No feasible point was found; the space turns this into a message that names the constraint."""
