"""Searches keep away from where evaluations fail, and failures at random change nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.optimizers.base import History
from invdesign.optimizers.bayesian import botorch_acquisition
from invdesign.optimizers.bayesian.acquisition import IfSuccessful, ShortfallReduction
from invdesign.optimizers.success import SUCCESS, likely_to_succeed, successes, with_success, without_success

SPACE = ind.SearchSpace(x=ind.Continuous(0.0, 1.0), y=ind.Continuous(0.0, 1.0))
MINIMIZE, WINDOW = ind.Targets(ind.Minimize("f")), ind.Targets(ind.AtMost("f", -0.6))


def two_valleys(frame, *, fails):
    """Smallest, -1, at (0.25, 0.25), around which evaluations fail where ``fails``; -0.9 at (0.75, 0.75)."""
    near = np.hypot(frame["x"] - 0.25, frame["y"] - 0.25)
    values = -np.exp(-((near / 0.2) ** 2)) - 0.9 * np.exp(
        -((np.hypot(frame["x"] - 0.75, frame["y"] - 0.75) / 0.2) ** 2)
    )
    return values.where(~(fails & (near < 0.3)))


def searched(optimizer, targets, *, fails=True, evaluations=40, seed=3):
    campaign = ind.Campaign(SPACE, targets, optimizer=optimizer, seed=seed, initial=8)
    while len(campaign.frame()) < evaluations:
        batch = campaign.ask(2)
        campaign.tell(batch.assign(f=two_valleys(batch, fails=fails)))
    return campaign.frame()


def test_a_bayesian_search_does_not_go_on_where_evaluations_fail():
    frame = searched(ind.BayesianOptimizer(), MINIMIZE)
    assert frame["f"].tail(20).isna().sum() <= 6
    assert frame["f"].min() < -0.89


def test_nor_does_one_towards_a_bound_which_meets_it_elsewhere():
    frame = searched(ind.BayesianOptimizer(), WINDOW)
    assert frame["f"].tail(20).isna().sum() <= 6
    assert WINDOW.all_met(frame).sum() >= 16  # of 32 after the initial design


def test_so_does_one_by_an_acquisition_function_of_botorchs(monkeypatch):
    for name, few in {"MOST_STEPS": 10, "RESTARTS": 2, "SAMPLES": 32}.items():
        monkeypatch.setattr(botorch_acquisition, name, few)
    optimizer = ind.BayesianOptimizer(acquisition="qLogNoisyExpectedImprovement")
    frame = searched(optimizer, MINIMIZE, evaluations=30)
    assert frame["f"].tail(12).isna().sum() <= 6


def test_so_does_a_surrogate_assisted_population():
    frame = searched(ind.GeneticOptimizer(surrogate_assisted=True), MINIMIZE, evaluations=30)
    assert frame["f"].tail(12).isna().sum() <= 5


BOTH = ind.Targets(ind.Minimize("f"), ind.AtMost("g", 1.0))


def partly(frame):
    """Smallest, -1, at (0.25, 0.25), around which the second property is missing, but never the first."""
    near = np.hypot(frame["x"] - 0.25, frame["y"] - 0.25)
    return pd.DataFrame({"f": two_valleys(frame, fails=False), "g": near.where(near >= 0.3)})


def last_failures(optimizer, *, reason="bond breaks", evaluations=40):
    campaign = ind.Campaign(SPACE, BOTH, optimizer=optimizer, seed=3, initial=8)
    while len(campaign.frame()) < evaluations:
        batch = campaign.ask(2)
        found = partly(batch)
        campaign.tell(pd.concat([batch, found.assign(reason=np.where(found["g"].isna(), reason, ""))], axis=1))
    frame = campaign.frame()
    assert frame["f"].notna().all(), "values of the other property are kept"
    assert (frame["reason"].fillna("") == np.where(frame["g"].isna(), reason, "")).all()
    return int(frame["g"].tail(20).isna().sum())


@pytest.mark.parametrize(
    "optimizer", [ind.BayesianOptimizer(), ind.GeneticOptimizer(), ind.GeneticOptimizer(surrogate_assisted=True)]
)
def test_a_candidate_that_misses_one_property_has_failed(optimizer):
    assert last_failures(optimizer) <= 6


def test_a_property_that_is_missing_without_a_reason_was_not_measured():
    """Where a laboratory measures one property first, a search does not move away."""
    assert last_failures(ind.BayesianOptimizer(), reason="", evaluations=30) > 10


def test_so_is_one_of_an_objective():
    def function(x, y):
        return partly(pd.DataFrame({"x": [x], "y": [y]})).iloc[0].to_dict()

    campaign = ind.Campaign(SPACE, BOTH, seed=3, initial=8)
    campaign.run(ind.PythonObjective(function, {"f": "", "g": ""}, isolated=False), evaluations=36)
    history = campaign.history()
    assert history.failures.tolist() == history.properties["g"].isna().tolist()
    assert history.properties["g"].tail(20).isna().sum() <= 6


def test_failures_at_random_are_no_reason_to_move():
    space = ind.SearchSpace(x=ind.Continuous(0.0, 1.0), y=ind.Continuous(0.0, 1.0))
    campaign = ind.Campaign(space, MINIMIZE, seed=1, initial=8)
    rng = np.random.default_rng(0)
    while len(campaign.frame()) < 40:
        batch = campaign.ask(1)
        values = two_valleys(batch, fails=False)
        campaign.tell(batch.assign(f=np.nan if rng.random() < 0.15 else values))
    assert campaign.frame()["f"].min() < -0.95


def history_of(properties, **more):
    candidates = SPACE.sample(len(properties), np.random.default_rng(0))
    return History(candidates, properties, candidates.iloc[:0], **more)


def test_the_failures_of_a_history_follow_its_rows():
    properties = pd.DataFrame({"f": [1.0, np.nan, 2.0], "g": [1.0, 2.0, 3.0]})
    inside = history_of(properties, failures=np.array([False, True, False]))
    outside = history_of(properties.iloc[:2])
    joined = replace(inside, outside=outside).with_outside()
    assert joined.failures.tolist() == [False, True, False, False, False]
    assert replace(inside, failures=None, outside=outside).with_outside().failures is None


def test_successes_are_ones_failures_zeros_and_the_rest_unknown():
    properties = pd.DataFrame({"f": [1.0, np.nan, 2.0], "g": [0.0, np.nan, np.inf]})
    assert np.array_equal(successes(properties), [1.0, 0.0, np.nan], equal_nan=True)
    known = np.array([True, True, True])  # the first has a reason for another property
    assert successes(properties, known).tolist() == [1.0, 0.0, 0.0]
    assert np.array_equal(successes(properties, ~known), [1.0, 0.0, np.nan], equal_nan=True)


def test_without_failures_nothing_is_added():
    properties = pd.DataFrame({"f": [1.0, 2.0]})
    targets, values = with_success(MINIMIZE, properties, history_of(properties))
    assert targets is MINIMIZE
    assert values is properties


def test_success_is_asked_half_as_often_as_it_was_seen():
    properties = pd.DataFrame({"f": [1.0, np.nan, 2.0, 3.0]})
    targets, values = with_success(MINIMIZE, properties, history_of(properties))
    assert values[SUCCESS].tolist() == [1.0, 0.0, 1.0, 1.0]
    assert targets.window(SUCCESS).interval == (0.4, np.inf)
    assert without_success(targets) == MINIMIZE


def test_a_reduction_counts_by_its_chance():
    properties = pd.DataFrame({"f": [1.0, np.nan]})
    targets, _ = with_success(WINDOW, properties, history_of(properties))
    plain = ShortfallReduction(WINDOW, best=2.0, scales={"f": 1.0})
    asked = targets.window(SUCCESS).interval[0]
    mean, std = np.array([[0.5, asked], [0.5, 1.0], [0.5, -1.0]]), np.full((3, 2), 0.1)
    alone = plain.score(mean[:, :1], std[:, :1])
    scores = IfSuccessful(targets, plain).score(mean, std)
    assert scores[0] == pytest.approx(alone[0] / 2)
    assert scores[1] == pytest.approx(alone[1])
    assert 0.0 <= scores[2] < 1e-6
    far = np.array([[9.0, 1.0], [9.0, 0.2]])
    missing = IfSuccessful(targets, plain).score(far, std[:2] * 1e-3)
    assert missing[1] < missing[0] < 0.0


def test_a_population_moves_candidates_out_of_failures_and_keeps_the_others():
    rng = np.random.default_rng(5)
    known = SPACE.sample(200, rng)
    properties = pd.DataFrame({"f": np.where(known["x"] < 0.4, np.nan, 1.0)})
    history = History(known, properties, known.iloc[:0])
    candidates = pd.DataFrame({"x": [0.35, 0.9, 0.38], "y": [0.5, 0.5, 0.2]})
    moved = likely_to_succeed(candidates, space=SPACE, history=history, properties=properties, rng=rng)
    assert moved.iloc[1].tolist() == [0.9, 0.5]
    assert (moved["x"] >= 0.3).all()
    assert (moved.loc[[0, 2], "x"] > 0.39).any()
    again = likely_to_succeed(candidates, space=SPACE, history=history, properties=properties.fillna(1.0), rng=rng)
    assert again.equals(candidates)
