"""Searches over two fidelities: only the target fidelity counts, whoever searches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from invdesign.optimizers import (
    BayesianOptimizer,
    GeneticOptimizer,
    History,
    ParticleSwarmOptimizer,
    PortfolioOptimizer,
    RandomOptimizer,
)
from invdesign.optimizers.fidelity import at_target_fidelity, costs, target_fidelity_history, to_target_fidelity
from invdesign.space import Categorical, Continuous, Fidelity, Integer, SearchSpace
from invdesign.surrogates.forests import RandomForest
from invdesign.targets import AtLeast, Between, Maximize, Minimize, Targets

SEED = np.random.SeedSequence(5)
COSTS = {"cheap": 1, "dear": 20}
SPACE = SearchSpace(x=Continuous(0, 1), fidelity=Fidelity(COSTS))
LINE = SearchSpace(k=Integer(0, 59), fidelity=Fidelity(COSTS))


def wave(frame: pd.DataFrame, useless: bool = False) -> pd.DataFrame:
    """A wave along the unit line, or along 60 numbers; the cheap fidelity is lower by 2, or says something else."""
    t = (frame["x"] if "x" in frame else frame["k"] / 59).to_numpy(dtype=float)
    cheap = np.cos(50 * t) if useless else np.sin(6 * t) + 0.05 * t - 2
    return pd.DataFrame({"f": np.where(frame["fidelity"] == "cheap", cheap, np.sin(6 * t))}, index=frame.index)


def began(space, *, dear=4, cheap=0, function=wave, seed=1) -> History:
    """A history of candidates at both fidelities."""
    rng = np.random.default_rng(seed)
    rows = (
        space.sample(dear + cheap, rng) if space is not LINE else LINE.grid().iloc[rng.permutation(60)[: dear + cheap]]
    )
    rows = rows.reset_index(drop=True)
    rows.loc[dear:, "fidelity"] = "cheap"
    return History(rows, function(rows), rows.iloc[:0])


def gone_on(optimizer, space, targets, history, *, steps, batch=1, function=wave):
    for _ in range(steps):
        new = optimizer.propose(batch, space=space, targets=targets, history=history, seed=SEED)
        if new.empty:
            break
        rows = pd.concat([history.candidates, new], ignore_index=True)
        assert not rows.duplicated().any()
        history = History(rows, function(rows), history.pending)
    return history


def test_the_known_noise_of_values_follows_them_to_the_target_fidelity():
    history = began(SPACE, dear=2, cheap=3)
    history = replace(history, noise_std=pd.DataFrame({"f": [0.1, np.nan, 0.3, 0.4, 0.5]}))
    kept = target_fidelity_history(SPACE, history)
    np.testing.assert_array_equal(kept.noise_std["f"], [0.1, np.nan])


def test_what_counts_is_at_the_target_fidelity():
    history = began(SPACE, dear=2, cheap=3)
    assert at_target_fidelity(SPACE, history.candidates).tolist() == [True, True, False, False, False]
    np.testing.assert_allclose(costs(SPACE, history.candidates), [20, 20, 1, 1, 1])
    own = np.array([True, False, True, False, True, True])
    counted = target_fidelity_history(
        SPACE, History(history.candidates, history.properties, history.candidates.head(1), own)
    )
    assert (len(counted.candidates), len(counted.properties), len(counted.pending)) == (2, 2, 1)
    assert counted.own.tolist() == [True, False, True]
    assert (to_target_fidelity(SPACE, history.candidates)["fidelity"] == "dear").all()
    plain = SearchSpace(x=Continuous(0, 1))
    assert target_fidelity_history(plain, history) is history
    assert costs(plain, history.candidates).sum() == 5


@pytest.mark.parametrize(
    "optimizer",
    [
        RandomOptimizer(),
        GeneticOptimizer(),
        ParticleSwarmOptimizer(),
        GeneticOptimizer(surrogate_assisted=True),
        BayesianOptimizer(surrogate=RandomForest(n_estimators=20)),
    ],
    ids=["random", "genetic", "swarm", "assisted", "forest"],
)
def test_who_does_not_weigh_costs_asks_for_the_target_fidelity(optimizer):
    history = gone_on(optimizer, SPACE, Targets(AtLeast("f", 0.9)), began(SPACE, cheap=3), steps=4, batch=3)
    assert len(history.candidates) == 19
    assert (history.candidates["fidelity"].iloc[7:] == "dear").all()


def test_a_portfolio_takes_fidelities():
    history = gone_on(PortfolioOptimizer(), LINE, Targets(AtLeast("f", 0.9)), began(LINE), steps=6, batch=2)
    assert len(history.candidates) == 16


def test_an_informative_low_fidelity_is_asked_first():
    targets = Targets(Between("f", 0.5, 0.7))
    history = gone_on(BayesianOptimizer(), LINE, targets, began(LINE), steps=24)
    rows = history.candidates
    dear = rows["fidelity"] == "dear"
    assert 8 <= (~dear).sum() <= 22
    hits = targets.all_met(history.properties) & dear
    there = targets.all_met(wave(LINE.grid())).sum()
    assert hits.sum() >= 0.7 * min(there, dear.sum() - 4)


@pytest.mark.parametrize(
    ("price", "useless"), [({"cheap": 20, "dear": 20}, False), (COSTS, True)], ids=["at the same cost", "useless"]
)
def test_a_cheap_fidelity_that_does_not_pay_is_left(price, useless):
    space = SearchSpace(k=Integer(0, 59), fidelity=Fidelity(price))

    def function(frame):
        return wave(frame, useless)

    spent = pd.Series({"cheap": 0.0, "dear": 0.0})
    for seed in (1, 2, 3):
        rows = space.at(np.random.default_rng(seed).permutation(60)[:12])
        start = History(rows, function(rows), rows.iloc[:0])
        targets = Targets(Between("f", 0.5, 0.7))
        history = gone_on(BayesianOptimizer(), space, targets, start, steps=20, function=function)
        later = history.candidates.iloc[12 + (10 if useless else 0) :]
        spent = spent.add(pd.Series(costs(space, later)).groupby(later["fidelity"].to_numpy()).sum(), fill_value=0.0)
    assert spent["cheap"] <= (0.1 * spent.sum() if useless else 0.0)


def test_a_candidate_known_only_cheaply_may_be_asked_for_truly_and_none_twice():
    history = gone_on(BayesianOptimizer(), LINE, Targets(AtLeast("f", 0.95)), began(LINE), steps=30)
    rows = history.candidates
    both = rows[rows["k"].duplicated(keep=False)].groupby("k")["fidelity"].apply(list)
    assert ["cheap", "dear"] in both.tolist()
    end = BayesianOptimizer().propose(
        3,
        space=LINE,
        targets=Targets(AtLeast("f", 0.95)),
        history=History(LINE.grid(), wave(LINE.grid()), LINE.grid().iloc[:0]),
        seed=SEED,
    )
    assert (end["fidelity"] == "cheap").all()  # only pairs are left


def test_what_is_under_way_cheaply_is_not_asked_for_truly_at_once():
    history = began(LINE, dear=6, cheap=0)
    batch = BayesianOptimizer().propose(12, space=LINE, targets=Targets(AtLeast("f", 0.5)), history=history, seed=SEED)
    assert len(batch) == 12
    assert not batch["k"].iloc[6:].duplicated().any()
    assert set(batch["k"].head(6)) == set(history.candidates["k"])  # the pairs come first
    later = BayesianOptimizer().propose(
        4,
        space=LINE,
        targets=Targets(AtLeast("f", 0.5)),
        history=History(history.candidates, history.properties, batch),
        seed=SEED,
    )
    assert not later["k"].isin(batch["k"].iloc[6:]).any()


def test_mirrored_targets_and_another_unit_change_no_candidate():
    history = began(LINE, cheap=8)
    window, other = Targets(Between("f", 0.5, 0.7, unit="V")), Targets(Between("f", -0.7, -0.5, unit="V"))
    asked = []
    for targets, factor in ((window, 1.0), (other, -1.0), (window.in_units({"f": "mV"}), 1000.0)):
        known = History(history.candidates, factor * history.properties, history.pending)
        asked.append(
            BayesianOptimizer(goal="first-hit").propose(8, space=LINE, targets=targets, history=known, seed=SEED)
        )
    pd.testing.assert_frame_equal(asked[0], asked[1])
    pd.testing.assert_frame_equal(asked[0], asked[2])


def test_one_objective_is_optimized_at_the_target_fidelity():
    history = gone_on(BayesianOptimizer(), SPACE, Targets(Maximize("f")), began(SPACE), steps=16)
    dear = history.properties[at_target_fidelity(SPACE, history.candidates)]
    assert dear["f"].max() > 0.99


def test_two_directions_take_fidelities():
    space = SearchSpace(w=Categorical(list("abcdefgh")), x=Continuous(0, 1), fidelity=Fidelity(COSTS))

    def trade(frame):
        shift = np.where(frame["fidelity"] == "cheap", 5.0, 0.0)
        return pd.DataFrame({"a": frame["x"] + shift, "b": 1 - frame["x"] ** 2 - shift})

    targets = Targets(Maximize("a"), Minimize("b"))
    history = gone_on(BayesianOptimizer(), space, targets, began(space, function=trade), steps=5, function=trade)
    assert len(history.candidates) == 9


@pytest.mark.parametrize("failing", ["cheap", "dear"])
def test_failures_at_a_fidelity_are_not_repeated(failing):
    def function(frame):
        return wave(frame).where(~(frame["fidelity"] == failing) | (frame["k"] % 2 == 0).to_numpy())

    history = gone_on(
        BayesianOptimizer(), LINE, Targets(AtLeast("f", 0.8)), began(LINE, dear=8, function=function), steps=12,
        function=function,
    )  # fmt: skip
    assert len(history.candidates) == 20


def test_three_fidelities_are_weighed_too():
    space = SearchSpace(k=Integer(0, 59), fidelity=Fidelity({"cheap": 1, "middle": 5, "dear": 20}))
    history = gone_on(BayesianOptimizer(), space, Targets(Between("f", 0.5, 0.7)), began(space), steps=24)
    assert set(history.candidates["fidelity"]) == {"cheap", "middle", "dear"}
