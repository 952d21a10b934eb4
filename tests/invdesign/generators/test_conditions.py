"""Ranges as vectors: they hold the values that they were drawn around, and say the same of any unit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from invdesign import InputError
from invdesign.generators.conditions import NUMBERS, OUTERMOST, Conditions, ranges_of
from invdesign.targets import AtLeast, AtMost, Between, Maximize, Minimize, Targets

VALUES = pd.DataFrame({"a": np.exp(np.random.default_rng(0).normal(size=400)), "b": np.linspace(-3, 5, 400)})
CONDITIONS = Conditions.of(VALUES)


def test_drawn_ranges_hold_their_values():
    drawn = CONDITIONS.drawn(VALUES, np.random.default_rng(1))
    for place, name in enumerate(VALUES):
        asked, low, high = drawn[:, NUMBERS * place : NUMBERS * (place + 1)].T
        share = CONDITIONS.shares(name, VALUES[name].to_numpy())
        here = asked == 1.0
        assert 0.6 < here.mean() < 0.8
        assert (ndtr(low[here]) <= np.maximum(share[here], OUTERMOST) + 1e-9).all()
        assert (ndtr(high[here]) >= np.minimum(share[here], 1 - OUTERMOST) - 1e-9).all()
        assert (drawn[~here, NUMBERS * place : NUMBERS * (place + 1)] == 0.0).all()


def test_unknown_values_are_not_asked_for():
    gaps = VALUES.assign(a=np.nan)
    assert (CONDITIONS.drawn(gaps, np.random.default_rng(1))[:, :NUMBERS] == 0.0).all()


@given(low=st.floats(-2.5, 4.0), width=st.floats(0.2, 3.0), factor=st.floats(0.01, 100.0))
def test_a_unit_does_not_matter(low, width, factor):
    scaled = Conditions.of(VALUES * factor)
    one = CONDITIONS.of_targets(Targets(Between("b", low, low + width)))
    other = scaled.of_targets(Targets(Between("b", low * factor, (low + width) * factor)))
    assert other == pytest.approx(one, abs=1e-6)


def test_targets_become_ranges():
    nothing = CONDITIONS.of_targets(None)
    assert (nothing == 0.0).all()
    lowest = CONDITIONS.of_targets(Targets(AtMost("b", VALUES["b"].quantile(0.05))))[NUMBERS:]
    assert ndtr(lowest[1:]) == pytest.approx([OUTERMOST, 0.05], abs=1e-6)
    two = CONDITIONS.of_targets(Targets(AtLeast("b", 0.0), AtMost("b", 1.0)))
    assert two == pytest.approx(CONDITIONS.of_targets(Targets(Between("b", 0.0, 1.0))))
    for target, end in ((Maximize("a"), 1), (Minimize("a"), 2)):
        vector = CONDITIONS.of_targets(ranges_of(Targets(target), VALUES))
        assert ndtr(vector[end]) == pytest.approx({1: 0.95, 2: 0.05}[end], abs=1e-3)


def test_one_value_is_no_property():
    with pytest.raises(InputError, match="'c' has fewer than two"):
        Conditions.of(VALUES.assign(c=1.0))
