"""Surrogate-assisted search: a population or a swarm evolves on a model, and only its best are evaluated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from invdesign.optimizers.base import History
from invdesign.optimizers.deduplication import completed, joined
from invdesign.optimizers.fidelity import target_fidelity_history
from invdesign.optimizers.population.fitness import Fitness
from invdesign.optimizers.random import RandomOptimizer
from invdesign.optimizers.success import likely_to_succeed, with_success
from invdesign.space import SearchSpace
from invdesign.space.duplicates import without_duplicates
from invdesign.surrogates.base import CalibratedSurrogate, Surrogate, noise_argument
from invdesign.surrogates.gaussian_process.surrogate import FEWEST_VALUES
from invdesign.targets import Targets

GENERATIONS = 20
"""Number of generations on the model for one proposal."""
SCATTERED = 5
"""Number of random generations to start from."""
OPTIMISM = 1.0
"""Standard deviations by which predictions of objectives are better than their mean."""
APART = 0.05
"""Distance in the unit cube that proposals keep from each other, where enough good ones do."""
LESS_LIKELY = 1.5
"""Factor by which a proposal that differs from the others may be less likely to meet the targets than the best."""
MOST_RANKED = 512
INNER, AWAY = 1, 2
"""Spawn keys by which the randomness of the search on the model, and of keeping away from failures, differs from the
campaign's."""


