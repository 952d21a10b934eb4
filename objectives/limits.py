"""Time limits for objectives whose calls may hang.

An objective checks its own clock between the steps of a calculation, but cannot interrupt a step that never ends. A
caller that runs it in another process can end that process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

GRACE = 2.0
GRACE_SHARE = 0.1
"""Grace time of a call beyond its limit, in seconds and as a share of the limit: to finish a step and report itself
that the time limit was exceeded, so that its process can be reused."""
FIRST_USE = 120.0
"""Seconds for work at the first call only, such as building and compiling a model."""
UNSTATED = 3600.0
"""Seconds for the other parts of a combination, such as reading a table or fitting a model."""


@runtime_checkable
class TimeLimited(Protocol):
    """Interface of objectives whose calls may hang: they run where they can be ended."""

    def seconds_allowed(self, candidates: int) -> float | None:
        """Seconds after which a call must be ended; None for no limit.

        Args:
            candidates: number of candidates of the call.
        """


def with_grace(seconds: float) -> float:
    """Returns the seconds after which to end a call that should end by itself after ``seconds``."""
    return seconds * (1.0 + GRACE_SHARE) + GRACE


def seconds_allowed(objective: object, candidates: int) -> float | None:
    """Returns the seconds after which a call of an objective must be ended; None for no limit.

    Args:
        objective: any objective.
        candidates: number of candidates of the call.
    """
    return objective.seconds_allowed(candidates) if isinstance(objective, TimeLimited) else None


def seconds_together(parts: Sequence[object], candidates: int) -> float | None:
    """Returns the seconds after which a call of several objectives, one after the other, must be ended.

    Args:
        parts: the objectives.
        candidates: number of candidates of the call.

    Returns:
        None if no part has a limit, or one of them may take any time.
    """
    if not any(isinstance(part, TimeLimited) for part in parts):
        return None
    total = 0.0
    for part in parts:
        # A user's program has its own time limit.
        limit = getattr(part, "time_limit", UNSTATED)
        stated = isinstance(part, TimeLimited)
        seconds = seconds_allowed(part, candidates) if stated or limit is None else with_grace(candidates * limit)
        if seconds is None:
            return None
        total += seconds
    return total
