"""Why a molecule has no redox potential: reasons that become a candidate's, and the clock behind one of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


class MoleculeFailure(Exception):  # noqa: N818 - no fault of the program: a result of this molecule
    """A molecule that the protocol cannot treat; the message is the candidate's reason."""


class TimeUp(MoleculeFailure):
    """The time limit has passed. Unlike other failures it is not kept: a longer limit may find the value."""


@dataclass(frozen=True)
class Deadline:
    """The time that one molecule may take.

    Attributes:
        seconds: the limit.
        started: when the molecule began, on the clock of ``time.perf_counter``.
    """

    seconds: float
    started: float = field(default_factory=time.perf_counter)

    @property
    def left(self) -> float:
        """Seconds left; below zero where the limit has passed."""
        return self.started + self.seconds - time.perf_counter()

    def check(self) -> None:
        """Raises TimeUp where the limit has passed."""
        if self.left <= 0.0:
            raise TimeUp(f"the time limit of {self.seconds:g} s a molecule has passed")
