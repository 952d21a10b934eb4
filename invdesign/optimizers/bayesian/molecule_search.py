"""Maximizes an acquisition function over molecules that are built, not listed: a genetic algorithm from the best known.

The loop is that of Tripp and Hernández-Lobato (2023, arXiv:2310.09267, "Genetic algorithms are strong baselines for
molecule generation"): parents are drawn from the best, children are scored by the acquisition function, and the best of
both remain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy

from invdesign.optimizers.bayesian.acquisition import Acquisition
from invdesign.optimizers.bayesian.gradient_ascent import GradientAscent
from invdesign.space import SearchSpace
from invdesign.space.duplicates import without_duplicates
from invdesign.space.parameters import Parameter, Sampled
from invdesign.space.variation import crossed, mutated

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHILDREN = 40
"""Children of one generation."""
FIRST_GENERATIONS = 5
NEXT_GENERATIONS = 1
"""Generations of the first proposal of a batch, and of each further one, which goes on with the same pool."""
FRESH = 2
"""Random candidates in the first pool."""
MOST_SEEDS = 1_000
"""Seeds of the space without a value that are in the first pool."""
KEPT = 200
"""Candidates that remain in the pool after a generation."""
DECADES = 2.0
"""Parents are drawn from the best share 10^-u of the pool, u uniform up to this number."""
MUTATED = 0.5
"""Share of children that are mutated; the others join two parents, and those that equal one are mutated too."""
FROM_EVALUATED = 0.5
"""Share of parents that are evaluated candidates, drawn by their values; the rest are drawn by the acquisition."""
REFINED = 4
"""Candidates whose numbers ascend along the gradient of the acquisition, in spaces that have numbers too."""
COMPARED = 64
"""Best candidates of which those are preferred that are apart from the seen ones."""


def is_built(space: SearchSpace) -> bool:
    """Whether a space has molecules that are built rather than listed, so that each costs time to encode."""
    return any(isinstance(parameter, Sampled) for parameter in space.parameters.values())


def is_open_ended(space: SearchSpace) -> bool:
    """Whether a space has molecules without a list or a scaffold, of which most are new at every proposal."""
    built = (parameter for parameter in space.parameters.values() if isinstance(parameter, Sampled))
    return any(not math.isfinite(parameter.size) for parameter in built if isinstance(parameter, Parameter))


@dataclass(frozen=True)
class MoleculeSearch:
    """Searches a space with molecules that are built, such as a MoleculeGraph or a MoleculeLibrary.

    The pool is kept from one proposal of a batch to the next. It starts anew with each batch, from the history and the
    generator alone, so that a resumed campaign goes on exactly.

    Attributes:
        space: what is searched.
        rng: source of randomness.
        evaluated: candidates with values, the best first.
        separation: distance in the unit cube that a proposal keeps from every seen candidate, where it can, in spaces
            with further parameters.
        suggested: further candidates of the first pool.
    """

    space: SearchSpace
    rng: np.random.Generator
    evaluated: pd.DataFrame
    separation: float = 0.0
    suggested: pd.DataFrame = field(default_factory=pd.DataFrame)
    _kept: list[pd.DataFrame] = field(default_factory=list, init=False, repr=False, compare=False)

    def ranked(self, acquisition: Acquisition, seen: pd.DataFrame, count: int) -> pd.DataFrame:
        """See ``AcquisitionOptimizer.ranked``."""
        generations = NEXT_GENERATIONS if self._kept else FIRST_GENERATIONS
        pool = without_duplicates(self._kept.pop() if self._kept else self._start(seen), seen)
        scores = acquisition(pool) if len(pool) else np.empty(0)
        for _ in range(generations):
            children = without_duplicates(self._children(pool), pd.concat([seen, pool], ignore_index=True))
            pool, scores = _best(pool, scores, children, acquisition)
        if len(self.space.parameters) > 1 and len(pool):
            refined = without_duplicates(self._refined(pool.head(REFINED), acquisition), seen)
            pool, scores = _best(pool, scores, without_duplicates(refined, pool), acquisition)
        self._kept.append(pool)
        return self._apart(pool, scores, seen).head(count).reset_index(drop=True)

    def _start(self, seen: pd.DataFrame) -> pd.DataFrame:
        """Seeds that were not proposed yet, what another optimizer suggests, and random candidates."""
        fresh = self.space.sample(FRESH, self.rng)
        rows = self.evaluated if len(self.evaluated) else fresh
        seeds = self.space.seeded(rows.iloc[np.arange(MOST_SEEDS) % len(rows)].reset_index(drop=True), seen)
        frames = [frame for frame in (seeds, self.suggested, fresh) if len(frame)]
        return pd.concat(frames, ignore_index=True).drop_duplicates(ignore_index=True)

    def _children(self, pool: pd.DataFrame) -> pd.DataFrame:
        first, second = self._parents(pool), self._parents(pool)
        changed = self.rng.random(CHILDREN) < MUTATED
        joined = crossed(
            self.space, first[~changed].reset_index(drop=True), second[~changed].reset_index(drop=True), self.rng
        )
        same = (joined == first[~changed].reset_index(drop=True)).all(axis=1)
        single = pd.concat([first[changed], joined[same]], ignore_index=True)
        return pd.concat([joined[~same], mutated(self.space, single, self.rng)], ignore_index=True)

    def _parents(self, pool: pd.DataFrame) -> pd.DataFrame:
        """Parents of one generation: evaluated candidates and those of the pool, the best of both most often."""
        known = int(self.rng.binomial(CHILDREN, FROM_EVALUATED)) if len(self.evaluated) else 0
        if not len(pool):
            known = CHILDREN
        drawn = [self._drawn(self.evaluated, known), self._drawn(pool, CHILDREN - known)]
        both = pd.concat([frame for frame in drawn if len(frame)], ignore_index=True)
        return both.iloc[self.rng.permutation(len(both))].reset_index(drop=True)

    def _drawn(self, ordered: pd.DataFrame, count: int) -> pd.DataFrame:
        shares = 10.0 ** -self.rng.uniform(0.0, DECADES, count)
        return ordered.iloc[(self.rng.random(count) * np.ceil(shares * len(ordered))).astype(np.int64)]

    def _refined(self, candidates: pd.DataFrame, acquisition: Acquisition) -> pd.DataFrame:
        ascent = GradientAscent.of(self.space, acquisition)
        if ascent is None:
            return mutated(self.space, candidates, self.rng, step=0.03)
        return self.space.decode(self.space.repair(ascent(self.space.encode(candidates))))

    def _apart(self, pool: pd.DataFrame, scores: NDArray[np.float64], seen: pd.DataFrame) -> pd.DataFrame:
        """The best candidates, those near seen ones behind the others."""
        if not self.separation or len(self.space.parameters) == 1 or seen.empty or pool.empty:
            return pool
        best = pool.head(COMPARED)
        gaps = scipy.spatial.distance.cdist(self.space.encode(best), self.space.encode(seen)).min(axis=1)
        crowded = gaps < self.separation
        return best.iloc[np.lexsort((np.where(crowded, -gaps, -scores[: len(best)]), crowded))]


def _best(
    pool: pd.DataFrame, scores: NDArray[np.float64], children: pd.DataFrame, acquisition: Acquisition
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """The best of the pool and its children, the best first, and their scores."""
    everything = pd.concat([pool, children], ignore_index=True)
    found = np.concatenate([scores, acquisition(children)]) if len(children) else scores
    order = np.argsort(-found, kind="stable")[:KEPT]
    return everything.iloc[order].reset_index(drop=True), found[order]
