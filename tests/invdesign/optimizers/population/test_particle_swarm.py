from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from invdesign.campaign import Campaign
from invdesign.core.errors import InputError
from invdesign.objectives.python import PythonObjective
from invdesign.optimizers import History, ParticleSwarmOptimizer, RandomOptimizer
from invdesign.optimizers.population.fitness import Fitness, crowding
from invdesign.optimizers.population.parents import selected_parents
from invdesign.optimizers.population.pyswarms_backend import backend
from invdesign.optimizers.population.swarm_state import SwarmState
from invdesign.space import Categorical, Continuous, SearchSpace
from invdesign.targets import AtLeast, Minimize, Targets

SEED = np.random.SeedSequence(2)
LINE = SearchSpace(x=Continuous(0, 1))
LEAST = Targets(Minimize("f"))


def state_of(values, particles, *, pending=0, own=None, patience=3):
    values = pd.DataFrame({"f": np.asarray(values, dtype=float)})
    candidates = LINE.sample(len(values) + pending, np.random.default_rng(0))
    done = candidates.iloc[: len(values)]
    history = History(done, values, candidates.iloc[len(values) :], own)
    fitness = Fitness.of(values, LEAST)
    return SwarmState.read(history, fitness, fitness.ranks(), particles=particles, patience=patience)


def test_particles_take_turns_and_remember_their_best():
    state = state_of([5, 4, 3, 1, 6, 2, 7], 3)
    assert (state.generation, state.next) == (2, 1)
    assert state.current.tolist() == [6, 4, 5]
    assert state.previous.tolist() == [3, 1, 2]
    assert state.best.tolist() == [3, 1, 5]
    assert state.leaders.tolist() == [3]


def test_it_knows_where_a_particle_was_before_it_proposed_a_row():
    state = state_of([5, 4, 3, 1, 6, 2, 7, 8], 2)
    assert state.before(np.array([7, 4, 6, 4])).tolist() == [5, 2, 4, 2]
    assert state.before(np.array([0, 3])).tolist() == [0, 3]  # placed, or moved for the first time
    own = np.array([True, True, False, True, True, True, True])
    others = state_of([5, 4, 0, 3, 6, 2, 1], 2, own=own)
    assert others.before(np.array([2, 5, 6])).tolist() == [2, 3, 4]


def test_what_is_pending_has_a_place_and_no_value():
    state = state_of([5, 4, np.nan, 1], 2, pending=1)
    assert state.current.tolist() == [4, 3]
    assert state.best.tolist() == [0, 3]
    assert state_of([], 2, pending=4).leaders.size == 0


def test_candidates_of_others_lead_and_do_not_move():
    own = np.array([True, True, False, True, True])
    state = state_of([5, 4, 0, 3, 6], 2, own=own)
    assert state.current.tolist() == [3, 4]
    assert state.leaders.tolist() == [2]


def test_the_swarm_starts_anew_after_generations_without_progress():
    values = [9, 8, 1, 7, 5, 5, 5, 5, 6, 6, 4, 3, 2, 2]
    assert state_of(values[:8], 2, patience=3).generation == 4
    assert state_of(values[:10], 2, patience=3).generation == 0
    state = state_of(values, 2, patience=3)
    assert state.generation == 2
    assert state.own[0] == 10
    assert state.leaders.tolist() == [12, 13]


def test_the_schedule_of_the_inertia_falls_and_stays():
    weights = [backend().inertia(0.9, 0.4, now, 10) for now in (0, 5, 10, 30)]
    np.testing.assert_allclose(weights, [0.9, 0.65, 0.4, 0.4])


def test_no_move_is_longer_than_the_limit(search):
    """Two particles' ways, unfolded where they were mirrored at a bound, and not stirred."""
    swarm = ParticleSwarmOptimizer(particles=4, velocity_limit=0.1, turbulence=0.0, stagnation=1000)
    done, _ = search(swarm, LINE, LEAST, lambda x: pd.DataFrame({"f": x["x"]}), evaluations=60, batch=4)
    steps = np.abs(done["x"].to_numpy()[4:] - done["x"].to_numpy()[:-4])
    assert steps.max() <= 0.1 + 1e-12
    assert ((done["x"] >= 0) & (done["x"] <= 1)).all()


