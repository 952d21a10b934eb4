from __future__ import annotations

import pytest

from invdesign.core.errors import InputError
from invdesign.core.units import check_unit, conversion, convert


def test_conversions_that_batteries_need():
    assert convert([1.5], "V", "mV") == pytest.approx([1500])
    assert convert([25.0], "degC", "K") == pytest.approx([298.15])
    assert convert([298.15], "K", "degC") == pytest.approx([25.0])
    assert convert([75.6], "um", "m") == pytest.approx([75.6e-6])
    assert convert([200.0], "mA*h/g", "A*h/kg") == pytest.approx([200.0])
    assert convert([3.6], "kJ/kg", "W*h/kg") == pytest.approx([1.0])
    assert conversion("", "dimensionless") == (1.0, 0.0)
    assert convert([5.0], "percent", "") == pytest.approx([0.05])


def test_battery_shorthand_is_read():
    assert convert([200.0], "mAh/g", "A*h/kg") == pytest.approx([200.0])
    assert convert([318.0], "Wh/kg", "W*h/kg") == pytest.approx([318.0])


@pytest.mark.parametrize("unit", ["Vlot", "mAh//g", "?", "V/(", "1 +", "3 V"])
def test_unknown_units_are_refused(unit):
    with pytest.raises(InputError, match="not a known unit"):
        check_unit(unit)


def test_units_of_other_quantities_are_refused():
    with pytest.raises(InputError, match="cannot be converted"):
        conversion("V", "A")
