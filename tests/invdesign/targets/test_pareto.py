"""Ranks and the hypervolume against their definitions, computed the slow way."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from invdesign.targets import hypervolume, pareto_rank

few_values = st.sampled_from([0.0, -0.0, 1.0, 2.0, 3.0, -np.inf, np.inf, np.nan])  # so that ties are the rule
tables = arrays(float, st.tuples(st.integers(0, 14), st.integers(0, 5)), elements=few_values)


def ranks_by_definition(gains: np.ndarray) -> list[int]:
    """Front after front: the rows that no other row left equals or exceeds everywhere and exceeds somewhere."""
    known = [row for row in range(len(gains)) if not np.isnan(gains[row]).any()]
    ranks, rank, left = dict.fromkeys(range(len(gains)), -1), 0, known
    while left:
        front = [
            row
            for row in left
            if not any((gains[other] >= gains[row]).all() and (gains[other] > gains[row]).any() for other in left)
        ]
        ranks |= dict.fromkeys(front, rank)
        left = [row for row in left if row not in front]
        rank += 1
    return [rank if ranks[row] == -1 else ranks[row] for row in range(len(gains))]


@given(tables)
@example(np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 1.0], [np.nan, 9.0]]))
@example(np.full((3, 2), np.nan))
@example(np.array([[2.0, 1.0, np.inf, 0.0], [2.0, np.inf, 3.0, 1.0]]))  # moocore 0.3.2 by itself crashes on these
def test_ranks_are_those_of_the_definition(gains):
    ranks = pareto_rank(gains)
    assert ranks.dtype == np.int64
    assert ranks.tolist() == ranks_by_definition(gains)


@pytest.mark.parametrize("columns", [1, 2, 3, 5])
def test_ranks_of_many_rows_are_those_of_the_definition(columns, rng):
    gains = np.round(rng.random((150, columns)), 1)
    assert pareto_rank(gains).tolist() == ranks_by_definition(gains)


def test_a_row_of_its_own_front_for_each_of_many():
    """A chain, in which each row dominates the next: the worst case of taking front after front away."""
    chain = np.repeat(np.arange(20_000.0)[:, None], 2, axis=1)
    np.testing.assert_array_equal(pareto_rank(chain), np.arange(20_000)[::-1])


@given(
    arrays(
        float,
        st.tuples(st.integers(0, 6), st.integers(1, 3)),
        elements=st.sampled_from([-1.0, 0, 1, 2, 3, np.nan, np.inf]),
    )
)
def test_the_hypervolume_is_the_number_of_dominated_unit_cells(gains):
    """Gains are whole numbers, so that each cell of the grid above the reference is dominated whole or not at all."""
    known = gains[np.isfinite(gains).all(axis=1)]
    cells = itertools.product(range(3), repeat=gains.shape[1])
    dominated = sum(bool((known >= np.array(cell) + 1).all(axis=1).any()) for cell in cells)
    assert hypervolume(gains, np.zeros(gains.shape[1])) == pytest.approx(dominated)


def test_the_hypervolume_counts_from_its_reference():
    assert hypervolume([[3.0, 2.0]], [1.0, 0.5]) == pytest.approx(2.0 * 1.5)