def test_it_neither_logs_nor_writes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    handlers, level = list(logging.getLogger().handlers), logging.getLogger().level
    backend.cache_clear()
    backend()
    assert not list(Path().iterdir())
    assert logging.getLogger().handlers == handlers
    assert logging.getLogger().level == level


@pytest.mark.parametrize("topology", ["star", "ring", "pyramid", "random", "von-neumann"])
def test_every_topology_finds_the_bottom(topology, search):
    space = SearchSpace({f"x{i}": Continuous(-5, 10) for i in range(4)})

    def bowl(frame):
        return pd.DataFrame({"f": ((frame - 3.3) ** 2).sum(axis=1)})

    swarm = ParticleSwarmOptimizer(particles=20, topology=topology)
    _, values = search(swarm, space, LEAST, bowl, evaluations=1000, batch=20)
    assert values["f"].min() < 0.01


def test_a_restart_leaves_a_local_bottom(search):
    """A wide bowl that leads away from a narrow, deeper one."""
    space = SearchSpace(x=Continuous(0, 1), y=Continuous(0, 1))

    def bowls(frame):
        wide = ((frame - 0.75) ** 2).sum(axis=1)
        narrow = -1.0 * np.exp(-((frame - 0.15) ** 2).sum(axis=1) / 0.01)
        return pd.DataFrame({"f": wide + narrow})

    found = {}
    for stagnation in (6, 10_000):
        swarm = ParticleSwarmOptimizer(particles=8, stagnation=stagnation, turbulence=0.0)
        results = [
            search(swarm, space, LEAST, bowls, evaluations=700, batch=8, seed=seed)[1]["f"].min() for seed in range(4)
        ]
        found[stagnation] = sum(value < -0.2 for value in results)
    assert found[6] > found[10_000]


def test_words_are_found_by_their_coordinates(search):
    space = SearchSpace({f"w{i}": Categorical(["a", "b", "c", "d"]) for i in range(6)})

    def right(frame):
        return pd.DataFrame({"f": (frame == "c").sum(axis=1).astype(float)})

    done, values = search(
        ParticleSwarmOptimizer(particles=15), space, Targets(AtLeast("f", 6)), right, evaluations=600, batch=15
    )
    assert len(done) == 600
    assert values["f"].max() == 6


def test_the_lonelier_of_equals_move_on_oftener(rng):
    """The ends of a front have more particles than one of the crowd; one that misses a target hardly has any."""
    f = np.array([*np.linspace(0.0, 0.01, 19), 1.0, -1.0])
    values = pd.DataFrame({"f": f, "g": 1.0 - f, "h": [1.0] * 20 + [0.0]})
    fitness = Fitness.of(values, Targets(Minimize("f"), Minimize("g"), AtLeast("h", 1.0)))
    worth = [(0.0, gap) for gap in [*crowding(fitness.losses[:20]), np.inf]]
    swarm = ParticleSwarmOptimizer(particles=21)
    drawn = np.stack([swarm._places(np.arange(21), worth, fitness, rng) for _ in range(50)])
    counts = np.bincount(drawn.ravel(), minlength=21)
    assert counts.sum() == 21 * 50
    assert (counts[[0, 19]] > 75).all()  # of 50 each, were all equal
    assert counts[20] < 10


def test_a_swarm_does_not_gather_at_one_end_of_a_front(search):
    """Far from the front of ZDT2 its left end is all that counts; the rest must not be forgotten on the way."""
    space = SearchSpace({f"x{i}": Continuous(0, 1) for i in range(20)})

    def zdt2(frame):
        f = frame["x0"].to_numpy()
        far = 1.0 + 9.0 * frame.to_numpy()[:, 1:].mean(axis=1)
        return pd.DataFrame({"f": f, "g": far * (1.0 - (f / far) ** 2)})

    targets = Targets(Minimize("f"), Minimize("g"))
    swarm = ParticleSwarmOptimizer(particles=40)
    reached = [search(swarm, space, targets, zdt2, evaluations=1600, batch=40, seed=seed)[1] for seed in range(6)]
    assert sum((values["g"] < 0.8).any() for values in reached) >= 5


