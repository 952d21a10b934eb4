from __future__ import annotations

import numpy as np
import pytest

from invdesign.objectives.linear_fit import LinearFit


def test_left_out_errors_are_those_of_refitting(rng):
    raw, noise = rng.normal(size=12), rng.normal(scale=0.1, size=12)
    known = 0.5 * raw + noise
    fit = LinearFit(raw, known)
    for out in range(12):
        keep = np.arange(12) != out
        again = LinearFit(raw[keep], known[keep])
        assert known[out] - again.predict(raw[[out]])[0][0] == pytest.approx(fit.left_out()[out])


def test_it_agrees_with_numpy_and_is_least_sure_far_away(rng):
    raw = rng.normal(size=20)
    known = 2.0 * raw - 1.0 + rng.normal(scale=0.1, size=20)
    fit = LinearFit(raw, known)
    assert (fit.slope, fit.intercept) == pytest.approx(tuple(np.polyfit(raw, known, 1)))
    mean, deviation = fit.predict(np.array([0.0, 10.0]))
    assert mean == pytest.approx([fit.intercept, 10.0 * fit.slope + fit.intercept])
    assert deviation[1] > 2.0 * deviation[0]


def test_equal_values_make_a_flat_line():
    fit = LinearFit(np.full(4, 1.0), np.array([1.0, 2.0, 3.0, 2.0]))
    assert (fit.slope, fit.intercept) == (0.0, 2.0)
