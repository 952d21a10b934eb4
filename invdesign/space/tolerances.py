"""Constraints for what was really made, which differs a little from what was proposed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from invdesign.space.parameters import Continuous
from invdesign.space.rounding import as_proposed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.space.constraints import Constraint
    from invdesign.space.search_space import SearchSpace


def broken_constraints(space: SearchSpace, candidates: pd.DataFrame) -> list[str]:
    """One sentence for each candidate that names the constraint it violates, and by how much; empty if it does not.

    A constraint is satisfied if the nearest candidate on the steps satisfies it, or if changes of its numbers by at
    most their tolerances (half a step, or 0.001 of the range) would: fractions that sum to 0.999 sum to one.

    Args:
        space: of the candidates.
        candidates: one row each, values of the space.
    """
    problems = [""] * len(candidates)
    for constraint in space.constraints:
        columns = space.quantities(candidates, constraint.derived)
        excess = constraint.violation(columns)
        broken = np.flatnonzero(excess)
        if not len(broken):
            continue
        nominal = space.quantities(as_proposed(space, candidates.iloc[broken]), constraint.derived)
        broken = broken[constraint.violation(nominal) > 0.0]
        rest = {name: values[broken] for name, values in columns.items()}
        allowed = _allowance(constraint, space, rest, excess[broken])
        for row, over, room in zip(broken.tolist(), excess[broken].tolist(), allowed.tolist(), strict=True):
            if over > room * (1.0 + 1e-6) and not problems[row]:
                amount = f" by {over:.4g}" + (f", more than the tolerance {room:.2g}" if room else "")
                problems[row] = f"The candidate violates the constraint '{constraint}'{amount}."
    return problems


def _allowance(
    constraint: Constraint, space: SearchSpace, columns: Mapping[str, NDArray[Any]], excess: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The largest change of the violation by each number within its tolerance, summed over the numbers."""
    total = np.zeros(len(excess))
    for name in sorted(constraint.names):
        parameter = space.parameters[name]
        if not isinstance(parameter, Continuous):
            continue
        values = columns[name].astype(np.float64)
        changed = [constraint.violation({**columns, name: values + sign * parameter.tolerance}) for sign in (-1.0, 1.0)]
        total += np.maximum.reduce([np.abs(one - excess) for one in changed])
    return total
