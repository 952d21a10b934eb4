"""Data of single elements: charge, price, abundance, supply, toxicity; one array over all elements.

Each table comes from a library or cites its source.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from invdesign.surrogates.features.elements import element_symbols

if TYPE_CHECKING:
    from numpy.typing import NDArray

HIGHEST_STATES: Mapping[str, int] = {
    "Ti": 4, "V": 5, "Cr": 4, "Mn": 4, "Fe": 3, "Co": 4, "Ni": 4, "Cu": 3, "Nb": 5, "Mo": 6, "W": 6,
}  # fmt: skip
"""Oxidation states that transition metals reach in insertion electrodes, after the review of Whittingham 2004,
doi:10.1021/cr020731c. Elements can go higher elsewhere (permanganate, ferrate); pymatgen's lists give those."""
TOXICITY: Mapping[int, frozenset[str]] = {
    1: frozenset({"As", "Cd", "Hg", "Pb"}),
    2: frozenset({"Co", "Ni", "V", "Ag", "Au", "Ir", "Os", "Pd", "Pt", "Rh", "Ru", "Se", "Tl"}),
    3: frozenset({"Ba", "Cr", "Cu", "Li", "Mo", "Sb", "Sn"}),
}
"""Classes of elemental impurities in the guideline ICH Q3D(R2) of 2022, table 5.1: 1 are human toxicants without use, 2
(2A and 2B together) are toxic by any route, 3 of low toxicity by mouth."""
NOT_CLASSED = 4
BULK_PRICES: Mapping[str, float] = {"Na": 3.0, "K": 12.85, "P": 2.69, "F": 2.0, "C": 0.122, "O": 0.154}
"""USD/kg of goods traded by the tonne (sodium 2020, potassium 2020, yellow phosphorus 2019, fluorine 2017, coal 2018,
oxygen 2001), as collected in Wikipedia's "Prices of chemical elements"; where two are given, the mean. They take the
place of pymatgen's entries for these elements, which are those of laboratory bottles (250 USD/kg for sodium)."""


@cache
def masses() -> NDArray[np.float64]:
    """Atomic masses in g/mol, after pymatgen."""
    from pymatgen.core.periodic_table import Element

    return np.array([float(Element(symbol).atomic_mass) for symbol in element_symbols()])


@cache
def metals() -> NDArray[np.bool_]:
    """Which elements are metals, after pymatgen."""
    from pymatgen.core.periodic_table import Element

    return np.array([Element(symbol).is_metal for symbol in element_symbols()])


def highest_states(changed: Mapping[str, float]) -> NDArray[np.float64]:
    """Highest oxidation state of each redox metal; NaN for all other elements.

    Args:
        changed: states that replace those in HIGHEST_STATES, or that make another element a redox metal.
    """
    return _spread({**HIGHEST_STATES, **changed})


@cache
def fixed_charges() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Charge of each element that is not a redox metal; a pair if it depends on whether oxygen is present.

    Where pymatgen lists one common oxidation state, that one. Of several, the highest in the first array (phosphate,
    sulfate, carbonate, silicate) and the lowest in the second (phosphide, sulfide, carbide, nitride); halogens and
    nitrogen are always at their lowest, hydrogen is always +1, metals at their highest.
    """
    from pymatgen.core.periodic_table import Element

    beside, without = {}, {}
    for symbol in element_symbols():
        element = Element(symbol)
        states = element.common_oxidation_states or element.oxidation_states or (0,)
        low, high = float(min(states)), float(max(states))
        if symbol == "H" or element.is_metal:
            low = high
        elif element.is_halogen or symbol == "N":
            high = low
        beside[symbol], without[symbol] = high, low
    return _spread(beside), _spread(without)


def prices(changed: Mapping[str, float]) -> NDArray[np.float64]:
    """USD/kg of the pure elements; NaN if none is known.

    pymatgen's table (most entries of 2013), BULK_PRICES, and then ``changed``.
    """
    lines = files("pymatgen.analysis").joinpath("costdb_elements.csv").read_text(encoding="utf-8").splitlines()
    table = {row[0]: float(row[1]) for row in csv.reader(lines, quotechar="|") if row}
    return _spread({**table, **BULK_PRICES, **changed})


@cache
def abundances() -> NDArray[np.float64]:
    """mg/kg in the earth's crust, after SMACT, which has them from the CRC Handbook; NaN if none is known."""
    from smact import Element

    found = {}
    for symbol in element_symbols()[:103]:
        value = Element(symbol).crustal_abundance
        if value is not None and value > 0.0:
            found[symbol] = float(value)
    return _spread(found)


@cache
def supply_concentrations() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Herfindahl-Hirschman indices (0 to 10,000) of production and of reserves by country; NaN if none is known.

    Gaultois et al. 2013, doi:10.1021/cm400893e, as pymatgen ships them. 10,000 is one country with everything.
    """
    lines = files("pymatgen.analysis").joinpath("hhi_data.csv").read_text(encoding="utf-8").splitlines()
    rows = [line.split(",") for line in lines if line and not line.startswith("#")]
    production = {symbol: float(value) for symbol, value, _ in rows}
    reserves = {symbol: float(value) for symbol, _, value in rows}
    return _spread(production), _spread(reserves)


@cache
def toxicity_classes() -> NDArray[np.float64]:
    """Class of each element in TOXICITY, or NOT_CLASSED."""
    listed = {symbol: float(number) for number, symbols in TOXICITY.items() for symbol in symbols}
    return _spread({**dict.fromkeys(element_symbols(), float(NOT_CLASSED)), **listed})


def _spread(table: Mapping[str, float]) -> NDArray[np.float64]:
    return np.array([table.get(symbol, np.nan) for symbol in element_symbols()])
