"""Numbers, names and counts in words for a reader: sensible digits, units beside names, no underscores."""

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
"""Decades between zero and the last digit shown beyond which numbers are written with an exponent."""
NOTHING = "–"


def spoken(name: str) -> str:
    """A property's or parameter's name as it is read: ``oxidation_potential`` becomes ``oxidation potential``."""
    return name.replace("_", " ")


def with_unit(name: str, unit: str) -> str:
    """A name with its unit in brackets, as it heads a column or an axis."""
    return f"{spoken(name)} ({unit})" if unit else spoken(name)


def told(target: Target) -> str:
    """A target in words, its property as it is read."""
    return str(target).replace(target.property, spoken(target.property), 1)


def number(value: float, digits: int = DIGITS) -> str:
    """One number alone, to so many significant digits."""
    if not math.isfinite(value):
        return NOTHING
    return f"{value:.{max(digits, len(str(int(abs(value)))))}g}" if 1e-4 <= abs(value) < 1e6 else f"{value:.{digits}g}"


def number_format(values: Iterable[float], digits: int = DIGITS) -> Callable[[float], str]:
    """How the numbers of one column are written: all with the same decimals, so that their digits align.

    Args:
        values: the column. Where it spans too many decades for common decimals, each number is written on its own.
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
    """Text for plotly, which reads a little HTML and decodes entities: nothing of the user's is read as a tag."""
    return escape(text, quote=False)
