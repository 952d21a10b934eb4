from __future__ import annotations

import numpy as np
import pytest

from invdesign.surrogates.conformal import Difficulty, calibrated_scale
from invdesign.surrogates.validation import Z90


def test_the_scale_makes_nine_in_ten_errors_lie_within_the_interval():
    rng = np.random.default_rng(0)
    difficulties = rng.uniform(0.5, 4.0, 5000)
    scale = calibrated_scale(0.3 * difficulties * rng.standard_normal(5000), difficulties)
    assert scale == pytest.approx(0.3, rel=0.05)
    heavy = difficulties * rng.standard_t(3, 5000)
    scale = calibrated_scale(heavy, difficulties)
    assert np.mean(np.abs(heavy) <= Z90 * scale * difficulties) == pytest.approx(0.9, abs=0.002)


def test_few_errors_are_not_taken_at_their_word():
    rng = np.random.default_rng(0)
    scales = [calibrated_scale(rng.standard_normal(5), np.ones(5)) for _ in range(3000)]
    inside = np.abs(rng.standard_normal(3000)) <= Z90 * np.array(scales)
    assert inside.mean() == pytest.approx(0.9, abs=0.02)


def test_the_far_and_what_lies_among_large_errors_are_difficult():
    rng = np.random.default_rng(0)
    known = rng.uniform(size=(200, 2))
    errors = np.where(known[:, 0] > 0.5, 5.0, 1.0) * rng.standard_normal(200)
    difficulty = Difficulty(known, errors)
    easy, hard, far, further = difficulty(np.array([[0.2, 0.5], [0.8, 0.5], [0.2, 3.0], [0.2, 30.0]]))
    assert hard > 1.5 * easy > 0.0
    assert further > 5.0 * far > 25.0 * easy
    assert difficulty.of_known.shape == (200,)
    assert (difficulty.of_known > 0.0).all()


def test_rows_that_are_all_alike_and_errors_of_zero_leave_a_positive_difficulty():
    difficulty = Difficulty(np.ones((6, 3)), np.zeros(6))
    assert (difficulty(np.ones((2, 3))) > 0.0).all()
    assert (difficulty.of_known > 0.0).all()
