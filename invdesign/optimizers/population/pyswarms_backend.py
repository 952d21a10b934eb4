"""pyswarms' backend, loaded when first used and without the log file that it would write."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOGGING = Path(__file__).with_name("pyswarms_logging.yaml")
VARIABLE = "LOG_CFG"
"""The environment variable by which pyswarms is told of a logging configuration."""


@dataclass(frozen=True)
class Backend:
    """The parts of pyswarms that a swarm is moved with. None of them remembers anything from call to call.

    Attributes:
        swarm: the class of a swarm.
        star: topology of one swarm-wide best.
        ring: topology of a best among the nearest neighbours, found anew at each call.
        reflect: boundary handler that mirrors positions at the bounds.
        clamp: velocity handler that cuts velocities off.
        vary: options handler that changes an option linearly from start to end.
    """

    swarm: Any
    star: Any
    ring: Any
    reflect: Any
    clamp: Any
    vary: Any

    def inertia(self, start: float, end: float, now: int, last: int) -> float:
        """Inertia weight that falls linearly (Shi and Eberhart 1998, doi:10.1109/ICEC.1998.699146) and then stays."""
        options = {"w": start, "c1": 0.0, "c2": 0.0}
        varied = self.vary(options, end_opts={"w": end}, iternow=min(now, last), itermax=max(1, last))
        return float(varied["w"])

    def moved(self, swarm: Any, limit: NDArray[np.float64], topology: Any) -> NDArray[np.float64]:
        """Positions after one step within the unit cube; draws from numpy's global random state."""
        cube = np.zeros(swarm.dimensions), np.ones(swarm.dimensions)
        swarm.velocity = topology.compute_velocity(swarm, (-limit, limit), self.clamp, cube)
        return np.asarray(topology.compute_position(swarm, cube, self.reflect), dtype=np.float64)


@cache
def backend() -> Backend:
    """Loads pyswarms, once."""
    with _unlogged():
        from pyswarms.backend.handlers import BoundaryHandler, OptionsHandler, VelocityHandler
        from pyswarms.backend.swarms import Swarm
        from pyswarms.backend.topology import Ring, Star

        return Backend(
            Swarm,
            Star(),
            Ring(static=False),
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
