"""The interface of all optimizers, and the history that they learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from invdesign.space import SearchSpace
from invdesign.targets import Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.surrogates.base import Surrogate


@dataclass(frozen=True)
class History:
    """The evaluated and pending candidates of a campaign, in the order in which they were proposed.

    Attributes:
        candidates: evaluated candidates, one row each, numbered from 0.
        properties: their property values, same rows; NaN if the evaluation gave none.
        pending: proposed candidates without a result yet.
        own: which rows of ``proposed`` the optimizer itself proposed, if several share a campaign; None if
            unknown. Only an optimizer whose candidates move from its own last ones needs it.
        given: which rows of ``proposed`` were not chosen by an optimizer, but by the initial design or a laboratory;
            None if unknown.
        as_proposed: returns candidates with the values that were proposed, if these may differ.
        noise_std: known standard deviation of each property value, in its unit, such as the standard error of a mean
            of replicates; rows as ``properties``, any of its columns; NaN where it is unknown. None if none is known.
        resolution: distance in the unit cube at which a laboratory can tell two candidates apart; None if proposals may
            be as near to others as they like.
        outside: results of candidates outside of the space, from which a model may learn; None if there are none.
        failures: which rows of ``candidates`` have a reason why values are missing, so that some of their properties
            failed; other missing values were never evaluated. None if unknown.
    """

    candidates: pd.DataFrame
    properties: pd.DataFrame
    pending: pd.DataFrame
    own: NDArray[np.bool_] | None = None
    given: NDArray[np.bool_] | None = None
    as_proposed: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    noise_std: pd.DataFrame | None = None
    outside: History | None = None
    resolution: float | None = None
    failures: NDArray[np.bool_] | None = None

    @property
    def proposed(self) -> pd.DataFrame:
        """All proposed candidates, with the values that were proposed: nothing is proposed again within a step."""
        return pd.concat([self.evaluated, self.pending], ignore_index=True)

    @property
    def evaluated(self) -> pd.DataFrame:
        """The evaluated candidates, with the values that were proposed."""
        return self.candidates if self.as_proposed is None else self.as_proposed(self.candidates)

    @property
    def count(self) -> int:
        """Number of proposed candidates."""
        return len(self.candidates) + len(self.pending) + (0 if self.outside is None else self.outside.count)

    def with_outside(self) -> History:
        """The history with the results outside of the space after its own, for a model."""
        if self.outside is None or self.outside.candidates.empty:
            return self
        parts = (self, self.outside)
        noises = [
            pd.DataFrame(np.nan, part.properties.index, part.properties.columns)
            if part.noise_std is None
            else part.noise_std
            for part in parts
        ]
        given, count = self.given, len(self.candidates)
        more = np.ones(len(self.outside.candidates), dtype=bool)
        return replace(
            self,
            candidates=pd.concat([part.candidates for part in parts if len(part.candidates)], ignore_index=True),
            properties=pd.concat([part.properties for part in parts if len(part.properties)], ignore_index=True),
            given=None if given is None else np.concatenate([given[:count], more, given[count:]]),
            noise_std=None
            if all(part.noise_std is None for part in parts)
            else pd.concat([noise for noise in noises if len(noise)], ignore_index=True),
            outside=None,
            failures=None
            if all(part.failures is None for part in parts)
            else np.concatenate(
                [np.zeros(len(one.candidates), dtype=bool) if one.failures is None else one.failures for one in parts]
            ),
        )

    def with_pending(self, candidates: pd.DataFrame, *, given: bool) -> History:
        """The history after further proposals.

        Args:
            candidates: the proposals, one row each.
            given: whether they were not chosen by an optimizer.
        """
        more = np.full(len(candidates), given)
        return replace(
            self,
            pending=pd.concat([self.pending, candidates], ignore_index=True) if self.count else candidates,
            given=None if self.given is None else np.concatenate([self.given, more]),
        )


@runtime_checkable
class Optimizer(Protocol):
    """Proposes candidates, as a function of its seed and the history, without state.

    An optimizer of a campaign file is a frozen dataclass; its fields are its settings.
    """

    def propose(
        self, n: int, *, space: SearchSpace, targets: Targets, history: History, seed: np.random.SeedSequence
    ) -> pd.DataFrame:
        """Proposes candidates to evaluate next.

        Args:
            n: number of candidates.
            space: the search space.
            targets: in the units of the property values.
            history: evaluated and pending candidates.
            seed: the campaign's; the same seed and history give the same candidates.

        Returns:
            At most ``n`` feasible candidates, none of which was proposed before; fewer if the space has no more.
        """


@runtime_checkable
class Checked(Protocol):
    """An optimizer whose settings may not fit a space."""

    def check(self, space: SearchSpace) -> list[str]:
        """Problems with a space, before anything is evaluated; empty if there are none."""


def optimizer_problems(optimizer: Optimizer, space: SearchSpace) -> list[str]:
    """Problems of an optimizer's settings with a space."""
    return optimizer.check(space) if isinstance(optimizer, Checked) else []


@runtime_checkable
class Remarked(Protocol):
    """An optimizer of which something is to be known before a run."""

    @property
    def remarks(self) -> list[str]:
        """One sentence for each; empty if there is nothing."""


def optimizer_remarks(optimizer: Optimizer | None) -> list[str]:
    """What is to be known of an optimizer before a run, such as a model that is trained first."""
    return optimizer.remarks if isinstance(optimizer, Remarked) else []


@runtime_checkable
class Budgeted(Protocol):
    """An optimizer whose settings depend on how many candidates a campaign evaluates."""

    def for_budget(self, evaluations: int) -> Optimizer:
        """Returns the optimizer for a total number of evaluations."""


def for_budget(optimizer: Optimizer, evaluations: int | None) -> Optimizer:
    """Returns the optimizer for a number of evaluations; unchanged if that is unknown, or does not matter to it."""
    return optimizer.for_budget(evaluations) if isinstance(optimizer, Budgeted) and evaluations else optimizer


@runtime_checkable
class TakesSurrogate(Protocol):
    """An optimizer that passes a surrogate on to its members."""

    def with_surrogate(self, surrogate: Surrogate) -> Optimizer:
        """Returns the optimizer with this surrogate."""


def with_surrogate(optimizer: Optimizer, surrogate: Surrogate) -> Optimizer:
    """Returns the optimizer with a surrogate if it uses one: it has a field of that name, or passes it on."""
    if isinstance(optimizer, TakesSurrogate):
        return optimizer.with_surrogate(surrogate)
    has_field = any(name == "surrogate" for name in getattr(optimizer, "__dataclass_fields__", ()))
    return replace(optimizer, surrogate=surrogate) if has_field else optimizer  # type: ignore[type-var]


def run_generator(seed: np.random.SeedSequence) -> np.random.Generator:
    """The generator that all proposals of a campaign share; the same at every call.

    A new sequence each time, because spawning from the given one would change it for the next caller.
    """
    return np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key))


def step_generator(seed: np.random.SeedSequence, history: History) -> np.random.Generator:
    """The generator of one proposal: the campaign's seed, spawned by the number of earlier proposals."""
    return np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, history.count)))
