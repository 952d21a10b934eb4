"""Particle swarm: candidates that move through the unit cube, toward their own best and the swarm's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field, Strict

from invdesign.core.plugins import ByWord
from invdesign.core.settings import bounded, from_elsewhere, settings
from invdesign.optimizers.base import History, step_generator
from invdesign.optimizers.deduplication import Deduplication, completed, joined, with_rows
from invdesign.optimizers.population.fitness import Fitness, crowding, spread_out
from invdesign.optimizers.population.library_randomness import drawing_from
from invdesign.optimizers.population.parents import Worth, crowded_winners, selected_parents
from invdesign.optimizers.population.surrogate_assisted import population_proposal
from invdesign.optimizers.population.swarm_state import SwarmState
from invdesign.optimizers.random import RandomOptimizer
from invdesign.space import SearchSpace
from invdesign.space.variation import mutated
from invdesign.surrogates.base import Surrogate
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.targets import Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

Topology = Literal["star", "ring", "pyramid", "random", "von-neumann"]
PARTICLES = 30
SMALL_BUDGET = 60
"""Evaluations below which a swarm is smaller, so that it moves."""
GENERATIONS, FEWEST = 5, 4
"""Generations of a small budget, and the fewest particles; chosen on Branin, Hartmann-6 and Ackley-10.

Off (30 particles always): regret 2.0 times as large with 25 evaluations, on development."""
ELITE = 20
"""Number of leaders on a front of two objectives; multiplied by it for each further objective."""

MOVING_ON = 0.5
"""Candidates that move on with several objectives, as a share of the particles; less crowded ones move on twice.

Off: 38 % less hypervolume on development."""

SETTLING = 0.75
"""Share of the particles that lose their momentum once a front is as large as the swarm.

