"""Pinned parameters: every proposal has their values, and constraints still hold."""

from __future__ import annotations

import numpy as np
import pytest

from invdesign.core.errors import InputError
from invdesign.space import Categorical, Continuous, Integer, SearchSpace
from invdesign.space.pinned import pinned

SPACE = SearchSpace(
    t=Continuous(20, 60), k=Integer(1, 4), w=Categorical(["EC", "DMC"]), constraints=["t <= 50 or w == 'EC'"]
)


def test_samples_have_the_pinned_values_and_meet_the_constraints():
    found = pinned(SPACE, {"t": 55, "k": "3"}).sample(20, np.random.default_rng(0))
    assert set(found["t"]) == {55.0}
    assert set(found["k"]) == {3}
    assert set(found["w"]) == {"EC"}
    assert found.dtypes.tolist() == SPACE.sample(3, np.random.default_rng(0)).dtypes.tolist()


@pytest.mark.parametrize("settings", [{}, {"step": 0.05}])
def test_a_sum_is_kept_with_one_of_its_parts_pinned(settings):
    space = SearchSpace({name: Continuous(0, 1, **settings) for name in "abc"}, constraints=["a + b + c == 1"])
    found = pinned(space, {"b": 0.3}).sample(50, np.random.default_rng(0))
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert set(found["b"]) == {0.3}
    assert found["a"].nunique() > 5


@pytest.mark.parametrize(
    ("pins", "words"),
    [
        ({"T": 25}, "Unknown parameter 'T' to pin"),
        ({"t": 70}, r"'t' cannot be pinned to 70: 70 lies outside \[20, 60\]"),
        ({"w": "EMC"}, "'w' cannot be pinned to 'EMC'"),
        ({"t": 55, "w": "DMC"}, "constraint"),
    ],
)
def test_a_pin_that_cannot_be_is_an_error(pins, words):
    with pytest.raises(InputError, match=words):
        pinned(SPACE, pins)
