"""The contract of an optimizer, as a test that any class can run."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from invdesign.campaign.identity import described
from invdesign.optimizers.base import History, Optimizer, optimizer_problems
from invdesign.space import Categorical, Continuous, Integer, SearchSpace
from invdesign.targets import AtLeast, Between, Maximize, Minimize, Targets

SEED = 11
BATCH = 3


def check_optimizer(optimizer: Optimizer, *, spaces: Callable[[], dict[str, SearchSpace]] | None = None) -> None:
    """Checks that an optimizer keeps to the contract; raises AssertionError with what it does not keep.

    It proposes feasible, new candidates in every space and for every kind of target; is a function of its seed and the
    history, also in batches, with pending and failed candidates, and without touching the global random states; ends
    a finite space; and is a dataclass, so that a campaign file can name it and a store can tell it from another.

    Args:
        optimizer: with its settings.
        spaces: search spaces to try, by name; numbers, a mix with a constraint, and a small finite one if None.
    """
    settings: Any = optimizer  # the protocol does not say that it is a dataclass
    assert dataclasses.is_dataclass(settings), "An optimizer is a dataclass: its fields are what a file may say."
    assert described(optimizer)["type"] == type(optimizer).__name__
    for name, space in (spaces or _spaces)().items():
        if optimizer_problems(optimizer, space):
            continue
        for kind, targets in _TARGETS.items():
            _check_search(optimizer, space, targets, f"{name}, {kind}")
    _check_finite(optimizer)
    _check_global_state(optimizer)


_TARGETS = {
    "a window": Targets(Between("f", 0.4, 0.6)),
    "maximized": Targets(Maximize("f")),
    "a bound and a minimum": Targets(AtLeast("f", 0.3), Minimize("g")),
    "two optimized properties": Targets(Maximize("f"), Minimize("g")),
}


def _spaces() -> dict[str, SearchSpace]:
    return {
        "numbers": SearchSpace(x=Continuous(0, 1), y=Continuous(-5, 5)),
        "mixed": SearchSpace(
            {"x": Continuous(0, 1), "n": Integer(1, 9), "c": Categorical(["a", "b", "c"])},
            constraints=["x * n <= 5"],
        ),
    }


def _values(candidates: pd.DataFrame, space: SearchSpace) -> pd.DataFrame:
    """Two smooth properties of a candidate's point in the unit cube."""
    points = space.encode(candidates)
    values = {"f": np.exp(-((points - 0.6) ** 2).sum(axis=1)), "g": points.sum(axis=1)}
    return pd.DataFrame(values, index=candidates.index)


def _proposed(optimizer: Optimizer, n: int, space: SearchSpace, targets: Targets, history: History) -> pd.DataFrame:
    return optimizer.propose(n, space=space, targets=targets, history=history, seed=np.random.SeedSequence(SEED))


def _check_search(optimizer: Optimizer, space: SearchSpace, targets: Targets, where: str) -> None:
    """Five batches, of which the second leaves one candidate pending and the third has one that fails."""
    empty = space.sample(0, np.random.default_rng(SEED))
    candidates, pending, names = empty, empty, list(targets.properties)
    values = pd.DataFrame(columns=names, dtype=float)
    for step in range(5):
        history = History(candidates, values, pending)
        before = history.candidates.copy(), history.properties.copy(), history.pending.copy()
        new = _proposed(optimizer, BATCH, space, targets, history)
        for kept, now in zip(before, (history.candidates, history.properties, history.pending), strict=True):
            assert kept.equals(now), f"{where}: propose changed the history that it was given."
        again = _proposed(optimizer, BATCH, space, targets, history)
        assert new.equals(again), f"{where}: the same seed and history gave other candidates."
        assert list(new.columns) == list(space.names), f"{where}: the columns must be {list(space.names)}."
        assert 1 <= len(new) <= BATCH, f"{where}: {len(new)} candidates instead of {BATCH}."
        assert space.feasible(new).all(), f"{where}: a candidate breaks a constraint or a bound."
        whole = pd.concat([history.proposed, new], ignore_index=True)
        assert not whole.duplicated().any(), f"{where}: a candidate was proposed twice."
        answered = new.iloc[:-1] if step == 1 and len(new) > 1 else new
        found = _values(answered, space)[names]
        if step == 2:
            found.iloc[0] = np.nan
        candidates = pd.concat([candidates, answered], ignore_index=True) if len(candidates) else answered
        values = pd.concat([values, found], ignore_index=True) if len(values) else found
        pending = pd.concat([pending, new.iloc[len(answered) :]], ignore_index=True)


def _check_finite(optimizer: Optimizer) -> None:
    """A finite space is proposed to its end, each candidate once, and then nothing more."""
    space = SearchSpace(c=Categorical(["a", "b", "c", "d"]), n=Integer(1, 2))
    targets = Targets(Maximize("f"))
    candidates = space.sample(0, np.random.default_rng(SEED))
    values = pd.DataFrame(columns=["f"], dtype=float)
    for _ in range(20):
        new = _proposed(optimizer, BATCH, space, targets, History(candidates, values, candidates.iloc[:0]))
        if new.empty:
            break
        candidates = pd.concat([candidates, new], ignore_index=True)
        values = pd.concat([values, _values(new, space)[["f"]]], ignore_index=True)
    assert len(candidates) == 8, f"A space of 8 candidates ended after {len(candidates)}."
    assert not candidates.duplicated().any(), "In a finite space a candidate was proposed twice."


def _check_global_state(optimizer: Optimizer) -> None:
    """The global random states neither change nor matter."""
    space, targets = _spaces()["numbers"], Targets(Maximize("f"))
    done = space.sample(12, np.random.default_rng(SEED))
    history = History(done, _values(done, space)[["f"]], done.iloc[:0])
    before: Any = np.random.get_state()  # noqa: NPY002 - the state that must stay
    python = random.getstate()
    first = _proposed(optimizer, BATCH, space, targets, history)
    assert random.getstate() == python, "propose changed Python's global random state."
    assert _same_state(before), "propose changed numpy's global random state."
    try:
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002 - the candidates must not depend on it
        again = _proposed(optimizer, BATCH, space, targets, history)
    finally:
        random.setstate(python)
        np.random.set_state(before)  # noqa: NPY002
    assert first.equals(again), "The candidates depend on a global random state."


def _same_state(before: Any) -> bool:
    now: Any = np.random.get_state()  # noqa: NPY002
    return bool(np.array_equal(now[1], before[1])) and now[2] == before[2]
