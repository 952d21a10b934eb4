"""When a campaign ends before its budget: enough hits, no gain, time, or hardly a chance that anything is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import pandas as pd
from pydantic import AfterValidator

from invdesign.campaign.expectation import Expectation
from invdesign.core.errors import InputError
from invdesign.core.settings import bounded, settings
from invdesign.core.units import convert
from invdesign.space.duplicates import without_duplicates
from invdesign.space.variation import mutated

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from invdesign.campaign.reading import Reading
    from invdesign.optimizers.base import History
    from invdesign.space import SearchSpace
    from invdesign.targets import Targets

GAIN = 1e-3
"""Share of the spread of the known values by which an optimized property must be better to be a gain."""
GRID, SAMPLE, NEAREST = 20_000, 2_000, 16
"""Candidates of a finite space up to which all are looked at; of a larger one, how many are drawn, and how many of the
best ones are looked around."""


def seconds_of(text: str) -> float:
    """A duration such as ``2 h`` in seconds.

    Raises:
        InputError: if it is not a positive number with a unit of time.
    """
    number, _, unit = text.strip().partition(" ")
    wrong = f"A time must be a positive number with its unit, such as '2 h' or '30 min', not {text!r}."
    try:
        seconds = float(np.asarray(convert(np.array([float(number)]), unit.strip() or "?", "s"))[0])
    except (InputError, ValueError):
        raise InputError(wrong) from None
    if not 0.0 < seconds < np.inf:
        raise InputError(wrong)
    return seconds


def _duration(text: str) -> str:
    seconds_of(text)
    return text


@settings
class Stop:
    """When a campaign ends before its budget is spent; the first condition that holds ends it."""

    hits: int | None = bounded(default=None, ge=1)
    """Number of candidates that meet all targets."""
    no_gain_in: int | None = bounded(default=None, ge=1)
    """Number of the last candidates among which none is a gain: a further hit, a better one by a thousandth of the
    spread if something is optimized, or a nearer one if there are no hits."""
    wall_time: Annotated[str, AfterValidator(_duration)] | None = None
    """Time since the run was started, such as ``2 h``; ``ask`` does not look at it."""
    chance_left: float | None = bounded(default=None, gt=0, lt=1)
    """The largest chance, by the model, of any candidate left to be a hit, or a better one by a thousandth of the
    spread if something is optimized, is below this."""

    def reason(
        self, campaign: Reading, chance_left: Callable[[], float | None], *, initial: int, seconds: float = 0.0
    ) -> str | None:
        """Why a campaign ends, in one sentence; None if it goes on.

        Args:
            campaign: with its results.
            chance_left: returns the largest chance of any candidate left to be a gain; None if no model says so.
            initial: number of candidates of the initial design, before which only hits and time end it.
            seconds: since the run was started.
        """
        if self.wall_time is not None and seconds >= seconds_of(self.wall_time):
            return f"The wall time of {self.wall_time} is over."
        if self.hits is None and self.no_gain_in is None and self.chance_left is None:
            return None
        status = campaign.status()
        if self.hits is not None and status.hits >= self.hits:
            return f"{status.hits} candidates meet all targets."
        if status.evaluated + status.failed < initial:
            return None
        if self.no_gain_in is not None and not _gained(campaign, self.no_gain_in):
            return f"The campaign has converged: the last {self.no_gain_in} candidates were no gain."
        if self.chance_left is None:
            return None
        chance = chance_left()
        if chance is None or chance >= self.chance_left:
            return None
        return f"The campaign has converged: no candidate left has a chance above {100.0 * chance:.2g} % to be a gain."


def _gained(campaign: Reading, last: int) -> bool:
    """Whether one of the last finished candidates is a gain over those before; True if there are no more than these."""
    finished = campaign.finished()
    if len(finished) <= last:
        return True
    targets = campaign.targets.in_units(campaign.units)
    frame = campaign.best(len(finished))
    met = targets.all_met(frame) & targets.within(frame)
    recent = frame.index.isin(finished[-last:])
    if targets.optimized:
        gains = targets.gains(frame)
        return _better(gains[met & recent], gains[met & ~recent])
    if met.any():
        return bool((met & recent).any())
    margin = targets.margin(frame)
    return bool(margin[recent].max(initial=-np.inf) > margin[~recent].max(initial=-np.inf))


def _better(recent: NDArray[np.float64], before: NDArray[np.float64]) -> bool:
    """Whether any row is better than all rows before in some column by more than ``GAIN`` of its spread."""
    if not len(recent) or not len(before):
        return bool(len(recent))
    slack = GAIN * np.ptp(np.concatenate([recent, before]), axis=0)
    covered = (before[None] >= recent[:, None] - slack).all(axis=2).any(axis=1)
    return not bool(covered.all())


def largest_chance(expectation: Expectation, space: SearchSpace, history: History, best: pd.DataFrame) -> float:
    """The largest chance of any candidate left to be a gain, by a model.

    All candidates of a finite space are looked at; of a larger one 2,000 that are drawn at random, and some around the
    best ones.

    Args:
        expectation: the model.
        space: of the candidates.
        history: what was proposed.
        best: results, the best first.
    """
    rng = np.random.default_rng(0)
    pool = space.grid(GRID)
    if pool is None:
        around = best.head(NEAREST)[list(space.names)].reset_index(drop=True)
        near = [mutated(space, around, rng, step=step) for step in (0.05, 0.1, 0.2) if len(around)]
        pool = pd.concat([space.sample(SAMPLE, rng), *near], ignore_index=True)
    left = without_duplicates(pool, history.proposed)
    if left.empty:
        return 0.0
    mean, std = expectation.surrogate.predict(left, return_std=True)
    return float(_chances(expectation.targets, mean, std, best).max())


def _chances(targets: Targets, mean: pd.DataFrame, std: pd.DataFrame, best: pd.DataFrame) -> NDArray[np.float64]:
    """The chance of each candidate to meet all targets, and to be better than the best in an optimized property."""
    from scipy.special import ndtr

    chance = targets.probability(mean, std)
    met = best[targets.all_met(best)]
    if not targets.optimized or met.empty:
        return chance
    none = np.ones(len(mean))
    for target in targets.optimized:
        known = target.direction * met[target.property].to_numpy(dtype=np.float64)
        gap = target.direction * mean[target.property].to_numpy() - known.max() - GAIN * np.ptp(known)
        spread = np.maximum(std[target.property].to_numpy(), 1e-300)
        none *= 1.0 - ndtr(gap / spread)
    return np.asarray(chance * (1.0 - none))
