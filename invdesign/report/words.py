"""Text for readers: rounded numbers, names with units and without underscores, counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invdesign.targets.target import Target

DIGITS = 4
"""Significant digits of the largest number of a column."""
WIDEST = 5
"""Number of decimals above which numbers are written with an exponent."""
NOTHING = "–"


def spoken(name: str) -> str:
    """A property's or parameter's name for readers: ``oxidation_potential`` becomes ``oxidation potential``."""
    return name.replace("_", " ")


def with_unit(name: str, unit: str) -> str:
    """A name with its unit in brackets, for headers and axes."""
    return f"{spoken(name)} ({unit})" if unit else spoken(name)


def described(target: Target) -> str:
    """A target as text, with the property's name for readers."""
    return str(target).replace(target.property, spoken(target.property), 1)


def number(value: float, digits: int = DIGITS) -> str:
    """One number with a given number of significant digits."""
    if not math.isfinite(value):
        return NOTHING
    return f"{value:.{max(digits, len(str(int(abs(value)))))}g}" if 1e-4 <= abs(value) < 1e6 else f"{value:.{digits}g}"


def number_format(values: Iterable[float], digits: int = DIGITS) -> Callable[[float], str]:
    """The format of a column's numbers: all with the same decimals, so that their digits align.

    Args:
        values: the column. If it spans too many decades for common decimals, each number is formatted separately.
        digits: significant digits of its largest number.
    """
    sizes = [abs(value) for value in values if math.isfinite(value)]
    largest = max(sizes, default=0.0)
    if largest == 0.0:
        return lambda value: f"{value:g}" if math.isfinite(value) else NOTHING
    if all(size == round(size) for size in sizes) and largest < 1e6:
        return lambda value: f"{value:.0f}" if math.isfinite(value) else NOTHING
    decimals = digits - 1 - math.floor(math.log10(largest))
    smallest = min(size for size in sizes if size > 0.0)
    if largest < 1e-3 or largest >= 1e6 or largest / smallest > 10**WIDEST:
        return number
    return lambda value: f"{value:.{max(0, decimals)}f}" if math.isfinite(value) else NOTHING


def counted(count: int, thing: str) -> str:
    """``1 candidate``, ``2 candidates``."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def listed(words: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def plot_text(text: str) -> str:
    """Escaped text for plotly, which interprets some HTML tags and entities."""
    return escape(text, quote=False)
