from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import norm

from invdesign.core.errors import InputError
from invdesign.targets import AtLeast, AtMost, Between, CloseTo, Equals, Maximize, Minimize, Targets

numbers = st.floats(-1e3, 1e3)


def test_met_and_shortfall_of_each_kind():
    values = [1.0, 2.0, 3.5, np.nan]
    assert Between("p", 2, 3).met(values).tolist() == [False, True, False, False]
    np.testing.assert_array_equal(Between("p", 2, 3).shortfall(values), [1, 0, 0.5, np.nan])
    np.testing.assert_array_equal(AtLeast("p", 2).shortfall(values), [1, 0, 0, np.nan])
    np.testing.assert_array_equal(AtMost("p", 2).shortfall(values), [0, 0, 1.5, np.nan])
    np.testing.assert_array_equal(CloseTo("p", 2, 0.5).shortfall(values), [0.5, 0, 1, np.nan])
    assert Equals("p", 2).met(values).tolist() == [False, True, False, False]
    assert Maximize("p").met(values).tolist() == [True, True, True, False]
    assert Minimize("p").shortfall(values)[:3].tolist() == [0, 0, 0]


@given(low=numbers, width=st.floats(1e-3, 1e3), mean=numbers, std=st.floats(1e-2, 1e2))
def test_probability_agrees_with_the_normal_distribution(low, width, mean, std):
    window = Between("p", low, low + width)
    expected = norm.cdf(low + width, mean, std) - norm.cdf(low, mean, std)
    assert window.probability(mean, std) == pytest.approx(expected, abs=1e-9)
    assert AtLeast("p", low).probability(mean, std) == pytest.approx(norm.sf(low, mean, std), abs=1e-12)
    assert AtMost("p", low).probability(mean, std) == pytest.approx(norm.cdf(low, mean, std), abs=1e-12)


@given(mean=numbers, std=st.floats(1e-2, 1e2))
def test_mirrored_targets_have_equal_probability(mean, std):
    assert AtLeast("p", 1.0).log_probability(mean, std) == pytest.approx(
        AtMost("p", -1.0).log_probability(-mean, std), rel=1e-12
    )
    assert Between("p", 1.0, 2.0).log_probability(mean, std) == pytest.approx(
        Between("p", -2.0, -1.0).log_probability(-mean, std), rel=1e-9
    )


def test_log_probability_ranks_two_hopeless_predictions():
    near, far = Between("p", 0, 1).log_probability([100.0, 200.0], [1.0, 1.0])
    assert np.isfinite([near, far]).all()
    assert near > far
    assert Between("p", 0, 1).probability(100.0, 1.0) == 0.0


def test_certain_prediction_is_met_or_missed():
    assert Between("p", 0, 1).probability([0.5, 1.5], [0.0, 0.0]).tolist() == [1.0, 0.0]


def test_units_are_converted_and_tolerances_do_not_shift():
    assert Between("v", 1400, 1700, unit="mV").in_unit("V").interval == pytest.approx((1.4, 1.7))
    warm = CloseTo("t", 25, 5, unit="degC").in_unit("K")
    assert (warm.value, warm.tolerance) == pytest.approx((298.15, 5.0))
    assert AtLeast("c", 200, unit="mA*h/g").in_unit("A*h/kg").value == pytest.approx(200)
    assert Maximize("v").in_unit("V").unit == "V"


@given(low=numbers, width=st.floats(1e-3, 1e3), value=numbers)
def test_a_change_of_unit_changes_no_verdict(low, width, value):
    target = Between("v", low, low + width, unit="V")
    other = target.in_unit("mV")
    assert other.shortfall(1000 * value) == pytest.approx(1000 * target.shortfall(value), abs=1e-6)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Between("p", 2, 1), "lower value first"),
        (lambda: CloseTo("p", 2, 0), "tolerance must be positive"),
        (lambda: AtLeast("p", float("nan")), "finite number"),
        (lambda: AtLeast("p", "3"), "finite number"),
        (lambda: AtLeast("", 3), "name of a property"),
        (lambda: AtLeast("p", 3, unit="Vlot"), "not a known unit"),
        (lambda: AtLeast("p", 3, unit="V").in_unit("kg"), "cannot be converted"),
    ],
)
def test_bad_targets_are_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_equality_has_the_slack_of_rounding_also_at_zero():
    assert Equals("p", 0).met([0.0, 1e-10, 1e-8]).tolist() == [True, True, False]
    assert Equals("p", 1e6).met([1e6 + 1e-4, 1e6 + 1e-2]).tolist() == [True, False]


