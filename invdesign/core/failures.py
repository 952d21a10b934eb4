"""Why a calculation gives no value: reasons that become a candidate's, and the time limit behind one of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


class CandidateFailure(Exception):  # noqa: N818 - no fault of the program: a result of this candidate
    """A candidate that the protocol cannot treat; the message is its reason."""


class TransientFailure(CandidateFailure):
    """A failure that is not cached: with more time, or a calculator that works again, there is a value."""


@dataclass(frozen=True)
class Deadline:
    """The time that one candidate may take.

    Attributes:
        seconds: the limit.
        started: when the candidate began, on the clock of ``time.perf_counter``.
    """

    seconds: float
    started: float = field(default_factory=time.perf_counter)

    @property
    def left(self) -> float:
        """Seconds left; below zero where the limit has passed."""
        return self.started + self.seconds - time.perf_counter()

    def check(self) -> None:
        """Raises TransientFailure where the limit has passed."""
        if self.left <= 0.0:
            raise TransientFailure(f"the time limit of {self.seconds:g} s a candidate has passed")
