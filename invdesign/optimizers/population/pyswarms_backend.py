"""pyswarms' backend, loaded when first used and without the log file that it would write."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOGGING = Path(__file__).with_name("pyswarms_logging.yaml")
MOST_TRIANGULATED = 7
"""Dimensions up to which a Delaunay triangulation of a swarm takes milliseconds."""
VARIABLE = "LOG_CFG"
"""The environment variable for pyswarms' logging configuration."""


@dataclass(frozen=True)
class Backend:
    """The parts of pyswarms that move a swarm, all without state.

    Attributes:
        swarm: the class of a swarm.
        topologies: who leads a particle, by name; neighbors are found anew at each call.
        reflect: boundary handler that mirrors positions at the bounds.
        clamp: velocity handler that cuts velocities off.
        vary: options handler that changes an option linearly from start to end.
    """

    swarm: Any
    topologies: Mapping[str, Any]
    reflect: Any
    clamp: Any
    vary: Any

    def inertia(self, start: float, end: float, now: int, last: int) -> float:
        """Inertia weight that falls linearly (Shi and Eberhart 1998, doi:10.1109/ICEC.1998.699146) and then stays."""
        options = {"w": start, "c1": 0.0, "c2": 0.0}
        varied = self.vary(options, end_opts={"w": end}, iternow=min(now, last), itermax=max(1, last))
        return float(varied["w"])

    def best_neighbors(self, topology: str, swarm: Any, neighbors: int) -> NDArray[np.float64]:
        """Own best position of each particle's best neighbor, shape ``particles x dimension``.

        Ring and von Neumann by pyswarms. Its pyramid and its random topology put neighborhoods of different sizes into
        one array, which numpy refuses since version 1.24: these are computed here, with the same neighbors.

        Args:
            topology: one with neighborhoods.
            swarm: with its particles' own best.
            neighbors: of a particle, itself included, for ring and random.
        """
        count = swarm.n_particles
        if topology == "ring":
            return np.asarray(self.topologies["ring"].compute_gbest(swarm, p=2, k=min(neighbors, count))[0])
        if topology == "von-neumann":
            size = min(self.topologies["von-neumann"].delannoy(swarm.dimensions, 1), count)
            return np.asarray(self.topologies["ring"].compute_gbest(swarm, p=1, k=size)[0])
        near = _beside(swarm.position) if topology == "pyramid" else _drawn(count, min(neighbors, count))
        costs = np.where(near, swarm.pbest_cost[None, :], np.inf)
        return np.asarray(swarm.pbest_pos[np.argmin(costs, axis=1)], dtype=np.float64)

    def moved(self, swarm: Any, limit: NDArray[np.float64], topology: Any) -> NDArray[np.float64]:
        """Positions after one step within the unit cube; draws from numpy's global random state."""
        cube = np.zeros(swarm.dimensions), np.ones(swarm.dimensions)
        swarm.velocity = topology.compute_velocity(swarm, (-limit, limit), self.clamp, cube)
        return np.asarray(topology.compute_position(swarm, cube, self.reflect), dtype=np.float64)


def _beside(position: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which particles are neighbors in a Delaunay triangulation (Lane et al. 2008, doi:10.1109/SIS.2008.4668281).

    All of them where there are too few, or more than seven dimensions, whose triangulation takes too long.
    """
    from scipy.spatial import Delaunay, QhullError

    count, dimension = position.shape
    everyone = np.ones((count, count), dtype=bool)
    if count < dimension + 2 or not 1 < dimension <= MOST_TRIANGULATED:
        return everyone
    try:
        starts, ends = Delaunay(position, qhull_options="QJ0.001 Qbb Qc Qx").vertex_neighbor_vertices
    except QhullError:  # particles in one place
        return everyone
    near = np.eye(count, dtype=bool)
    for particle in range(count):
        near[particle, ends[starts[particle] : starts[particle + 1]]] = True
    return near


def _drawn(count: int, neighbors: int) -> NDArray[np.bool_]:
    """Neighborhoods drawn at random from numpy's global state, each particle within its own (Ni and Deng 2013)."""
    near = np.eye(count, dtype=bool)
    for particle in range(count):
        others = np.random.permutation(count - 1)[: neighbors - 1]  # noqa: NPY002 - drawn within drawing_from
        near[particle, others + (others >= particle)] = True
    return near


@cache
def backend() -> Backend:
    """Loads pyswarms, once."""
    with _unlogged():
        from pyswarms.backend.handlers import BoundaryHandler, OptionsHandler, VelocityHandler
        from pyswarms.backend.swarms import Swarm
        from pyswarms.backend.topology import Pyramid, Random, Ring, Star, VonNeumann

        return Backend(
            Swarm,
            {
                "star": Star(),
                "ring": Ring(static=False),
                "pyramid": Pyramid(static=False),
                "random": Random(static=False),
                "von-neumann": VonNeumann(),
            },
            BoundaryHandler("reflective"),
            VelocityHandler("unmodified"),
            OptionsHandler({"w": "lin_variation"}),
        )


@contextmanager
def _unlogged() -> Iterator[None]:
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(LOGGING)
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
