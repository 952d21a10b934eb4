"""Selection of parents from a history, and tournaments among them, by DEAP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from invdesign.optimizers.population.fitness import Fitness, crowding, spread_out
from invdesign.optimizers.population.library_randomness import drawing_from

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from invdesign.space import SearchSpace

MOST_SELECTED = 4
"""Individuals for DEAP's selection per selected one; its time is quadratic in their number."""
MOST_EQUALS = 512
"""Number of equally good candidates, the latest, from which distant ones are selected."""
MOST_OBJECTIVES = 3
"""Largest number of objectives for NSGA-II; with more, its crowding distance is uninformative, and NSGA-III is used."""
REFERENCES = 1.25
"""Largest number of NSGA-III's reference points per parent: with about one, each niche keeps its nearest member."""
PENALTY = 2.0
"""Weight of the distance from a reference line relative to that along it: penalty-based boundary intersection.

Zhang and Li 2007 (doi:10.1109/TEVC.2007.892759); within NSGA-III, Yuan et al. 2016 (doi:10.1109/TEVC.2015.2420112).
Off: 10 % less hypervolume on development, with four objectives."""
Worth = tuple[float, ...]
"""The order of a tournament, larger is better: first the rank, then the crowding distance."""


@dataclass(frozen=True)
class Individual:
    """A candidate for DEAP.

    Attributes:
        row: of the history, or place among the parents.
        fitness: DEAP's own for selection among several losses; a tuple for tournaments.
    """

    row: int
    fitness: Any


def selected_parents(
    fitness: Fitness, candidates: pd.DataFrame, space: SearchSpace, count: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], list[Worth]]:
    """Selects the surviving parents of all candidates so far.

    Args:
        fitness: of the candidates.
        candidates: evaluated ones.
        space: defines the distance between candidates.
        count: how many parents; fewer if fewer candidates have values.
        rng: source of randomness.

    Returns:
        Rows of the parents, and the worth of each in tournaments.
    """
    ranks = fitness.ranks()
    order = np.argsort(ranks, kind="stable")[: int(fitness.valued.sum())]
    if len(order) > count:
        last = ranks[order[count - 1]]
        sure, unsure = order[ranks[order] < last], order[ranks[order] == last]
    else:
        sure, unsure = order, order[:0]
    missing = min(count, len(order)) - len(sure)
    if missing < len(unsure):
        if fitness.many and fitness.violation[unsure[0]] == 0.0:
            return _by_fronts(fitness, ranks, np.concatenate([sure, _thinned(fitness, unsure, count)]), count, rng)
        unsure = _far_apart(candidates, space, unsure, missing)
    rows = np.concatenate([sure, unsure])
    return rows, worth_of(rows, fitness, ranks, candidates, space)


