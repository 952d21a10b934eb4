"""Looking ahead: how many hits a candidate is worth, its own and those that its value would lead to.

The efficient nonmyopic search of Jiang et al. (2017, ICML) counts, for each outcome of a candidate, the hits expected
from evaluating the then likeliest rest all at once. Here the outcomes are values of the properties, the model is
conditioned on each of them, and the look is short: with a Gaussian process that is still being learned, looking ahead
to the end of the budget trusts it too far and finds fewer (README, "Measured"). It is longer while no candidate is a
sure hit: what is learned then leads to surer ones, where a short look goes on along the edge of the targets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy

from invdesign.optimizers.bayesian.acquisition import normal_samples

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from invdesign.surrogates.base import CovarianceSurrogate, Surrogate
    from invdesign.targets import Targets

SURE = 0.8
"""Probability of a hit from which the likeliest candidate is taken for one."""
NEAR, FAR = 2, 12
"""Evaluations after the next one whose hits are counted: the fewest, as where there is a sure hit, and the most."""
FOLLOWING = 0.25
"""Share of the hits expected among those that may follow, up to which is looked ahead where none is sure.

Always NEAR: as many hits on development, 0.9 of 60 fewer (standard error 0.5) on ethers with seeds from 1000."""
SHORTLIST = 48
"""Likeliest candidates that are looked at as the next one."""
REST = 150
"""Likeliest candidates that may follow."""
OUTCOMES = 8
LATER = 0.95
"""Worth of a hit that follows: were it a whole one, a doubtful hit would be put off for ever to be learned about."""
TINY = 1e-12


@dataclass(frozen=True)
class LookAhead:
    """The expected number of hits among a candidate and those that follow it.

    Attributes:
        surrogate: a fitted model whose joint posterior is normal.
        targets: in the units of the properties; none is a direction.
        known: the surrogate without the values that it believes pending candidates to have; None if none are pending.
            No candidate is a likelier hit than by it: a pending one that is believed to be a hit would make its
            neighbors sure ones, and a batch a single bet. Neighbors of what is believed to miss are less likely.
        ahead: how many evaluations follow; None to look as far as ``evaluations_ahead`` says.
    """

    surrogate: CovarianceSurrogate
    targets: Targets
    known: Surrogate | None = None
    ahead: int | None = None

    def scores(self, likeliest: pd.DataFrame) -> NDArray[np.float64]:
        """Expected hits of the first SHORTLIST rows as the next candidate.

        Args:
            likeliest: candidates in falling order of their probability of meeting all targets; the first REST of them
                are those that may follow.

        Returns:
            Shape ``min(len(likeliest), SHORTLIST)``.
        """
        following = likeliest.iloc[:REST]
        rows, count = len(following), min(len(following), SHORTLIST)
        names = self.targets.properties
        normal, below = normal_samples(len(names), OUTCOMES), scipy.special.ndtr
        means, deviations = self.surrogate.predict(following, return_std=True)
        covariance, noise = (
            self.surrogate.posterior_covariance(following, following[:count]),
            self.surrogate.noise_std(),
        )
        hit = self._chances(means, deviations)
        if self.known is not None:
            hit = np.minimum(hit, self._chances(*self.known.predict(following, return_std=True)))
        then = np.ones((rows, count, OUTCOMES))
        for place, name in enumerate(names):
            mean, std = means[name].to_numpy(), deviations[name].to_numpy()
            noisy = np.sqrt(std[:count] ** 2 + noise[name] ** 2 + TINY)
            pull = covariance[name] / noisy
            left = np.sqrt(np.maximum(std[:, None] ** 2 - pull**2, TINY))
            low, high = self._interval(name)
            moved = mean[:, None, None] + pull[:, :, None] * normal[:, place]
            then *= below((high - moved) / left[:, :, None]) - below((low - moved) / left[:, :, None])
        then[np.arange(count), np.arange(count)] = 0.0  # nothing is evaluated twice
        follow = min(evaluations_ahead(hit) if self.ahead is None else self.ahead, rows - 1)
        if follow < 1:
            return hit[:count]
        best = np.partition(then, rows - follow, axis=0)[rows - follow :]
        return hit[:count] + LATER * best.sum(axis=0).mean(axis=1)

    def _chances(self, means: pd.DataFrame, deviations: pd.DataFrame) -> NDArray[np.float64]:
        """The probability of meeting all targets, shape ``n``."""
        hit = np.ones(len(means))
        for name in self.targets.properties:
            mean, std = means[name].to_numpy(), deviations[name].to_numpy().clip(TINY)
            low, high = self._interval(name)
            hit *= scipy.special.ndtr((high - mean) / std) - scipy.special.ndtr((low - mean) / std)
        return hit

    def _interval(self, name: str) -> tuple[float, float]:
        window = self.targets.window(name)
        return window.interval if window is not None else (np.inf, -np.inf)


def evaluations_ahead(probability: NDArray[np.float64]) -> int:
    """How many evaluations are looked ahead, from the probabilities of the likeliest candidates, shape ``n``."""
    if probability.max(initial=0.0) > SURE:
        return NEAR
    return int(np.clip(round(FOLLOWING * probability.sum()), NEAR, FAR))
