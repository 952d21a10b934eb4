"""Bayesian optimization towards targets: model the properties, ask for what probably meets them all."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from invdesign.optimizers.acquisition import (
    LIKELY,
    HitProbability,
    HypervolumeImprovement,
    ShortfallReduction,
    predicted,
    property_scales,
    summed_shortfall,
)
from invdesign.optimizers.base import History, step_generator
from invdesign.optimizers.maximize import ELITE, CubeMaximizer, Maximizer, PooledMaximizer
from invdesign.optimizers.random import RandomOptimizer
from invdesign.space import SearchSpace
from invdesign.targets import Targets
from surrogates.base import ConditionalSurrogate
from surrogates.errors import InputError
from surrogates.gaussian_process import FEWEST_VALUES, GaussianProcess

LARGEST_POOL = 20_000
"""Candidates of a finite space up to which all of them are scored at each proposal."""


@dataclass(frozen=True)
class BayesianOptimizer:
    """Asks for the candidates that most probably meet all targets, by a model of the properties themselves.

    While no candidate is likely to meet them, it asks for the one that is expected to come nearer to them by most. With
    Maximize or Minimize among the targets it asks for the largest expected gain of the Pareto front, the other targets
    as constraints. A batch is chosen one by one: the model takes what it predicts for a chosen or pending candidate as
    if it had been measured (kriging believer, Ginsbourger et al. 2010), and asks again.

    Attributes:
        surrogate: the model of the properties; it is never fitted itself, only copies of it.
        separation: in spaces with continuous parameters, distance in the unit cube that proposals for met-or-missed
            targets keep from each other and from evaluated candidates, so that hits differ.
    """

    surrogate: ConditionalSurrogate = field(default_factory=GaussianProcess)
    separation: float = 0.05

    def __post_init__(self) -> None:
        if not isinstance(self.surrogate, ConditionalSurrogate):
            raise InputError(f"{type(self.surrogate).__name__} cannot be conditioned on pending candidates.")
        if not 0.0 <= self.separation < 1.0:
            raise InputError(
                f"separation is a distance in the unit cube, at least 0 and below 1, not {self.separation}."
            )

    def propose(
        self, n: int, *, space: SearchSpace, targets: Targets, history: History, seed: np.random.SeedSequence
    ) -> pd.DataFrame:
        """Proposes candidates one by one; see ``Optimizer.propose``.

        Before every property has two values there is nothing to model: candidates then come from the Sobol sequence.

        Raises:
            InputError: where the targets hold a direction and the surrogate is no Gaussian process.
        """
        names = list(targets.properties)
        if (history.properties.reindex(columns=names).notna().sum() < FEWEST_VALUES).any():
            return RandomOptimizer().propose(n, space=space, targets=targets, history=history, seed=seed)
        known = history.properties[names].notna().any(axis=1).to_numpy()
        candidates = history.candidates[known].reset_index(drop=True)
        values = history.properties.loc[known, names].reset_index(drop=True)
        model = replace(self.surrogate).fit(candidates, values, columns=space.columns)
        rng = step_generator(seed, history)
        maximizer = self._maximizer(space, targets, candidates, values, rng)
        knowledge = _Knowledge(model, targets, candidates, values, samples_seed=int(rng.integers(2**31)))
        chosen = history.pending.reset_index(drop=True)
        for _ in range(n):
            seen = pd.concat([history.candidates, chosen], ignore_index=True)
            pick = knowledge.best(maximizer, chosen, seen)
            if pick.empty:
                break
            chosen = pd.concat([chosen, pick], ignore_index=True)
        return chosen.iloc[len(history.pending) :].reset_index(drop=True)

    def _maximizer(
        self,
        space: SearchSpace,
        targets: Targets,
        candidates: pd.DataFrame,
        values: pd.DataFrame,
        rng: np.random.Generator,
    ) -> Maximizer:
        grid = space.grid(LARGEST_POOL)
        if grid is not None:
            return PooledMaximizer(grid)
        rank = targets.pareto_rank(values)
        best = candidates.iloc[np.argsort(rank, kind="stable")[:ELITE]]
        around = space.encode(best)
        if (
            targets.directed
        ):  # the hypervolume is a hundred times dearer than a probability, and convergence matters more
            return CubeMaximizer(space, rng, around=around[: ELITE // 4], starts=512, elite=ELITE // 4)
        return CubeMaximizer(space, rng, around=around, separation=self.separation)


@dataclass(frozen=True)
class _Knowledge:
    """What one proposal knows: the fitted model and the values behind it.

    Attributes:
        model: fitted on ``candidates`` and ``values``.
        targets: in the units of the values.
        candidates: those with values.
        values: their property values.
        samples_seed: of quasi-random samples.
    """

    model: ConditionalSurrogate
    targets: Targets
    candidates: pd.DataFrame
    values: pd.DataFrame
    samples_seed: int

    def best(self, maximizer: Maximizer, chosen: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
        """The next candidate, where ``chosen`` ones are already under way; a frame of one row or none."""
        if self.targets.directed:
            return maximizer.best(self._improvement(chosen), seen)
        believing = self.model
        if len(chosen):
            believing = self.model.condition_on(chosen, predicted(self.model, chosen)[0])
        likely = HitProbability(believing, self.targets)
        pick = maximizer.best(likely, seen)
        scales = property_scales(self.targets, self.values)
        nearest = float(np.nanmin(summed_shortfall(self.targets, self.values, scales), initial=np.inf))
        if pick.empty or nearest == 0.0 or not np.isfinite(nearest) or likely(pick)[0] >= np.log(LIKELY):
            return pick
        return maximizer.best(ShortfallReduction(believing, self.targets, best=nearest, scales=scales), seen)

    def _improvement(self, chosen: pd.DataFrame) -> HypervolumeImprovement:
        if not isinstance(self.model, GaussianProcess):
            raise InputError("Maximize and Minimize need the Gaussian process as surrogate of the Bayesian optimizer.")
        whole = self.values.notna().all(axis=1).to_numpy()
        return HypervolumeImprovement(
            self.model, self.targets, self.candidates[whole], self.values[whole], chosen, seed=self.samples_seed
        )
