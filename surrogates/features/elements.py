"""The elements: symbols, properties, and suggestions for misspelled symbols."""

from __future__ import annotations

import difflib
from functools import cache

import numpy as np

PROPERTIES = ("electronegativity", "mass", "radius", "group", "period", "mendeleev_number", "valence_electrons")
"""Properties of elements: Pauling electronegativity; atomic mass in u; atomic radius in angstrom; group and period of
the periodic table; Mendeleev number (Pettifor 1984, doi:10.1016/0038-1098(84)90765-8); electrons outside the noble gas
(for groups 13 to 18, outside the filled d shell; three for lanthanides and actinides)."""


@cache
def element_symbols() -> tuple[str, ...]:
    """The symbols of all elements by atomic number, after pymatgen (isotopes left out)."""
    from pymatgen.core.periodic_table import Element

    return tuple(Element.from_Z(number).symbol for number in range(1, 119))


def nearest_element(word: str) -> str:
    """Returns a hint such as ``" Did you mean 'Ni'?"`` for a name or misspelled symbol of an element."""
    from pymatgen.core.periodic_table import Element

    symbols = {Element(symbol).long_name.lower(): symbol for symbol in element_symbols()}
    symbols |= {symbol.lower(): symbol for symbol in element_symbols()}
    close = [symbols[found] for found in difflib.get_close_matches(word.lower(), symbols, n=20, cutoff=0.4)]
    close.sort(key=lambda symbol: symbol[0] != word[:1].upper())  # the first letter is seldom the wrong one
    return f" Did you mean '{close[0]}'?" if close else " Use the symbol of an element, such as 'Ni'."


@cache
def element_property(symbol: str, name: str) -> float:
    """A property of an element, after pymatgen (Ong et al. 2013, doi:10.1016/j.commatsci.2012.10.028).

    Args:
        symbol: of the element.
        name: one of PROPERTIES, in the units given there. A missing electronegativity (helium, neon, argon and beyond
            lawrencium) counts as zero; for a missing radius the calculated one (Clementi et al. 1967) is taken, or the
            metallic or the van der Waals radius.
    """
    from pymatgen.core.periodic_table import Element

    element = Element(symbol)
    data = element.data
    match name:
        case "electronegativity":
            found = data.get("X")
        case "mass":
            found = data.get("Atomic mass")
        case "radius":
            keys = ("Atomic radius", "Atomic radius calculated", "Metallic radius", "Van der waals radius")
            found = next((data[key] for key in keys if _is_number(data.get(key))), None)
        case "group":
            found = element.group
        case "period":
            found = element.row
        case "mendeleev_number":
            found = data.get("Mendeleev no")
        case _:
            found = (2 if symbol == "He" else element.group - 10) if element.group > 12 else element.group
    return float(found) if isinstance(found, int | float) and np.isfinite(found) else 0.0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and bool(np.isfinite(value))