def tournament_winners(worth: list[Worth], count: int, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Indices of the winners of tournaments of ``size`` among candidates, shape ``count``."""
    from deap.tools import selTournament

    individuals = [Individual(place, value) for place, value in enumerate(worth)]
    with drawing_from(rng):
        winners = selTournament(individuals, count, size)
    return np.array([winner.row for winner in winners], dtype=np.int64)


def crowded_winners(
    losses: NDArray[np.float64], alone: NDArray[np.float64], count: int, size: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Indices of the winners of crowded tournaments (Deb et al. 2002), shape ``count``.

    The dominating candidate wins; if neither dominates, the one with the larger crowding distance. Ranks are not
    used, because while fronts are many and thin, the first of them would have all the children.

    Args:
        losses: of the candidates, shape ``n x m``.
        alone: crowding distance within the front.
        count: number of winners.
        size: candidates of one tournament.
        rng: source of randomness.
    """
    rounds = -(-size * count // len(losses))
    places = np.concatenate([rng.permutation(len(losses)) for _ in range(rounds)])
    winners = places[:count]
    for number in range(1, size):
        rivals = places[number * count : (number + 1) * count]
        no_worse = (losses[winners] <= losses[rivals]).all(axis=1)
        no_better = (losses[rivals] <= losses[winners]).all(axis=1)
        less_crowded = alone[winners] >= alone[rivals]
        stays = np.where(no_worse & ~no_better, True, np.where(no_better & ~no_worse, False, less_crowded))
        winners = np.where(stays, winners, rivals)
    return winners


def _by_fronts(
    fitness: Fitness, ranks: NDArray[np.int64], rows: NDArray[np.int64], count: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], list[Worth]]:
    """NSGA-II's or NSGA-III's choice among candidates that all meet the bounded targets."""
    from deap import base, tools

    directions = fitness.losses.shape[1]
    kind = type("Losses", (base.Fitness,), {"weights": (-1.0,) * directions})
    individuals = [Individual(row, kind(tuple(fitness.losses[row]))) for row in rows.tolist()]
    with drawing_from(rng):
        if directions <= MOST_OBJECTIVES:
            chosen = tools.selNSGA2(individuals, count)
        else:
            chosen = tools.selNSGA3(individuals, count, reference_points(directions, count))
    kept = np.array([individual.row for individual in chosen], dtype=np.int64)
    crowding_ = np.zeros(len(kept))
    if directions <= MOST_OBJECTIVES:
        for rank in np.unique(ranks[kept]):
            front = ranks[kept] == rank
            crowding_[front] = crowding(fitness.losses[kept[front]])
    return kept, _worth(ranks[kept], crowding_)


def reference_points(directions: int, count: int) -> Any:
    """NSGA-III's reference points, as many layers as keep them about as few as the parents (Das and Dennis 1998)."""
    from math import comb

    from deap.tools import uniform_reference_points

    layers = 1
    while comb(directions + layers, layers + 1) <= REFERENCES * count:
        layers += 1
    return uniform_reference_points(directions, layers)


def _thinned(fitness: Fitness, front: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The members of a large front to select from: the least crowded, or the best along reference lines."""
    if len(front) <= MOST_SELECTED * count:
        return front
    losses = fitness.losses[front]
    if losses.shape[1] <= MOST_OBJECTIVES:
        return front[np.argsort(-crowding(losses), kind="stable")[: MOST_SELECTED * count]]
    # Crowding would drop those that NSGA-III selects, because each reference line is crowded. Of all that
    # were ever on the front many are near a line but far behind, which its selection, by nearness alone, would prefer.
    lines = reference_points(losses.shape[1], count)
    lines = lines / np.linalg.norm(lines, axis=1, keepdims=True)
    span = np.ptp(losses, axis=0)
    scaled = (losses - losses.min(axis=0)) / np.where(span > 0.0, span, 1.0)
    along = scaled @ lines.T
    apart = np.sqrt(np.maximum((scaled**2).sum(axis=1)[:, None] - along**2, 0.0))
    places = np.argsort(np.argsort(along + PENALTY * apart, axis=0, kind="stable"), axis=0, kind="stable").min(axis=1)
    places[np.concatenate([scaled.argmin(axis=0), scaled.argmax(axis=0)])] = 0
    best = np.argsort(places, kind="stable")[: max(count, int((places == 0).sum()))]
    return front[np.sort(best)]


def _far_apart(candidates: pd.DataFrame, space: SearchSpace, rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    latest = rows[-max(MOST_EQUALS, count) :]
    return latest[spread_out(space.encode(candidates.iloc[latest]), count)[0]]


def _loneliness(
    fitness: Fitness, ranks: NDArray[np.int64], candidates: pd.DataFrame, space: SearchSpace, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Distance of each parent from equally good ones: on the front by its losses, else in the unit cube."""
    alone = np.zeros(len(rows))
    best = ranks[rows] == ranks[rows].min()
    if best.sum() < 2:
        return alone
    if fitness.many and (fitness.violation[rows[best]] == 0.0).all():
        alone[best] = crowding(fitness.losses[rows[best]])
        return alone
    from scipy.spatial.distance import cdist

    points = space.encode(candidates.iloc[rows[best]])
    gaps = cdist(points, points)
    np.fill_diagonal(gaps, np.inf)
    alone[best] = gaps.min(axis=1)
    return alone


def worth_of(
    rows: NDArray[np.int64], fitness: Fitness, ranks: NDArray[np.int64], candidates: pd.DataFrame, space: SearchSpace
) -> list[Worth]:
    """The worth of parents in tournaments: their rank, and their crowding distance among equals."""
    return _worth(ranks[rows], _loneliness(fitness, ranks, candidates, space, rows))


def _worth(ranks: NDArray[np.int64], alone: NDArray[np.float64]) -> list[Worth]:
    return [(-float(rank), float(gap)) for rank, gap in zip(ranks, alone, strict=True)]
