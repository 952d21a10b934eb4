"""Why an electrode has no value: reasons that become a candidate's, and the clock behind one of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


class ElectrodeFailure(Exception):  # noqa: N818 - no fault of the program: a result of this candidate
    """An electrode that cannot be treated; the message is the candidate's reason."""


class PassingFailure(ElectrodeFailure):
    """A failure that is not kept on disk: with more time, or a calculator that is in order again, there is a value."""


@dataclass(frozen=True)
class Deadline:
    """The time that one candidate may take.

    Attributes:
        seconds: the limit.
        started: when the candidate began, on the clock of ``time.perf_counter``.
    """

    seconds: float
    started: float = field(default_factory=time.perf_counter)

    def check(self) -> None:
        """Raises PassingFailure where the limit has passed."""
        if time.perf_counter() - self.started >= self.seconds:
            raise PassingFailure(f"the time limit of {self.seconds:g} s a candidate has passed")
