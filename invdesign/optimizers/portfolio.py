"""Portfolio: several optimizers share one budget, and the successful ones get more of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from invdesign.core.errors import InputError
from invdesign.core.plugins import ByWord
from invdesign.core.settings import bounded, settings
from invdesign.optimizers.base import (
    History,
    Optimizer,
    optimizer_problems,
    optimizer_remarks,
    run_generator,
    with_surrogate,
)
from invdesign.optimizers.bayesian.optimizer import BayesianOptimizer
from invdesign.optimizers.deduplication import completed, joined
from invdesign.optimizers.fidelity import at_target_fidelity
from invdesign.optimizers.population.fitness import Fitness
from invdesign.optimizers.population.genetic import GeneticOptimizer
from invdesign.optimizers.population.particle_swarm import ParticleSwarmOptimizer
from invdesign.space import SearchSpace
from invdesign.surrogates.base import Surrogate
from invdesign.targets import Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

FADING = 0.98
"""Discount of a reward per later proposal, so that recent success counts more."""


def _members() -> tuple[Optimizer, ...]:
    return (BayesianOptimizer(), GeneticOptimizer(), ParticleSwarmOptimizer())


@settings
class PortfolioOptimizer:
    """Runs several optimizers on one budget and shifts it to the successful ones.

    Each proposal goes to one member by Thompson's rule (1933, doi:10.1093/biomet/25.3-4.285): for every member a
    probability of progress is drawn from a beta distribution of its successes and failures (older ones
    counting less), and the member with the largest draw proposes. Progress is a further candidate that meets every
    target, or, with directions and while none is met, one that no earlier candidate equals.

    The store does not record which member proposed a candidate, so the decisions are repeated, in order, from the
    seed and values: that of proposal ``k`` uses only the values of proposals before ``k - lag``. They are the same as
    when they were made as long as at most ``lag`` proposals were without a value at any time; where a batch was
    larger, some progress is attributed to another member, and the proposals still depend only on the seed and the
    history. Candidates of the initial design and of a laboratory are not attributed to any member, if the history
    marks them.

    Raises:
        InputError: if a member is unknown or named twice.
    """

    members: Annotated[
        tuple[Annotated[Optimizer, ByWord("optimizer")], ...], Field(min_length=1, default_factory=_members)
    ]
    """The optimizers; in a file each by its type or as a mapping with its settings."""
    lag: int = bounded(default=16, ge=1)
    """Number of proposals that may be without a value; at least the size of a batch."""

    def __post_init__(self) -> None:
        if any(isinstance(member, PortfolioOptimizer) for member in self.members):
            raise InputError("A portfolio cannot be a member of a portfolio. List its members instead.")
        repeated = next((member for place, member in enumerate(self.members) if member in self.members[:place]), None)
        if repeated is not None:
            raise InputError(
                f"The portfolio has the member {repeated!r} twice. Use different settings, or list it once."
            )

    def check(self, space: SearchSpace) -> list[str]:
        """Problems of the members' settings with a space."""
        return [problem for member in self.members for problem in optimizer_problems(member, space)]

    @property
    def remarks(self) -> list[str]:
        """What is to be known of the members before a run."""
        return [remark for member in self.members for remark in optimizer_remarks(member)]

    def with_surrogate(self, surrogate: Surrogate) -> PortfolioOptimizer:
        """Returns the portfolio with a surrogate for every member that uses one."""
        return replace(self, members=tuple(with_surrogate(member, surrogate) for member in self.members))

    def propose(
        self, n: int, *, space: SearchSpace, targets: Targets, history: History, seed: np.random.SeedSequence
    ) -> pd.DataFrame:
        """Proposes candidates of the selected members; see ``Optimizer.propose``."""
        # A value at a lower fidelity is not progress: it does not count for targets.
        counting = history.properties.copy()
        counting.loc[~at_target_fidelity(space, history.candidates)] = np.nan
        progress = Fitness.of(counting, targets).progress()
        given = np.zeros(history.count, dtype=bool) if history.given is None else history.given
        turns = self._turns(history.count + n, progress, run_generator(seed), given=given)
        chosen = history.candidates[list(space.names)].iloc[:0]
        places: list[int] = []
        for place, member in enumerate(self.members):
            mine = np.flatnonzero(turns[history.count :] == place)
            if len(mine):
                # The first ones belong to all members: they are mostly the initial design, from which any swarm may
                # start.
                own = (turns[: history.count] == place) | (np.arange(history.count) < self.lag)
                own = np.concatenate([own, np.zeros(len(chosen), dtype=bool)])
                known = replace(history, pending=joined(history.pending, chosen), own=own, given=None)
                key = (*seed.spawn_key, place)
                own_seed = np.random.SeedSequence(seed.entropy, spawn_key=key)
                made = member.propose(len(mine), space=space, targets=targets, history=known, seed=own_seed)
                chosen = joined(chosen, made)
                places += mine[: len(made)].tolist()
        # Candidates are in the order of the members' turns, which determine later who proposed them.
        chosen = chosen.iloc[np.argsort(places, kind="stable")].reset_index(drop=True)
        return completed(n, chosen, space=space, targets=targets, history=history, seed=seed)

    def _turns(
        self,
        count: int,
        progress: NDArray[np.bool_],
        rng: np.random.Generator,
        *,
        given: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.int64]:
        """The index of the member for each of ``count`` proposals; meaningless for given candidates."""
        from scipy.special import betaincinv

        chances = rng.random((count, len(self.members)))
        turns = np.zeros(count, dtype=np.int64)
        gained, lost = np.ones(len(self.members)), np.ones(len(self.members))
        for row in range(count):
            row_known = row - self.lag - 1
            if 0 <= row_known < len(progress) and not (given is not None and given[row_known]):
                gained, lost = 1.0 + FADING * (gained - 1.0), 1.0 + FADING * (lost - 1.0)
                (gained if progress[row_known] else lost)[turns[row_known]] += 1.0
            turns[row] = int(np.argmax(betaincinv(gained, lost, chances[row])))
        return turns
