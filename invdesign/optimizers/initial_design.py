"""The initial design: candidates that represent the whole space, before there are values to learn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import pandas as pd
import scipy

from invdesign.optimizers.base import History, Optimizer, run_generator
from invdesign.optimizers.random import RandomOptimizer
from invdesign.space import SearchSpace
from invdesign.surrogates.features.settings import Features
from invdesign.targets import Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST = 20_000
"""Largest number of candidates of a space to select from; a larger one is sampled evenly."""
LOOKED_AT = 2_000
"""Number of candidates to select the design from, drawn at random if there are more."""
STOOD_FOR = 0.5
"""Share of them that the design must represent, drawn by the seed, so that seeds give different designs."""


@runtime_checkable
class Designed(Protocol):
    """An optimizer that defines the initial design."""

    @property
    def initial_design(self) -> Optimizer:
        """Proposes the candidates that are evaluated before the optimizer takes over."""


def initial_design(optimizer: Optimizer) -> Optimizer:
    """The initial design of a campaign: as defined by the optimizer, or a Sobol sequence."""
    return optimizer.initial_design if isinstance(optimizer, Designed) else RandomOptimizer()


@dataclass(frozen=True)
class RepresentativeDesign:
    """Chooses candidates such that every other one is close to one of them, in the surrogate's features.

    Each step adds the candidate that most reduces the summed distance of all to their nearest chosen one: greedy
    k-medoids (Kaufman and Rousseeuw 1990, doi:10.1002/9780470316801.ch2, its BUILD phase). Unlike candidates that are
    merely far from each other, these are not outliers. On two pools it led to as many hits as random candidates on
    average and to fewer bad starts (README, "Measured"). A space of numbers begins with its center, and
    is then filled by the Sobol sequence, as is one that is too large (see RandomOptimizer).

    Attributes:
        features: define the distance between candidates.
    """

    features: Features = field(default_factory=Features)

    def propose(
        self, n: int, *, space: SearchSpace, targets: Targets, history: History, seed: np.random.SeedSequence
    ) -> pd.DataFrame:
        """Proposes the next candidates of the design; see ``Optimizer.propose``. Targets are ignored."""
        numeric = _is_numeric(space)
        grid = None if numeric else space.grid(LARGEST)
        if grid is None:
            even = RandomOptimizer().propose(n, space=space, targets=targets, history=history, seed=seed)
            return _begun_at_center(even, space) if numeric and not history.count else even
        order = run_generator(seed).permutation(len(grid))[:LOOKED_AT]
        looked_at = grid.iloc[order].reset_index(drop=True)
        known_frame = history.proposed[list(space.names)]
        points, known = self._points(looked_at, known_frame, space)
        between = scipy.spatial.distance.cdist
        distance = between(points, points[: max(1, round(STOOD_FOR * len(points)))])
        gap = between(known, points[: distance.shape[1]]).min(axis=0, initial=float(distance.max(initial=0.0)))
        fresh = np.flatnonzero(~_stands_in(looked_at, known_frame))
        chosen = fresh[_medoids(distance[fresh], gap, n)]
        return looked_at.iloc[chosen].reset_index(drop=True)

    def _points(
        self, candidates: pd.DataFrame, known: pd.DataFrame, space: SearchSpace
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Features of two frames, scaled to unit spread over the first, without constant ones."""
        from invdesign.surrogates.features.featurizer import Featurizer

        featurizer = Featurizer(self.features).fit(candidates, space.columns)
        features = featurizer.transform(candidates)
        spread = features.std(axis=0)
        varied = spread > 0.0
        scaled = [
            (frame[:, varied] - features.mean(axis=0)[varied]) / spread[varied]
            for frame in (features, featurizer.transform(known))
        ]
        return scaled[0], scaled[1]


def _medoids(distance: NDArray[np.float64], gap: NDArray[np.float64], count: int) -> list[int]:
    """Rows that most reduce the summed gap, one after the other.

    Args:
        distance: of candidates to those to be represented, shape ``n x m``.
        gap: of the latter to their nearest chosen candidate so far, shape ``m``.
        count: number to choose; fewer if there are fewer.
    """
    chosen: list[int] = []
    while len(chosen) < min(count, len(distance)):
        gain = np.maximum(gap - distance, 0.0).sum(axis=1)
        gain[chosen] = -1.0
        chosen.append(int(np.argmax(gain)))
        gap = np.minimum(gap, distance[chosen[-1]])
    return chosen


def _stands_in(candidates: pd.DataFrame, others: pd.DataFrame) -> NDArray[np.bool_]:
    """Which candidates are rows of another frame, shape ``n``."""
    rows = set(others.itertuples(index=False, name=None))
    return np.array([row in rows for row in candidates.itertuples(index=False, name=None)], dtype=bool)


def _begun_at_center(design: pd.DataFrame, space: SearchSpace) -> pd.DataFrame:
    """The design with the center of the cube for its first candidate, if that is feasible.

    Off: regret 3.0 times as large on development, and 15 of 100 evaluations fewer are hits.
    """
    center = space.decode(np.full((1, space.dimension), 0.5))
    if design.empty or not space.feasible(center).all() or _stands_in(center, design).any():
        return design
    return pd.concat([center[list(design)], design.iloc[1:]], ignore_index=True)


def _is_numeric(space: SearchSpace) -> bool:
    return all(column.kind == "number" for column in space.columns)
