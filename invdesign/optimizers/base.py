"""The one interface behind which every optimizer stands, and the history that it learns from."""

from __future__ import annotations

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
    """What a campaign has done so far, in the order in which candidates were proposed.

    Attributes:
        candidates: evaluated candidates, one row each, numbered from 0.
        properties: their property values, same rows; NaN if the evaluation gave none.
        pending: proposed candidates without a result yet.
        own: which rows of ``proposed`` the asked optimizer itself proposed, where several share a campaign; None where
            that is not known. Only an optimizer whose candidates move on from its own last ones needs it.
        given: which rows of ``proposed`` no optimizer chose: those of the initial design and of a laboratory; None
            where that is not known.
    """

    candidates: pd.DataFrame
    properties: pd.DataFrame
    pending: pd.DataFrame
    own: NDArray[np.bool_] | None = None
    given: NDArray[np.bool_] | None = None

    @property
    def proposed(self) -> pd.DataFrame:
        """All candidates that were ever proposed."""
        return pd.concat([self.candidates, self.pending], ignore_index=True)

    @property
    def count(self) -> int:
        """How many candidates were ever proposed."""
        return len(self.candidates) + len(self.pending)


@runtime_checkable
class Optimizer(Protocol):
    """Proposes candidates. A function of its seed and the history: it keeps no state of its own.

    An optimizer that a campaign file can name is a frozen dataclass: its fields are what the file may say.
    """

    def propose(
        self, n: int, *, space: SearchSpace, targets: Targets, history: History, seed: np.random.SeedSequence
    ) -> pd.DataFrame:
        """Proposes candidates to evaluate next.

        Args:
            n: how many.
            space: what can be searched.
            targets: what is wanted, in the units of the property values.
            history: what was evaluated and what is pending.
            seed: the campaign's; the same seed and history give the same candidates.

        Returns:
            At most ``n`` feasible candidates, none of which was proposed before; fewer where the space has no more.
        """


@runtime_checkable
class Checked(Protocol):
    """An optimizer whose settings may not fit a space."""

    def check(self, space: SearchSpace) -> list[str]:
        """Says what does not fit, before anything is evaluated; empty if all does."""


def optimizer_problems(optimizer: Optimizer, space: SearchSpace) -> list[str]:
    """Says what of an optimizer's settings does not fit a space."""
    return optimizer.check(space) if isinstance(optimizer, Checked) else []


@runtime_checkable
class TakesSurrogate(Protocol):
    """An optimizer that hands a surrogate on to optimizers of its own."""

    def with_surrogate(self, surrogate: Surrogate) -> Optimizer:
        """Returns the optimizer with this surrogate."""


def with_surrogate(optimizer: Optimizer, surrogate: Surrogate) -> Optimizer:
    """Returns the optimizer with a surrogate where it uses one: it has a field of that name, or takes one."""
    if isinstance(optimizer, TakesSurrogate):
        return optimizer.with_surrogate(surrogate)
    has_field = any(name == "surrogate" for name in getattr(optimizer, "__dataclass_fields__", ()))
    return replace(optimizer, surrogate=surrogate) if has_field else optimizer  # type: ignore[type-var]


def run_generator(seed: np.random.SeedSequence) -> np.random.Generator:
    """The randomness that all proposals of a campaign share; the same at every call.

    A fresh sequence each time, for whoever spawns generators from the given one would change it for the next.
    """
    return np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key))


def step_generator(seed: np.random.SeedSequence, history: History) -> np.random.Generator:
    """The randomness of one proposal: the campaign's seed, spawned by how many candidates were proposed before."""
    return np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, history.count)))


def without_duplicates(candidates: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """Drops candidates that were seen before, and repeats among them; the order of the rest is kept."""
    names = list(candidates.columns)
    if len(names) == 1:  # a pool may hold a million
        column = candidates[names[0]]
        fresh = ~column.duplicated() & ~column.isin(seen[names[0]] if len(seen) else [])
        return candidates[fresh.to_numpy()].reset_index(drop=True)
    known = set(seen[names].itertuples(index=False, name=None)) if len(seen) else set()
    kept = []
    for row in candidates.itertuples(index=False, name=None):
        kept.append(row not in known)
        known.add(row)
    return candidates[np.array(kept, dtype=bool)].reset_index(drop=True)
