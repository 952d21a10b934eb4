"""Candidates outside of a space: beyond bounds, off the rules of mixtures, not listed, or violating constraints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from invdesign.core.errors import InputError
from invdesign.space.parameters import Continuous, Integer, Listed, Measurable
from invdesign.space.tolerances import broken_constraints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.space.search_space import SearchSpace


def outside_reasons(space: SearchSpace, candidates: pd.DataFrame) -> list[str]:
    """One sentence for each candidate that says why it is outside of the space; empty if it is inside.

    What was made within the tolerance of a number is inside; see ``broken_constraints``.

    Args:
        space: of the candidates.
        candidates: one row each; formulas are values of the space.

    Raises:
        InputError: if a value cannot be read.
    """
    reasons = [""] * len(candidates)
    for name, beyond in _beyond(space, candidates).items():
        low, high = space.parameters[name].column(name).bounds or (-np.inf, np.inf)
        for row in np.flatnonzero(beyond):
            reasons[row] = reasons[row] or f"'{name}' is {candidates[name].iloc[row]:g}, outside [{low:g}, {high:g}]."
    for name, misfits in _misfits(space, candidates).items():
        reasons = [
            reason or (misfit and f"'{name}': {misfit}") for reason, misfit in zip(reasons, misfits, strict=True)
        ]
    within = [place for place, reason in enumerate(reasons) if not reason]
    if within:
        for place, problem in zip(within, broken_constraints(space, candidates.iloc[within]), strict=True):
            reasons[place] = problem
    return reasons


def within_bounds(space: SearchSpace, candidates: pd.DataFrame) -> pd.DataFrame:
    """Candidates with numbers beyond their bounds moved to the nearest bound, so that the space can encode them.

    A molecule or word that is not in the space becomes any that is; see ``unlisted``.
    """
    moved = {}
    for name, beyond in _beyond(space, candidates).items():
        if beyond.any():
            bounds = space.parameters[name].column(name).bounds or (-np.inf, np.inf)
            cells = candidates[name].to_numpy(dtype=object, copy=True)
            cells[beyond] = [min(max(value, bounds[0]), bounds[1]) for value in cells[beyond]]
            moved[name] = cells
    for name, misfits in _misfits(space, candidates).items():
        parameter, rows = space.parameters[name], [row for row, misfit in enumerate(misfits) if misfit]
        if rows:
            cells = candidates[name].to_numpy(dtype=object, copy=True)
            cells[rows] = (
                parameter.nearest(cells[rows])
                if isinstance(parameter, Measurable)
                else parameter.decode(np.full((len(rows), parameter.dimension), 0.5))
            )
            moved[name] = cells
    return candidates.assign(**moved) if moved else candidates


def unlisted(space: SearchSpace, candidates: pd.DataFrame) -> pd.DataFrame:
    """Which molecules and words are not in the space: a column for each parameter of molecules or words."""
    listed = [name for name, parameter in space.parameters.items() if isinstance(parameter, Listed)]
    found = {name: [misfit != "" for misfit in _misfits(space, candidates)[name]] for name in listed}
    return pd.DataFrame(found, index=candidates.index, dtype=bool)


def learnable(space: SearchSpace, candidates: pd.DataFrame) -> NDArray[np.bool_]:
    """Which candidates a model can learn from, shape ``n``: nothing is known of a word that is not listed."""
    found = unlisted(space, candidates)
    words = [name for name in found if not getattr(space.parameters[str(name)], "learnable", True)]
    return np.asarray(~found[words].to_numpy(dtype=bool).any(axis=1), dtype=bool)


def _misfits(space: SearchSpace, candidates: pd.DataFrame) -> dict[str, list[str]]:
    """Why values that are no numbers are outside of the space, by parameter; empty texts for those inside."""
    found = {}
    for name, parameter in space.parameters.items():
        if isinstance(parameter, Measurable | Listed):
            values = candidates[name].to_numpy(dtype=object)
            try:
                found[name] = (
                    parameter.misfits(values) if isinstance(parameter, Measurable) else parameter.unlisted(values)
                )
            except InputError as error:
                raise InputError(f"Column '{name}': {error}") from None
    return found


def _beyond(space: SearchSpace, candidates: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """Which numbers are beyond their bounds by more than their tolerance; cells that are not numbers are not."""
    found = {}
    for name, parameter in space.parameters.items():
        if isinstance(parameter, Continuous | Integer):
            low, high = parameter.column(name).bounds or (-np.inf, np.inf)
            slack = parameter.tolerance if isinstance(parameter, Continuous) else 0.0
            numbers = np.array([_number(cell) for cell in candidates[name]], dtype=np.float64)
            with np.errstate(invalid="ignore"):
                found[name] = (numbers < low - slack * (1 + 1e-9)) | (numbers > high + slack * (1 + 1e-9))
            found[name] &= np.isfinite(numbers)
    return found


def _number(cell: object) -> float:
    is_number = isinstance(cell, int | float | np.number) and not isinstance(cell, bool)
    return float(cell) if is_number else float("nan")  # type: ignore[arg-type]
