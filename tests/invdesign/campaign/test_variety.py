"""What a laboratory is asked for can be told apart, from what was made before and within a batch."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist

from invdesign.campaign import Campaign
from invdesign.core.errors import InputError
from invdesign.optimizers import GeneticOptimizer, ParticleSwarmOptimizer, RandomOptimizer
from invdesign.optimizers.base import History
from invdesign.optimizers.deduplication import apart
from invdesign.space import Continuous, SearchSpace
from invdesign.targets import Maximize, Targets

SPACE = SearchSpace(x=Continuous(0, 10), y=Continuous(0, 1))


def value(frame):
    return -((frame["x"] / 10 - 0.31) ** 2) - (frame["y"] - 0.62) ** 2


def points(frame):
    return SPACE.encode(frame[["x", "y"]])


@pytest.mark.parametrize("optimizer", [None, GeneticOptimizer(), ParticleSwarmOptimizer(), RandomOptimizer()])
def test_nothing_is_asked_for_again_within_the_resolution(optimizer):
    campaign = Campaign(SPACE, Targets(Maximize("f")), seed=1, initial=4, optimizer=optimizer)
    for _ in range(7):
        batch = campaign.ask(4)
        campaign.tell(batch.assign(f=value(batch)))
    assert pdist(points(campaign.frame()), "chebyshev").min() >= 0.999e-3


def test_a_batch_that_optimizes_is_varied_and_still_finds_the_optimum():
    campaign = Campaign(SPACE, Targets(Maximize("f")), seed=1, initial=8)
    gaps = []
    for _ in range(6):
        batch = campaign.ask(4)
        campaign.tell(batch.assign(f=value(batch)))
        gaps.append(pdist(points(batch)).min())
    assert min(gaps[2:]) > 0.049
    assert campaign.frame()["f"].max() > -1e-5


def test_candidates_that_are_too_near_move_and_others_stay():
    seen = pd.DataFrame({"x": [1.0, 5.0], "y": [0.5, 0.5]})
    history = History(seen.iloc[:0], pd.DataFrame(), seen, resolution=1e-3)
    given = pd.DataFrame({"x": [1.001, 5.0, 9.0, 9.0], "y": [0.5, 0.9, 0.1, 0.1003]})
    found = apart(SPACE, given, history, seed=0)
    pd.testing.assert_frame_equal(found.iloc[[1, 2]], given.iloc[[1, 2]])
    every = np.concatenate([points(seen), points(found)])
    assert pdist(every, "chebyshev").min() > 1e-3
    pd.testing.assert_frame_equal(found, apart(SPACE, given, history, seed=0))


def test_a_property_with_the_name_of_a_parameter_is_refused():
    with pytest.raises(InputError, match="'x' is both a parameter and a property"):
        Campaign(SPACE, Targets(Maximize("x")))
