"""Covariance matrix adaptation: a normal distribution in the unit cube follows the best of each generation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from invdesign.core.settings import bounded, settings
from invdesign.optimizers.base import History, step_generator
from invdesign.optimizers.deduplication import Deduplication, completed, with_rows
from invdesign.optimizers.fidelity import target_fidelity_history
from invdesign.optimizers.population.fitness import Fitness
from invdesign.optimizers.population.surrogate_assisted import away_from_failures
from invdesign.optimizers.random import RandomOptimizer
from invdesign.space import SearchSpace
from invdesign.space.parameters import is_smooth
from invdesign.space.variation import mutated
from invdesign.targets import Targets

if TYPE_CHECKING:
    from cmaes import CMA
    from numpy.typing import NDArray

SMALLEST = 4
"""Fewest candidates of a generation of which half can be averaged."""
RESOLUTION = 1e-6
"""Standard deviation of a continuous parameter, as a share of its range, below which a search has converged."""
WITHIN_VALUE = 0.2
"""The same for other parameters, as a share of the distance to the next value: hardly a sample reaches it."""
MOST_RESTARTS = 9
"""Largest number of times that the population is doubled."""


@settings
class CmaEsOptimizer:
    """Covariance matrix adaptation evolution strategy (CMA-ES), which learns a scale and a direction for every move.

    Strong where many evaluations are cheap and parameters act together, such as a narrow curved valley. The update is
    that of Hansen (2016, arXiv:1604.00772) by the library ``cmaes``; after convergence it restarts elsewhere with
    twice the population (Auger and Hansen 2005, doi:10.1109/CEC.2005.1554902). Candidates are compared by Deb's rules,
    several objectives by their Pareto rank, so that it settles at one part of a front: prefer others for fronts.

    Where parameters are not continuous, one candidate of each generation is also mutated, so that the distribution
    does not settle on their values before others were tried, as a margin does (Hamano et al. 2022, arXiv:2205.13482).

    It keeps no state: every generation is replayed from the history, which costs about 0.2 ms for each.

    Raises:
        InputError: if a setting is out of its range.
    """

    population: int | None = bounded(default=None, ge=SMALLEST)
    """Candidates in a generation of the first start. None: 4 + 3 ln(dimension of the cube), rounded down (Hansen)."""
    step_size: float = bounded(default=0.3, gt=0, le=1)
    """Standard deviation of the first generation, as a share of each parameter's range."""

    def propose(
        self, n: int, *, space: SearchSpace, targets: Targets, history: History, seed: np.random.SeedSequence
    ) -> pd.DataFrame:
        """Proposes members of the current generation; see ``Optimizer.propose``. Before any value, a Sobol sequence."""
        history = target_fidelity_history(space, history)
        fitness = Fitness.of(history.properties, targets)
        if n < 1 or not fitness.valued.any():
            return RandomOptimizer().propose(n, space=space, targets=targets, history=history, seed=seed)
        search, asked = self._replayed(space, fitness, history, seed)
        points = np.array([search.ask() for _ in range(asked + n)])[asked:]
        candidates = space.decode(space.repair(points))
        rng = step_generator(seed, history)
        if not all(is_smooth(parameter) for parameter in space.parameters.values()):
            last = (asked + np.arange(n)) % search.population_size == search.population_size - 1
            candidates = with_rows(candidates, np.flatnonzero(last), mutated(space, candidates[last], rng))
        candidates = Deduplication(space, history.proposed).renewed(candidates, rng)
        made = completed(n, candidates, space=space, targets=targets, history=history, seed=seed)
        return away_from_failures(made, space=space, targets=targets, history=history, seed=seed)

    def _replayed(
        self, space: SearchSpace, fitness: Fitness, history: History, seed: np.random.SeedSequence
    ) -> tuple[CMA, int]:
        """The search after all complete generations, and how many of the next one are proposed already."""
        own = _own_rows(history)
        values = fitness.ranks().astype(np.float64)
        points = space.encode(history.candidates)
        before = values[: own[0] if len(own) else len(values)]
        mean = points[int(np.argmin(before if len(before) else values))]
        resolution = _resolution(space)
        size = self.population or max(SMALLEST, 4 + int(3 * np.log(space.dimension)))
        search = self._started(mean, size)
        place, restarts = 0, 0
        while place + size <= len(own) and own[place + size - 1] < len(values):
            rows = own[place : place + size]
            search.tell(list(zip(points[rows], values[rows], strict=True)))
            place += size
            if search.should_stop() or (_deviations(search) < resolution).all():
                restarts += 1
                size *= 2 if restarts <= MOST_RESTARTS else 1
                search = self._started(space.encode(space.sample(1, _generator(seed, place)))[0], size)
        search.reseed_rng(int(_generator(seed, place).integers(2**31)))
        return search, len(own) - place

    def _started(self, mean: NDArray[np.float64], size: int) -> CMA:
        from cmaes import CMA

        bounds = np.tile([0.0, 1.0], (len(mean), 1))
        return CMA(mean=mean, sigma=self.step_size, bounds=bounds, population_size=size)


def _own_rows(history: History) -> NDArray[np.int64]:
    """Rows of ``proposed`` that the optimizer chose itself."""
    own = np.ones(history.count, dtype=bool) if history.own is None else history.own.copy()
    if history.given is not None:
        own &= ~history.given
    return np.flatnonzero(own)


def _resolution(space: SearchSpace) -> NDArray[np.float64]:
    """Standard deviations below which samples hardly differ, shape ``dimension``."""
    parts = []
    for parameter in space.parameters.values():
        continuous = is_smooth(parameter)
        spacing = parameter.size ** (-1.0 / max(1, parameter.dimension))
        parts.append(
            np.full(parameter.dimension, RESOLUTION if continuous else max(RESOLUTION, WITHIN_VALUE * spacing))
        )
    return np.concatenate(parts)


def _deviations(search: CMA) -> NDArray[np.float64]:
    """Standard deviations of the distribution along the coordinates, shape ``dimension``."""
    return np.asarray(search._sigma * np.sqrt(np.diag(search._C)))  # noqa: SLF001 - the library has no public name


def _generator(seed: np.random.SeedSequence, place: int) -> np.random.Generator:
    """The randomness of one generation."""
    return np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, place)))
