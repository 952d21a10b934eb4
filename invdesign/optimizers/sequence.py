"""Sequence: one optimizer after another, such as a careful one first and a fast one for the rest of a large budget."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from invdesign.core.errors import InputError
from invdesign.core.plugins import ByWord
from invdesign.core.settings import settings
from invdesign.optimizers.base import (
    History,
    Optimizer,
    for_budget,
    optimizer_problems,
    optimizer_remarks,
    with_surrogate,
)
from invdesign.optimizers.bayesian.optimizer import BayesianOptimizer
from invdesign.optimizers.initial_design import initial_design
from invdesign.optimizers.population.genetic import GeneticOptimizer
from invdesign.space import SearchSpace
from invdesign.surrogates.base import Surrogate
from invdesign.targets import Targets


def _members() -> tuple[Optimizer, ...]:
    return (BayesianOptimizer(), GeneticOptimizer())


@settings
class SequenceOptimizer:
    """Runs optimizers one after another; each learns from all that was evaluated before it.

    A Bayesian search needs the fewest evaluations, but the time that it takes for a proposal grows with them; where
    evaluations are cheap, a genetic algorithm that begins with what it found makes use of the many that are left.

    Raises:
        InputError: if there are not as many numbers of evaluations as changes of the optimizer, or they do not rise.
    """

    members: Annotated[
        tuple[Annotated[Optimizer, ByWord("optimizer")], ...], Field(min_length=2, default_factory=_members)
    ]
    """The optimizers, in order; in a file each by its type or as a mapping with its settings."""
    after: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(default=(1000,))]
    """How many candidates the optimizers before each further one propose, the initial design included."""

    def __post_init__(self) -> None:
        if len(self.after) != len(self.members) - 1 or list(self.after) != sorted(set(self.after)):
            raise InputError(
                f"'after' is {list(self.after)}, but it must have one number fewer than there are optimizers "
                f"({len(self.members)}), in rising order: after how many candidates each but the first takes over."
            )

    @property
    def initial_design(self) -> Optimizer:
        """That of the first member."""
        return initial_design(self.members[0])

    def check(self, space: SearchSpace) -> list[str]:
        """Problems of the members' settings with a space."""
        return [problem for member in self.members for problem in optimizer_problems(member, space)]

    @property
    def remarks(self) -> list[str]:
        """What is to be known of the members before a run."""
        return [remark for member in self.members for remark in optimizer_remarks(member)]

    def with_surrogate(self, surrogate: Surrogate) -> SequenceOptimizer:
        """Returns the sequence with a surrogate for every member that uses one."""
        return replace(self, members=tuple(with_surrogate(member, surrogate) for member in self.members))

    def for_budget(self, evaluations: int) -> SequenceOptimizer:
        """Returns the sequence with every member for the total number of evaluations."""
        return replace(self, members=tuple(for_budget(member, evaluations) for member in self.members))

    def propose(
        self, n: int, *, space: SearchSpace, targets: Targets, history: History, seed: np.random.SeedSequence
    ) -> pd.DataFrame:
        """Proposes candidates of the member whose turn it is; see ``Optimizer.propose``.

        A batch comes from one member: that one whose turn its first candidate is.
        """
        place = int(np.searchsorted(self.after, history.count, side="right"))
        return self.members[place].propose(n, space=space, targets=targets, history=history, seed=seed)
