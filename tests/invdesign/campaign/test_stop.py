"""A campaign ends when enough is found, nothing is gained any more, or hardly anything can be left."""

from __future__ import annotations

import numpy as np
import pytest

from invdesign.campaign import Campaign
from invdesign.campaign.stop import Stop, seconds_of
from invdesign.core.errors import InputError
from invdesign.objectives.python import PythonObjective
from invdesign.optimizers import RandomOptimizer
from invdesign.space import Continuous, Integer, SearchSpace
from invdesign.targets import AtLeast, Maximize, Minimize, Targets

SPACE = SearchSpace(x=Continuous(0, 1), y=Continuous(0, 1))
BOWL = PythonObjective(lambda x, y: {"f": (x - 0.3) ** 2 + (y - 0.6) ** 2}, {"f": ""}, isolated=False)


def opened(stop, *targets, space=SPACE, store=None, optimizer=None):
    return Campaign(space, Targets(*targets), stop=stop, seed=3, initial=6, store=store, optimizer=optimizer)


def test_enough_hits_end_a_run_and_resuming_evaluates_nothing_more(tmp_path):
    campaign = opened(Stop(hits=5), AtLeast("f", 0.1), store=tmp_path / "c.db")
    campaign.run(BOWL, evaluations=60)
    assert campaign.status().hits == 5
    assert campaign.ended == "5 candidates meet all targets."
    again = opened(Stop(hits=5), AtLeast("f", 0.1), store=tmp_path / "c.db")
    again.run(BOWL, evaluations=60)
    assert len(again.frame()) == len(campaign.frame()) < 60


def test_no_gain_ends_an_optimization_that_has_converged():
    campaign = opened(Stop(no_gain_in=8), Minimize("f"))
    campaign.run(BOWL, evaluations=60)
    found = campaign.frame()["f"]
    assert campaign.ended == "The campaign has converged: the last 8 candidates were no gain."
    assert len(found) < 40
    assert found.min() < 1e-3
    assert found[:-8].min() - found.min() <= 1e-3 * (found.max() - found.min())


def test_no_gain_without_a_hit_is_no_nearer_candidate():
    campaign = opened(Stop(no_gain_in=5), AtLeast("f", 2.0), optimizer=RandomOptimizer())
    campaign.run(BOWL, evaluations=60)
    found = campaign.frame()["f"]
    assert campaign.ended is not None
    assert found[-5:].max() < found[:-5].max()


def test_hardly_a_chance_left_ends_a_campaign():
    campaign = opened(Stop(chance_left=0.05), AtLeast("f", 5.0))
    campaign.run(BOWL, evaluations=60)
    assert campaign.ended is not None
    assert "no candidate left has a chance above" in campaign.ended
    assert 6 <= len(campaign.frame()) < 30
    hopeful = opened(Stop(chance_left=0.05), AtLeast("f", 0.3))
    hopeful.run(BOWL, evaluations=12)
    assert hopeful.ended is None
    assert len(hopeful.frame()) == 12


def test_a_space_that_is_used_up_says_so():
    objective = PythonObjective(lambda k: {"f": float(k)}, {"f": ""}, isolated=False)
    campaign = opened(None, Maximize("f"), space=SearchSpace(k=Integer(1, 8)))
    campaign.run(objective, evaluations=20)
    assert len(campaign.frame()) == 8
    assert campaign.ended == "The space has no more candidates to propose."


def test_the_wall_time_ends_a_run_before_its_next_proposal():
    campaign = opened(Stop(wall_time="1 ns"), Minimize("f"))
    campaign.run(BOWL, evaluations=20)
    assert campaign.ended == "The wall time of 1 ns is over."
    assert campaign.frame().empty
    assert campaign.stop_reason() is None


def test_without_conditions_everything_is_as_before():
    plain = Campaign(SPACE, Targets(Minimize("f")), seed=3, initial=6)
    for campaign in (plain, opened(Stop(hits=1000), Minimize("f"))):
        campaign.run(BOWL, evaluations=10)
        assert campaign.ended is None
    np.testing.assert_array_equal(plain.frame()["x"], campaign.frame()["x"])


def test_times_have_a_unit():
    assert seconds_of("2 h") == 7200
    assert seconds_of("0.5 min") == 30
    for wrong in ("2", "h", "2 V", "-1 s", "two h"):
        with pytest.raises(InputError, match="must be a positive number with its unit"):
            Stop(wall_time=wrong)
    with pytest.raises(InputError, match="chance_left"):
        Stop(chance_left=2.0)