class PopulationOptimizer(Protocol):
    """An optimizer that evolves a history, and can do so on a model: a dataclass with these fields."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def surrogate(self) -> Surrogate: ...

    @property
    def surrogate_assisted(self) -> bool: ...

    @property
    def generation(self) -> int: ...

    def propose(
        self, n: int, *, space: SearchSpace, targets: Targets, history: History, seed: np.random.SeedSequence
    ) -> pd.DataFrame: ...

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
        """Proposes candidates where some at the target fidelity have values.

        Args:
            n: how many, at least one.
            space: what is searched.
            targets: in the units of the properties.
            history: what was evaluated and is pending, at the target fidelity.
            fitness: of the evaluated candidates.
            seed: the campaign's.
        """


def population_proposal(
    optimizer: PopulationOptimizer,
    n: int,
    *,
    space: SearchSpace,
    targets: Targets,
    history: History,
    seed: np.random.SeedSequence,
) -> pd.DataFrame:
    """Proposes the next generation, on a model if ``surrogate_assisted``; arguments as for ``Optimizer.propose``.

    Before any value is known, candidates come from the Sobol sequence.
    """
    history = target_fidelity_history(space, history)
    fitness = Fitness.of(history.properties, targets)
    if n < 1 or not fitness.valued.any():
        return RandomOptimizer().propose(n, space=space, targets=targets, history=history, seed=seed)
    if optimizer.surrogate_assisted:
        return surrogate_assisted_proposal(optimizer, n, space=space, targets=targets, history=history, seed=seed)
    made = optimizer.next_generation(n, space=space, targets=targets, history=history, fitness=fitness, seed=seed)
    return away_from_failures(made, space=space, targets=targets, history=history, seed=seed)


def away_from_failures(
    candidates: pd.DataFrame, *, space: SearchSpace, targets: Targets, history: History, seed: np.random.SeedSequence
) -> pd.DataFrame:
    """Candidates moved away from where evaluations fail; see ``likely_to_succeed``. Arguments as for ``propose``."""
    rng = np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=(*_key(seed, history), AWAY)))
    values = history.properties[list(targets.properties)]
    return likely_to_succeed(candidates, space=space, history=history, properties=values, rng=rng)


def surrogate_assisted_proposal(
    optimizer: PopulationOptimizer,
    n: int,
    *,
    space: SearchSpace,
    targets: Targets,
    history: History,
    seed: np.random.SeedSequence,
) -> pd.DataFrame:
    """Proposes the best candidates that an optimizer finds on a model; arguments as for ``Optimizer.propose``.

    The optimizer continues from the history, but its candidates get the values that the model predicts
    (objectives one standard deviation better than the mean). Of all these candidates, those are proposed that
    most probably meet the bounded targets, then those of the best predicted front, different from each other.

    Before every property has two values, candidates come from the Sobol sequence.
    """
    names = list(targets.properties)
    measured = history.properties.reindex(columns=names).astype(float)
    measured = measured.where(np.isfinite(measured))
    if (measured.notna().sum() < FEWEST_VALUES).any():
        return RandomOptimizer().propose(n, space=space, targets=targets, history=history, seed=seed)
    targets, measured = with_success(targets, measured, history)
    surrogate = optimizer.surrogate
    plain = surrogate.uncalibrated() if isinstance(surrogate, CalibratedSurrogate) else replace(surrogate)
    noise = None if history.noise_std is None else history.noise_std.reindex(columns=names)
    model = plain.fit(history.candidates[list(space.names)], measured, columns=space.columns, **noise_argument(noise))
    inner = _Imagined(
        optimizer, model, space, targets, np.random.SeedSequence(seed.entropy, spawn_key=_key(seed, history))
    )
    found = without_duplicates(inner.candidates(history, measured, n), history.proposed)
    return completed(n, inner.chosen(found, n), space=space, targets=targets, history=history, seed=seed)


def _key(seed: np.random.SeedSequence, history: History) -> tuple[int, ...]:
    return (*seed.spawn_key, history.count, INNER)


@dataclass(frozen=True)
class _Imagined:
    """A search on a model.

    Attributes:
        optimizer: whose moves are made.
        model: fitted on what was measured.
        space: what is searched.
        targets: in the units of the properties.
        seed: of the search on the model.
    """

    optimizer: PopulationOptimizer
    model: Surrogate
    space: SearchSpace
    targets: Targets
    seed: np.random.SeedSequence

    def candidates(self, history: History, measured: pd.DataFrame, n: int) -> pd.DataFrame:
        """All candidates of the search on the model."""
        plain: PopulationOptimizer = replace(self.optimizer, surrogate_assisted=False)
        lived = history.proposed[list(self.space.names)]
        values = measured
        if len(history.pending):
            values = joined(values, self.imagined(history.pending))
        start = len(lived)
        # Predictions are cheap: the search on the model starts from the whole space, not where the last one settled.
        scattered = self.space.sample(SCATTERED * self.optimizer.generation, np.random.default_rng(self.seed))
        scattered = without_duplicates(scattered, lived)
        lived, values = joined(lived, scattered), joined(values, self.imagined(scattered))
        for _ in range(GENERATIONS):
            imagined = replace(
                history,
                candidates=lived,
                properties=values,
                pending=lived.iloc[:0],
                own=_own(history, len(lived)),
                given=None,
                failures=None,
            )
            new = plain.propose(
                max(n, self.optimizer.generation),
                space=self.space,
                targets=self.targets,
                history=imagined,
                seed=self.seed,
            )
            if new.empty:
                break
            lived, values = joined(lived, new), joined(values, self.imagined(new))
        return lived.iloc[start:].reset_index(drop=True)

    def imagined(self, candidates: pd.DataFrame) -> pd.DataFrame:
        """The values that candidates have on the model."""
        mean, std = self.model.predict(candidates.reset_index(drop=True), return_std=True)
        values = mean[list(self.targets.properties)].copy()
        for target in self.targets.optimized:
            values[target.property] += target.direction * OPTIMISM * std[target.property]
        return values

    def chosen(self, candidates: pd.DataFrame, n: int) -> pd.DataFrame:
        """The ``n`` best candidates; among those nearly as good as the best, ones that differ from each other."""
        if candidates.empty:
            return candidates
        ordered = candidates.iloc[self._order(candidates)[:MOST_RANKED]].reset_index(drop=True)
        points = self.space.encode(ordered)
        taken: list[int] = []
        for place in np.flatnonzero(self._good(ordered)).tolist():
            if len(taken) == n:
                break
            if not taken or cdist(points[[place]], points[taken]).min() >= APART:
                taken.append(place)
        rest = [place for place in range(len(ordered)) if place not in set(taken)]
        return ordered.iloc[[*taken, *rest][:n]].reset_index(drop=True)

    def _good(self, ordered: pd.DataFrame) -> np.ndarray:
        """Which candidates, best first, are nearly as good as the best: they may be chosen for being different."""
        if self.targets.optimized:
            return Fitness.of(self.imagined(ordered), self.targets).ranks() == 0
        mean, std = self.model.predict(ordered, return_std=True)
        likely = np.maximum(self.targets.log_probability(mean, std), -1e300)
        return likely >= likely[0] - np.log(LESS_LIKELY)

    def _order(self, candidates: pd.DataFrame) -> np.ndarray:
        """Candidates from best to worst: by the probability of meeting bounded targets, or by the predicted front."""
        mean, std = self.model.predict(candidates, return_std=True)
        likely = self.targets.log_probability(mean, std)
        if not self.targets.optimized:
            shortfall = Fitness.of(mean, self.targets).violation
            return np.lexsort((shortfall, -np.maximum(likely, -1e300)))
        ranks = Fitness.of(self.imagined(candidates), self.targets).ranks()
        return np.lexsort((-np.maximum(likely, -1e300), ranks))


def _own(history: History, count: int) -> Any:
    if history.own is None:
        return None
    return np.concatenate([history.own, np.ones(count - len(history.own), dtype=bool)])
