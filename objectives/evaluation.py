"""One call of an objective: its values or the reason why there are none, and how long it took."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pandas as pd

from invdesign.objectives.base import REASON, Objective, failed


@dataclass(frozen=True)
class Result:
    """What one call of an objective gave.

    Attributes:
        values: as ``Objective.evaluate`` returns it, indexed by candidate number.
        seconds: how long the call took.
    """

    values: pd.DataFrame
    seconds: float


def evaluate(objective: Objective, candidates: pd.DataFrame) -> Result:
    """Calls an objective; whatever it raises becomes the reason of its candidates.

    Args:
        objective: the source of values.
        candidates: one row each, indexed by candidate number.
    """
    start = time.perf_counter()
    try:
        values = objective.evaluate(candidates)
        missing = [name for name in (*objective.properties, REASON) if name not in values]
        if missing or not values.index.equals(candidates.index):
            what = f"without '{missing[0]}'" if missing else "with other rows than it was given"
            values = failed(candidates.index, objective.properties, f"the objective answered {what}")
    except Exception as error:  # noqa: BLE001 - foreign code: its failure is a record, not the end of the campaign
        values = failed(candidates.index, objective.properties, f"{type(error).__name__}: {error}")
    return Result(values, time.perf_counter() - start)
