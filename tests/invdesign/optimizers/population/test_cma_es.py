"""CMA-ES: the library's own updates, replayed from any history, and restarts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cmaes import CMA

from invdesign import InputError
from invdesign.optimizers import CmaEsOptimizer, Fitness, GeneticOptimizer, History
from invdesign.optimizers.population.cma_es import _resolution
from invdesign.space import Categorical, Continuous, Integer, SearchSpace
from invdesign.targets import AtLeast, Minimize, Targets

SEED = np.random.SeedSequence(5)
SPACE = SearchSpace({f"x{place}": Continuous(0, 1) for place in range(4)})
LEAST = Targets(Minimize("f"))


def valley(frame: pd.DataFrame) -> pd.DataFrame:
    """Rosenbrock's, with its lowest point 0 at 0.75."""
    x = 4.0 * frame.to_numpy(dtype=float) - 2.0
    return pd.DataFrame({"f": (100.0 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1.0 - x[:, :-1]) ** 2).sum(axis=1)})


def evaluated(candidates: pd.DataFrame, *, given: int) -> History:
    marks = np.arange(len(candidates)) < given
    return History(candidates, valley(candidates), candidates.iloc[:0], given=marks)


def test_a_generation_moves_as_the_library_moves():
    start = SPACE.sample(5, np.random.default_rng(0))
    generation = SPACE.sample(8, np.random.default_rng(1))
    history = evaluated(pd.concat([start, generation], ignore_index=True), given=5)
    fitness = valley(history.candidates)["f"].to_numpy()
    bare = CMA(mean=SPACE.encode(start)[fitness[:5].argmin()], sigma=0.3, bounds=np.tile([0.0, 1.0], (4, 1)))
    assert bare.population_size == 8
    bare.tell(list(zip(SPACE.encode(generation), fitness[5:], strict=True)))
    found, asked = CmaEsOptimizer()._replayed(SPACE, Fitness.of(history.properties, LEAST), history, SEED)
    assert asked == 0
    assert found.mean == pytest.approx(bare.mean)
    assert pytest.approx(bare._C) == found._C  # the library has no public name


def test_a_narrow_valley_is_followed_to_its_end(search):
    _, mine = search(CmaEsOptimizer(), SPACE, LEAST, valley, evaluations=1500, batch=8, seed=0)
    _, other = search(GeneticOptimizer(), SPACE, LEAST, valley, evaluations=1500, batch=8, seed=0)
    assert mine["f"].min() < 1e-8
    assert mine["f"].min() < 1e-3 * other["f"].min()


def test_candidates_one_by_one_are_those_of_a_batch():
    history = evaluated(SPACE.sample(6, np.random.default_rng(0)), given=6)
    together = CmaEsOptimizer().propose(4, space=SPACE, targets=LEAST, history=history, seed=SEED)
    for place in range(4):
        alone = CmaEsOptimizer().propose(1, space=SPACE, targets=LEAST, history=history, seed=SEED)
        pd.testing.assert_frame_equal(alone, together.iloc[[place]].reset_index(drop=True))
        history = history.with_pending(alone, given=False)


def test_it_restarts_elsewhere_with_a_larger_population_when_it_has_converged(search):
    targets = Targets(AtLeast("f", 10.0))
    flat = lambda frame: pd.DataFrame({"f": -((frame["x0"] - 0.2) ** 2) - (frame["x1"] - 0.2) ** 2})  # noqa: E731
    square = SearchSpace(x0=Continuous(0, 1), x1=Continuous(0, 1))
    candidates, _ = search(CmaEsOptimizer(), square, targets, flat, evaluations=900, batch=6)
    away = np.hypot(candidates["x0"] - 0.2, candidates["x1"] - 0.2).to_numpy()
    settled = np.flatnonzero(away[100:] < 1e-4)[0] + 100
    assert (away[settled:] > 0.1).sum() > 10


def test_where_values_are_few_a_search_has_converged_earlier():
    space = SearchSpace(x=Continuous(0, 1), n=Integer(1, 5), word=Categorical(["a", "b", "c"]))
    small = _resolution(space)
    assert small[0] == 1e-6
    assert (small[1:] > 0.03).all()


def test_others_candidates_are_not_its_generations():
    candidates = SPACE.sample(13, np.random.default_rng(0))
    history = evaluated(candidates, given=5)
    own = replace(history, own=np.arange(13) < 5)
    seen, unseen = (
        CmaEsOptimizer().propose(3, space=SPACE, targets=LEAST, history=one, seed=SEED) for one in (history, own)
    )
    assert not np.allclose(SPACE.encode(seen), SPACE.encode(unseen))


@pytest.mark.parametrize("setting", [{"population": 3}, {"step_size": 0.0}, {"step_size": 1.5}])
def test_bad_settings_are_refused(setting):
    with pytest.raises(InputError):
        CmaEsOptimizer(**setting)
