"""One call of an objective: its values or the reason why there are none, and its duration."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pandas as pd

from invdesign.objectives.base import REASON, Objective, failed


@dataclass(frozen=True)
class Result:
    """The result of one call of an objective.

    Attributes:
        values: as ``Objective.evaluate`` returns it, indexed by candidate number.
        seconds: duration of the call.
    """

    values: pd.DataFrame
    seconds: float


def evaluate(objective: Objective, candidates: pd.DataFrame) -> Result:
    """Calls an objective; an exception becomes the reason of its candidates.

    Args:
        objective: the source of values.
        candidates: one row each, indexed by candidate number.
    """
    start = time.perf_counter()
    try:
        values = objective.evaluate(candidates)
        missing = [name for name in (*objective.properties, REASON) if name not in values]
        if missing or not values.index.equals(candidates.index):
            what = f"without '{missing[0]}'" if missing else "with different rows"
            values = failed(candidates.index, objective.properties, f"the objective returned a frame {what}")
    except Exception as error:  # noqa: BLE001 - third-party code: its failure is recorded and does not end the campaign
        values = failed(candidates.index, objective.properties, f"{type(error).__name__}: {error}")
    return Result(values, time.perf_counter() - start)
