"""Censored values, such as ``<5``: what they decide about targets, and what a model expects them to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from invdesign.surrogates.base import CovarianceSurrogate, noise_argument

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.core.columns import Column
    from invdesign.optimizers.base import History
    from invdesign.surrogates.base import Surrogate
    from invdesign.targets import Targets
    from invdesign.targets.target import Target

    Numbers = NDArray[np.float64]

FEWEST_VALUES = 3
"""Uncensored values below which the limits themselves are taken."""
SWEEPS = 100
CONVERGED = 1e-6
"""Change of an expected value, in standard deviations, at which they have converged."""


def decided(values: pd.DataFrame, below: pd.DataFrame, above: pd.DataFrame, targets: Targets) -> pd.DataFrame:
    """Values in which limits stand for censored values, where they decide every target on the property.

    ``<5`` meets at most 6 and misses at least 7; whether it meets at least 3 is unknown, and it stays NaN. An objective
    to maximize takes ``>5`` as 5, which is the least that it may be.

    Args:
        values: one column a property, in the targets' units; NaN where a value is censored.
        below: the upper limits, NaN if there is none; same rows, some of the columns.
        above: the lower limits.
        targets: in the units of the values.
    """
    found: dict[str, Numbers] = {}
    for limits, side in ((below, -1.0), (above, 1.0)):
        for name in map(str, limits):
            column = found.get(name, values[name].to_numpy(dtype=np.float64, copy=True))
            mine = [target for target in targets if target.property == name]
            for row in np.flatnonzero(limits[name].notna().to_numpy() & np.isnan(column)):
                limit = float(limits[name].iloc[row])
                if all(_decides(limit, side, target) for target in mine):
                    column[row] = np.nextafter(limit, side * np.inf)
            found[name] = column
    return values.assign(**found) if found else values


def _decides(limit: float, side: float, target: Target) -> bool:
    """Whether all values on one side of a limit (-1: below) meet a target, or all miss it."""
    if target.direction:
        return target.direction == side
    low, high = target.interval
    if side < 0.0:
        return limit <= low or (low == -np.inf and limit <= high)
    return limit >= high or (high == np.inf and limit >= low)


def imputed(
    history: History, below: pd.DataFrame, above: pd.DataFrame, surrogate: Surrogate, columns: Sequence[Column]
) -> History:
    """A history in which every censored value is the mean of what it may be, given the others and its limit.

    A model is fitted to the uncensored values. What it predicts for the censored ones, with the noise of measuring, is
    a joint normal distribution; each is replaced by the mean of its normal distribution given the others, truncated at
    its limit, again and again until they no longer change (the iterated imputation of Schmee and Hahn 1979,
    doi:10.1080/00401706.1979.10489811, which Hutter et al. 2011, arXiv:1310.1947, use for Bayesian optimization). The
    standard deviation of the truncated distribution is its known noise. If fewer than three values are uncensored, the
    limits themselves are taken.

    Args:
        history: with NaN where values are censored.
        below: the upper limits, NaN if there is none; rows as ``history.properties``, some of its columns.
        above: the lower limits.
        surrogate: its settings are used.
        columns: what the columns of the candidates are.
    """
    values, noise = history.properties.copy(), history.noise_std
    noise = pd.DataFrame(np.nan, values.index, values.columns) if noise is None else noise.copy()
    for name in dict.fromkeys([*below, *above]):
        upper, lower = (_limits(limits, str(name), len(values)) for limits in (below, above))
        rows = np.flatnonzero(values[name].isna().to_numpy() & ~(np.isnan(upper) & np.isnan(lower)))
        known = values[name].notna().to_numpy()
        if known.sum() < FEWEST_VALUES:
            values.loc[rows, name] = np.where(np.isnan(upper[rows]), lower[rows], upper[rows])
            continue
        settings: Any = surrogate  # by the Surrogate protocol a dataclass, which typing cannot say
        model: Surrogate = replace(settings).fit(
            history.candidates[known].reset_index(drop=True),
            values.loc[known, [name]].reset_index(drop=True),
            columns=columns,
            **noise_argument(noise.loc[known, [name]].reset_index(drop=True)),
        )
        mean, covariance = _joint(model, history.candidates.iloc[rows].reset_index(drop=True), str(name))
        expected, std = _truncated(mean, covariance, lower[rows], upper[rows])
        values.loc[rows, name], noise.loc[rows, name] = expected, std
    return replace(history, properties=values, noise_std=None if noise.isna().all(axis=None) else noise)


def _limits(limits: pd.DataFrame, name: str, count: int) -> Numbers:
    return limits[name].to_numpy(dtype=np.float64) if name in limits else np.full(count, np.nan)


def _joint(model: Surrogate, candidates: pd.DataFrame, name: str) -> tuple[Numbers, Numbers]:
    """The mean and the covariance of measurements of candidates."""
    mean, std = model.predict(candidates, return_std=True)
    known: Mapping[str, float] = model.noise_std() if hasattr(model, "noise_std") else {}
    if isinstance(model, CovarianceSurrogate):
        covariance = np.array(model.posterior_covariance(candidates, candidates)[name], dtype=np.float64)
    else:
        covariance = np.diag(std[name].to_numpy(dtype=np.float64) ** 2)
    scale = float(np.abs(mean[name]).max()) + float(np.sqrt(np.diag(covariance).max()))
    return mean[name].to_numpy(dtype=np.float64), covariance + np.eye(len(mean)) * (
        known.get(name, 0.0) ** 2 + (1e-6 * scale) ** 2
    )


def _truncated(mean: Numbers, covariance: Numbers, lower: Numbers, upper: Numbers) -> tuple[Numbers, Numbers]:
    """Means and standard deviations of normal numbers, each between its limits (NaN for none)."""
    from scipy.stats import truncnorm

    precision = np.linalg.inv(covariance)
    std = 1.0 / np.sqrt(np.diag(precision))
    least, most = np.where(np.isnan(lower), -np.inf, lower), np.where(np.isnan(upper), np.inf, upper)
    found = np.clip(mean, least, most)
    spread = std.copy()
    for _ in range(SWEEPS):
        before = found.copy()
        for row, own in enumerate(std):
            off = precision[row] @ (found - mean) - precision[row, row] * (found[row] - mean[row])
            center = mean[row] - own**2 * off
            ends = (least[row] - center) / own, (most[row] - center) / own
            moments = truncnorm.stats(*ends, loc=center, scale=own, moments="mv")
            found[row] = np.clip(float(moments[0]), least[row], most[row])
            spread[row] = np.sqrt(max(float(moments[1]), 0.0))
        if (np.abs(found - before) <= CONVERGED * std).all():
            break
    return found, spread
