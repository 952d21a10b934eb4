"""Objectives whose calls may hang, and after how many seconds one counts as hanging.

An objective looks at its own clock between the steps of a calculation; a step that never ends it cannot interrupt. Who
calls it in another process can: it ends that process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

GRACE = 2.0
GRACE_SHARE = 0.1
"""Seconds, and a share of the limit, that a call has beyond its limit: to come to the end of a step and say itself that
the time has passed, which keeps its process."""
FIRST_USE = 120.0
"""Seconds for what happens at a first call alone, such as building and compiling a model."""
UNSTATED = 3600.0
"""Seconds for the other parts of a combination, such as a table that is read or a model that is fitted."""


@runtime_checkable
class TimeLimited(Protocol):
    """What an objective offers besides its values, where a call may hang: it is run where it can be ended."""

    def seconds_allowed(self, candidates: int) -> float | None:
        """Seconds after which a call has to be ended; None where it may take any time.

        Args:
            candidates: how many the call gets.
        """


def with_grace(seconds: float) -> float:
    """Returns the seconds after which a call is ended that should end by itself after ``seconds``."""
    return seconds * (1.0 + GRACE_SHARE) + GRACE


def seconds_allowed(objective: object, candidates: int) -> float | None:
    """Returns the seconds after which a call of an objective has to be ended; None where it never is.

    Args:
        objective: any.
        candidates: how many the call gets.
    """
    return objective.seconds_allowed(candidates) if isinstance(objective, TimeLimited) else None


def seconds_together(parts: Sequence[object], candidates: int) -> float | None:
    """Returns the seconds after which a call of several objectives, one after the other, has to be ended.

    Args:
        parts: the objectives.
        candidates: how many the call gets.

    Returns:
        None where no part may hang, or one of them may take any time.
    """
    if not any(isinstance(part, TimeLimited) for part in parts):
        return None
    total = 0.0
    for part in parts:
        # A program of the user's has a time limit that it keeps itself.
        limit = getattr(part, "time_limit", UNSTATED)
        stated = isinstance(part, TimeLimited)
        seconds = seconds_allowed(part, candidates) if stated or limit is None else with_grace(candidates * limit)
        if seconds is None:
            return None
        total += seconds
    return total