Off: 1.8 % less hypervolume on development."""

STEP, DECADES = 0.1, 3.0
"""Longest mean step of the turbulence, as a share of a range, and the decades over which it is drawn."""


Share = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]


@settings
class ParticleSwarmOptimizer:
    """Moves a swarm of candidates through the space's unit cube (Kennedy and Eberhart 1995; pyswarms' backend).

    Each particle goes on by its inertia, toward its own best and toward a leader: the best of the swarm, or of its
    neighbors. Candidates are compared by Deb's rules: bounded targets by their shortfall first, then objectives. If
    several candidates meet every target, each particle follows one of them, the less crowded of two drawn at random
    (Coello Coello, Pulido and Lechuga 2004, doi:10.1109/TEVC.2004.826067). With several objectives, the candidates that
    NSGA-II or NSGA-III would select move on, less crowded ones more often, each toward one of the
    least crowded members of the front (or of the best selected ones, if these are few), the nearer of two (a
    competition as in the swarm of Zhang et al. 2018, doi:10.1016/j.ins.2017.10.037).
    Bounds reflect. Columns that are not numbers take part by their coordinates in the cube.

    The swarm is placed by a Sobol sequence; particle ``i`` makes every proposal ``k`` with ``k % particles == i``. It
    starts anew at other places after ``stagnation`` generations without progress.

    Raises:
        InputError: if a setting is out of its range.
    """

    particles: int | None = bounded(default=None, ge=2)
    """Number of particles in the swarm; by default 30 or, if a campaign has fewer than 60 evaluations, a fifth of them
    and at least 4: a swarm that has no second generation is only its Sobol points."""
    topology: Topology = "star"
    """Who leads a particle: the best of all (``star``), or the best of its neighbors: the nearest (``ring``), those
    beside it in a Delaunay triangulation (``pyramid``), drawn at random (``random``), or the nearest by the Manhattan
    distance, as many as a grid has (``von-neumann``)."""
    neighbors: int = bounded(default=5, ge=1)
    """Particles, itself included, of which the best leads, with the topologies ``ring`` and ``random``."""
    inertia: tuple[Share, Share] = (0.9, 0.3)
    """Inertia weight at the start and at the end of the schedule (Shi and Eberhart 1998)."""
    schedule: int = bounded(default=25, ge=1)
    """Generations in which the inertia weight decreases."""
    cognitive: float = bounded(default=1.5, ge=0)
    """Acceleration toward a particle's own best."""
    social: float = bounded(default=1.5, ge=0)
    """Acceleration toward the leader."""
    velocity_limit: float = bounded(default=0.3, gt=0, le=1)
    """Longest move along a coordinate, as a share of the cube, or as far as to another value."""
    turbulence: float = bounded(default=0.1, ge=0, le=1)
    """Share of the proposals that are also mutated, as in the swarm of Coello Coello et al. Off: of 40 searches on
    Ackley-10 (development) 19 end above 0.5 instead of 10."""
    stagnation: int = bounded(default=20, ge=1)
    """Generations without progress after which the swarm restarts."""
    surrogate_assisted: bool = False
    """Whether to search on a surrogate, and to propose only the best candidates found there."""
    surrogate: Annotated[Surrogate, ByWord("surrogate")] = from_elsewhere(default_factory=GaussianProcess)
    """The model of a surrogate-assisted search; copies of it are fitted."""

    @property
    def generation(self) -> int:
        """Number of candidates in one generation of a surrogate-assisted search."""
        return self.size

    @property
    def size(self) -> int:
        """Number of particles."""
        return self.particles if self.particles is not None else PARTICLES

    def for_budget(self, evaluations: int) -> ParticleSwarmOptimizer:
        """Returns the swarm with as many particles as suit a number of evaluations; see ``Budgeted``."""
        if self.particles is not None or evaluations >= SMALL_BUDGET:
            return self
        return replace(self, particles=max(FEWEST, evaluations // GENERATIONS))

    def propose(
        self, n: int, *, space: SearchSpace, targets: Targets, history: History, seed: np.random.SeedSequence
    ) -> pd.DataFrame:
        """Proposes the next positions of the particles whose turn it is; see ``Optimizer.propose``."""
        return population_proposal(self, n, space=space, targets=targets, history=history, seed=seed)

    def next_generation(
        self,
        n: int,
        *,
        space: SearchSpace,
        targets: Targets,
        history: History,
        fitness: Fitness,
        seed: np.random.SeedSequence,
    ) -> pd.DataFrame:
        """Proposes the next positions, from a history with values; see ``PopulationOptimizer``."""
        rng = step_generator(seed, history)
        ranks = fitness.ranks()
        deduplication = Deduplication(space, history.proposed)
        chosen = history.candidates[list(space.names)].iloc[:0]
        while len(chosen) < n:
            so_far = _extended(history, chosen)
            state = SwarmState.read(so_far, fitness, ranks, particles=self.size, patience=self.stagnation)
            wanted = min(n - len(chosen), self.size - state.next)
            if state.generation == 0:
                made = RandomOptimizer().propose(wanted, space=space, targets=targets, history=so_far, seed=seed)
            else:
                moved = self._moved(wanted, state, space, proposed=so_far.proposed, fitness=fitness, rng=rng)
                made = deduplication.renewed(joined(chosen, moved), rng).iloc[len(chosen) :]
                made = completed(wanted, made, space=space, targets=targets, history=so_far, seed=seed)
            if made.empty:
                break
            chosen = joined(chosen, made)
        return chosen.reset_index(drop=True)

    def _moved(
        self,
        count: int,
        state: SwarmState,
        space: SearchSpace,
        *,
        proposed: pd.DataFrame,
        fitness: Fitness,
        rng: np.random.Generator,
    ) -> pd.DataFrame:
        """The next candidates of ``count`` particles, the one first whose turn it is."""
        from invdesign.optimizers.population.pyswarms_backend import backend

        library = backend()
        position, own_best = (space.encode(proposed.iloc[rows]) for rows in (state.current, state.best))
        on_front = fitness.many and bool((fitness.violation[state.leaders] == 0.0).all())
        if on_front:
            # What selection keeps of the whole history moves on: its spread is the front's, and where everything is
            # as good as everything, a particle's own best says nothing.
            kept = max(2, round(MOVING_ON * self.size))
            rows, worth = selected_parents(fitness, proposed.iloc[: len(fitness)], space, kept, rng)
            ahead = self._ahead(rows, worth, state.leaders, fitness)
            rows = self._places(rows, worth, fitness, rng)
            position = own_best = space.encode(proposed.iloc[rows])
            # Momentum carries a swarm to the front and widens it; without it, particles settle along the front.
            settling = SETTLING * min(1.0, len(state.leaders) / self.size)
            going = rng.random((self.size, 1)) >= settling
            velocity = np.where(going, position - space.encode(proposed.iloc[state.before(rows)]), 0.0)
        elif state.previous is None:
            velocity = 0.5 * (rng.random(position.shape) - position)  # half the way to somewhere (Clerc 2012)
        else:
            velocity = position - space.encode(proposed.iloc[state.previous])
        limit = self._limits(space)
        swarm = library.swarm(
            position=position.copy(),
            velocity=np.clip(velocity, -limit, limit),
            pbest_pos=own_best,
            pbest_cost=state.best_cost,
            options={
                "w": library.inertia(*self.inertia, state.generation, self.schedule),
                "c1": self.cognitive,
                "c2": self.social,
            },
        )
        topology = library.topologies[self.topology]
        leaders = proposed.iloc[ahead if on_front else state.leaders]
        if leaders.empty:  # nothing since the last start has a value yet
            swarm.best_pos = own_best
        elif len(leaders) > 1:
            points = space.encode(leaders)
            if on_front:
                swarm.best_pos = self._front_leaders(points, position, rng)
            else:
                swarm.best_pos = self._followed(points, position, rng)
        elif self.topology == "star":
            swarm.best_pos, swarm.best_cost = space.encode(leaders)[0], float(state.ranks[state.leaders[0]])
            swarm.best_pos, _ = topology.compute_gbest(swarm)
        else:
            with drawing_from(rng):
                swarm.best_pos = library.best_neighbors(self.topology, swarm, self.neighbors)
        with drawing_from(rng):
            points = library.moved(swarm, limit, topology)
        points = points[state.next : state.next + count]
        candidates = space.decode(space.repair(points))
        return self._stirred(candidates, space, rng)

    def _limits(self, space: SearchSpace) -> NDArray[np.float64]:
        """The longest move along each coordinate, shape ``dimension``.

        Where a column has few values a coordinate, a particle stands on one of them and must be able to reach the next.
        """
        limits = []
        for parameter in space.parameters.values():
            spacing = parameter.size ** (-1.0 / max(1, parameter.dimension))
            limits.append(np.full(parameter.dimension, min(1.0, max(self.velocity_limit, 2.0 * spacing))))
        return np.concatenate(limits)

    def _ahead(
        self, rows: NDArray[np.int64], worth: list[Worth], front: NDArray[np.int64], fitness: Fitness
    ) -> NDArray[np.int64]:
        """Leaders with several objectives: the front's least crowded or, while it is small, the best selected.

        The first members of a front lie in one corner as often as not; led by them alone, the whole swarm would
        gather there before it is known what else is worth having.
        """
        many = ELITE ** (fitness.losses.shape[1] - 1)
        if len(front) < many:
            best = sorted(range(len(rows)), key=worth.__getitem__, reverse=True)
            return rows[best[:many]]
        return front[np.argsort(-crowding(fitness.losses[front]), kind="stable")[:many]]

    def _places(
        self, rows: NDArray[np.int64], worth: list[Worth], fitness: Fitness, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """The row from which each particle moves on: of two drawn at random the better or, of equals, the less crowded.

        With a particle for each row, most would start where most were good before: the swarm would follow the first
        corner that it finds and lose what lies beyond, as long as that is dominated by a crowd a little further on.
        """
        alone = np.array([gap for _, gap in worth])
        losses = np.where(fitness.violation[rows, None] == 0.0, fitness.losses[rows], np.inf)
        return rows[crowded_winners(losses, alone, self.size, 2, rng)]

    def _front_leaders(
        self, points: NDArray[np.float64], position: NDArray[np.float64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """The leader of each particle among those at ``points``: of two drawn at random the nearer one."""
        rivals = rng.integers(0, len(points), (2, self.size))
        gaps = np.linalg.norm(points[rivals] - position, axis=2)
        return points[np.where(gaps[0] < gaps[1], rivals[0], rivals[1])]

    def _followed(
        self, points: NDArray[np.float64], position: NDArray[np.float64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """The leader of each particle among equally good candidates at ``points``, shape ``particles x dimension``."""
        latest = np.arange(len(points))[-4 * self.size :]
        kept, _ = spread_out(points[latest], self.size)
        kept = latest[kept]
        alone = np.zeros(len(points))
        alone[kept] = np.arange(len(kept), 0, -1)
        rivals = kept[rng.integers(0, len(kept), (2, self.size))]
        if self.topology == "ring":
            gaps = np.linalg.norm(position[:, None] - points[kept][None, :], axis=2)
            near = kept[np.argsort(gaps, axis=1, kind="stable")[:, : self.neighbors]]
            places = rng.integers(0, near.shape[1], (2, self.size))
            rivals = np.stack([near[np.arange(self.size), place] for place in places])
        return points[np.where(alone[rivals[0]] >= alone[rivals[1]], rivals[0], rivals[1])]

    def _stirred(self, candidates: pd.DataFrame, space: SearchSpace, rng: np.random.Generator) -> pd.DataFrame:
        stirred = rng.random(len(candidates)) < self.turbulence
        if not stirred.any():
            return candidates
        # Steps of every size down to a thousandth: what helps a wide swarm out of a valley would throw a narrow one
        # off the bottom that it settles at.
        step = STEP * 10.0 ** (-DECADES * rng.random())
        children = mutated(space, candidates[stirred], rng, step=step)
        return with_rows(candidates[list(space.names)], np.flatnonzero(stirred), children)


def _extended(history: History, chosen: pd.DataFrame) -> History:
    """The history with chosen candidates as pending ones of the swarm's own."""
    if chosen.empty:
        return history
    own = None if history.own is None else np.concatenate([history.own, np.ones(len(chosen), dtype=bool)])
    return replace(history, pending=joined(history.pending, chosen), own=own)
