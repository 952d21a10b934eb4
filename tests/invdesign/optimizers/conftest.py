"""A campaign without a store: proposes, evaluates and remembers, so that a test sees nothing but the optimizer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from invdesign.optimizers import History


def run_search(optimizer, space, targets, function, *, evaluations, batch=1, seed=3, done=None):
    """Candidates and values in the order of proposal; goes on from ``done`` where that is given."""
    if done is None:
        start = space.sample(0, np.random.default_rng(0))
        done = start, pd.DataFrame(columns=list(targets.properties), dtype=float)
    candidates, values = done
    while len(candidates) < evaluations:
        history = History(candidates, values, candidates.iloc[:0])
        new = optimizer.propose(
            min(batch, evaluations - len(candidates)),
            space=space,
            targets=targets,
            history=history,
            seed=np.random.SeedSequence(seed),
        )
        if new.empty:
            break
        assert len(new) <= batch
        assert space.feasible(new).all()
        reported = function(new)
        candidates = pd.concat([candidates, new], ignore_index=True) if len(candidates) else new
        values = pd.concat([values, reported], ignore_index=True) if len(values) else reported
    assert not candidates.duplicated().any()
    return candidates, values


@pytest.fixture
def search() -> Callable[..., tuple[pd.DataFrame, pd.DataFrame]]:
    return run_search
