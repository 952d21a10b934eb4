"""Fitness of evaluated candidates for searches that only compare: swarms and genetic algorithms.

Deb's rules (2000, doi:10.1016/S0045-7825(99)00389-8): candidates that meet all bounded targets come first; those
that miss one are compared by summed shortfall, the others by their objectives. Candidates without a value come last.
One that is worse than the reference of an objective misses it, like a bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from invdesign.optimizers.bayesian.acquisition import property_scales, summed_shortfall
from invdesign.targets import pareto_rank

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from invdesign.targets import Targets


@dataclass(frozen=True)
class Fitness:
    """The fitness of evaluated candidates, in the history's order.

    Attributes:
        violation: summed shortfall from the bounded targets, each in spreads of its property, so that units do not
            matter; zero if all are met, infinite if a value is missing. Shape ``n``.
        losses: the properties to optimize, with signs such that smaller is better, shape ``n x directions``.
        shortfalls: from each bounded target, in its property's unit, shape ``n x bounded``; infinite without a value.
    """

    violation: NDArray[np.float64]
    losses: NDArray[np.float64]
    shortfalls: NDArray[np.float64]

    @classmethod
    def of(cls, values: pd.DataFrame, targets: Targets) -> Self:
        """Computes the fitness of property values, one row per candidate; non-finite values count as missing."""
        targets = targets.with_limits
        wanted = values.reindex(columns=list(targets.properties)).astype(float)
        wanted = wanted.where(np.isfinite(wanted))
        failed = wanted.isna().any(axis=1).to_numpy()
        total = summed_shortfall(targets, wanted, property_scales(targets, wanted))
        each = [target.shortfall(wanted[target.property]) for target in targets.bounded]
        shortfalls = np.stack(each, axis=1) if each else np.zeros((len(wanted), 0))
        losses = -targets.gains(wanted)
        return cls(
            np.where(failed, np.inf, total),
            np.where(failed[:, None], np.inf, losses),
            np.where(failed[:, None], np.inf, shortfalls),
        )

    def __len__(self) -> int:
        return len(self.violation)

    @property
    def valued(self) -> NDArray[np.bool_]:
        """Which candidates have all their values, shape ``n``."""
        return np.isfinite(self.violation)

    @property
    def many(self) -> bool:
        """True if there are several objectives, so that the best are a front and not one candidate."""
        return self.losses.shape[1] > 1

    def taken(self, rows: NDArray[np.int64]) -> Fitness:
        """The fitness of some candidates."""
        return Fitness(self.violation[rows], self.losses[rows], self.shortfalls[rows])

    def ranks(self) -> NDArray[np.int64]:
        """Orders candidates by Deb's rules, 0 the best; equals have equal ranks.

        Returns:
            Shape ``n``; candidates without a value have the largest rank.
        """
        ranks = np.zeros(len(self), dtype=np.int64)
        met = self.violation == 0.0
        if met.any():
            ranks[met] = pareto_rank(-self.losses[met])
        behind = int(ranks[met].max()) + 1 if met.any() else 0
        ranks[~met] = behind + _dense(self.violation[~met])
        return ranks

    def height(self) -> NDArray[np.float64]:
        """One number per candidate in the order of Deb's rules, smaller is better, for at most one objective.

        The summed shortfall in spreads for those that miss a target; below zero, the loss in spreads, for the others.
        """
        if not self.losses.shape[1]:
            return self.violation
        loss = self.losses[:, 0]
        known = loss[np.isfinite(loss)]
        spread = float(known.std()) if known.size else 0.0
        behind = float(known.max()) if known.size else 0.0
        met = self.violation == 0.0
        return np.where(met, (np.where(met, loss, 0.0) - behind) / (spread or 1.0) - 1.0, self.violation)

    def progress(self) -> NDArray[np.bool_]:
        """Which candidates were progress: better than all earlier ones, or another one that meets all targets.

        A row's answer depends on it and on earlier rows alone, and on no unit: with several bounded targets it must be
        undercut in every shortfall at once to be no progress.
        """
        hits = self.violation == 0.0
        if not self.losses.shape[1]:
            return hits | _first_of_front(self.shortfalls)
        forward = np.zeros(len(self), dtype=bool)
        forward[hits] = _first_of_front(self.losses[hits])
        before = np.cumsum(hits) == 0
        forward[before] = _first_of_front(self.shortfalls[before])
        return forward


def crowding(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Crowding distance within a front (Deb et al. 2002, doi:10.1109/4235.996017): the larger, the less crowded.

    Args:
        losses: of one front, shape ``n x m``.

    Returns:
        Shape ``n``; infinite at the ends of the front.
    """
    distance = np.zeros(len(losses))
    for column in losses.T:
        order = np.argsort(column, kind="stable")
        span = column[order[-1]] - column[order[0]]
        distance[order[[0, -1]]] = np.inf
        if span > 0.0:
            distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / span
    return distance


def spread_out(points: NDArray[np.float64], most: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Chooses distant points: the first one, then always the farthest from all chosen (Gonzalez 1985).

    Args:
        points: shape ``n x d``.
        most: largest number.

    Returns:
        Indices of the chosen ones, and the distance of each to those chosen before (infinite for the first).
    """
    chosen: list[int] = []
    gaps: list[float] = []
    distance = np.full(len(points), np.inf)
    while len(chosen) < min(most, len(points)):
        place = int(np.argmax(distance))
        chosen.append(place)
        gaps.append(float(distance[place]))
        distance = np.minimum(distance, np.linalg.norm(points - points[place], axis=1))
        distance[chosen] = -1.0
    return np.array(chosen, dtype=np.int64), np.array(gaps)


def _dense(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _first_of_front(losses: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Marks the rows for which no earlier row was at least as good in every loss; those without values never are."""
    if not losses.shape[1]:
        return np.zeros(len(losses), dtype=bool)
    if losses.shape[1] == 1:
        best = np.minimum.accumulate(np.concatenate([[np.inf], losses[:, 0]]))
        return losses[:, 0] < best[:-1]
    forward = np.zeros(len(losses), dtype=bool)
    front = np.empty((0, losses.shape[1]))
    for row, loss in enumerate(losses):
        if np.isfinite(loss).all() and not (front <= loss).all(axis=1).any():
            forward[row] = True
            front = np.concatenate([front[~(loss <= front).all(axis=1)], loss[None, :]])
    return forward
