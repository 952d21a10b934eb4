"""Genetic algorithm: children of the best candidates so far, each column varied by its parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
import pandas as pd

from invdesign.core.plugins import ByWord
from invdesign.core.settings import bounded, from_elsewhere, settings
from invdesign.optimizers.base import History, step_generator
from invdesign.optimizers.deduplication import Deduplication, completed, joined
from invdesign.optimizers.population.deap_operators import (
    Crossover,
    Mutation,
    Selection,
    crossed_points,
    mutated_points,
    selected,
    varied,
)
from invdesign.optimizers.population.fitness import Fitness
from invdesign.optimizers.population.parents import (
    MOST_OBJECTIVES,
    Worth,
    crowded_winners,
    selected_parents,
    tournament_winners,
    worth_of,
)
from invdesign.optimizers.population.surrogate_assisted import population_proposal
from invdesign.space import SearchSpace
from invdesign.space.cube_moves import SPREAD
from invdesign.space.variation import crossed, mutated, number_share, shifted
from invdesign.surrogates.base import Surrogate
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.targets import Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROUNDS = 4
"""Number of attempts to create children before missing ones are drawn at random."""

HALF = 0.5
"""Share of the children of two parents that are mutated with one objective; see ``GeneticOptimizer.mutation``."""
NEAR = 15.0
"""Distribution index of the crossover of children that stay near their parents: with several objectives every other
one, with NSGA-III all. Off: a fifth to two fifths less hypervolume on ZDT4 (development), which has many local fronts;
where all stay near, 5 % less on WFG6 and 6 % on ZDT1 and 9 % on ZDT3."""


@dataclass(frozen=True)
class Parents:
    """The parents of children.

    Attributes:
        space: that they stay in.
        candidates: the parents, one row each.
        fitness: of the parents.
        worth: of each in tournaments.
    """

    space: SearchSpace
    candidates: pd.DataFrame
    fitness: Fitness
    worth: list[Worth]


@settings
class GeneticOptimizer:
    """Selects the best candidates of all so far as parents, and proposes their children.

    Parents are the survivors of a (mu + lambda) strategy: by Deb's rules for bounded targets, by tournament and
    elitism for one objective, by NSGA-II for two and three, by NSGA-III for more (Deb et al. 2002, Deb and Jain 2014;
    DEAP's selection). Of candidates that are equally good, such as those that meet every bounded target, the ones
    farthest from each other become parents, so that hits differ.

    With at most one objective, a share of the children have their numbers moved together instead: from a parent
    part of the way to another, and along the difference of two others, as in differential evolution.

    Numbers are otherwise varied by simulated binary crossover and polynomial mutation (Deb and Agrawal 1995),
    compositions by swaps, transfers and mixtures, libraries by their substituents, molecules by their graphs; see
    ``invdesign.space.variation``.

    Raises:
        InputError: if a setting is out of its range.
    """

    population: int = bounded(default=30, ge=2)
    """Number of parents."""
    crossover: float = bounded(default=0.9, ge=0, le=1)
    """Share of children that have two parents."""
    mutation: float | None = bounded(default=None, ge=0, le=1)
    """Share of the children of two parents that are mutated as well; those of one always are. None: half of them, but
    all with several objectives. On development half gives a front 0.6 % less hypervolume, and all leave one objective
    with 1.5 times the regret on Ackley-10 and more on Hartmann-6."""
    differential: float = bounded(default=0.5, ge=0, le=1)
    """Share of children whose numbers move along the differences of others; with at most one objective."""
    step: float = bounded(default=0.03, gt=0, le=0.5)
    """Mean size of a mutation, as a share of a number's range."""
    tournament: int = bounded(default=3, ge=1)
    """Number of candidates in a tournament. With 1: 3.6 % less hypervolume on development."""
    selection: Selection | None = None
    """DEAP's operator that selects the parents. None: elitism for one objective direction, NSGA-II for two and three,
    NSGA-III for more."""
    crossover_operator: Crossover | None = None
    """DEAP's operator, on points of the unit cube. None: an operator for each kind of parameter."""
    mutation_operator: Mutation | None = None
    """DEAP's operator, on points of the unit cube. None: an operator for each kind of parameter."""
    surrogate_assisted: bool = False
    """Whether to search on a surrogate, and to propose only the best candidates found there."""
    surrogate: Annotated[Surrogate, ByWord("surrogate")] = from_elsewhere(default_factory=GaussianProcess)
    """The model of a surrogate-assisted search; copies of it are fitted."""

    @property
    def generation(self) -> int:
        """Number of candidates in one generation of a surrogate-assisted search."""
        return self.population

    def propose(
        self, n: int, *, space: SearchSpace, targets: Targets, history: History, seed: np.random.SeedSequence
    ) -> pd.DataFrame:
        """Proposes children of the best; see ``Optimizer.propose``. Before any value is known, a Sobol sequence."""
        return population_proposal(self, n, space=space, targets=targets, history=history, seed=seed)

    def next_generation(
        self,
        n: int,
        *,
        space: SearchSpace,
        targets: Targets,
        history: History,
        fitness: Fitness,
        seed: np.random.SeedSequence,
    ) -> pd.DataFrame:
        """Proposes children of the best, from a history with values; see ``PopulationOptimizer``."""
        rng = step_generator(seed, history)
        candidates = history.candidates[list(space.names)]
        rows, worth = self._parents(fitness, candidates, space, rng)
        parents = Parents(space, candidates.iloc[rows], fitness.taken(rows), worth)
        children = candidates.iloc[:0]
        deduplication = Deduplication(space, history.proposed)
        for _ in range(ROUNDS):
            children = joined(children, self._children(n - len(children), parents, rng))
            children = children[deduplication.is_new(children)].reset_index(drop=True)
            if len(children) >= n:
                break
        else:
            spare = self._children(n - len(children), parents, rng)
            children = deduplication.renewed(joined(children, spare), rng)
        return completed(n, children, space=space, targets=targets, history=history, seed=seed)

    def _parents(
        self, fitness: Fitness, candidates: pd.DataFrame, space: SearchSpace, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], list[Worth]]:
        """Rows of the parents, and the worth of each in tournaments."""
        if self.selection is None:
            return selected_parents(fitness, candidates, space, self.population, rng)
        ranks = fitness.ranks()
        rows = selected(self.selection, fitness, ranks, self.population, rng)
        return rows, worth_of(rows, fitness, ranks, candidates, space)

    def _children(self, n: int, parents: Parents, rng: np.random.Generator) -> pd.DataFrame:
        # As rare as numbers are: the other columns of these children are crossed but never mutated.
        own = self.crossover_operator is not None or self.mutation_operator is not None
        share = 0.0 if parents.fitness.many or own else self.differential * number_share(parents.space)
        shifting = int(rng.binomial(n, share)) if share else 0
        children = joined(self._of_pairs(n - shifting, parents, rng), self._shifted(shifting, parents, rng))
        # In a random order, so that a shortened proposal contains every kind of child.
        return children.iloc[rng.permutation(n)].reset_index(drop=True)

    def _shifted(self, n: int, parents: Parents, rng: np.random.Generator) -> pd.DataFrame:
        """Children of any parents, moved toward another one: all are survivors, and none needs to be the best."""
        places = rng.integers(0, len(parents.candidates), (4, n))
        own, toward, one, other = (parents.candidates.iloc[place].reset_index(drop=True) for place in places)
        return shifted(parents.space, own, toward, (one, other), rng)

    def _of_pairs(self, n: int, parents: Parents, rng: np.random.Generator) -> pd.DataFrame:
        """Children that are crossed from two parents, mutated from one, or both."""
        space, candidates, rivals, worth = parents.space, parents.candidates, parents.fitness, parents.worth
        if not n:
            return candidates.iloc[:0]
        on_fronts = rivals.many and bool((rivals.violation == 0.0).all())
        # NSGA-III's parents mate at random: its selection has left one or so to each direction of the front.
        size = 1 if on_fronts and rivals.losses.shape[1] > MOST_OBJECTIVES else self.tournament
        winners = tournament_winners(worth, 2 * n, size, rng)
        if on_fronts and size > 1:
            # One parent by its rank, for speed; the other by dominance and crowding distance, for the front's width.
            alone = np.array([gap for _, gap in worth])
            winners[n:] = crowded_winners(rivals.losses, alone, n, self.tournament, rng)
        first = candidates.iloc[winners[:n]].reset_index(drop=True)
        second = candidates.iloc[winners[n:]].reset_index(drop=True)
        two = rng.random(n) < self.crossover
        children = first.copy()
        if two.any():
            spread = self._spread(int(two.sum()), rivals.losses.shape[1])
            mixed = self._crossed(space, first[two], second[two], rng, spread)
            children = pd.concat([mixed, first[~two]], ignore_index=True)
            first = pd.concat([first[two], first[~two]], ignore_index=True)
        count = int(two.sum())
        mutation = (1.0 if rivals.many else HALF) if self.mutation is None else self.mutation
        chosen = (rng.random(n) < mutation) | (np.arange(n) >= count) | (children == first).all(axis=1).to_numpy()
        if chosen.any():
            changed = self._mutated(space, children[chosen], rng)
            children = pd.concat([changed, children[~chosen]], ignore_index=True)
        return children

    def _spread(self, count: int, directions: int) -> NDArray[np.float64]:
        """The distribution index of each crossover, shape ``count x 1``."""
        # Parents are far from each other on a front of many objectives; their children should stay near (eta as in
        # NSGA-III's own experiments is large), or few of them are on the front. With two or three objectives wide
        # children find the front, and near ones combine what their parents have found of it.
        if directions > MOST_OBJECTIVES:
            return np.full((count, 1), NEAR)
        near = (np.arange(count) % 2 == 1) & (directions > 1)
        return np.where(near, NEAR, SPREAD)[:, None]

    def _crossed(
        self,
        space: SearchSpace,
        first: pd.DataFrame,
        second: pd.DataFrame,
        rng: np.random.Generator,
        spread: NDArray[np.float64],
    ) -> pd.DataFrame:
        name = self.crossover_operator
        if name is None:
            return crossed(space, first, second, rng, spread=spread)
        other = space.encode(second)
        return varied(space, first, lambda points: crossed_points(name, points, other, rng))

    def _mutated(self, space: SearchSpace, candidates: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        name = self.mutation_operator
        if name is None:
            return mutated(space, candidates, rng, step=self.step)
        return varied(space, candidates, lambda points: mutated_points(name, points, self.step, rng))
