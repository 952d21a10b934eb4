"""A stage: a truer objective that verifies what a search finds, once at its end or round by round."""

from __future__ import annotations

from invdesign.core.errors import InputError
from invdesign.core.settings import bounded, settings
from invdesign.objectives.base import Objective


@settings
class Stage:
    """A verifying objective.

    Raises:
        InputError: where top or rounds is less than 1.
    """

    name: str
    """Name under which its values are kept."""
    objective: Objective
    """The more accurate source of values."""
    top: int = bounded(ge=1)
    """How many of the best candidates it evaluates: once, or in each round."""
    rounds: int = bounded(default=1, ge=1)
    """How often the search stops to have its best candidates verified and its values corrected by what came back; 1 for
    once, at the end, without a correction."""


def due_counts(evaluations: int, *, initial: int, rounds: int) -> list[int]:
    """After how many proposals each round is due: equal shares of what follows the initial design.

    Raises:
        InputError: where there are fewer of them than rounds.
    """
    searched = evaluations - initial
    if searched < rounds:
        raise InputError(
            f"{rounds} rounds need at least as many evaluations after the {initial} initial ones, not {searched}."
        )
    return [initial + searched * number // rounds for number in range(1, rounds + 1)]
