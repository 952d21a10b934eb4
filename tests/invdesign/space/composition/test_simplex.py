from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from invdesign.space.composition.simplex import EmptySimplexError, Simplex, projected, rounded
from invdesign.space.composition.simplex_counting import Counting, random_places
from invdesign.space.composition.simplex_volume import Volume, capped_volume


def brute_force(total, low, high, fewest, most):
    ranges = [range(least, greatest + 1) for least, greatest in zip(low, high, strict=True)]
    return [
        vector
        for vector in itertools.product(*ranges)
        if sum(vector) == total and fewest <= sum(value > 0 for value in vector) <= most
    ]


@st.composite
def limits(draw):
    parts = draw(st.integers(1, 5))
    total = draw(st.integers(1, 8))
    low = draw(st.lists(st.sampled_from([0, 0, 0, 1, 2]), min_size=parts, max_size=parts))
    high = [least + draw(st.integers(0, 8)) for least in low]
    if draw(st.booleans()):
        pick = draw(st.integers(1, parts))
        return total, low, high, pick, pick
    return total, low, high, 0, draw(st.integers(1, parts))


@given(given_=limits(), seed=st.integers(0, 2**32))
@settings(max_examples=150)
def test_counts_and_lists_what_brute_force_finds(given_, seed):
    total, low, high, fewest, most = given_
    expected = brute_force(total, low, high, fewest, most)
    if not expected:
        with pytest.raises(EmptySimplexError):
            Simplex.of(total, low, high, fewest=fewest, most=most)
        return
    simplex = Simplex.of(total, low, high, fewest=fewest, most=most)
    counting = Counting(simplex)
    assert counting.size == len(expected)
    listed = counting.at(np.arange(counting.size))
    assert sorted(map(tuple, listed.tolist())) == sorted(expected)
    assert simplex.contains(listed).all()
    assert simplex.is_point == (len(expected) == 1)
    assert simplex.low == tuple(min(column) for column in zip(*expected, strict=True))
    assert simplex.high == tuple(max(column) for column in zip(*expected, strict=True))
    near = simplex.nearest(np.random.default_rng(seed).uniform(-2, 10, (50, len(low))))
    assert simplex.contains(near).all()
    np.testing.assert_array_equal(simplex.nearest(listed.astype(float)), listed)


def test_nearest_is_the_nearest_where_all_parts_are_alike(rng):
    simplex = Simplex.of(6, [0] * 4, [6] * 4, most=2)
    everything = Counting(simplex).at(np.arange(Counting(simplex).size))
    points = rng.uniform(0, 6, (300, 4))
    found = simplex.nearest(points)
    best = ((points[:, None, :] - everything) ** 2).sum(axis=2).min(axis=1)
    np.testing.assert_allclose(((points - found) ** 2).sum(axis=1), best, atol=1e-9)


def test_projection_meets_bounds_and_sum(rng):
    points = rng.normal(0, 3, (500, 5))
    low, high = np.array([0, 0, 1, 0, 0]), np.array([4, 1, 3, 10, 2])
    found = projected(points, low, high, 10)
    np.testing.assert_allclose(found.sum(axis=1), 10)
    assert ((found >= low) & (found <= high)).all()
    # Nothing feasible lies nearer: the gradient at the projection does not point into the set.
    others = projected(rng.normal(0, 3, (500, 5)), low, high, 10)
    assert (((points - found) * (others - found)).sum(axis=1) <= 1e-6).all()
    assert (rounded(found, 10).sum(axis=1) == 10).all()


def test_discrete_samples_are_uniform(rng):
    simplex = Simplex.of(6, [0, 1, 0, 0], [3, 4, 6, 2], most=3)
    drawn = Counting(simplex).draw(20_000, rng)
    counts = Counter(map(tuple, drawn.tolist()))
    assert len(counts) == Counting(simplex).size
    assert chisquare(list(counts.values())).pvalue > 1e-3


def test_counts_beyond_64_bits_are_exact(rng):
    simplex = Simplex.of(200, [0] * 20, [200] * 20)
    counting = Counting(simplex)
    assert counting.size == math.comb(219, 19)
    drawn = counting.draw(50, rng)
    assert simplex.contains(drawn).all()
    last = counting.at(np.array([counting.size - 1, 0], dtype=object))
    assert simplex.contains(last).all()
    places = random_places(10**30, 2000, rng)
    assert max(places) < 10**30
    assert kstest([place / 10**30 for place in places], "uniform").pvalue > 1e-3


