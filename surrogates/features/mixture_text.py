"""Reads mixtures as text, such as ``EC 0.3 + DMC 0.7 | LiPF6 1 mol/kg``: components and their amounts.

``|`` separates roles and ``+`` the components of a role, each with its amount and, for some roles, a unit. Equal
mixtures are equal texts in the order of the space, but any order can be read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.errors import InputError, nearest, quoted

if TYPE_CHECKING:
    from numpy.typing import NDArray

AND, ROLE = " + ", " | "
LONGEST = 10_000
"""Characters of a mixture."""
LARGEST_AMOUNT = 1e6


def mixture_amounts(mixtures: Sequence[object], units: Mapping[str, str]) -> NDArray[np.float64]:
    """Reads the amounts of components, shape ``n x len(units)``; zero for those that a mixture does not contain.

    Args:
        mixtures: texts; the components of each in any order.
        units: the unit of each component that can occur, empty for a fraction.

    Raises:
        InputError: if a text cannot be read, or names an unknown component (the nearest is suggested) or one twice.
    """
    place = {name: position for position, name in enumerate(units)}
    amounts = np.zeros((len(mixtures), len(place)))
    read: dict[str, tuple[int, float]] = {}
    for row, mixture in enumerate(mixtures):
        if not isinstance(mixture, str) or not mixture.strip() or len(mixture) > LONGEST:
            raise InputError(f"{quoted(mixture)} is not a mixture. Write it such as '{_example(units)}'.")
        for part in mixture.replace(ROLE, AND).split(AND):
            if part not in read:
                read[part] = _part(part, mixture, place, units)
            column, amount = read[part]
            if amounts[row, column]:
                raise InputError(f"The mixture {quoted(mixture)} contains '{list(units)[column]}' twice. Add them up.")
            amounts[row, column] = amount
    return amounts


def mixture_key(mixture: str) -> str:
    """The text with components in alphabetical order and plain numbers: the same for equal mixtures in any order."""
    return AND.join(sorted(" ".join(map(_plain, part.split())) for part in mixture.replace(ROLE, AND).split(AND)))


def _part(part: str, mixture: str, place: Mapping[str, int], units: Mapping[str, str]) -> tuple[int, float]:
    """The index of a component and its amount."""
    words = part.split()
    for count in range(len(words) - 1, 0, -1):  # names may contain spaces and numbers: the longest known one
        name = " ".join(words[:count])
        if name not in place:
            continue
        amount, unit = _number(words[count]), " ".join(words[count + 1 :])
        if amount is None:
            raise InputError(
                f"The mixture {quoted(mixture)}: '{words[count]}' is not an amount of {name}. Write such as "
                f"'{name} 0.5'."
            )
        if unit not in ("", units[name]):
            needed = f"'{units[name]}'" if units[name] else "no unit, because it is a fraction"
            raise InputError(f"The mixture {quoted(mixture)}: the amount of {name} has {needed}, not '{unit}'.")
        return place[name], amount
    name = " ".join(words[:-1]) if len(words) > 1 and _number(words[-1]) is not None else part.strip()
    if name in place:
        raise InputError(f"The mixture {quoted(mixture)}: the amount of {name} is missing. Write such as '{name} 0.5'.")
    raise InputError(f"The mixture {quoted(mixture)} contains unknown component '{name}'.{nearest(name, place)}")


def _plain(word: str) -> str:
    number = _number(word)
    return word if number is None else f"{number:.12g}"


def _number(word: str) -> float | None:
    try:
        amount = float(word)
    except ValueError:
        return None
    return amount if math.isfinite(amount) and 0.0 < amount <= LARGEST_AMOUNT else None


def _example(units: Mapping[str, str]) -> str:
    return AND.join(f"{name} 0.5 {unit}".strip() for name, unit in list(units.items())[:2])
