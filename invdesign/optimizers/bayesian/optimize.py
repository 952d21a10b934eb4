"""Finds the candidate with the highest acquisition: all of a finite space, or a search from many starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd
import scipy

from invdesign.optimizers.bayesian.acquisition import Acquisition
from invdesign.optimizers.bayesian.gradient_ascent import GradientAscent
from invdesign.space import SearchSpace
from invdesign.space.duplicates import without_duplicates
from invdesign.space.variation import crossed, mutated

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME = 1e-9
"""Points of the unit cube nearer than this are one candidate."""
STEPS = (0.2, 0.1, 0.03, 0.01)
"""Mean size of a mutation, round after round."""


class AcquisitionOptimizer(Protocol):
    """Finds the candidates with the highest acquisition."""

    def ranked(self, acquisition: Acquisition, seen: pd.DataFrame, count: int) -> pd.DataFrame:
        """The best candidates that are not in ``seen``, the best first; none where there is no other.

        Args:
            acquisition: scores candidates.
            seen: candidates that were proposed before.
            count: how many at most.
        """


@dataclass(frozen=True)
class ExhaustiveSearch:
    """Scores every candidate of a finite space.

    Attributes:
        pool: all feasible candidates.
    """

    pool: pd.DataFrame

    def ranked(self, acquisition: Acquisition, seen: pd.DataFrame, count: int) -> pd.DataFrame:
        """See ``AcquisitionOptimizer.ranked``."""
        left = without_duplicates(self.pool, seen)
        if left.empty:
            return left
        scores = acquisition(left)
        count = min(count, len(left))
        best = np.argpartition(-scores, count - 1)[:count]
        return left.iloc[best[np.lexsort((best, -scores[best]))]].reset_index(drop=True)


@dataclass(frozen=True)
class GeneticSearch:
    """Searches a space that is too large to score whole.

    Many feasible starts; the best of them are refined in turns: continuous parameters ascend along the gradient where
    there is one, and children by the operators of each kind of column look around in the others. It serves every
    surrogate and every mix of columns.

    Attributes:
        space: what is searched.
        rng: source of randomness.
        around: candidates near which good ones are expected, such as the best known ones.
        separation: distance in the unit cube that a proposal keeps from every seen candidate, where it can.
        resolution: the distance from evaluated ones, if it is another.
        evaluated: how many of the seen candidates, from the first, are evaluated.
        starts: random candidates that are scored first; a dear acquisition wants fewer.
        elite: candidates that are refined.
        children: of each of them, round after round.
        suggested: further candidates that are scored first.
    """

    space: SearchSpace
    rng: np.random.Generator
    around: pd.DataFrame
    separation: float = 0.0
    resolution: float | None = None
    evaluated: int = 0
    starts: int = 1024
    elite: int = 8
    children: int = 24
    suggested: pd.DataFrame = field(default_factory=pd.DataFrame)

    def ranked(self, acquisition: Acquisition, seen: pd.DataFrame, count: int) -> pd.DataFrame:
        """See ``AcquisitionOptimizer.ranked``."""
        taken = self.space.encode(seen)
        ascent = GradientAscent.of(self.space, acquisition)
        near = [mutated(self.space, self.around, self.rng, step=0.05) for _ in range(4)] if len(self.around) else []
        near += [self.suggested] if len(self.suggested) else []
        found = self._scored([self.space.sample(self.starts, self.rng), *near], acquisition, taken)
        only_continuous = ascent is not None and len(ascent.coordinates) == self.space.dimension
        rounds = STEPS[-1:] if only_continuous and not self.space.constraints else STEPS
        for step in rounds:
            best = found.best(max(self.elite, count))
            fresh = [] if ascent is None else [self._ascended(ascent, best.points[: self.elite])]
            fresh += self._children(best.candidates.iloc[: self.elite], step)
            found = best.joined(self._scored(fresh, acquisition, taken))
        return found.best(count).candidates

    def _ascended(self, ascent: GradientAscent, points: NDArray[np.float64]) -> pd.DataFrame:
        return self.space.decode(self.space.repair(ascent(points)))

    def _children(self, parents: pd.DataFrame, step: float) -> list[pd.DataFrame]:
        repeated = parents.iloc[np.repeat(np.arange(len(parents)), self.children)].reset_index(drop=True)
        others = parents.iloc[self.rng.integers(0, len(parents), len(repeated))].reset_index(drop=True)
        mixed = repeated.index < len(repeated) // 4
        return [
            mutated(self.space, repeated, self.rng, step=step),
            crossed(self.space, repeated[mixed], others[mixed], self.rng),
        ]

    def _scored(self, frames: list[pd.DataFrame], acquisition: Acquisition, taken: NDArray[np.float64]) -> _Scored:
        """Scores candidates; seen ones are dropped, and near ones fall behind all."""
        candidates = pd.concat(frames, ignore_index=True).drop_duplicates(ignore_index=True)
        points = self.space.encode(candidates)
        gaps, crowded = np.full(len(points), np.inf), np.zeros(len(points), dtype=bool)
        if len(taken) and len(points):
            distances = scipy.spatial.distance.cdist(points, taken)
            least = np.full(len(taken), self.separation)
            if self.resolution is not None:
                least[: self.evaluated] = self.resolution
            gaps, crowded = distances.min(axis=1), (distances < least).any(axis=1)
        new = gaps > SAME
        candidates, points, gaps, crowded = candidates[new].reset_index(drop=True), points[new], gaps[new], crowded[new]
        if not len(points):
            return _Scored(candidates, points, gaps)
        scores = acquisition(candidates)
        return _Scored(candidates, points, np.where(crowded, np.minimum(scores, 0.0) * 2.0 - 1e6 + gaps, scores))


@dataclass(frozen=True)
class _Scored:
    """Candidates, their points of the unit cube, and their scores."""

    candidates: pd.DataFrame
    points: NDArray[np.float64]
    scores: NDArray[np.float64]

    def best(self, count: int) -> _Scored:
        """The best of them, the best first, none twice."""
        kept = ~self.candidates.duplicated().to_numpy()
        order = np.flatnonzero(kept)[np.argsort(-self.scores[kept], kind="stable")][:count]
        return _Scored(self.candidates.iloc[order].reset_index(drop=True), self.points[order], self.scores[order])

    def joined(self, other: _Scored) -> _Scored:
        """These and others."""
        return _Scored(
            pd.concat([self.candidates, other.candidates], ignore_index=True),
            np.concatenate([self.points, other.points]),
            np.concatenate([self.scores, other.scores]),
        )
