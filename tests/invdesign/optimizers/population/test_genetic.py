from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from invdesign.core.errors import InputError
from invdesign.optimizers import GeneticOptimizer, History, RandomOptimizer
from invdesign.optimizers.population.fitness import Fitness, crowding, spread_out
from invdesign.optimizers.population.genetic import NEAR
from invdesign.optimizers.population.parents import _thinned, selected_parents
from invdesign.space import Continuous, SearchSpace
from invdesign.targets import AtLeast, Maximize, Minimize, Targets

SEED = np.random.SeedSequence(2)
TWO = Targets(Minimize("f"), Minimize("g"))


def zdt1(frame: pd.DataFrame) -> pd.DataFrame:
    """Zitzler, Deb and Thiele 2000: the front is g = 1 - sqrt(f)."""
    f = frame["x0"].to_numpy()
    far = 1.0 + 9.0 * frame.to_numpy()[:, 1:].mean(axis=1)
    return pd.DataFrame({"f": f, "g": far * (1.0 - np.sqrt(f / far))})


def hypervolume(values: pd.DataFrame, reference: float = 1.1) -> float:
    """Area between a front of two losses and a point behind it."""
    area, lowest = 0.0, reference
    for f, g in values.sort_values("f").to_numpy():
        if f < reference and g < lowest:
            area += (reference - f) * (lowest - g)
            lowest = g
    return area


def test_crowding_is_the_box_between_neighbors():
    distance = crowding(np.array([[0.0, 4.0], [1.0, 2.0], [4.0, 0.0], [2.0, 1.0]]))
    np.testing.assert_allclose(distance[[1, 3]], [2 / 4 + 3 / 4, 3 / 4 + 2 / 4])
    assert np.isinf(distance[[0, 2]]).all()


def test_far_apart_points_are_chosen_first():
    chosen, gaps = spread_out(np.array([[0.0], [0.1], [1.0], [0.5]]), 3)
    assert chosen.tolist() == [0, 2, 3]
    np.testing.assert_allclose(gaps[1:], [1.0, 0.5])


def test_debs_rules_put_hits_first_and_failures_last():
    values = pd.DataFrame({"f": [1.0, 9.0, 5.0, np.nan, 2.0], "c": [1.0, 0.2, 1.0, 1.0, 0.5]})
    ranks = Fitness.of(values, Targets(Maximize("f"), AtLeast("c", 0.9))).ranks()
    assert ranks[[2, 0, 4, 1, 3]].tolist() == [0, 1, 2, 3, 4]


def test_what_is_worse_than_a_reference_is_behind_what_is_not():
    values = pd.DataFrame({"f": [0.1, 0.6, 0.9, 0.2], "g": [2.0, 0.7, 0.5, 3.0]})
    ranks = Fitness.of(values, Targets(Minimize("f", reference=0.8), Minimize("g", reference=1.0))).ranks()
    assert ranks[1] == 0
    assert (ranks[[0, 2, 3]] > 0).all()
    assert Fitness.of(values, TWO).ranks().tolist() == [0, 0, 0, 1]


def test_progress_looks_back_and_never_ahead(rng):
    values = pd.DataFrame(rng.random((60, 2)), columns=["f", "g"])
    whole = Fitness.of(values, TWO).progress()
    for count in (1, 20, 45):
        np.testing.assert_array_equal(Fitness.of(values.head(count), TWO).progress(), whole[:count])
    assert whole[0]
    assert whole.sum() < 30


@pytest.mark.parametrize("directions", [2, 3, 4])
def test_the_parents_of_many_directions_are_a_spread_front(directions, rng):
    """NSGA-II up to three directions, NSGA-III beyond; dominated candidates stay behind."""
    space = SearchSpace(x=Continuous(0, 1))
    front = rng.dirichlet(np.ones(directions), 300)
    names = [f"f{place}" for place in range(directions)]
    values = pd.DataFrame(np.concatenate([front, front + 0.5]), columns=names)
    fitness = Fitness.of(values, Targets(*map(Minimize, names)))
    rows, worth = selected_parents(fitness, space.sample(600, rng), space, 40, rng)
    assert len(rows) == len(worth) == len(set(rows.tolist())) == 40
    assert (rows < 300).all()
    assert (np.ptp(front[rows], axis=0) > 0.6).all()


@pytest.mark.parametrize("directions", [2, 4])
def test_a_large_front_is_thinned_to_what_selection_would_keep(directions, rng):
    """Ends of the front stay; beyond three directions each reference line keeps those nearest to it."""
    space = SearchSpace(x=Continuous(0, 1))
    ends = np.eye(directions)
    front = np.concatenate([rng.dirichlet(np.ones(directions), 3000), ends])
    names = [f"f{place}" for place in range(directions)]
    fitness = Fitness.of(pd.DataFrame(front, columns=names), Targets(*map(Minimize, names)))
    candidates = space.sample(len(front), rng)
    rows, _ = selected_parents(fitness, candidates, space, 40, rng)
    assert len(set(rows.tolist())) == 40
    assert set(range(3000, 3000 + directions)) <= set(rows.tolist())
    again, _ = selected_parents(fitness, candidates, space, 40, np.random.default_rng(1))
    same, _ = selected_parents(fitness, candidates, space, 40, np.random.default_rng(1))
    assert again.tolist() == same.tolist()


