"""Portfolio: several optimizers on one budget, of which those that pay get more."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from invdesign.core.errors import InputError
from invdesign.optimizers.base import History, Optimizer, run_generator
from invdesign.optimizers.deduplication import completed, joined
from invdesign.optimizers.fidelity import at_target_fidelity
from invdesign.optimizers.population.fitness import Fitness
from invdesign.space import SearchSpace
from invdesign.surrogates.base import Surrogate
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.targets import Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

FADING = 0.98
"""Weight of a reward for each proposal that has passed since, so that a member may pay early and not late."""


@dataclass(frozen=True)
class PortfolioOptimizer:
    """Runs several optimizers on one budget and shifts it to those that pay.

    Each proposal goes to one member by Thompson's rule (1933, doi:10.1093/biomet/25.3-4.285): for every member a
    chance of progress is drawn from what is known of it (a beta distribution of its progress and lack of it, older ones
    counting less), and the largest draw proposes. Progress is a further candidate that meets every target, or, with
    directions and while none is met, one that no earlier candidate equals.

    Nobody notes who proposed which candidate, so the decisions are made again, in order, from the seed and the values:
    that of proposal ``k`` uses only the values of proposals before ``k - lag``. They are the same as when they were
    made as long as at most ``lag`` proposals were without a value at any time; where a batch was larger, some progress
    is put down to another member, and the proposals still depend on nothing but the seed and the history. Candidates
    of the initial design and of a laboratory are nobody's progress, where the history tells them.

    Attributes:
        members: words of optimizers, as a campaign file names them.
        lag: proposals that may be without a value; at least the size of a batch.
        surrogate: the model of the properties, for members that use one.

    Raises:
        InputError: where a member is unknown or named twice.
    """

    members: tuple[str, ...] = ("bayesian", "genetic", "particle-swarm")
    lag: int = 16
    surrogate: Surrogate = field(default_factory=GaussianProcess)

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", tuple(self.members))
        if not self.members or len(set(self.members)) < len(self.members):
            raise InputError(f"A portfolio needs one member or more, each once, not {list(self.members)}.")
        if "portfolio" in self.members:
            raise InputError("A portfolio cannot be a member of a portfolio.")
        if self.lag < 1:
            raise InputError(f"lag is a number of proposals, at least 1, not {self.lag}.")
        _ = self._built()

    def propose(
        self, n: int, *, space: SearchSpace, targets: Targets, history: History, seed: np.random.SeedSequence
    ) -> pd.DataFrame:
        """Has the members propose whose turn it is; see ``Optimizer.propose``."""
        # A value at a cheaper fidelity is no progress: it meets no target.
        counting = history.properties.copy()
        counting.loc[~at_target_fidelity(space, history.candidates)] = np.nan
        progress = Fitness.of(counting, targets).progress()
        given = np.zeros(history.count, dtype=bool) if history.given is None else history.given
        turns = self._turns(history.count + n, progress, run_generator(seed), given=given)
        chosen = history.candidates[list(space.names)].iloc[:0]
        places: list[int] = []
        for place, member in enumerate(self._built()):
            mine = np.flatnonzero(turns[history.count :] == place)
            if len(mine):
                # The first ones belong to all: they are mostly the initial design, which any swarm may start from.
                own = (turns[: history.count] == place) | (np.arange(history.count) < self.lag)
                own = np.concatenate([own, np.zeros(len(chosen), dtype=bool)])
                known = replace(history, pending=joined(history.pending, chosen), own=own, given=None)
                key = (*seed.spawn_key, place)
                own_seed = np.random.SeedSequence(seed.entropy, spawn_key=key)
                made = member.propose(len(mine), space=space, targets=targets, history=known, seed=own_seed)
                chosen = joined(chosen, made)
                places += mine[: len(made)].tolist()
        # Each stands where its member's turn is, for the turns tell later who proposed it.
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
        """Which member makes each of ``count`` proposals, by its place; for those that are given it means nothing."""
        from scipy.special import betaincinv

        chances = rng.random((count, len(self.members)))
        turns = np.zeros(count, dtype=np.int64)
        gained, lost = np.ones(len(self.members)), np.ones(len(self.members))
        for row in range(count):
            told = row - self.lag - 1
            if 0 <= told < len(progress) and not (given is not None and given[told]):
                gained, lost = 1.0 + FADING * (gained - 1.0), 1.0 + FADING * (lost - 1.0)
                (gained if progress[told] else lost)[turns[told]] += 1.0
            turns[row] = int(np.argmax(betaincinv(gained, lost, chances[row])))
        return turns

    def _built(self) -> list[Optimizer]:
        from invdesign.campaign_file.registry import builder

        built: list[Optimizer] = []
        for word in self.members:
            member = builder("optimizer", word)()
            if is_dataclass(member) and any(entry.name == "surrogate" for entry in fields(member)):
                member = replace(member, surrogate=self.surrogate)  # type: ignore[type-var]
            built.append(member)
        return built
