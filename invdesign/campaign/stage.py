"""A stage: a more accurate objective that verifies the best candidates of a search, once at the end or in rounds."""

from __future__ import annotations

from invdesign.core.errors import InputError
from invdesign.core.settings import bounded, settings
from invdesign.objectives.base import Objective


@settings
class Stage:
    """A verifying objective.

    Raises:
        InputError: if top or rounds is less than 1.
    """

    name: str
    """Name under which its values are stored."""
    objective: Objective
    """The more accurate source of values."""
    top: int = bounded(ge=1)
    """Number of the best candidates that it evaluates: once, or in each round."""
    rounds: int = bounded(default=1, ge=1)
    """How often the search stops to verify its best candidates and to correct its values with the results; 1 for
    once, at the end, without a correction."""


def due_counts(evaluations: int, *, initial: int, rounds: int) -> list[int]:
    """Number of proposals after which each round is due: equal shares of those after the initial design.

    Raises:
        InputError: if there are fewer of them than rounds.
    """
    searched = evaluations - initial
    if searched < rounds:
        raise InputError(
            f"{rounds} rounds need at least {rounds} evaluations after the {initial} initial ones, not {searched}."
        )
    return [initial + searched * number // rounds for number in range(1, rounds + 1)]