def test_volumes_agree_with_random_points(rng):
    caps = (5, 3, 9, 4)
    drawn = rng.dirichlet(np.ones(4), 200_000) * 10
    share = (drawn <= caps).all(axis=1).mean()
    assert capped_volume(10, caps) / 10**3 == pytest.approx(share, abs=0.005)
    assert capped_volume(10, (10, 10, 10)) == 100
    assert capped_volume(10, (4, 5)) == 0


def _marginal(volume, part, rng, n=4000):
    drawn = volume.draw(n, rng)
    assert volume.simplex.contains(drawn).all()
    return drawn[:, part] / volume.simplex.total


def test_continuous_samples_of_a_simplex_are_uniform(rng):
    """A part of a uniform point of a simplex of k parts has the distribution 1 - (1 - a)^(k - 1)."""
    volume = Volume(Simplex.of(10**6, [0] * 5, [10**6] * 5))
    for part in range(5):
        assert kstest(_marginal(volume, part, rng), lambda a: 1 - (1 - a) ** 4).pvalue > 1e-3


def test_choices_of_parts_are_uniform(rng):
    volume = Volume(Simplex.of(10**6, [0] * 8, [10**6] * 8, most=4))
    drawn = volume.draw(20_000, rng)
    assert ((drawn > 0).sum(axis=1) == 4).all()
    counts = Counter(tuple(np.flatnonzero(row)) for row in drawn)
    assert len(counts) == math.comb(8, 4)
    assert chisquare(list(counts.values())).pvalue > 1e-3
    inside = drawn[drawn[:, 0] > 0, 0] / 10**6
    assert kstest(inside, lambda a: 1 - (1 - a) ** 3).pvalue > 1e-3


@pytest.mark.parametrize(
    ("high", "most"),
    [
        ((36, 30, 54, 18), 4),  # most points of the plain simplex are within
        ((19, 17, 16, 16), 4),  # next to none are: chains
        ((24, 30, 54, 18), 3),  # choices of parts differ in volume
    ],
)
def test_continuous_samples_within_bounds_are_uniform(high, most, rng):
    """Against brute force: the points of a grid of sixtieths."""
    grid = brute_force(60, (0,) * 4, high, most, most)
    scale = 10**5
    volume = Volume(Simplex.of(60 * scale, [0] * 4, [cap * scale for cap in high], most=most))
    drawn = volume.draw(6000, rng)
    assert volume.simplex.contains(drawn).all()
    expected, found = np.array(grid) / 60, drawn / (60 * scale)
    np.testing.assert_allclose(found.mean(axis=0), expected.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(found.std(axis=0), expected.std(axis=0), atol=0.02)
    choices = Counter(tuple(np.flatnonzero(row)) for row in drawn)
    for choice, count in Counter(tuple(np.flatnonzero(row)) for row in np.array(grid)).items():
        assert choices[choice] / 6000 == pytest.approx(count / len(grid), abs=0.04)


def test_chains_are_uniform_in_a_thin_simplex(rng):
    """Caps of 26 % leave, seen from above, a simplex of 4 %, whose parts are distributed as those of any simplex."""
    volume = Volume(Simplex.of(10**6, [0] * 4, [260_000] * 4))
    missing = (260_000 - volume.draw(4000, rng)) / 40_000
    for part in range(4):
        assert kstest(missing[:, part], lambda a: 1 - (1 - np.clip(a, 0, 1)) ** 3).pvalue > 1e-3


def test_thin_faces_are_chosen_by_their_length(rng):
    volume = Volume(Simplex.of(10**6, [0] * 3, [500_000, 520_000, 510_000], most=2))
    counts = Counter(tuple(np.flatnonzero(row)) for row in volume.draw(6000, rng))
    assert chisquare([counts[0, 1], counts[0, 2], counts[1, 2]], [2000, 1000, 3000]).pvalue > 1e-3


def test_bounds_that_leave_a_point_or_a_corner(rng):
    point = Volume(Simplex.of(10, [4, 0, 0], [4, 3, 3]))
    assert (point.draw(5, rng) == [4, 3, 3]).all()
    corners = Volume(Simplex.of(10, [0, 0, 0], [5, 5, 5], most=2))
    counts = Counter(map(tuple, corners.draw(3000, rng).tolist()))
    assert set(counts) == {(5, 5, 0), (5, 0, 5), (0, 5, 5)}
    assert chisquare(list(counts.values())).pvalue > 1e-3
