"""Failures of evaluations as a run goes on: shown as they come, and the end of a run that gives nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from invdesign.core.errors import InputError
from invdesign.objectives.base import WRONG_RETURN

SAME = 5
"""Default number of equal failures from the start of a campaign that end its run."""
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


class FailingObjectiveError(InputError):
    """Nothing has succeeded, and evaluations fail for one reason."""


@dataclass(frozen=True)
class Failures:
    """What a run does about failed candidates.

    Attributes:
        stop_after: number of consecutive failures for one reason after which a run ends, if no candidate of the
            campaign has a value; None to go on.
        on_failure: called with the number and the reason of each candidate that has failed.
    """

    stop_after: int | None = SAME
    on_failure: Callable[[int, str], None] | None = None

    def __post_init__(self) -> None:
        if self.stop_after is not None and self.stop_after < 1:
            raise InputError(f"stop_after must be at least 1, or None to go on, not {self.stop_after}.")

    def note(self, numbers: Sequence[int], reasons: Sequence[str | None]) -> None:
        """Passes the reasons of a call on; None is not one."""
        if self.on_failure is not None:
            for number, reason in zip(numbers, reasons, strict=True):
                if reason is not None:
                    self.on_failure(number, reason)

    def check(self, reasons: Sequence[str]) -> None:
        """Ends a run that gives nothing but failures.

        Args:
            reasons: of all candidates of the run so far, in order; all failed, and the campaign has no value.

        Raises:
            FailingObjectiveError: if the last ones failed for one reason, or the objective returned something else
                than its properties.
        """
        if self.stop_after is None or not reasons:
            return
        last = reasons[-self.stop_after :]
        wrong = next((reason for reason in reasons if WRONG_RETURN in reason), None)
        if wrong is None and (len(last) < self.stop_after or len(set(map(kind_of, last))) > 1):
            return
        count = len(reasons) if wrong is not None else len(last)
        failed = "The first evaluation failed" if count == 1 else f"{count} evaluations failed for one reason"
        raise FailingObjectiveError(
            f"{failed}, and none has succeeded: {wrong or last[-1]}. Correct the objective, then run again with "
            "--retry-failed (Campaign.retry_failed). To go on in spite of it, use --stop-after 0 "
            "(Failures(stop_after=None))."
        )


def kind_of(reason: str) -> str:
    """A reason without its numbers, so that those of different candidates are equal."""
    return NUMBER.sub("#", reason)
