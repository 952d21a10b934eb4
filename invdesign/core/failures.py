"""Exceptions for candidates without a value, their reasons, and the time limit of a candidate."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from invdesign.core.memory import exceeded

LONGEST = 2000
"""Most characters of an exception's message that a reason quotes."""


class CandidateFailure(Exception):  # noqa: N818 - not an error of the program: a result of this candidate
    """The candidate cannot be evaluated; the message is the reason."""


class TransientFailure(CandidateFailure):
    """A failure that is not cached, because another attempt may succeed."""


def reason_of(error: BaseException) -> str:
    """An exception as the reason of a failed candidate: its type and message, or the memory limit that it met."""
    if isinstance(error, SystemExit):
        return f"the code called sys.exit({'' if error.code is None else repr(error.code)})"
    if isinstance(error, MemoryError) and (limit := exceeded()) is not None:
        return limit
    try:
        message = str(error)
    except Exception as another:  # noqa: BLE001 - third-party exceptions may fail to describe themselves
        message = f"(its message raises {type(another).__name__})"
    return f"{type(error).__name__}: {message[:LONGEST]}" if message else type(error).__name__


def printable(reason: str) -> str:
    """A reason with escapes for what databases and terminals refuse: halves of characters, and null characters."""
    return reason.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


@dataclass(frozen=True)
class Deadline:
    """The time limit of one candidate.

    Attributes:
        seconds: the limit.
        started: start time, on the clock of ``time.perf_counter``.
    """

    seconds: float
    started: float = field(default_factory=time.perf_counter)

    @property
    def left(self) -> float:
        """Remaining seconds; negative after the limit."""
        return self.started + self.seconds - time.perf_counter()

    def check(self) -> None:
        """Raises TransientFailure if the limit has passed."""
        if self.left <= 0.0:
            raise TransientFailure(f"the time limit of {self.seconds:g} s per candidate was exceeded")
