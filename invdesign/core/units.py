"""Units: checked when a campaign is read and converted explicitly."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from tokenize import TokenError
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import AfterValidator, Field

from invdesign.core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from pint import UnitRegistry

UNREADABLE = (
    ValueError,
    AttributeError,
    TypeError,
    AssertionError,
    TokenError,
    SyntaxError,
    LookupError,
    ArithmeticError,
    RecursionError,
)
"""Exceptions of pint for unknown units: its UndefinedUnitError is an AttributeError, and its parser asserts."""
LONGEST = 60
LARGEST_EXPONENT = 30
DEEPEST = 3
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SUPERSCRIPT = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")
_FOREIGN = re.compile(r"[;#=:'\"\[\]{}\\,!?&|<>@`~\x00-\x1f]")
"""Characters that no unit contains; pint would ignore some of them, and what follows."""
_POWER = re.compile(r"\*\*|\^")
_EXPONENT = re.compile(r"\s*(\(?)\s*([-+]?\d{1,2}(?:\.\d{1,4})?)(?:\s*/\s*\d{1,2})?\s*(\)?)\s*(?!\s*(?:\*\*|\^)|[\w.])")
DIMENSIONLESS_WORDS = frozenset({"", "1", "-", "dimensionless"})


@lru_cache(maxsize=1)
def _registry() -> UnitRegistry[Any]:
    from pint import UnitRegistry

    registry: UnitRegistry[Any] = UnitRegistry(autoconvert_offset_to_baseunit=True)
    registry.define("USD = [currency]")
    return registry


def check_unit(unit: str) -> None:
    """Raises InputError if ``unit`` is not a unit that pint knows.

    Args:
        unit: such as ``"V"``, ``"mAh/g"``, ``"Wh/kg"``, ``"um"``, ``"degC"``; empty for dimensionless.
    """
    if unit in DIMENSIONLESS_WORDS:
        return
    advice = "Write it as pint reads it, such as V, mAh/g, Wh/kg, um or degC."
    if not isinstance(unit, str) or "//" in unit or len(unit) > LONGEST or _FOREIGN.search(unit):
        shown = unit if len(str(unit)) <= LONGEST else f"{str(unit)[:LONGEST]}..."
        raise InputError(f"{shown!r} is not a known unit. {advice}")
    _check_powers(unit)
    try:
        _registry().Unit(unit)
    except UNREADABLE as error:
        detail = f" ({error})" if str(error) else ""
        raise InputError(f"'{unit}' is not a known unit{detail}. {advice}") from None


def _check_powers(unit: str) -> None:
    """Refuses powers of powers and large exponents, which pint would calculate: 9**9**9 has 370 million digits."""
    flat = _SUPERSCRIPT.sub(lambda found: f"**{found[0].translate(_SUPERSCRIPTS)}", unit)
    depth = deepest = 0
    for character in flat:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    exponents = [_EXPONENT.match(flat, found.end()) for found in _POWER.finditer(flat)]
    small = all(
        one is not None and len(one[1]) == len(one[3]) and abs(float(one[2])) <= LARGEST_EXPONENT for one in exponents
    )
    if not small or deepest > DEEPEST:
        raise InputError(
            f"'{unit}' is not a unit: an exponent must be one number from -{LARGEST_EXPONENT} to {LARGEST_EXPONENT}, "
            f"and parentheses may be {DEEPEST} deep. Write it such as mS/cm, g/cm^3 or 1/s."
        )


def _checked(unit: str) -> str:
    check_unit(unit)
    return unit


Unit = Annotated[str, AfterValidator(_checked)]
"""A unit that pint knows; empty for dimensionless."""
PropertyUnits = Annotated[dict[str, Unit], Field(min_length=1)]
"""Property names (at least one), and the unit of each."""


def conversion(source: str, to: str) -> tuple[float, float]:
    """Returns ``(factor, offset)`` with ``value_in_to = factor * value_in_source + offset``.

    Raises:
        InputError: if a unit is unknown, or the two have different dimensions.
    """
    check_unit(source)
    check_unit(to)
    source_unit = "dimensionless" if source in DIMENSIONLESS_WORDS else source
    to_unit = "dimensionless" if to in DIMENSIONLESS_WORDS else to
    registry = _registry()
    try:
        compatible = registry.Unit(source_unit).is_compatible_with(to_unit)
        numbers = [registry.Quantity(value, source_unit) for value in (0.0, 1.0)] if compatible else []
        zero, one = [float(number.to(to_unit).magnitude) for number in numbers] or (math.nan, math.nan)
    except UNREADABLE as error:  # such as a decibel within a product
        raise InputError(f"'{source}' cannot be converted to '{to}': {error}.") from None
    if not compatible:
        raise InputError(f"'{source or 'dimensionless'}' cannot be converted to '{to or 'dimensionless'}'.")
    return one - zero, zero


def convert(values: ArrayLike, source: str, to: str) -> NDArray[np.float64]:
    """Converts values from one unit to another.

    Args:
        values: numbers in ``source``.
        source: their current unit.
        to: the new unit.

    Raises:
        InputError: if a unit is unknown, or the two have different dimensions.
    """
    factor, offset = conversion(source, to)
    return np.asarray(values, dtype=np.float64) * factor + offset
