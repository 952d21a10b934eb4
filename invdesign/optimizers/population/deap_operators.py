"""DEAP's operators by name: selection of parents, crossover and mutation in the unit cube (Fortin et al. 2012).

The operators see candidates as points of the unit cube, so that they serve every space; whatever they return is
repaired and decoded by the space.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from invdesign.optimizers.population.library_randomness import drawing_from
from invdesign.optimizers.population.parents import Individual, reference_points

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from invdesign.optimizers.population.fitness import Fitness
    from invdesign.space import SearchSpace

Selection = Literal["best", "tournament", "roulette", "stochastic-universal", "nsga-2", "nsga-3", "spea-2"]
Crossover = Literal["simulated-binary", "blend", "uniform", "one-point", "two-point"]
Mutation = Literal["polynomial", "gaussian", "shuffle"]
ETA = 20.0
"""Distribution index of simulated binary crossover and polynomial mutation, as in NSGA-II's experiments (Deb 2002)."""
BLEND = 0.5
"""How far beyond its parents a blended child may lie, in their distance (Eshelman and Schaffer 1993)."""
EACH = 0.5
"""Probability with which uniform crossover swaps a coordinate."""


def crossed_points(
    name: Crossover, first: NDArray[np.float64], second: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """One child of each pair of points, shapes ``n x d``, within the unit cube."""
    from deap import tools

    operators: Mapping[str, Callable[[Any, Any], Any]] = {
        "simulated-binary": lambda a, b: tools.cxSimulatedBinaryBounded(a, b, eta=ETA, low=0.0, up=1.0),
        "blend": lambda a, b: tools.cxBlend(a, b, alpha=BLEND),
        "uniform": lambda a, b: tools.cxUniform(a, b, indpb=EACH),
        "one-point": tools.cxOnePoint,
        "two-point": tools.cxTwoPoint,
    }
    if first.shape[1] < 2 and name in ("one-point", "two-point"):
        return first.copy()  # a single coordinate has no place to be cut at
    with drawing_from(rng):
        children = [operators[name](list(a), list(b))[0] for a, b in zip(first, second, strict=True)]
    return np.clip(np.array(children, dtype=np.float64).reshape(first.shape), 0.0, 1.0)


def mutated_points(
    name: Mutation, points: NDArray[np.float64], step: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """One child of each point, shape ``n x d``, within the unit cube; about one coordinate of each changes."""
    from deap import tools

    dimension = points.shape[1]
    operators: Mapping[str, Callable[[Any], Any]] = {
        "polynomial": lambda a: tools.mutPolynomialBounded(a, eta=ETA, low=0.0, up=1.0, indpb=1.0 / dimension),
        "gaussian": lambda a: tools.mutGaussian(a, mu=0.0, sigma=step, indpb=1.0 / dimension),
        "shuffle": lambda a: tools.mutShuffleIndexes(a, indpb=1.0 / dimension),
    }
    if dimension < 2 and name == "shuffle":
        return points.copy()
    with drawing_from(rng):
        children = [operators[name](list(point))[0] for point in points]
    return np.clip(np.array(children, dtype=np.float64).reshape(points.shape), 0.0, 1.0)


def selected(
    name: Selection, fitness: Fitness, ranks: NDArray[np.int64], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Rows of the candidates that an operator keeps as parents, shape at most ``count``.

    Operators for one objective compare candidates by their rank under Deb's rules; those for several by their losses,
    among the candidates that meet every bounded target, filled up by rank where these are fewer than ``count``.

    Args:
        name: of the operator.
        fitness: of all candidates.
        ranks: of the same, 0 the best.
        count: how many parents.
        rng: source of randomness.
    """
    from deap import base, tools

    order = np.argsort(ranks, kind="stable")[: int(fitness.valued.sum())]
    if len(order) <= count:
        return order
    of_fronts = name in ("nsga-2", "nsga-3", "spea-2")
    if of_fronts and not fitness.many:
        return order[:count]  # one direction has no front: the best are kept
    if of_fronts:
        met = order[fitness.violation[order] == 0.0]
        if len(met) <= count:
            return order[:count]
        kind = type("Losses", (base.Fitness,), {"weights": (-1.0,) * fitness.losses.shape[1]})
        individuals = [Individual(row, kind(tuple(fitness.losses[row]))) for row in met.tolist()]
    else:
        kind = type("Height", (base.Fitness,), {"weights": (1.0,)})
        worst = int(ranks[order].max()) + 1
        individuals = [Individual(row, kind((float(worst - ranks[row]),))) for row in order.tolist()]
    directions = max(1, fitness.losses.shape[1])
    operators: Mapping[str, Callable[[], Any]] = {
        "best": lambda: tools.selBest(individuals, count),
        "tournament": lambda: tools.selTournament(individuals, count, tournsize=3),
        "roulette": lambda: tools.selRoulette(individuals, count),
        "stochastic-universal": lambda: tools.selStochasticUniversalSampling(individuals, count),
        "nsga-2": lambda: tools.selNSGA2(individuals, count),
        "nsga-3": lambda: tools.selNSGA3(individuals, count, reference_points(directions, count)),
        "spea-2": lambda: tools.selSPEA2(individuals, count),
    }
    with drawing_from(rng):
        chosen = operators[name]()
    # Selection with replacement may keep one several times; a parent stands once.
    return np.array(list(dict.fromkeys(individual.row for individual in chosen)), dtype=np.int64)


def varied(
    space: SearchSpace, candidates: pd.DataFrame, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> pd.DataFrame:
    """Candidates whose points of the unit cube are changed, repaired and decoded."""
    return space.decode(space.repair(change(space.encode(candidates))))
