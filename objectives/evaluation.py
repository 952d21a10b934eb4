"""One call of an objective: its values or the reason why there are none, and its duration."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import pandas as pd

from invdesign.core.failures import reason_of
from invdesign.objectives.base import REASON, WRONG_RETURN, Objective, failed


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
    """Calls an objective; an exception or ``sys.exit`` becomes the reason of its candidates.

    A child process that the objective forks ends here if it returns: its parent gives the result.

    Args:
        objective: the source of values.
        candidates: one row each, indexed by candidate number.
    """
    start = time.perf_counter()
    process = os.getpid()
    try:
        values = objective.evaluate(candidates)
        missing = [name for name in (*objective.properties, REASON) if name not in values]
        if missing or not values.index.equals(candidates.index):
            what = f"without '{missing[0]}'" if missing else "with different rows"
            reason = f"{WRONG_RETURN}: the objective returned a frame {what}"
            values = failed(candidates.index, objective.properties, reason)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - third-party code: its failure is recorded, the campaign goes on
        values = failed(candidates.index, objective.properties, reason_of(error))
    finally:
        if os.getpid() != process:
            os._exit(0)
    return Result(values, time.perf_counter() - start)
