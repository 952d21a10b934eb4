"""Finds the candidate with the highest acquisition: all of a finite space, or a search from many starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from invdesign.optimizers.acquisition import Acquisition
from invdesign.optimizers.base import unseen
from invdesign.space import SearchSpace

if TYPE_CHECKING:
    from numpy.typing import NDArray

ELITE = 16
CHILDREN = 24
SAME = 1e-9
"""Points of the unit cube nearer than this are one candidate."""
STEPS = (0.2, 0.1, 0.05, 0.02, 0.01, 0.003, 0.001)
"""Spread of the mutations in the unit cube, round after round."""


class Maximizer(Protocol):
    """Finds the candidate with the highest acquisition."""

    def best(self, acquisition: Acquisition, seen: pd.DataFrame) -> pd.DataFrame:
        """The best candidate that is not in ``seen``, as a frame of one row; of none where there is no other."""


@dataclass(frozen=True)
class PooledMaximizer:
    """Scores every candidate of a finite space.

    Attributes:
        pool: all feasible candidates that were not proposed before.
    """

    pool: pd.DataFrame

    def best(self, acquisition: Acquisition, seen: pd.DataFrame) -> pd.DataFrame:
        """See ``Maximizer.best``."""
        left = unseen(self.pool, seen)
        if left.empty:
            return left
        return left.iloc[[int(np.argmax(acquisition(left)))]].reset_index(drop=True)


@dataclass(frozen=True)
class CubeMaximizer:
    """Searches an infinite space: many feasible starts, then mutations of the best, ever finer, always repaired.

    It needs no gradient, so it serves every surrogate and every mix of columns.

    Attributes:
        space: what is searched.
        rng: source of randomness.
        around: points of the unit cube near which good candidates are expected, such as the best known ones.
        separation: distance in the unit cube that a proposal keeps from every seen candidate, where it can.
        starts: random points that are scored first; a dear acquisition wants fewer.
        elite: points that are refined.
    """

    space: SearchSpace
    rng: np.random.Generator
    around: NDArray[np.float64]
    separation: float = 0.0
    starts: int = 2048
    elite: int = ELITE

    def best(self, acquisition: Acquisition, seen: pd.DataFrame) -> pd.DataFrame:
        """See ``Maximizer.best``."""
        taken = self.space.encode(seen)
        starts = self.space.encode(self.space.sample(self.starts, self.rng))
        points = np.concatenate([starts, self.space.repair(self._mutated(self.around, 0.05))])
        points, scores = self._scored(points, acquisition, taken)
        for step in STEPS:
            order = np.argsort(-scores, kind="stable")[: self.elite]
            points, scores = points[order], scores[order]
            children = self.space.repair(self._mutated(points, step))
            new_points, new_scores = self._scored(children, acquisition, taken)
            points, scores = np.concatenate([points, new_points]), np.concatenate([scores, new_scores])
        return self.space.decode(points[np.argsort(-scores, kind="stable")[:1]])

    def _scored(
        self, points: NDArray[np.float64], acquisition: Acquisition, taken: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scores candidates, at the points that encode them; seen ones are dropped, and near ones fall behind all."""
        candidates = self.space.decode(points)
        points = self.space.encode(candidates)
        gaps = np.full(len(points), np.inf)
        if len(taken):
            gaps = cdist(points, taken).min(axis=1)
        new = gaps > SAME
        points, gaps = points[new], gaps[new]
        if not len(points):
            return points, gaps
        scores = acquisition(candidates[new])
        return points, np.where(gaps < self.separation, scores.min() - 1.0 + gaps, scores)

    def _mutated(self, points: NDArray[np.float64], step: float) -> NDArray[np.float64]:
        """Children of points: normal steps in some coordinates, now and then a fresh value of a whole coordinate."""
        parents = np.repeat(points, CHILDREN, axis=0)
        changed = self.rng.random(parents.shape) < max(0.5, 1.0 / max(1, parents.shape[1]))
        moved = parents + changed * step * self.rng.standard_normal(parents.shape)
        fresh = self.rng.random(parents.shape) < 0.1 / max(1, parents.shape[1])
        return np.clip(np.where(fresh, self.rng.random(parents.shape), moved), 0.0, 1.0)
