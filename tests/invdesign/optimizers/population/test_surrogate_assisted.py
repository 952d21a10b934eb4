from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from invdesign.optimizers import GeneticOptimizer, History, ParticleSwarmOptimizer, RandomOptimizer
from invdesign.space import Categorical, Continuous, SearchSpace
from invdesign.targets import AtLeast, AtMost, Between, Maximize, Minimize, Targets

BOX = SearchSpace(x=Continuous(0, 1), y=Continuous(0, 1), w=Categorical(["p", "q"]))
SEED = np.random.SeedSequence(8)
WINDOW = Targets(Between("f", 0.70, 0.75), AtMost("g", 0.9))
FRONT = Targets(Maximize("f"), Minimize("g"))
both = pytest.mark.parametrize("kind", [GeneticOptimizer, ParticleSwarmOptimizer], ids=["genetic", "swarm"])


def truth(frame: pd.DataFrame) -> pd.DataFrame:
    x, y = frame["x"].to_numpy(dtype=float), frame["y"].to_numpy(dtype=float)
    f = np.exp(-((x - 0.7) ** 2 + (y - 0.3) ** 2) / 0.1) - 0.3 * (frame["w"] == "q").to_numpy()
    return pd.DataFrame({"f": f, "g": np.hypot(x, y)})


@dataclass
class Knowing:
    """A surrogate that knows the truth and is a little unsure of it."""

    std: float = 0.01

    def fit(self, frame, y, *, columns=None):
        return self

    def predict(self, frame, *, return_std=False):
        mean = truth(frame)
        return (mean, mean * 0.0 + self.std) if return_std else mean

    def noise_std(self):
        return {"f": 0.0, "g": 0.0}


def known(n: int = 20) -> History:
    done = BOX.sample(n, np.random.default_rng(4))
    return History(done, truth(done), done.iloc[:0])


@both
def test_a_model_that_knows_brings_hits_at_once(kind):
    optimizer = kind(surrogate_assisted=True, surrogate=Knowing())
    new = optimizer.propose(6, space=BOX, targets=WINDOW, history=known(), seed=SEED)
    assert WINDOW.all_met(truth(new)).all()
    points = BOX.encode(new)
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2)[np.triu_indices(6, k=1)]
    assert gaps.min() >= 0.05


@both
def test_it_proposes_beyond_the_known_front(kind):
    optimizer = kind(surrogate_assisted=True, surrogate=Knowing())
    history = known()
    new = optimizer.propose(6, space=BOX, targets=FRONT, history=history, seed=SEED)
    ranks = FRONT.pareto_rank(pd.concat([history.properties, truth(new)], ignore_index=True))
    assert (ranks[20:] == 0).mean() >= 0.8


@both
def test_the_same_history_gives_the_same_and_no_repeats(kind):
    optimizer = kind(surrogate_assisted=True, surrogate=Knowing())
    history = known()
    first, again = (optimizer.propose(4, space=BOX, targets=WINDOW, history=history, seed=SEED) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    waiting = History(history.candidates, history.properties, first)
    more = optimizer.propose(4, space=BOX, targets=WINDOW, history=waiting, seed=SEED)
    assert not pd.concat([history.candidates, first, more]).duplicated().any()


@both
def test_a_gaussian_process_saves_evaluations(kind, search):
    done = RandomOptimizer().propose(12, space=BOX, targets=WINDOW, history=_none(), seed=SEED)
    _, values = search(
        kind(surrogate_assisted=True), BOX, WINDOW, truth, evaluations=24, batch=4, done=(done, truth(done))
    )
    _, plain = search(kind(), BOX, WINDOW, truth, evaluations=24, batch=4, done=(done, truth(done)))
    assert WINDOW.all_met(values).sum() >= WINDOW.all_met(plain).sum() + 2


@both
@pytest.mark.parametrize("values", [[np.nan] * 6, [1.0] * 6, [np.nan] * 5 + [1.0]])
def test_it_goes_on_with_awkward_values(kind, values):
    done = BOX.sample(6, np.random.default_rng(0))
    history = History(done, pd.DataFrame({"f": values}), done.iloc[:0])
    new = kind(surrogate_assisted=True).propose(
        3, space=BOX, targets=Targets(AtLeast("f", 3.0)), history=history, seed=SEED
    )
    assert len(new) == 3


def _none() -> History:
    empty = BOX.sample(0, np.random.default_rng(0))
    return History(empty, pd.DataFrame({"f": [], "g": []}, dtype=float), empty)
