"""The state of a particle swarm, derived from a history: positions, velocities and personal bests.

Particle ``i`` is every row ``k`` of the swarm's own with ``k % particles == i``, and ``k // particles`` its generation;
so the swarm needs no memory but the campaign's. A particle's velocity is the way between its last two positions. Rows
are counted in the order of ``History.proposed``: where a laboratory leaves candidates open and closes later ones first,
particles change places, which costs the swarm some of its direction and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.optimizers.base import History
    from invdesign.optimizers.population.fitness import Fitness


LEAST_PROGRESS = 1e-8
"""What counts as progress, in spreads of the values: a swarm that settles at a bottom improves by ever less.

With a larger value, the swarm would restart before it has converged in a smooth minimum."""


@dataclass(frozen=True)
class SwarmState:
    """The state of a swarm before its next move.

    Attributes:
        own: rows of ``proposed`` that are the swarm's since its last start, oldest first.
        known: evaluated rows of ``proposed`` that inform it: its own since its last start and others' since then.
        ranks: of all evaluated candidates, 0 the best.
        particles: of the swarm.
    """

    own: NDArray[np.int64]
    known: NDArray[np.int64]
    ranks: NDArray[np.int64]
    particles: int

    @classmethod
    def read(
        cls, history: History, fitness: Fitness, ranks: NDArray[np.int64], *, particles: int, patience: int
    ) -> SwarmState:
        """Derives the state.

        Args:
            history: of the campaign.
            fitness: of its evaluated candidates.
            ranks: of these, 0 the best.
            particles: of the swarm.
            patience: generations without progress after which the swarm restarts.
        """
        everything = np.arange(history.count)
        own = everything if history.own is None else np.flatnonzero(history.own)
        start = particles * _last_start(own, fitness, particles, patience)
        since = own[start] if 0 < start < len(own) else (history.count if start else 0)
        evaluated = everything[: len(history.candidates)]
        known = evaluated[(evaluated >= since) & fitness.valued]
        return cls(own[start:], known, ranks, particles)

    @property
    def generation(self) -> int:
        """Generations since the last start; in the first one particles are still placed."""
        return len(self.own) // self.particles

    @property
    def next(self) -> int:
        """The particle that moves next."""
        return len(self.own) % self.particles

    @cached_property
    def current(self) -> NDArray[np.int64]:
        """The row at which each particle is; only from the second generation on."""
        last = len(self.own) - 1
        places = np.arange(self.particles)
        return self.own[places + self.particles * ((last - places) // self.particles)]

    @cached_property
    def previous(self) -> NDArray[np.int64] | None:
        """The row at which each particle was before; its current one in the first move, None before any moved."""
        if self.generation < 2:
            return None
        last = len(self.own) - 1
        places = np.arange(self.particles)
        return self.own[places + self.particles * ((last - places) // self.particles - 1)]

    def before(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row at which the particle that proposed a row was before; the row itself if it did not move there.

        Args:
            rows: of ``proposed``, any; those of others and of the first generations were not moved to.
        """
        place = np.searchsorted(self.own, rows)
        own = np.isin(rows, self.own)
        moved = own & (place >= 2 * self.particles)
        return np.where(moved, self.own[np.where(moved, place - self.particles, 0)], rows)

    @cached_property
    def best(self) -> NDArray[np.int64]:
        """The row of each particle's own best, of equals the latest; if it has no value yet, its current row."""
        generations = -(-len(self.own) // self.particles)
        rows = np.full(generations * self.particles, -1, dtype=np.int64)
        rows[: len(self.own)] = self.own
        table = rows.reshape(generations, self.particles)
        cost = self._cost(table)[::-1]
        place = np.argmin(cost, axis=0)
        columns = np.arange(self.particles)
        return np.where(np.isfinite(cost[place, columns]), table[::-1][place, columns], self.current)

    @cached_property
    def best_cost(self) -> NDArray[np.float64]:
        """The rank of each particle's own best, shape ``particles``; behind all ranks if it has no value."""
        return np.nan_to_num(self._cost(self.best), posinf=float(len(self.ranks) + 1))

    @cached_property
    def leaders(self) -> NDArray[np.int64]:
        """The best of the known rows: one, or all that are equally good."""
        ranks = self.ranks[self.known]
        return self.known[ranks == ranks.min()] if len(ranks) else self.known

    def _cost(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Ranks of rows; infinite if there is no value (``known`` is sorted)."""
        place = np.searchsorted(self.known, rows)
        found = place < len(self.known)
        found[found] = self.known[place[found]] == rows[found]
        cost = np.full(rows.shape, np.inf)
        cost[found] = self.ranks[rows[found]]
        return cost


def _last_start(own: NDArray[np.int64], fitness: Fitness, particles: int, patience: int) -> int:
    """The generation of the last restart; 0 if the swarm never stagnated.

    With several objectives it never restarts: its leaders are spread over a front, which keeps it moving.
    """
    if fitness.many:
        return 0
    hits = (fitness.violation == 0.0) & fitness.progress()
    height = fitness.height()
    own = own[own < len(height)]
    start, lowest, waited = 0, np.inf, 0
    for generation in range(len(own) // particles):
        rows = own[generation * particles : (generation + 1) * particles]
        best = float(height[rows].min())
        further = best < lowest - LEAST_PROGRESS or (not fitness.losses.shape[1] and bool(hits[rows].any()))
        waited = 0 if further else waited + 1
        lowest = best if further else lowest
        if waited >= patience:
            start, lowest, waited = generation + 1, np.inf, 0
    return start
