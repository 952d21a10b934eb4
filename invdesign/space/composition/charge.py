"""Oxidation states of elements and the charge of species, for compositions that must be neutral.

The states of an element are those that pymatgen lists as common or as occurring in the ICSD (Ong et al. 2013,
doi:10.1016/j.commatsci.2012.10.028) and that SMACT also lists (Davies et al. 2019, doi:10.21105/joss.01361; its list of
2024 is from the ICSD as well). SMACT's own test takes whole numbers of atoms with one state each; a formula such as
LiNi0.8Mn0.1Co0.1O2 has mixed valences, so here every atom may take any of its states, and a composition
can be neutral if zero lies between its lowest and its highest charge.
"""

from __future__ import annotations

from functools import cache

IONS = {
    "OH": -1,
    "NH": -2,
    "NH2": -1,
    "NH4": 1,
    "CN": -1,
    "NO2": -1,
    "NO3": -1,
    "CO3": -2,
    "SO3": -2,
    "SO4": -2,
    "PO4": -3,
    "P2O7": -4,
    "SiO4": -4,
    "BO3": -3,
    "BF4": -1,
    "PF6": -1,
    "BH4": -1,
    "ClO4": -1,
    "HF2": -1,
    "O2": -2,
    "H2O": 0,
    "NH3": 0,
}
"""Charges of polyatomic ions and molecules (IUPAC, Nomenclature of Inorganic Chemistry 2005, table IX;
O2 is peroxide)."""


@cache
def oxidation_states(symbol: str) -> tuple[int, ...]:
    """The oxidation states of an element, in ascending order; empty if none is known.

    Args:
        symbol: of the element.
    """
    import smact
    from pymatgen.core.periodic_table import Element

    element = Element(symbol)
    listed = {int(state) for state in (*element.common_oxidation_states, *element.icsd_oxidation_states) if state}
    try:
        known = {int(state) for state in smact.Element(symbol).oxidation_states or ()}
    except (KeyError, NameError):  # raised by SMACT for an element without data
        known = set()
    return tuple(sorted(listed & known or listed or known))


def charge_range(option: str, atoms: dict[str, float], given: dict[str, list[int]]) -> tuple[float, float] | None:
    """The lowest and the highest charge of an element's atom or of a species; None if unknown.

    Args:
        option: the element or species; an empty text is a neutral vacancy.
        atoms: number of atoms of each element in it.
        given: states that replace the known ones, by element or species.
    """
    if not option:
        return 0.0, 0.0
    if option in given:
        return float(min(given[option])), float(max(given[option]))
    if option in IONS:
        return float(IONS[option]), float(IONS[option])
    least = greatest = 0.0
    for symbol, count in atoms.items():
        states = tuple(given.get(symbol) or oxidation_states(symbol))
        if not states:
            return None
        least += count * min(states)
        greatest += count * max(states)
    return least, greatest
