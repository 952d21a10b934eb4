from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    "unit",
    [
        *("9**9**9 m", "9**999999999", "m⁹⁹⁹⁹⁹⁹⁹⁹⁹", "9²**99", "m^2^30", "m**(9)**9", "m**1e9", "m^", "m^2.99999^9"),
        "((((m))))",
    ],
)
def test_towers_of_powers_are_refused_before_they_are_calculated(unit):
    with pytest.raises(InputError, match="exponent must be one number from -30 to 30, and parentheses may be 3 deep"):
        check_unit(unit)


@pytest.mark.parametrize("unit", ["m" * 100_000, "m;s", "m#", "m\n", "\0"])
def test_what_pint_would_ignore_or_search_for_long_is_refused(unit):
    with pytest.raises(InputError, match="not a known unit") as caught:
        check_unit(unit)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("unit", ["m^(1/2)", "S/cm^2", "s^-1", "m**(-2)", "m²", "mol/(cm^2*s)", "m^2 s^-2", "kg⁻¹"])
def test_usual_powers_are_read(unit):
    check_unit(unit)


PARTS = [
    "m",
    "s",
    "degC",
    "dB",
    "neper",
    "9",
    "**",
    "^",
    "*",
    "/",
    "(",
    ")",
    " ",
    "-",
    "²",
    "%",
    ".",
    "'",
    "lambda",
    ":",
]


@given(st.lists(st.sampled_from(PARTS), max_size=8).map("".join), st.sampled_from(["m", "s", "degC", ""]))
def test_any_text_is_a_unit_or_an_error_in_words(source, to):
    found = ""
    try:
        assert len(conversion(source, to)) == 2
    except InputError as error:
        found = str(error)
    assert not found or "unit" in found or "converted" in found
