"""Voltage, capacity and charge of MXene electrodes: Li et al. (2022). The table names elements in columns."""

from functools import cache

import invdesign as ind

METALS = ["Sc", "Ti", "V", "Cr", "Zr", "Nb", "Mo", "Hf", "Ta"]
ENDS = {"NULL": "", "OH": "(OH)2", "F": "F2", "H": "H2", "O": "O2"}


@cache
def _values() -> dict[frozenset[tuple[str, float]], dict[str, float]]:
    """Values of each formula, under the amounts of its elements."""
    table = ind.dataset("mxene")
    found = {}
    for _, row in table.iterrows():
        metal, end, ion = (
            next(name for name in names if row[name] == 1) for names in (METALS, ENDS, ["Li", "Na", "K", "Mg"])
        )
        formula = f"{metal}2{'C' if row['C'] == 1 else 'N'}{ENDS[end]}{ion}2"
        found[_amounts(formula)] = {
            "voltage": row["Voltage(V)"],
            "capacity": row["Theoretical_capacity (mAh/g)"],
            "charge": row["Induced_Z_charge(mAh/g)"],  # the header is wrong: electrons per ion
        }
    return found


def _amounts(formula: str) -> frozenset[tuple[str, float]]:
    from pymatgen.core import Composition

    return frozenset(Composition(formula).get_el_amt_dict().items())


def tabulated(mxene: str) -> dict[str, float]:
    """Voltage in V, capacity in mAh/g and charge per ion in e of a formula with its ions, such as Ti2CO2Li2."""
    return _values()[_amounts(mxene)]
