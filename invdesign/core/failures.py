"""Exceptions for candidates without a value, and the time limit of a candidate."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


class CandidateFailure(Exception):  # noqa: N818 - not an error of the program: a result of this candidate
    """The candidate cannot be evaluated; the message is the reason."""


class TransientFailure(CandidateFailure):
    """A failure that is not cached, because another attempt may succeed."""


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