def test_a_bound_belongs_to_its_interval():
    assert Between("p", 2, 3).met([2.0, 3.0]).all()
    assert AtLeast("p", 2).met([2.0]).all()
    assert AtMost("p", 2).met([2.0]).all()
    assert CloseTo("p", 2, 0.5).met([1.5, 2.5]).all()


@given(
    low=st.floats(-5, 5),
    width=st.floats(0.1, 10),
    mean=st.floats(-15, 15),
    std=st.floats(1e-3, 20),
    share=st.floats(0.02, 0.98),
)
def test_a_prediction_meets_a_target_if_its_probability_is_enough(low, width, mean, std, share):
    for plain in (Between("f", low, low + width), AtLeast("f", low), AtMost("f", low)):
        chance = plain.probability(mean, std)
        assume(abs(chance - share) > 1e-6)
        asking = replace(plain, min_probability=share)
        assert bool(asking.met(mean, std)) == (chance >= share)
        assert (float(asking.shortfall(mean, std)) == 0.0) == (chance >= share)
        assert asking.met([low + 0.05], [0.0]) == plain.met([low + 0.05])
        assert asking.met([low + 0.05]) == plain.met([low + 0.05])


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, "much"])
def test_a_probability_is_between_zero_and_one(share):
    with pytest.raises(InputError, match="above 0 and below 1"):
        AtLeast("f", 1.0, min_probability=share)
    with pytest.raises(InputError, match="is optimized"):
        Maximize("f", min_probability=0.9)


def test_a_change_of_unit_keeps_the_probability():
    assert str(AtLeast("f", 1.0, unit="V", min_probability=0.9).in_unit("mV")) == "f at least 1000 mV with 90 %"


def test_a_class_is_met_by_its_probability():
    target = Equals("phase", "layered")
    assert target.property == "phase=layered"
    assert str(target) == "phase equal to layered"
    assert target.met([0.4, 0.5, 1.0, np.nan]).tolist() == [False, True, True, False]
    sure = Equals("phase", "layered", min_probability=0.9)
    assert sure.met([0.8, 0.9], std=[0.4, 0.3]).tolist() == [False, True]
    assert sure.in_unit("") == Equals("phase", "layered", min_probability=0.9, unit="")
    chance = np.array([0.2, 0.8])
    np.testing.assert_allclose(target.probability(chance, np.sqrt(chance * (1.0 - chance))), chance)
    targets = Targets(target)
    values = pd.DataFrame({"phase=layered": chance, "phase=layered_std": np.sqrt(chance * (1.0 - chance))})
    np.testing.assert_allclose(targets.probabilities(values)["probability"], chance)


def test_a_target_may_list_the_classes_of_its_property():
    target = Equals("phase", "layered", classes=["layered", "spinel"])
    assert target.classes == ("layered", "spinel")
    assert str(target) == "phase equal to layered"
    assert target.in_unit("").classes == target.classes
    with pytest.raises(InputError, match="'layerd' is not one of the classes layered, spinel"):
        Equals("phase", "layerd", classes=("layered", "spinel"))
    for classes in (("layered",), ("layered", "layered"), ("layered", " ")):
        with pytest.raises(InputError, match="at least two different texts"):
            Equals("phase", "layered", classes=classes)
    with pytest.raises(InputError, match="the number 2 has no classes"):
        Equals("charge", 2, classes=("1", "2"))


def test_a_reference_is_a_number_in_the_unit_of_the_target():
    target = Minimize("mass", unit="kg", reference=2.0)
    assert target.in_unit("g").reference == pytest.approx(2000.0)
    assert str(target) == "minimize mass (reference 2 kg)"
    assert str(Maximize("v", reference=3, weight=2)) == "maximize v (reference 3, weight 2)"
    assert Maximize("v", unit="V").in_unit("mV").reference is None
    assert target.met([1.0, 3.0]).all()  # it ranks candidates, and rules none out
    with pytest.raises(InputError, match="'v': reference must be a finite number, not 'much'"):
        Maximize("v", reference="much")
