from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from invdesign.space import Continuous, SearchSpace
from invdesign.space.rounding import as_proposed, rounded
from invdesign.space.tolerances import broken_constraints

SPACES = (
    SearchSpace({name: Continuous(0, 1) for name in "abc"}, constraints=["a + b + c == 1", "a <= 2 * b"]),
    SearchSpace(
        thickness=Continuous(40, 120), porosity=Continuous(0.2, 0.45), constraints=["thickness * porosity <= 30"]
    ),
    SearchSpace(
        rate=Continuous(1e-3, 1e2, log=True), x=Continuous(0, 1), y=Continuous(0, 2), constraints=["x + y == 1"]
    ),
)


@given(place=st.integers(0, len(SPACES) - 1), seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_rounded_candidates_meet_every_constraint_and_stay_near(place, seed):
    space = SPACES[place]
    sample = space.sample(20, np.random.default_rng(seed))
    result = rounded(space, sample, sample.iloc[:0])
    assert space.feasible(result).all()
    assert not result.duplicated().any()
    assert np.abs(space.encode(result) - space.encode(sample)).max() < 2e-3
    digits = result.map(lambda value: len(f"{value:.15g}".replace(".", "").lstrip("0")))
    assert digits.to_numpy().mean() < 7


def test_a_candidate_that_rounding_would_repeat_gets_more_digits():
    space = SearchSpace(x=Continuous(0, 1))
    found = rounded(space, pd.DataFrame({"x": [0.123421, 0.123422]}), pd.DataFrame({"x": [0.1234]}))
    assert found["x"].tolist() == [0.12342, 0.123422]


def test_what_was_made_counts_as_what_was_proposed():
    space = SearchSpace(x=Continuous(0, 1, step=0.05), y=Continuous(0, 1))
    made = pd.DataFrame({"x": [0.2503], "y": [0.123]})
    assert as_proposed(space, made).to_numpy().tolist() == [[0.25, 0.123]]


def test_a_constraint_within_the_tolerances_is_satisfied_and_one_beyond_is_named():
    space = SPACES[0]
    made = pd.DataFrame({"a": [0.3, 0.3], "b": [0.3, 0.3], "c": [0.399, 0.3]})
    within, beyond = broken_constraints(space, made)
    assert within == ""
    assert beyond == "The candidate violates the constraint 'a + b + c == 1' by 0.1, more than the tolerance 0.003."
