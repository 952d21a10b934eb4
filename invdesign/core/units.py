"""Units: checked when a campaign is read and converted explicitly."""

from __future__ import annotations

from functools import lru_cache
from tokenize import TokenError
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import AfterValidator, Field

from invdesign.core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from pint import UnitRegistry

UNREADABLE = (ValueError, AttributeError, TypeError, AssertionError, TokenError)
"""Exceptions of pint for unknown units: its UndefinedUnitError is an AttributeError, and its parser asserts."""
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
    if not isinstance(unit, str) or "//" in unit:
        raise InputError(f"{unit!r} is not a known unit. {advice}")
    try:
        _registry().Unit(unit)
    except UNREADABLE as error:
        detail = f" ({error})" if str(error) else ""
        raise InputError(f"'{unit}' is not a known unit{detail}. {advice}") from None


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
    if not registry.Unit(source_unit).is_compatible_with(to_unit):
        raise InputError(f"'{source or 'dimensionless'}' cannot be converted to '{to or 'dimensionless'}'.")
    zero = float(registry.Quantity(0.0, source_unit).to(to_unit).magnitude)
    one = float(registry.Quantity(1.0, source_unit).to(to_unit).magnitude)
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
