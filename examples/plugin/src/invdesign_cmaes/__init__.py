"""CMA-ES (Hansen and Ostermeier 2001, doi:10.1162/106365601750190398) as an optimizer of invdesign, by ``cmaes``."""

from __future__ import annotations

import numpy as np
import pandas as pd
from cmaes import CMA

from invdesign.core.settings import bounded, settings
from invdesign.optimizers import Fitness, History, RandomOptimizer
from invdesign.optimizers.deduplication import Deduplication, completed
from invdesign.space import SearchSpace
from invdesign.targets import Targets


@settings
class CmaEsOptimizer:
    """Adapts a normal distribution in the unit cube to the best candidates of each generation.

    Candidates are compared by Deb's rules: shortfalls of the bounded targets first, then the Pareto rank. It keeps no
    state: every generation is replayed from the history, so that a resumed campaign goes on exactly.
    """

    population: int = bounded(default=12, ge=4)
    """Candidates in a generation."""
    step_size: float = bounded(default=0.25, gt=0, le=1)
    """Standard deviation of the first generation, as a share of each parameter's range."""

    def check(self, space: SearchSpace) -> list[str]:
        """Says what does not fit a space."""
        return [] if space.dimension > 1 else ["CMA-ES needs a space of two coordinates or more."]

    def propose(
        self, n: int, *, space: SearchSpace, targets: Targets, history: History, seed: np.random.SeedSequence
    ) -> pd.DataFrame:
        """Proposes candidates; see ``invdesign.optimizers.base.Optimizer.propose``."""
        if len(history.candidates) < 2:
            return RandomOptimizer().propose(n, space=space, targets=targets, history=history, seed=seed)
        search = self._replayed(space, targets, history, seed)
        asked = len(history.proposed) % self.population
        points = np.array([search.ask() for _ in range(asked + n)])[asked:]
        repaired = space.decode(space.repair(points))
        fresh = Deduplication(space, history.proposed).renewed(
            repaired, np.random.default_rng(seed.generate_state(1)[0])
        )
        return completed(n, fresh, space=space, targets=targets, history=history, seed=seed)

    def _replayed(self, space: SearchSpace, targets: Targets, history: History, seed: np.random.SeedSequence) -> CMA:
        """The search after all complete generations of the history; a pending candidate ends the last of them."""
        done = len(history.candidates) // self.population * self.population
        points = space.encode(history.candidates)
        ranks = Fitness.of(history.properties, targets).ranks().astype(float)
        search = CMA(
            mean=points[np.argsort(ranks[: self.population], kind="stable")[: self.population // 2]].mean(axis=0),
            sigma=self.step_size,
            bounds=np.tile([0.0, 1.0], (points.shape[1], 1)),
            seed=int(seed.generate_state(1)[0]),
            population_size=self.population,
        )
        for start in range(0, done, self.population):
            generation = slice(start, start + self.population)
            for _ in range(self.population):
                search.ask()  # moves the random state on, as when the generation was proposed
            search.tell(list(zip(points[generation], ranks[generation], strict=True)))
        return search