def test_one_far_behind_is_not_kept_for_lying_on_a_reference_line(rng):
    """Others near the line are far ahead of it, and still none is better in every direction."""
    layers = [np.array(point) / 3.0 for point in itertools.product(range(4), repeat=4) if sum(point) == 3]
    lines = np.stack([point for point in layers if point.max() < 1.0])
    ahead = np.clip(lines + 0.02 * (rng.random(lines.shape) - 0.5), 0.0, None)
    crowd = 2.0 * rng.dirichlet(np.ones(4), 100)
    values = np.concatenate([1.5 * lines, ahead, crowd, 2.0 * np.eye(4)])
    values[: len(lines), :] -= 0.1 * np.eye(4)[lines.argmin(axis=1)]
    names = [f"f{place}" for place in range(4)]
    fitness = Fitness.of(pd.DataFrame(values, columns=names), Targets(*map(Minimize, names)))
    front = np.flatnonzero(fitness.ranks() == 0)
    assert (front < len(lines)).sum() == len(lines)
    kept = _thinned(fitness, np.arange(len(values)), 20)
    assert np.isin(np.arange(len(lines), 2 * len(lines)), kept).all()
    assert (kept < len(lines)).sum() <= 4  # the ends of the front


def test_children_along_differences_go_down_a_slanting_valley(search):
    """No coordinate alone leads on in it; differences between parents point along it."""
    space = SearchSpace({f"x{i}": Continuous(0, 1) for i in range(4)})

    def valley(frame):
        x = frame.to_numpy() - 0.37
        return pd.DataFrame({"f": x.mean(axis=1) ** 2 + 1e3 * (x - x.mean(axis=1, keepdims=True)).var(axis=1)})

    targets = Targets(Minimize("f"))
    least = [
        search(GeneticOptimizer(differential=share), space, targets, valley, evaluations=900, batch=30)[1]["f"].min()
        for share in (0.5, 0.0)
    ]
    assert least[0] < 0.1 * least[1]


def test_hits_that_are_parents_differ(rng):
    space = SearchSpace(x=Continuous(0, 1), y=Continuous(0, 1))
    near = pd.DataFrame(0.5 + 0.01 * rng.random((60, 2)), columns=["x", "y"])
    candidates = pd.concat([near, pd.DataFrame({"x": [0.0, 1.0], "y": [0.1, 0.9]})], ignore_index=True)
    fitness = Fitness.of(pd.DataFrame({"f": np.ones(62)}), Targets(AtLeast("f", 0.5)))
    rows, _ = selected_parents(fitness, candidates, space, 5, rng)
    assert {60, 61} <= set(rows.tolist())


def test_the_front_of_zdt1_is_reached(search):
    space = SearchSpace({f"x{i}": Continuous(0, 1) for i in range(10)})
    _, values = search(GeneticOptimizer(), space, TWO, zdt1, evaluations=1200, batch=30)
    _, chance = search(RandomOptimizer(), space, TWO, zdt1, evaluations=1200, batch=1200)
    assert hypervolume(values) > 0.7  # of 0.876
    assert hypervolume(chance) < 0.2


def test_ten_dimensions_of_ackley_are_descended(search):
    space = SearchSpace({f"x{i}": Continuous(-30, 30) for i in range(10)})

    def ackley(frame):
        x = frame.to_numpy() - 3.0
        root = np.sqrt((x**2).mean(axis=1))
        return pd.DataFrame({"f": 20 + np.e - 20 * np.exp(-0.2 * root) - np.exp(np.cos(2 * np.pi * x).mean(axis=1))})

    _, values = search(GeneticOptimizer(), space, Targets(Minimize("f")), ackley, evaluations=2000, batch=40)
    assert values["f"].min() < 3.0


def test_a_proposal_takes_little_more_work_after_five_thousand_evaluations_than_after_one_thousand(python_calls):
    space = SearchSpace({f"x{i}": Continuous(0, 1) for i in range(10)})

    def calls(evaluations, targets):
        done = space.sample(evaluations, np.random.default_rng(0))
        history = History(done, zdt1(done), done.iloc[:0])
        return python_calls(
            lambda: GeneticOptimizer().propose(60, space=space, targets=targets, history=history, seed=SEED)
        )

    for targets in (Targets(Minimize("g")), TWO):
        calls(1000, targets)  # what is computed at first use
        assert calls(5000, targets) < 1.3 * calls(1000, targets)


@pytest.mark.parametrize(
    "setting",
    [
        {"population": 1},
        {"crossover": 1.5},
        {"mutation": -0.1},
        {"differential": 1.1},
        {"differential": -0.1},
        {"step": 0.0},
        {"tournament": 0},
    ],
)
def test_bad_settings_are_refused(setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        GeneticOptimizer(**setting)


@pytest.mark.parametrize(("directions", "near"), [(0, 0), (1, 0), (2, 5), (3, 5), (4, 10)])
def test_with_several_objectives_half_of_the_crossed_children_stay_near(directions, near):
    spread = GeneticOptimizer()._spread(10, directions)
    assert spread.shape == (10, 1)
    assert (spread == NEAR).sum() == near
