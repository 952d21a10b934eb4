"""What counts where candidates are evaluated at several levels: the truest one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from invdesign.optimizers.base import History

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.space import SearchSpace


def is_truest(space: SearchSpace, candidates: pd.DataFrame) -> NDArray[np.bool_]:
    """Which candidates are at the truest level, shape ``n``; all where the space has no levels."""
    if space.level is None:
        return np.ones(len(candidates), dtype=bool)
    column, level = space.level
    return (candidates[column] == level.truest).to_numpy(dtype=bool)


def raised(space: SearchSpace, candidates: pd.DataFrame) -> pd.DataFrame:
    """The same candidates at the truest level."""
    if space.level is None or candidates.empty:
        return candidates
    column, level = space.level
    return candidates.assign(**{column: level.truest})


def truest_history(space: SearchSpace, history: History) -> History:
    """What was evaluated and is pending at the truest level; the history itself where the space has no levels."""
    if space.level is None:
        return history
    over, pending = is_truest(space, history.candidates), is_truest(space, history.pending)
    return replace(
        history,
        candidates=history.candidates[over].reset_index(drop=True),
        properties=history.properties[over].reset_index(drop=True),
        pending=history.pending[pending].reset_index(drop=True),
        own=None if history.own is None else history.own[np.concatenate([over, pending])],
        given=None if history.given is None else history.given[np.concatenate([over, pending])],
    )


def costs(space: SearchSpace, candidates: pd.DataFrame) -> NDArray[np.float64]:
    """What evaluating each candidate costs at its level, shape ``n``; one each where the space has no levels."""
    if space.level is None:
        return np.ones(len(candidates))
    column, level = space.level
    return np.array([level.costs[str(name)] for name in candidates[column]], dtype=np.float64)
