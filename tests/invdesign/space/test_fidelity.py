from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.core.errors import InputError
from invdesign.space import Continuous, Fidelity, Integer, SearchSpace
from invdesign.space.variation import crossed, mutated

FIDELITY = Fidelity({"cheap": 1, "dear": 20})
SPACE = SearchSpace(k=Integer(0, 4), fidelity=FIDELITY)


def test_a_space_is_as_large_as_without_its_fidelity_and_gives_the_target_fidelity(rng):
    assert (SPACE.size, SPACE.dimension) == (5, 1)
    assert SPACE.fidelity == ("fidelity", FIDELITY)
    assert FIDELITY.target == "dear"
    for frame in (SPACE.sample(3, rng), SPACE.grid(), SPACE.decode(rng.random((3, 1)))):
        assert (frame["fidelity"] == "dear").all()
    assert len(SPACE.grid()) == 5
    assert SPACE.columns[1].values == ("cheap", "dear")


def test_candidates_of_any_fidelity_are_of_the_space(rng):
    frame = pd.DataFrame({"k": [1, 2], "fidelity": ["cheap", "dear"]})
    np.testing.assert_allclose(SPACE.encode(frame), [[0.3], [0.5]])
    with pytest.raises(
        InputError, match=r"Column 'fidelity': 'chep' is not one of the fidelities\. Did you mean 'cheap'"
    ):
        SPACE.encode(frame.assign(fidelity="chep"))


def test_variation_changes_the_candidate_not_the_fidelity(rng):
    parents = pd.DataFrame({"k": [2] * 40, "fidelity": ["cheap"] * 40})
    children = mutated(SPACE, parents, rng)
    assert (children["fidelity"] == "dear").all()
    assert (children["k"] != 2).all()
    assert (crossed(SPACE, parents, parents, rng)["fidelity"] == "dear").all()


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        ({"dear": 20}, "'costs' needs 2 entries or more, not 1"),
        (["cheap", "dear"], "'costs' must be a mapping"),
        ({"cheap": 0, "dear": 1}, "'costs.cheap' must be above 0, not 0"),
        ({"cheap": float("nan"), "dear": 1}, "'costs.cheap' must be a finite number, not nan"),
        ({"cheap": "1", "dear": 2}, "'costs.cheap' must be a number, not '1'"),
        ({"dear": 20, "cheap": 1}, "less than the 20 of the one before it"),
        ({1: 1, "dear": 20}, "'costs.1' must be text, not 1"),
    ],
)
def test_bad_fidelities_are_named(costs, words):
    with pytest.raises(InputError, match=words):
        Fidelity(costs)


def test_a_space_has_one_fidelity_and_something_to_search():
    with pytest.raises(InputError, match="'b' is a second fidelity column, besides 'a'"):
        SearchSpace(x=Continuous(0, 1), a=FIDELITY, b=FIDELITY)
    with pytest.raises(InputError, match="no parameters to search"):
        SearchSpace(fidelity=FIDELITY)
    with pytest.raises(InputError, match="refers to the fidelity, which the optimizer chooses"):
        SearchSpace(x=Continuous(0, 1), fidelity=FIDELITY, constraints=["fidelity == 'dear'"])
