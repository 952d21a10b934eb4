from __future__ import annotations

import numpy as np
import pytest

from invdesign.space.cube_moves import differential_move, simulated_binary_crossover


def test_moves_along_differences_stay_in_the_cube(rng):
    points, better, one, other = rng.random((4, 2000, 6))
    points[:500], one[500:900], other[500:900] = np.round(points[:500]), 1.0, 0.0
    moved = differential_move(points, better, one, other, rng)
    assert moved.shape == points.shape
    assert ((moved >= 0.0) & (moved <= 1.0)).all()


def test_what_would_leave_the_cube_is_mirrored_at_its_bound(rng):
    """From 0.9 up and from 0.1 down by a length below 1: a move of 0.3 ends at 0.8 and at 0.2, no place at a bound."""
    start = np.tile([0.9, 0.1], (2000, 1))
    up = np.tile([1.0, 0.0], (2000, 1))
    moved = differential_move(start, start, up, 1.0 - up, rng)
    assert ((moved > 0.0) & (moved < 1.0)).all()
    assert (moved[:, 0] < 0.9).mean() > 0.7
    np.testing.assert_allclose(moved.sum(axis=1), 1.0)


def test_all_coordinates_of_a_row_move_together_and_rows_apart(rng):
    start, ahead = np.full((500, 4), 0.5), np.tile([0.6, 0.7, 0.4, 0.5], (500, 1))
    moved = differential_move(start, ahead, start, start, rng) - start
    np.testing.assert_allclose(moved, moved[:, :1] * [1.0, 2.0, -1.0, 0.0], atol=1e-12)
    assert len(np.unique(moved[:, 0])) == 500
    assert ((moved[:, 0] >= 0.0) & (moved[:, 0] <= 0.1)).all()


def test_the_same_seed_moves_alike():
    points = np.random.default_rng(0).random((4, 50, 3))
    first, again, other = (differential_move(*points, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("spread", [2.0, 15.0])
def test_a_larger_index_keeps_children_nearer_to_their_parents(spread, rng):
    first, second = np.full((20_000, 1), 0.4), np.full((20_000, 1), 0.6)
    child = simulated_binary_crossover(first, second, rng, spread)
    away = np.minimum(np.abs(child - 0.4), np.abs(child - 0.6)).mean()
    assert (away < 0.01) == (spread > 10.0)
