"""Names of classes as properties: the class ``layered`` of ``structure`` is the property ``structure=layered``.

Its value is 1 or 0 if it is known, and a probability if it is predicted. So a class is a number everywhere: in stores,
in models, and in targets.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

SIGN = "="


def class_name(name: str, value: str) -> str:
    """The property that is 1 for candidates of a class."""
    return f"{name}{SIGN}{value}"


def class_property(name: str) -> str:
    """The property whose class a name means, such as ``structure``; other names are unchanged."""
    return name.partition(SIGN)[0]


def classes_of(name: str, properties: Iterable[str]) -> list[str]:
    """The classes of ``structure`` among the names of properties, in their order."""
    return [one.partition(SIGN)[2] for one in properties if SIGN in one and class_property(one) == name]


def class_word(cell: Any) -> Any:
    """A class as text: without quotation marks, a table has the number 2 for the class '2'. NaN is unchanged."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return cell if math.isnan(cell) else f"{float(cell):.15g}"
    return cell
