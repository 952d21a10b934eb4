from __future__ import annotations

import numpy as np
import pytest

from invdesign.campaign.correction import learn_correction
from invdesign.objectives.linear_fit import LinearFit


def test_a_shift_is_an_offset_and_a_stretch_a_line(rng):
    low_fidelity = rng.uniform(1.0, 2.0, size=20)
    noise = rng.normal(scale=0.02, size=20)
    offset = learn_correction("f", low_fidelity, low_fidelity + 0.7 + noise)
    assert offset.kind == "offset"
    assert (offset.slope, offset.pairs) == (1.0, 20)
    assert offset.intercept == pytest.approx(0.7, abs=0.02)
    assert offset.errors["none"].mae == pytest.approx(0.7, abs=0.02)
    assert offset.errors["offset"].rmse < 0.05
    line = learn_correction("f", low_fidelity, 0.5 * low_fidelity + 0.7 + noise)
    assert line.kind == "line"
    assert line.slope == pytest.approx(0.5, abs=0.1)
    assert line.errors["line"].mae < line.errors["offset"].mae < line.errors["none"].mae


def test_left_out_errors_are_those_of_pairs_that_were_not_learned_from(rng):
    low_fidelity = rng.normal(size=9)
    verified = low_fidelity + rng.normal(size=9)
    errors = learn_correction("f", low_fidelity, verified).errors
    difference = verified - low_fidelity
    left_out = [difference[out] - np.delete(difference, out).mean() for out in range(9)]
    assert errors["none"].mae == pytest.approx(np.abs(difference).mean())
    assert errors["offset"].mae == pytest.approx(np.abs(left_out).mean())
    assert errors["offset"].rmse == pytest.approx(np.sqrt(np.square(left_out).mean()))


def test_values_that_agree_are_left_alone(rng):
    low_fidelity = rng.normal(size=8)
    noise = np.array([0.1, -0.1] * 4)
    correction = learn_correction("f", low_fidelity, low_fidelity + noise)
    assert correction.kind == "none"
    np.testing.assert_array_equal(correction.apply(low_fidelity), low_fidelity)


@pytest.mark.parametrize(("pairs", "considered"), [(1, ["none"]), (3, ["none", "offset"]), (5, None)])
def test_few_pairs_allow_little(rng, pairs, considered):
    low_fidelity = rng.normal(size=pairs)
    errors = learn_correction("f", low_fidelity, 2.0 * low_fidelity + 1.0).errors
    assert list(errors) == (considered or ["none", "offset", "line"])


def test_without_pairs_nothing_is_corrected():
    correction = learn_correction("f", np.array([1.0, np.nan]), np.array([np.nan, 2.0]))
    assert (correction.kind, correction.pairs, correction.errors) == ("none", 0, {})
    assert correction.apply(np.array([3.0])).tolist() == [3.0]


@pytest.mark.parametrize("slope", [-1.0, 0.0])
def test_a_line_with_no_or_negative_slope_is_not_considered(slope):
    low_fidelity = np.linspace(0.0, 1.0, 10)
    assert "line" not in learn_correction("f", low_fidelity, slope * low_fidelity + 5.0).errors


def test_equal_low_fidelity_values_allow_an_offset():
    correction = learn_correction("f", np.full(6, 2.0), np.array([2.5, 2.6, 2.4, 2.5, 2.6, 2.4]))
    assert correction.kind == "offset"
    assert correction.apply(np.array([4.0]))[0] == pytest.approx(4.5)


def test_a_line_ends_where_its_pairs_end(rng):
    low_fidelity = rng.uniform(1.0, 2.0, size=30)
    correction = learn_correction("f", low_fidelity, 0.2 * low_fidelity + 3.0 + rng.normal(scale=0.01, size=30))
    assert correction.kind == "line"
    line = LinearFit(low_fidelity, 0.2 * low_fidelity + 3.0)
    low, high = correction.low, correction.high
    inner = np.array([low, 1.5, high])
    assert correction.apply(inner) == pytest.approx(line.predict(inner)[0], abs=0.03)
    beyond = correction.apply(np.array([low - 10.0, high + 10.0]))
    at_ends = correction.apply(np.array([low, high]))
    assert beyond == pytest.approx(at_ends + np.array([-10.0, 10.0]))


def test_missing_values_stay_missing_and_order_is_kept(rng):
    low_fidelity = rng.normal(size=12)
    correction = learn_correction("f", low_fidelity, 3.0 * low_fidelity)
    values = np.array([np.nan, -5.0, -0.1, 0.3, 9.0])
    corrected = correction.apply(values)
    assert np.isnan(corrected[0])
    assert (np.diff(corrected[1:]) > 0).all()
