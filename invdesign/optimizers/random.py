"""Random search by a Sobol sequence: the baseline, and the initial design of other optimizers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from invdesign.core.settings import settings
from invdesign.optimizers.base import History, run_generator, step_generator
from invdesign.space import SearchSpace
from invdesign.space.duplicates import without_duplicates
from invdesign.space.search_space import LARGEST_GRID
from invdesign.targets import Targets

FEASIBLE_SHARE = 0.01
"""Below this share of the unit cube, points come from the space's own uniform sampler instead of the sequence."""
BLOCK = 64
LONGEST_SEQUENCE = 20
"""Power of two at which the sequence ends and the uniform sampler takes over."""


@settings
class RandomOptimizer:
    """Fills the feasible region evenly: a scrambled Sobol sequence (Owen 1998), infeasible points left out.

    Candidate number ``k`` does not depend on the batch size. Seeds of the space, such as those of a MoleculeGraph, come
    first.
    """

    def propose(
        self, n: int, *, space: SearchSpace, targets: Targets, history: History, seed: np.random.SeedSequence
    ) -> pd.DataFrame:
        """Proposes the next points of the sequence; see ``Optimizer.propose``. Targets are ignored."""
        return space.seeded(self._evenly(n, space, history, seed), history.proposed)

    def _evenly(self, n: int, space: SearchSpace, history: History, seed: np.random.SeedSequence) -> pd.DataFrame:
        if space.countable and space.size <= LARGEST_GRID:
            return self._shuffled(n, space, history, seed)
        stream = self._stream(history.count + n, space, seed)
        fresh = without_duplicates(stream, history.proposed)
        # Candidates of another source (a laboratory, another optimizer) may have used numbers of the sequence.
        place = max(0, len(fresh) - n)
        return fresh.iloc[place:].reset_index(drop=True) if len(fresh) >= n else self._more(n, space, history, seed)

    def _shuffled(self, n: int, space: SearchSpace, history: History, seed: np.random.SeedSequence) -> pd.DataFrame:
        """The next candidates of a finite space in a random order; only as many as needed are generated."""
        order = run_generator(seed).permutation(int(space.size))
        seen = history.proposed
        fresh = space.at(order[:0])
        for start in range(0, len(order), BLOCK):
            block = space.at(order[start : start + BLOCK])
            fresh = pd.concat([fresh, without_duplicates(block[space.feasible(block)], seen)], ignore_index=True)
            if len(fresh) >= n:
                break
        return fresh.head(n)

    def _stream(self, n: int, space: SearchSpace, seed: np.random.SeedSequence) -> pd.DataFrame:
        """The first ``n`` feasible candidates of the sequence; fewer if it ends before."""
        from scipy.stats import qmc  # loaded where it is used: most commands never do

        if not space.is_even or space.feasible_share(run_generator(seed)) < FEASIBLE_SHARE:
            return space.sample(0, run_generator(seed))
        for power in range(int(np.ceil(np.log2(max(2, n)))), LONGEST_SEQUENCE + 1):
            sequence = qmc.Sobol(space.dimension, scramble=True, rng=run_generator(seed))
            points = space.filter(sequence.random_base2(power))
            if len(points) >= n:
                break
        return space.decode(points[:n])

    def _more(self, n: int, space: SearchSpace, history: History, seed: np.random.SeedSequence) -> pd.DataFrame:
        """Uniform candidates, if the sequence cannot be used."""
        # Twice as many as needed, because an open-ended space may draw duplicates.
        return without_duplicates(space.sample(2 * n, step_generator(seed, history)), history.proposed).head(n)
