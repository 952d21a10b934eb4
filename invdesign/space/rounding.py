"""Numbers that a laboratory can set: rounded proposals, and results as the space would propose them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from invdesign.space.parameters import Continuous, Proposing, is_smooth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.space.search_space import SearchSpace

DIGITS = 4
"""Significant digits of the range of a number to which proposals are rounded."""
RESOLUTION = 1e-3
"""Distance in the unit cube at which a laboratory can tell numbers without steps apart."""
MORE_DIGITS = (0, 1, 2, 4)
"""Further digits, one attempt after the other, for candidates that rounding would make infeasible or a duplicate."""


def rounded(space: SearchSpace, candidates: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """Candidates whose numbers without steps have four digits of their range; all constraints still hold.

    What rounding adds to a sum that must be equal to a number is taken from the largest of its parts. A candidate that
    would violate a constraint, leave its bounds or equal another one gets more digits.

    Args:
        space: of the candidates.
        candidates: feasible, one row each.
        seen: candidates that were proposed before.
    """
    smooth = {
        name: parameter
        for name, parameter in space.parameters.items()
        if isinstance(parameter, Continuous) and parameter.grid is None
    }
    if not smooth or candidates.empty:
        return candidates
    known = set(seen[list(space.names)].itertuples(index=False, name=None)) if len(seen) else set()
    result = candidates.reset_index(drop=True).copy()
    waiting = np.arange(len(result))
    for more in MORE_DIGITS:
        tried = result.iloc[waiting].copy()
        for name, parameter in smooth.items():
            tried[name] = _round(tried[name].to_numpy(dtype=np.float64), parameter, DIGITS + more)
        tried = _balanced(space, tried)
        good = _inside(tried, smooth) & space.feasible(tried)
        for place, row in enumerate(tried[list(space.names)].itertuples(index=False, name=None)):
            good[place] &= row not in known
            if good[place]:
                known.add(row)
        result.loc[waiting[good]] = tried[good]
        waiting = waiting[~good]
    return result.set_axis(candidates.index)


def as_proposed(space: SearchSpace, candidates: pd.DataFrame) -> pd.DataFrame:
    """Candidates with the nearest values that the space would propose, such as 0.25 for a 0.2503 that was weighed."""
    nearest = {
        name: parameter.as_proposed(candidates[name].to_numpy())
        for name, parameter in space.parameters.items()
        if isinstance(parameter, Proposing) and not is_smooth(parameter)
    }
    return candidates.assign(**nearest) if nearest and len(candidates) else candidates


def _round(values: NDArray[np.float64], parameter: Continuous, digits: int) -> NDArray[np.float64]:
    low, high = parameter.bounds
    if parameter.log:
        return np.array([float(f"{value:.{digits}g}") for value in values])
    return np.round(values, digits - math.ceil(math.log10(high - low) - 1e-9))


def _balanced(space: SearchSpace, candidates: pd.DataFrame) -> pd.DataFrame:
    """Corrects sums that must be equal to a number for the rounding of their parts."""
    balanced = candidates.copy()
    forms = [form for constraint in space.constraints for form in constraint.equalities()]
    for coefficients, constant in forms:
        names = [name for name, value in coefficients.items() if value and is_smooth(space.parameters[name])]
        if not names:
            continue
        parts = balanced[names].to_numpy(dtype=np.float64)
        weights = np.array([coefficients[name] for name in names])
        excess = balanced[list(coefficients)].to_numpy(dtype=np.float64) @ np.array([*coefficients.values()]) + constant
        largest = np.argmax(np.where(np.abs(weights) == np.abs(weights).min(), np.abs(parts), -1.0), axis=1)
        rows = np.arange(len(parts))
        parts[rows, largest] = np.round(parts[rows, largest] - excess / weights[largest], 12)
        balanced[names] = parts
    return balanced


def _inside(candidates: pd.DataFrame, parameters: Mapping[str, Continuous]) -> NDArray[np.bool_]:
    inside = np.ones(len(candidates), dtype=bool)
    for name, parameter in parameters.items():
        inside &= candidates[name].between(*parameter.bounds).to_numpy()
    return inside
