"""Proposes the next candidates of a campaign, and says what a model of its values expects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from invdesign.campaign.censoring import imputed
from invdesign.campaign.changes import note_changes
from invdesign.campaign.expectation import Expectation, demanded
from invdesign.campaign.in_flight import Proposal, arrived_since, note_proposal
from invdesign.campaign.measurements import ABOVE, BELOW
from invdesign.campaign.reading import Reading, of_one_moment
from invdesign.campaign.schema import INITIAL, PENDING
from invdesign.campaign.stop import largest_chance
from invdesign.campaign.store import DONE, Store
from invdesign.campaign.why import why
from invdesign.campaign.workers import Worker
from invdesign.core.threads import single_blas_thread
from invdesign.optimizers.base import History, Optimizer, for_budget
from invdesign.optimizers.deduplication import apart
from invdesign.optimizers.initial_design import initial_design
from invdesign.space import SearchSpace
from invdesign.space.rounding import RESOLUTION, rounded
from invdesign.surrogates.base import Surrogate
from invdesign.targets import Targets

BUDGET = "budget"
"""Name of the fact with the number of evaluations that the first run was given: the optimizer's settings may depend on
it, and must not change when the campaign goes on."""


class Proposing(Reading):
    """What to evaluate next, from the values in a store.

    Args:
        space: the search space.
        targets: the targets.
        store: the proposed candidates and their values.
        optimizer: how candidates are proposed.
        seed: random seed; the same seed and values give the same candidates.
        initial: number of candidates of the initial design.
    """

    def __init__(
        self, space: SearchSpace, targets: Targets, store: Store, *, optimizer: Optimizer, seed: int, initial: int
    ) -> None:
        super().__init__(space, targets, store)
        self.optimizer = optimizer
        self.seed = seed
        self.initial = initial
        self._kept: tuple[object, Expectation | None] | None = None

    def expectation(self) -> Expectation | None:
        """A model of all values: that of the optimizer, or a Gaussian process. It is kept until there are new values.

        None if a property of the targets has fewer than three values.
        """
        with self.store.snapshot():
            state = (self.store.revision, repr(self.targets), repr(self._surrogate))
            if self._kept is None or self._kept[0] != state:
                history, targets = self._uncensored(self.history()), self.targets.in_units(self.units)
                self._kept = state, Expectation.fitted(self._surrogate, history, self.space.columns, targets)
        return self._kept[1]

    def model(self) -> Surrogate:
        """The surrogate that is fitted to all values, as ``predict`` and ``why`` use it; see ``save_surrogate``.

        Raises:
            InputError: if there are fewer than three values of a property.
        """
        return demanded(self.expectation()).surrogate

    def predict(self, candidates: pd.DataFrame) -> pd.DataFrame:
        """What the model expects of any candidates, such as those that somebody else proposes.

        Args:
            candidates: one row each, as the space or a user writes them.

        Returns:
            Means, 90 % ranges, the chance to meet each target and the ``distance`` to the data; see ``Expectation.of``.

        Raises:
            InputError: if a candidate is not in the space, or there are fewer than three values of a property.
        """
        written = self.space.canonical(candidates)
        self.space.encode(written)
        return demanded(self.expectation()).of(written[list(self.space.names)])

    @of_one_moment
    def why(self, batch: pd.DataFrame, expectation: Expectation | None) -> list[str]:
        """Why each candidate of a batch was proposed; see ``invdesign.campaign.why``.

        Args:
            batch: as ``ask`` and ``pending`` return it.
            expectation: as ``expectation`` returned it before the batch.
        """
        measured = self._valued()
        origins = [str(self.store.columns().about["origin"].array()[number]) for number in batch.index]
        return why(batch, expectation, space=self.space, measured=measured, origins=origins)

    def chance_left(self) -> float | None:
        """The largest chance of any candidate left to be a gain, by the model; see ``stop.largest_chance``.

        None if a property of the targets has fewer than three values.
        """
        expectation = self.expectation()
        if expectation is None:
            return None
        return largest_chance(expectation, self.space, self.history(), self.best(len(self.finished())))

    def _propose(
        self,
        n: int,
        worker: Worker,
        *,
        held: int | None = None,
        by_hand: SearchSpace | None = None,
        arrivals: Sequence[int] | None = None,
        before_commit: Callable[[pd.DataFrame], None] | None = None,
    ) -> pd.DataFrame | None:
        """Proposes and stores candidates, or waits for its turn and returns None if another process was faster.

        The store is not locked while the optimizer computes, which may take minutes: other processes go on storing
        results and renewing leases. A proposal is stored only if no other was stored since its history was read. After
        one that came too late this process is the next to propose, so that none is too late every time.
        """
        note_changes(self.store, targets=self.targets, optimizer=self.optimizer)
        with self.store.snapshot():
            history = self._uncensored(self.history())
            if by_hand is not None:
                history = replace(history, resolution=RESOLUTION)
            candidates, origins = self._proposals(n, history, by_hand or self.space)
            if by_hand is not None:
                candidates = apart(by_hand, candidates, history, self.seed)
                candidates = rounded(by_hand, candidates, history.proposed)
            if arrivals is not None:
                based_on = Proposal(history.count, len(candidates), arrived_since(self.store, arrivals))
                before_commit = partial(_note, self.store, based_on)
        stored = self.store.propose(
            candidates, origins=origins, after=history.count, worker=worker, held=held, before_commit=before_commit
        )
        if stored is None:
            self.store.turn(worker)
        return stored

    def _proposals(self, n: int, history: History, space: SearchSpace) -> tuple[pd.DataFrame, list[str]]:
        """The next candidates and the origin of each: first the rest of the initial design, then the optimizer's."""
        parts: list[pd.DataFrame] = [history.candidates.iloc[:0]]
        origins: list[str] = []
        optimizer = for_budget(self.optimizer, self.store.facts().get(BUDGET))
        while len(origins) < n:
            first = history.count < self.initial
            proposer = initial_design(optimizer) if first else optimizer
            left = n - len(origins)
            with single_blas_thread():  # the same candidates with however many threads
                found = proposer.propose(
                    min(left, self.initial - history.count) if first else left,
                    space=space,
                    targets=self._search_targets(),
                    history=history,
                    seed=np.random.SeedSequence(self.seed),
                )
            parts.append(found)
            origins += [INITIAL if first else type(proposer).__name__] * len(found)
            if not first or found.empty:
                break
            history = history.with_pending(found, given=True)
        return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True), origins

    def _search_targets(self) -> Targets:
        """The targets in the units of the store, as the optimizer sees them."""
        targets = self.targets.in_units(self.units)
        asks = any(target.min_probability is not None for target in targets)
        return targets.for_search(self._spreads(self.store.columns().in_state(DONE))) if asks else targets

    @property
    def _surrogate(self) -> Surrogate:
        """The settings of the model: that of the optimizer, or a Gaussian process."""
        from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess

        surrogate: Surrogate | None = getattr(self.optimizer, "surrogate", None)
        return surrogate or GaussianProcess()

    @of_one_moment
    def _uncensored(self, history: History) -> History:
        """The history with what censored values are expected to be; see ``censoring.imputed``."""
        columns = self.store.columns()
        valued = ~(columns.in_state(PENDING) | columns.withdrawn() | self._outside())
        below, above = (self._limits(valued, end).reset_index(drop=True) for end in (BELOW, ABOVE))
        if below.empty and above.empty:
            return history
        return imputed(history, below, above, self._surrogate, self.space.columns)


def _note(store: Store, based_on: Proposal, _: pd.DataFrame) -> None:
    """Notes what candidates are based on while they are stored."""
    note_proposal(store, based_on)
