"""When a search starts again, with which population and step, and when it is given up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.optimizers import Fitness
from invdesign.optimizers.population.restarts import BEHIND, MOST_DOUBLINGS, Start, depths, is_behind
from invdesign.targets import AtLeast, Maximize, Minimize, Targets

FIRST = Start(size=8, step=0.3)


def test_the_regime_with_fewer_evaluations_is_next():
    rng = np.random.default_rng(0)
    small = FIRST.after(FIRST, 500, rng)
    assert small.small
    assert small.spent == (500, 0)
    assert small.after(FIRST, 200, rng).small
    large = small.after(FIRST, 500, rng)
    assert (large.small, large.size, large.step, large.spent) == (False, 16, 0.3, (500, 500))


def test_small_starts_are_no_larger_than_half_the_last_large_one():
    rng = np.random.default_rng(0)
    last = Start(size=64, step=0.3, doublings=3)
    found = [last.after(FIRST, 100, rng) for _ in range(200)]
    assert {start.size for start in found} == set(range(8, 32))
    assert all(0.003 <= start.step <= 0.3 for start in found)
    assert all(start.doublings == 3 for start in found)


def test_the_population_is_doubled_at_most_so_often():
    start = Start(size=8 * 2**MOST_DOUBLINGS, step=0.3, doublings=MOST_DOUBLINGS, spent=(0, 10**6))
    assert start.after(FIRST, 100, np.random.default_rng(0)).size == start.size


@pytest.mark.parametrize(
    ("generation", "best", "expected"),
    [
        ([5.0, 5.5, 6.0], 5.0 - 1.01 * BEHIND, True),
        ([5.0, 5.5, 6.0], 5.0 - 0.99 * BEHIND, False),
        ([5.0, 5.0, 5.0], 4.9, True),
        ([5.0, 5.0, 5.0], 5.0, False),
        ([5.0, 5.5, np.inf], 0.0, False),
        ([5.0, 5.5, 6.0], np.inf, False),
    ],
)
def test_a_generation_is_behind_by_several_of_its_own_differences(generation, best, expected):
    assert is_behind(np.array(generation), best) is expected


def test_depths_are_losses_of_what_meets_the_targets_or_else_shortfalls():
    values = pd.DataFrame({"f": [1.0, 2.0, np.nan], "g": [3.0, 0.0, 3.0]})
    depth = depths(Fitness.of(values, Targets(Maximize("f"), AtLeast("g", 1.0))))
    assert depth.tolist() == [-1.0, np.inf, np.inf]
    short = depths(Fitness.of(values, Targets(AtLeast("g", 1.0))))
    assert short[0] == 0.0
    assert short[1] > 0.0
    front = depths(Fitness.of(values, Targets(Minimize("f"), Minimize("g"))))
    assert np.isinf(front).all()
