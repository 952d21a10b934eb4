"""What follows from a formula alone: masses, charge that ions can carry, cobalt. Used by the composition examples.

Theoretical capacities are Faraday's law, n F / (3.6 M) in mAh/g with n electrons per formula unit, F the Faraday
constant (CODATA 2018, exact) and M the molar mass in g/mol of pymatgen's atomic masses (Ong et al. 2013,
doi:10.1016/j.commatsci.2012.10.028). They are upper bounds by counting, not predictions of what a material delivers.
"""

from __future__ import annotations

from pymatgen.core import Composition

FARADAY = 96485.33212
"""C/mol."""
EXTRACTED = 1.0
"""Share of the lithium that is taken out of the oxide: all of it, the theoretical limit."""
ION_CHARGES = {"Li": 1, "Na": 1, "K": 1, "Mg": 2}
"""Charges of the ions that MXenes exchange: the only oxidation states of these elements."""


def capacity(electrons: float, molar_mass: float) -> float:
    """Theoretical gravimetric capacity in mAh/g.

    Args:
        electrons: per formula unit.
        molar_mass: in g/mol.
    """
    return electrons * FARADAY / (3.6 * molar_mass)


def layered_oxide(cathode: str) -> dict[str, float]:
    """Properties of a layered oxide Li(M)O2.

    Args:
        cathode: its formula, with one lithium.
    """
    composition = Composition(cathode)
    metals = sum(composition[element] for element in composition if element.is_metal and element.symbol != "Li")
    return {
        "capacity": capacity(EXTRACTED * composition["Li"], float(composition.weight)),
        "molar_mass": float(composition.weight),
        "cobalt_share": composition["Co"] / metals,
        "cobalt_mass_share": composition.get_wt_fraction("Co"),
    }


def mxene(mxene: str) -> dict[str, float]:
    """Properties of a terminated MXene with ions between its layers, which exchanges all of them.

    Args:
        mxene: its formula.
    """
    composition = Composition(mxene)
    charge = sum(composition[symbol] * valence for symbol, valence in ION_CHARGES.items())
    return {"capacity": capacity(charge, float(composition.weight)), "molar_mass": float(composition.weight)}
