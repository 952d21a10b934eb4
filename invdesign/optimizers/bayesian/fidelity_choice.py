"""Chooses the fidelity of a candidate: first the candidate by its target-fidelity value, then the fidelity by cost.

Where a candidate may meet the targets, a cheaper fidelity is a screen: it pays where more hits are expected for a cost
by evaluating cheaply first, and truly only what still looks well. Elsewhere it pays where it tells more for a cost: the
information on the target fidelity value, cost-weighted as in Poloczek, Wang and Frazier (2017, arXiv:1603.00389).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from invdesign.optimizers.bayesian.acquisition import LIKELY, HitProbability, normal_samples
from invdesign.optimizers.fidelity import at_target_fidelity, to_target_fidelity
from invdesign.space.duplicates import without_duplicates
from invdesign.surrogates.base import MultiFidelitySurrogate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.optimizers.base import History
    from invdesign.space import SearchSpace
    from invdesign.surrogates.base import CovarianceSurrogate, Surrogate
    from invdesign.targets import Targets

MOST_PAIRS = 10
"""Candidates evaluated at a cheaper fidelity to learn how it relates to the target fidelity, before both compete."""
OUTCOMES = 64
"""Values of a cheaper fidelity that are looked at; quasi-random, always the same."""
TINY = 1e-12


def lacking_pairs(space: SearchSpace, history: History) -> pd.DataFrame:
    """Candidates with a target-fidelity value that are still to be evaluated at cheaper fidelities.

    How fidelities relate is learned from candidates that have both values. So many are paired as cost less than one
    more evaluation at the target fidelity, and none where a cheaper fidelity is not much cheaper.

    Args:
        space: what is searched.
        history: what was evaluated and is pending.
    """
    if space.fidelity is None:
        return history.pending.iloc[:0]
    column, fidelity = space.fidelity
    known = history.properties.notna().any(axis=1).to_numpy() & at_target_fidelity(space, history.candidates)
    lacking = []
    for name in fidelity.names[:-1]:
        affordable = math.ceil(fidelity.costs[fidelity.target] / fidelity.costs[name]) - 1
        wanted = history.candidates[known].head(min(MOST_PAIRS, affordable)).assign(**{column: name})
        lacking.append(without_duplicates(wanted, history.proposed))
    return pd.concat(lacking, ignore_index=True)


@dataclass(frozen=True)
class FidelityChoice:
    """Chooses the fidelity of candidates.

    Attributes:
        space: what is searched; it has fidelities.
        model: fitted on values of all fidelities, and conditioned on what is pending.
        targets: in the units of the properties.
        proposed: what was ever proposed, at any fidelity.
    """

    space: SearchSpace
    model: Surrogate
    targets: Targets
    proposed: pd.DataFrame

    def placed(self, pick: pd.DataFrame) -> pd.DataFrame:
        """A candidate (a frame of one row) at the fidelity where its evaluation is worth most for its cost.

        A fidelity at which it was evaluated is not considered. Where the model does not learn how
        fidelities vary together (see ``MultiFidelitySurrogate``), candidates stay at the target fidelity.
        """
        if self.space.fidelity is None or not isinstance(self.model, MultiFidelitySurrogate):
            return pick
        if not self.model.learns_fidelities():
            return pick
        column, fidelity = self.space.fidelity
        true = to_target_fidelity(self.space, pick)
        target_cost = fidelity.costs[fidelity.target]
        plainly = ValueOfInformation.of(self.model, self.targets, true, true)
        screens = not self.targets.optimized and plainly.met() >= LIKELY
        best, most = true, (plainly.met() if screens else plainly.information()) / target_cost
        for name in fidelity.names[:-1]:
            cheaper = true.assign(**{column: name})
            if without_duplicates(cheaper, self.proposed).empty:
                continue
            value, cost = ValueOfInformation.of(self.model, self.targets, true, cheaper), fidelity.costs[name]
            worth = value.hits_a_cost(cost, target_cost) if screens else value.information() / cost
            if worth > most:
                best, most = cheaper, worth
        return best


@dataclass(frozen=True)
class ValueOfInformation:
    """What a value at some fidelity would tell of a candidate's values at the target fidelity.

    Attributes:
        targets: in the units of the properties.
        mean: of the target fidelity values, one a property.
        std: their standard deviations.
        shift: standard deviation by which the value would move each mean, noise included.
    """

    targets: Targets
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    shift: NDArray[np.float64]

    @classmethod
    def of(
        cls, model: CovarianceSurrogate, targets: Targets, true: pd.DataFrame, other: pd.DataFrame
    ) -> ValueOfInformation:
        """What ``other`` would tell of ``true``, both frames of one row."""
        means, deviations = model.predict(true, return_std=True)
        between, variance = model.posterior_covariance(true, other), model.posterior_covariance(other, other)
        noise = model.noise_std()
        rows = []
        for name in targets.properties:
            mean, std = float(means[name].iloc[0]), float(deviations[name].iloc[0])
            observed = max(float(variance[name][0, 0]) + noise[name] ** 2, TINY * std**2)
            shift = float(between[name][0, 0]) / math.sqrt(observed) if observed > 0.0 else 0.0
            rows.append((mean, std, shift))
        return cls(targets, *np.array(rows).T)

    def met(self) -> float:
        """The probability of meeting all targets."""
        return float(np.exp(HitProbability(self.targets).score(self.mean[None], self.std[None])[0]))

    def information(self) -> float:
        """Information on the target fidelity values in nats, summed over properties."""
        explained = np.minimum((self.shift / np.maximum(self.std, 1e-300)) ** 2, 1.0 - TINY)
        return float(-0.5 * np.log1p(-explained).sum())

    def hits_a_cost(self, cost: float, target_cost: float) -> float:
        """Hits expected for a cost, where the target fidelity is asked only after the better values of this one.

        How good a value has to be is what makes most of the cost.

        Args:
            cost: of this fidelity.
            target_cost: cost of the target fidelity.
        """
        normal = normal_samples(len(self.mean), OUTCOMES)
        left = np.sqrt(np.maximum(self.std**2 - self.shift**2, 0.0))
        logarithms = HitProbability(self.targets).score(self.mean + normal * self.shift, np.tile(left, (OUTCOMES, 1)))
        best_first = np.sort(np.exp(logarithms))[::-1]
        # The samples' mean is put right: else a fidelity that tells nothing could seem to pay where hits are rare.
        hits = np.cumsum(best_first) * (self.met() / max(best_first.sum(), TINY))
        share = np.arange(1, OUTCOMES + 1) / OUTCOMES
        return float((hits / (cost + target_cost * share)).max())