@pytest.mark.parametrize("members", [3, 60])
def test_a_small_front_is_not_alone_in_leading(members, rng):
    """The next best lead beside few members of a front; of many the loneliest do, its ends among them."""
    f = np.linspace(0.0, 1.0, members)
    front = np.column_stack([f, 1.0 - f])
    losses = np.concatenate([front, 2.0 + rng.random((100, 2))])
    targets = Targets(Minimize("f"), Minimize("g"))
    fitness = Fitness.of(pd.DataFrame(losses, columns=["f", "g"]), targets)
    candidates = LINE.sample(len(losses), rng)
    rows, worth = selected_parents(fitness, candidates, LINE, 30, rng)
    ahead = ParticleSwarmOptimizer()._ahead(rows, worth, np.arange(members), fitness)
    assert len(ahead) == len(set(ahead.tolist())) == 20
    assert {0, members - 1} <= set(ahead.tolist())
    assert (ahead < members).sum() == min(members, 20)


def test_the_front_of_zdt1_is_reached(search):
    space = SearchSpace({f"x{i}": Continuous(0, 1) for i in range(10)})

    def zdt1(frame):
        f = frame["x0"].to_numpy()
        far = 1.0 + 9.0 * frame.to_numpy()[:, 1:].mean(axis=1)
        return pd.DataFrame({"f": f, "g": far * (1.0 - np.sqrt(f / far))})

    def hypervolume(values):
        area, lowest = 0.0, 1.1
        for f, g in values.sort_values("f").to_numpy():
            if f < 1.1 and g < lowest:
                area += (1.1 - f) * (lowest - g)
                lowest = g
        return area

    targets = Targets(Minimize("f"), Minimize("g"))
    _, values = search(ParticleSwarmOptimizer(), space, targets, zdt1, evaluations=1200, batch=30)
    _, chance = search(RandomOptimizer(), space, targets, zdt1, evaluations=1200, batch=1200)
    assert hypervolume(values) > 0.7  # of 0.876
    assert hypervolume(chance) < 0.2


def test_a_proposal_takes_little_more_work_after_five_thousand_evaluations_than_after_one_thousand(python_calls):
    space = SearchSpace({f"x{i}": Continuous(0, 1) for i in range(10)})

    def calls(evaluations, targets):
        done = space.sample(evaluations, np.random.default_rng(0))
        history = History(done, pd.DataFrame({"f": done["x0"] ** 2, "g": -done["x1"] * done["x0"]}), done.iloc[:0])
        return python_calls(
            lambda: ParticleSwarmOptimizer().propose(60, space=space, targets=targets, history=history, seed=SEED)
        )

    for targets in (LEAST, Targets(Minimize("f"), Minimize("g"))):
        calls(1000, targets)  # what is computed at first use
        assert calls(5000, targets) < 1.3 * calls(1000, targets)


@pytest.mark.parametrize(
    "setting",
    [
        {"particles": 1},
        {"topology": "global"},
        {"neighbors": 0},
        {"inertia": (0.9, -0.1)},
        {"velocity_limit": 0.0},
        {"turbulence": 2.0},
        {"stagnation": 0},
    ],
)
def test_bad_settings_are_refused(setting):
    with pytest.raises(InputError):
        ParticleSwarmOptimizer(**setting)


def test_a_small_budget_has_fewer_particles_and_an_ordinary_one_as_many_as_before():
    swarm = ParticleSwarmOptimizer()
    assert [swarm.for_budget(count).size for count in (5, 20, 40, 59, 60, 300)] == [4, 4, 8, 11, 30, 30]
    assert ParticleSwarmOptimizer(particles=12).for_budget(20).size == 12


def test_a_campaign_of_twenty_evaluations_is_more_than_its_sobol_points(tmp_path):
    space = SearchSpace(x=Continuous(0, 1), y=Continuous(0, 1))
    objective = PythonObjective(lambda x, y: {"f": (x - 0.3) ** 2 + (y - 0.7) ** 2}, {"f": ""}, isolated=False)

    def ran(optimizer, *parts, store=None):
        for evaluations in parts:
            campaign = Campaign(space, Targets(Minimize("f")), optimizer=optimizer, seed=2, initial=4, store=store)
            campaign.run(objective, evaluations=evaluations)
        return campaign.frame()

    swarm = ran(ParticleSwarmOptimizer(), 20)
    random = ran(RandomOptimizer(), 20)
    assert (swarm["x"].iloc[4:].to_numpy() != random["x"].iloc[4:].to_numpy()).any()
    assert swarm["f"].min() < random["f"].min()
    parts = ran(ParticleSwarmOptimizer(), 20, 24, store=tmp_path / "c.db")
    np.testing.assert_array_equal(parts["x"].iloc[:20], swarm["x"])
