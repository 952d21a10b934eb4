"""Policy of the Bayesian optimizer: which acquisition function one proposal maximizes, and on what model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy

from invdesign.optimizers.bayesian.acquisition import (
    LIKELY,
    LOWEST,
    Acquisition,
    ExpectedImprovement,
    HitProbability,
    IfSuccessful,
    MomentAcquisition,
    MomentScore,
    ScalarizedImprovement,
    ShortfallReduction,
    predicted,
    property_scales,
    summed_shortfall,
)
from invdesign.optimizers.bayesian.cost import Cost, PerCost
from invdesign.optimizers.bayesian.fidelity_choice import FidelityChoice
from invdesign.optimizers.bayesian.hypervolume import HypervolumeImprovement
from invdesign.optimizers.bayesian.look_ahead import REST, LookAhead
from invdesign.optimizers.bayesian.pending_values import pending_values
from invdesign.optimizers.fidelity import at_target_fidelity
from invdesign.optimizers.success import without_success
from invdesign.space import SearchSpace
from invdesign.surrogates.base import ConditionalSurrogate, CovarianceSurrogate, Surrogate
from invdesign.targets import Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.optimizers.bayesian.optimize import AcquisitionOptimizer

MOST_FRONTS = 4
"""Directions up to which the hypervolume is worth its cost; beyond, they are made one by random weights."""
BLIND = 256
"""Random candidates that tell what is typical of the space."""
SMOOTHED = 128
"""Best measured candidates among which the one of the best smoothed value is."""
DISTANCE = 0.1
"""Distance in the unit cube at which a pending candidate no longer penalizes others much."""


@dataclass(frozen=True)
class Policy:
    """The fitted model and the values behind it.

    Attributes:
        model: fitted on ``candidates`` and ``values``, and on those at other fidelities where the space has fidelities.
        space: what is searched.
        targets: in the units of the values; one on success among them where evaluations have failed.
        candidates: those with values, at the target fidelity.
        values: their property values.
        seed: of quasi-random samples, random weights and values of pending candidates.
        cost: of evaluating a candidate, by which every acquisition is divided; None where all cost the same.
    """

    model: Surrogate
    space: SearchSpace
    targets: Targets
    candidates: pd.DataFrame
    values: pd.DataFrame
    seed: int
    cost: Cost | None = None

    def best(
        self, acquisition_optimizer: AcquisitionOptimizer, chosen: pd.DataFrame, seen: pd.DataFrame, *, look_ahead: bool
    ) -> pd.DataFrame:
        """The next candidate, a frame of one row or none.

        Args:
            acquisition_optimizer: finds the candidate of the highest acquisition.
            chosen: pending candidates.
            seen: all candidates that must not be proposed again.
            look_ahead: whether hits that may follow count too.
        """
        model = self._believing(chosen)
        if self.targets.optimized and self._reached:
            return acquisition_optimizer.ranked(self._weighed(self._improvement(model, chosen), chosen), seen, 1)
        ahead = look_ahead and self.cost is None and not self.targets.optimized and self._is_finite
        ahead = ahead and isinstance(model, CovarianceSurrogate)
        chance = HitProbability(self.targets)
        likely: Acquisition = MomentAcquisition(model, chance)
        if ahead and len(chosen):
            likely = _Lesser(likely, MomentAcquisition(self.model, chance))
        pick = acquisition_optimizer.ranked(self._weighed(likely, chosen), seen, REST if ahead else 1)
        if pick.empty or self._reached or likely(pick.iloc[:1])[0] >= np.log(LIKELY):
            if ahead and isinstance(model, CovarianceSurrogate) and len(pick) > 1:
                known = self.model if len(chosen) else None
                scores = LookAhead(model, self.targets, known).scores(pick)
                return pick.iloc[[int(np.argmax(scores))]].reset_index(drop=True)
            return pick.iloc[:1]
        if not np.isfinite(self._nearest):
            return pick.iloc[:1]
        scales = property_scales(self.targets, self.values)
        wanted = without_success(self.targets)
        score: MomentScore = ShortfallReduction(wanted, best=self._nearest, scales=scales)
        if wanted != self.targets:
            score = IfSuccessful(self.targets, score)
        nearer = MomentAcquisition(model, score)
        return acquisition_optimizer.ranked(self._weighed(nearer, chosen, logarithmic=False), seen, 1)

    def placed(self, pick: pd.DataFrame, chosen: pd.DataFrame, proposed: pd.DataFrame) -> pd.DataFrame:
        """The candidate at the fidelity at which to evaluate it; the candidate itself in a space without fidelities.

        Args:
            pick: a frame of one row.
            chosen: pending candidates.
            proposed: all that were ever proposed, at any fidelity.
        """
        if self.space.fidelity is None:
            return pick
        wanted = without_success(self.targets)
        return FidelityChoice(self.space, self._believing(chosen), wanted, proposed).placed(pick)

    @property
    def _is_finite(self) -> bool:
        return bool(np.isfinite(self.space.size))

    @property
    def _nearest(self) -> float:
        """The smallest summed shortfall known; infinite where no candidate has all values."""
        scales = property_scales(self.targets, self.values)
        return float(np.nanmin(summed_shortfall(self.targets, self.values, scales), initial=np.inf))

    @property
    def _reached(self) -> bool:
        """Whether a known candidate meets all targets that can be met."""
        return bool(self.targets.all_met(self.values).any())

    def _believing(self, chosen: pd.DataFrame) -> Surrogate:
        """The model with what may be the values of pending candidates, where it can be conditioned on them."""
        if not len(chosen) or not isinstance(self.model, ConditionalSurrogate):
            return self.model
        values = pending_values(self.model, chosen, targets=self.targets, seed=self.seed)
        return self.model.condition_on(chosen, values)

    def _weighed(self, acquisition: Acquisition, chosen: pd.DataFrame, *, logarithmic: bool = True) -> Acquisition:
        """An acquisition per cost, and lower near pending candidates if the model cannot be conditioned on them."""
        if self.cost is not None:
            acquisition = PerCost(acquisition, self.cost, self.space, logarithmic)
        return self._kept_apart(acquisition, chosen)

    def _kept_apart(self, acquisition: Acquisition, chosen: pd.DataFrame) -> Acquisition:
        """Keeps a distance from pending candidates, if the model cannot be conditioned on them."""
        if not len(chosen) or isinstance(self.model, ConditionalSurrogate):
            return acquisition
        return _Penalized(acquisition, self.space, self.space.encode(chosen))

    def _improvement(self, model: Surrogate, chosen: pd.DataFrame) -> Acquisition:
        whole = self.values.notna().all(axis=1).to_numpy()
        candidates, values = self.candidates[whole], self.values[whole]
        if len(self.targets.optimized) == 1:
            return MomentAcquisition(model, self._single(model, candidates, values))
        if len(self.targets.optimized) <= MOST_FRONTS:
            met = candidates[self.targets.all_met(values)]
            return MomentAcquisition(model, self._front(model, met, chosen[at_target_fidelity(self.space, chosen)]))
        return MomentAcquisition(model, self._scalarized(values))

    def _single(self, model: Surrogate, candidates: pd.DataFrame, values: pd.DataFrame) -> MomentScore:
        """Improvement on the best known candidate, as the model smooths its value."""
        (target,) = self.targets.optimized
        gains = self.targets.gains(values)[:, 0]
        gains[~np.asarray(self.targets.all_met(values))] = -np.inf
        best = np.argsort(-gains, kind="stable")[: min(SMOOTHED, int(np.isfinite(gains).sum()))]
        smooth = predicted(model, candidates.iloc[np.sort(best)])[0][target.property].to_numpy()
        return ExpectedImprovement(self.targets, best=float((target.direction * smooth).max()) * target.direction)

    def _front(self, model: Surrogate, met: pd.DataFrame, pending: pd.DataFrame) -> MomentScore:
        """Improvement on the front of what is known to meet the targets, or pending and expected to.

        Its values are as the model smooths or predicts them.
        """
        front = predicted(model, met)[0]
        if len(pending):
            coming = predicted(model, pending)[0]
            front = pd.concat([front, coming[self.targets.all_met(coming)]])
        blind = predicted(model, self.space.sample(BLIND, np.random.default_rng(self.seed)))[0]
        typical = np.median(self.targets.gains(blind), axis=0)
        return HypervolumeImprovement(self.targets, self.targets.gains(front), typical)

    def _scalarized(self, values: pd.DataFrame) -> MomentScore:
        gains = self.targets.gains(values[self.targets.all_met(values)])
        given = self.targets.reference
        lowest, span = np.where(np.isnan(given), gains.min(axis=0), given), np.ptp(gains, axis=0)
        weights = np.random.default_rng(self.seed).dirichlet(np.ones(gains.shape[1]))
        scorer = ScalarizedImprovement(self.targets, lowest, np.where(span > 0, span, 1.0), weights, best=0.0)
        return ScalarizedImprovement(
            self.targets, scorer.lowest, scorer.span, weights, best=float(scorer.scalarized(gains).max())
        )


@dataclass(frozen=True)
class _Lesser:
    """The lesser of two acquisitions."""

    one: Acquisition
    other: Acquisition

    def __call__(self, candidates: pd.DataFrame) -> NDArray[np.float64]:
        return np.minimum(self.one(candidates), self.other(candidates))


@dataclass(frozen=True)
class _Penalized:
    """An acquisition that is lower near pending candidates.

    Attributes:
        acquisition: what is penalized; its scores are logarithms, or at least fall without end.
        space: of the candidates.
        pending: their points in the unit cube.
    """

    acquisition: Acquisition
    space: SearchSpace
    pending: NDArray[np.float64]

    def __call__(self, candidates: pd.DataFrame) -> NDArray[np.float64]:
        gaps = scipy.spatial.distance.cdist(self.space.encode(candidates), self.pending) / DISTANCE
        with np.errstate(divide="ignore"):
            penalty = np.log(-np.expm1(-0.5 * gaps**2)).sum(axis=1)
        return np.maximum(self.acquisition(candidates) + penalty, LOWEST)
