from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.core.errors import InputError
from invdesign.space import Continuous, Integer, Level, SearchSpace
from invdesign.space.variation import crossed, mutated

LEVEL = Level({"cheap": 1, "dear": 20})
SPACE = SearchSpace(k=Integer(0, 4), level=LEVEL)


def test_a_space_is_as_large_as_without_its_level_and_gives_the_truest(rng):
    assert (SPACE.size, SPACE.dimension) == (5, 1)
    assert SPACE.level == ("level", LEVEL)
    assert LEVEL.truest == "dear"
    for frame in (SPACE.sample(3, rng), SPACE.grid(), SPACE.decode(rng.random((3, 1)))):
        assert (frame["level"] == "dear").all()
    assert len(SPACE.grid()) == 5
    assert SPACE.columns[1].values == ("cheap", "dear")


def test_candidates_of_any_level_are_of_the_space(rng):
    frame = pd.DataFrame({"k": [1, 2], "level": ["cheap", "dear"]})
    np.testing.assert_allclose(SPACE.encode(frame), [[0.3], [0.5]])
    with pytest.raises(InputError, match=r"Column 'level': 'chep' is not one of the levels\. Did you mean 'cheap'"):
        SPACE.encode(frame.assign(level="chep"))


def test_variation_changes_the_candidate_not_the_level(rng):
    parents = pd.DataFrame({"k": [2] * 40, "level": ["cheap"] * 40})
    children = mutated(SPACE, parents, rng)
    assert (children["level"] == "dear").all()
    assert (children["k"] != 2).all()
    assert (crossed(SPACE, parents, parents, rng)["level"] == "dear").all()


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        ({"dear": 20}, "two names or more"),
        (["cheap", "dear"], "two names or more"),
        ({"cheap": 0, "dear": 1}, "'cheap' needs a cost above zero, not 0"),
        ({"cheap": float("nan"), "dear": 1}, "needs a cost above zero"),
        ({"cheap": "1", "dear": 2}, "needs a cost above zero, not '1'"),
        ({"dear": 20, "cheap": 1}, "less than the 20 of the level before it"),
        ({1: 1, "dear": 20}, "named by a word; 1 is none"),
    ],
)
def test_bad_levels_are_named(costs, words):
    with pytest.raises(InputError, match=words):
        Level(costs)


def test_a_space_has_one_level_and_something_to_search():
    with pytest.raises(InputError, match="'b' is a second column of levels, besides 'a'"):
        SearchSpace(x=Continuous(0, 1), a=LEVEL, b=LEVEL)
    with pytest.raises(InputError, match="nothing is there to be searched"):
        SearchSpace(level=LEVEL)
    with pytest.raises(InputError, match="speaks of the level, which the optimizer chooses"):
        SearchSpace(x=Continuous(0, 1), level=LEVEL, constraints=["level == 'dear'"])
