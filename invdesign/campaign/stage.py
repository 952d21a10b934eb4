"""A stage: a truer objective that verifies what a search finds, once at its end or round by round."""

from __future__ import annotations

from dataclasses import dataclass

from invdesign.core.errors import InputError
from invdesign.objectives.base import Objective


@dataclass(frozen=True)
class Stage:
    """A verifying objective.

    Attributes:
        name: under which its values are kept.
        objective: the truer source of values.
        top: how many of the best candidates it evaluates: once, or in each round.
        rounds: how often the search stops to have its best candidates verified and its values corrected by what came
            back; 1 for once, at the end, without a correction.

    Raises:
        InputError: where top or rounds is less than 1.
    """

    name: str
    objective: Objective
    top: int
    rounds: int = 1

    def __post_init__(self) -> None:
        if self.top < 1 or self.rounds < 1:
            raise InputError(f"A stage needs top and rounds of at least 1, not {self.top} and {self.rounds}.")


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
