"""The history and costs of candidates that are evaluated at several fidelities."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from invdesign.optimizers.base import History

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.space import SearchSpace


def at_target_fidelity(space: SearchSpace, candidates: pd.DataFrame) -> NDArray[np.bool_]:
    """Which candidates are at the target fidelity, shape ``n``; all if the space has no fidelities."""
    if space.fidelity is None:
        return np.ones(len(candidates), dtype=bool)
    column, fidelity = space.fidelity
    return (candidates[column] == fidelity.target).to_numpy(dtype=bool)


def to_target_fidelity(space: SearchSpace, candidates: pd.DataFrame) -> pd.DataFrame:
    """The same candidates at the target fidelity."""
    if space.fidelity is None or candidates.empty:
        return candidates
    column, fidelity = space.fidelity
    return candidates.assign(**{column: fidelity.target})


def target_fidelity_history(space: SearchSpace, history: History) -> History:
    """The history at the target fidelity; the history itself if the space has no fidelities."""
    if space.fidelity is None:
        return history
    over, pending = at_target_fidelity(space, history.candidates), at_target_fidelity(space, history.pending)
    return replace(
        history,
        candidates=history.candidates[over].reset_index(drop=True),
        properties=history.properties[over].reset_index(drop=True),
        pending=history.pending[pending].reset_index(drop=True),
        own=None if history.own is None else history.own[np.concatenate([over, pending])],
        given=None if history.given is None else history.given[np.concatenate([over, pending])],
        noise_std=None if history.noise_std is None else history.noise_std[over].reset_index(drop=True),
        failures=None if history.failures is None else history.failures[over],
    )


def costs(space: SearchSpace, candidates: pd.DataFrame) -> NDArray[np.float64]:
    """Cost of evaluating each candidate at its fidelity, shape ``n``; 1 each if the space has no fidelities."""
    if space.fidelity is None:
        return np.ones(len(candidates))
    column, fidelity = space.fidelity
    return np.array([fidelity.costs[str(name)] for name in candidates[column]], dtype=np.float64)
