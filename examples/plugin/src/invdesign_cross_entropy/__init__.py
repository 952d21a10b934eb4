"""The cross-entropy method (Rubinstein 1999, doi:10.1023/A:1010091220143) as an optimizer of invdesign."""

from __future__ import annotations

import numpy as np
import pandas as pd

from invdesign.core.settings import bounded, settings
from invdesign.optimizers import Fitness, History, RandomOptimizer
from invdesign.optimizers.base import step_generator
from invdesign.optimizers.deduplication import Deduplication, completed
from invdesign.space import SearchSpace
from invdesign.targets import Targets


@settings
class CrossEntropyOptimizer:
    """Draws candidates from a normal distribution in the unit cube, fitted to the best of the last ones.

    Candidates are compared by Deb's rules: shortfalls of the bounded targets first, then the Pareto rank. It keeps no
    state: the distribution follows from the history, so that a resumed campaign goes on exactly.
    """

    window: int = bounded(default=60, ge=4)
    """Latest evaluated candidates that are considered."""
    elite: float = bounded(default=0.2, gt=0, le=1)
    """Share of them that the distribution is fitted to."""

    def check(self, space: SearchSpace) -> list[str]:
        """Says what does not fit a space."""
        return [] if space.dimension > 1 else ["The cross-entropy method needs a space of two coordinates or more."]

    def propose(
        self, n: int, *, space: SearchSpace, targets: Targets, history: History, seed: np.random.SeedSequence
    ) -> pd.DataFrame:
        """Proposes candidates; see ``invdesign.optimizers.base.Optimizer.propose``."""
        if len(history.candidates) < 2:
            return RandomOptimizer().propose(n, space=space, targets=targets, history=history, seed=seed)
        rng = step_generator(seed, history)
        latest = np.arange(len(history.candidates))[-self.window :]
        ranks = Fitness.of(history.properties, targets).ranks()[latest]
        best = latest[np.argsort(ranks, kind="stable")[: max(2, round(self.elite * len(latest)))]]
        points = space.encode(history.candidates.iloc[best])
        drawn = rng.normal(points.mean(axis=0), points.std(axis=0) + 1e-3, (n, points.shape[1]))
        candidates = space.decode(space.repair(np.clip(drawn, 0.0, 1.0)))
        fresh = Deduplication(space, history.proposed).renewed(candidates, rng)
        return completed(n, fresh, space=space, targets=targets, history=history, seed=seed)
