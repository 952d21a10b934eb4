"""Limits of time and memory for objectives whose calls may hang, crash or use all memory.

An objective checks its own clock between the steps of a calculation, but cannot interrupt a step that never ends. A
caller that runs it in another process can end that process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from invdesign.core.memory import bytes_of

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


@runtime_checkable
class MemoryLimited(Protocol):
    """Interface of objectives whose calls may use much memory."""

    def memory_allowed(self) -> int | None:
        """Bytes that the process of a call may use; None for no limit."""


@runtime_checkable
class Foreign(Protocol):
    """Interface of objectives that run code of the user: it may end its process, so that it runs in another one."""

    @property
    def isolated(self) -> bool:
        """Whether calls run in a worker process, if they can be sent to one."""


@dataclass(frozen=True)
class Limits:
    """The limits of one call.

    Attributes:
        seconds: after which it is ended; None for no limit.
        memory: bytes that its process may use; None for no limit.
    """

    seconds: float | None = None
    memory: int | None = None

    @property
    def any(self) -> bool:
        """Whether there is a limit."""
        return self.seconds is not None or self.memory is not None


def limits_of(objective: object, candidates: int) -> Limits:
    """Returns the limits of a call of an objective.

    Args:
        objective: any objective.
        candidates: number of candidates of the call.
    """
    memory = objective.memory_allowed() if isinstance(objective, MemoryLimited) else None
    return Limits(seconds_allowed(objective, candidates), memory)


def is_foreign(objective: object) -> bool:
    """Returns whether an objective runs code of the user that should not run in the campaign's process."""
    return isinstance(objective, Foreign) and objective.isolated


def memory_of(size: str | None) -> int | None:
    """Returns the bytes of a setting ``memory_limit``; None for no limit."""
    return None if size is None else bytes_of(size)


def memory_together(parts: Sequence[object]) -> int | None:
    """Returns the memory limit of a process that calls several objectives: the largest; None if no part has one."""
    return max(filter(None, (limits_of(part, 1).memory for part in parts)), default=None)


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
