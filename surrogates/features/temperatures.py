"""Temperatures as reciprocals, in which logarithms of rates, conductivities and viscosities are nearly linear.

Arrhenius 1889: ``log k = a - b / T``. Vogel 1921, Fulcher 1925, Tammann and Hesse 1926: ``log k = a - b / (T - T0)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.units import convert

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.core.columns import Column
    from invdesign.surrogates.features.settings import TemperatureKind

UNITS = frozenset(
    {"K", "kelvin", "degC", "degree_Celsius", "celsius", "°C", "degF", "degree_Fahrenheit", "fahrenheit", "°F"}
)
"""Units of a number that is a temperature."""
VOGEL = 0.7
"""T0 as a share of the lowest temperature. Of liquid and polymer electrolytes held-out errors are the same from 0.6 to
0.8."""
NEAREST = 0.25
"""How near to T0 a temperature can be, as a share of the distance of the lowest one."""


def is_temperature(column: Column) -> bool:
    """Whether a column is a temperature above absolute zero, by its unit."""
    if column.kind != "number" or column.log or column.unit not in UNITS:
        return False
    return column.bounds is None or convert(column.bounds[0], column.unit, "K").item() > 0.0


def reciprocal(column: Column, values: NDArray[np.float64], kind: TemperatureKind) -> NDArray[np.float64]:
    """Temperatures as 1/T or 1/(T - T0), from 0 at the highest of the column's bounds to 1 at the lowest, shape ``n``.

    Temperatures that are nearer to T0 than ``NEAREST`` count as there.

    Args:
        column: a temperature with bounds.
        values: in the column's unit, shape ``n``; NaN where one is missing.
        kind: which reciprocal.
    """
    low, high = convert(column.bounds or (0.0, 1.0), column.unit, "K").tolist()
    zero = VOGEL * low if kind == "vogel-fulcher-tammann" else 0.0
    above = np.maximum(convert(values, column.unit, "K") - zero, NEAREST * (low - zero))
    hottest, coldest = 1.0 / (high - zero), 1.0 / (low - zero)
    return np.asarray((1.0 / above - hottest) / (coldest - hottest), dtype=np.float64)
