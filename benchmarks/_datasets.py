"""The registered datasets as tables to learn from: candidates, values, groups, and the defects that were met.

No row is dropped and no value changed; what is wrong
with a table is counted and reported with the scores. Rows with the same inputs and different values set a limit that no
model of these inputs passes: their spread is given too.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from invdesign.core.columns import Column
from invdesign.datasets import fetch
from invdesign.surrogates.features.elements import element_symbols
from invdesign.surrogates.features.formulas import element_amounts, elements_of

SUPERIONIC = 1e-4
"""Conductivity in S/cm from which Sendek et al. (2017) call a crystal a superionic conductor."""
SENDEK_DESCRIPTORS = ("llb", "sbi", "afc", "lasd", "llsd")


@dataclass(frozen=True)
class Table:
    """A dataset as a surrogate is given it.

    Attributes:
        frame: candidates, one row each.
        y: their properties.
        columns: what the columns of ``frame`` are.
        groups: rows that are siblings share one; None if the table names none.
        grouped_by: what the groups are.
        test: rows that the dataset itself keeps for testing; None if it keeps none.
        defects: what is odd about the rows, in numbers.
    """

    frame: pd.DataFrame
    y: pd.DataFrame
    columns: tuple[Column, ...]
    groups: list[str] | None = None
    grouped_by: str = ""
    test: np.ndarray | None = None
    defects: dict[str, Any] = field(default_factory=dict)


def hbe() -> Table:
    """Homobenzylic ethers: SMILES and the four substituents' sites, oxidation potential in V."""
    raw = read("hbe")
    sites = ["R1", "R2", "R3", "R4", "R5"]
    frame = raw[["canonSMILES", *sites]]
    columns = (Column("canonSMILES", "molecule"), *(_category(raw, site) for site in sites))
    return _table(frame, raw[["Potential"]], columns)


def mxene() -> Table:
    """MXene electrodes: metal, carbon or nitrogen, termination, ion; also as one formula with the ion. Voltage in V."""
    raw = read("mxene")
    sites = {
        "M": ["Sc", "Ti", "V", "Cr", "Zr", "Nb", "Mo", "Hf", "Ta"],
        "X": ["C", "N"],
        "T": ["F", "H", "O", "OH", "NULL"],
        "Z": ["Li", "Na", "K", "Mg"],
    }
    frame = pd.DataFrame({site: raw[names].notna().idxmax(axis=1) for site, names in sites.items()})
    groups = {"NULL": "", "OH": "(OH)2", "O": "O2", "F": "F2", "H": "H2"}
    frame["formula"] = frame["Z"] + "2" + frame["M"] + "2" + frame["X"] + frame["T"].map(groups)
    columns = (*(Column(site, "category", values=names) for site, names in sites.items()), Column("formula", "formula"))
    y = raw[["Voltage(V)"]].set_axis(["voltage"], axis=1)
    table = _table(frame, y, columns, groups=raw["MXene"], grouped_by="MXene, whatever the ion")
    table.defects["rows whose one-hot sites are not one each"] = int(
        sum((raw[names].notna().sum(axis=1) != 1).sum() for names in sites.values())
    )
    return table


def mxene_with_lattice() -> Table:
    """The same with the in-plane lattice constant of the MXene without its ion, in angstrom."""
    table = mxene()
    frame = table.frame.drop(columns="formula").assign(lattice=read("mxene")["In-plane lattice"])
    columns = (*(column for column in table.columns if column.kind == "category"), number(frame, "lattice"))
    return replace(table, frame=frame, columns=columns)


def doped_nmc() -> Table:
    """Doped NMC cathodes: composition, lattice, test and dopant; initial and 50th-cycle capacity in mAh/g."""
    raw = read("doped-nmc")
    properties = ["IC", "EC"]
    frame = raw.drop(columns=properties)
    columns = tuple(number(frame, name, log=name == "CD") for name in frame)
    table = _table(frame, raw[properties], columns)
    metals = raw[["Ni", "Co", "Mn", "M"]].sum(axis=1)
    table.defects["rows whose Ni, Co, Mn and dopant sum to less than 0.9, or Li to the excess"] = int(
        ((metals + raw["Li"] - 2.0).abs() > 0.1).sum()
    )
    return table


def ncm_imputed() -> Table:
    """NCM cathodes after the authors' imputation on all rows; discharge capacity in mAh/g."""
    raw = read("ncm-imputed")
    frame = raw.drop(columns=["Dis_cap", "total"])
    columns = tuple(number(frame, name, log=name in {"c_rate", "prim_size", "sec_size"}) for name in frame)
    table = _table(frame, raw[["Dis_cap"]], columns)
    table.defects["imputed sintering temperatures below 500 C among a median of 800 C"] = int(
        (raw["sin_temp"] < 500).sum()
    )
    return table


def ncm_table() -> Table:
    """The same cathodes as tabulated with their sources; discharge capacity in mAh/g."""
    raw = read("ncm-table-csv")
    frame = raw.drop(columns=["Discharge", "Citation"])
    columns = tuple(number(frame, name, log=name in {"C_rate", "Size"}) for name in frame)
    table = _table(frame, raw[["Discharge"]], columns, groups=raw["Citation"], grouped_by="cited paper")
    table.defects["rows whose Ni, Co and Mn do not sum to 1"] = int(
        ((raw[["Ni", "Co", "Mn"]].sum(axis=1) - 1.0).abs() > 1e-6).sum()
    )
    return table


def electrode_voltages() -> Table:
    """Insertion electrodes: charged and discharged formula and ion; average voltage in V.

    A framework is the charged formula without the working ion, reduced: Li2P8W3O29 and P8W3O29 are one.
    """
    raw = read("electrode-voltages")
    frame = raw[["formula_charge", "formula_discharge", "working_ion"]].copy()
    frame["ions_per_atom"] = _inserted(frame)
    columns = (
        *(Column(name, "formula", values=elements_of(raw[name])) for name in ("formula_charge", "formula_discharge")),
        _category(raw, "working_ion"),
        Column("ions_per_atom", "number"),
    )
    frameworks = [
        _framework(formula, ion) for formula, ion in zip(raw["formula_charge"], raw["working_ion"], strict=True)
    ]
    grouped_by = "framework: the charged formula without the working ion, reduced"
    table = _table(frame, raw[["average_voltage"]], columns, groups=frameworks, grouped_by=grouped_by)
    table.defects["voltages below 0 V"] = int((raw["average_voltage"] < 0).sum())
    table.defects["voltages above 6 V"] = int((raw["average_voltage"] > 6).sum())
    return table


def redox_chembl() -> Table:
    """Molecules of ChEMBL: SMILES and charge; reduction potential in V, with the dataset's own test flag.

    What the dataset calls validation rows is learned from: no setting is chosen on them.
    """
    raw = read("redox-chembl")
    frame = raw[["SMILES", "CHG"]].set_axis(["smiles", "charge"], axis=1)
    columns = (Column("smiles", "molecule"), Column("charge", "number"))
    y = raw[["True vals"]].set_axis(["potential"], axis=1)
    return _table(frame, y, columns, test=(raw["Set"] == "test").to_numpy())


def calendering() -> Table:
    """Simulated electrodes: calender gap, active material and porosity in %; two tortuosities, active surface in %.

    The binder's share is 100 minus the active material's, the box constant; the box's height is left out, for it is an
    outcome too.
    """
    raw = read("calendering")
    frame = raw[["Gap", "AM", "porous"]]
    columns = tuple(number(frame, name) for name in frame)
    return _table(frame, raw[["tliq", "tsol", "Active_Surface"]], columns)


def sendek() -> Table:
    """Crystals with the five published descriptors; the logarithm of the conductivity in S/cm."""
    raw = read("sendek-training")
    frame = raw[list(SENDEK_DESCRIPTORS)]
    y = np.log10(raw[["Ionic_Conductivity"]]).set_axis(["log10_conductivity"], axis=1)
    table = _table(frame, y, tuple(number(frame, name) for name in frame))
    others = raw.select_dtypes("number").drop(columns=["Ionic_Conductivity"])
    table.defects["other descriptors above 1e6 in some row (overflows)"] = int((others > 1e6).any().sum())
    table.defects["compositions that occur twice, with different conductivity"] = int(
        raw["Composition"].duplicated().sum()
    )
    table.defects["superionic rows"] = int((raw["Ionic_Conductivity"] >= SUPERIONIC).sum())
    return table


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(fetch(name), encoding="utf-8-sig")


def _table(
    frame: pd.DataFrame, y: pd.DataFrame, columns: tuple[Column, ...], *, groups: Any = None, **more: Any
) -> Table:
    listed = None if groups is None else [str(group) for group in groups]
    return Table(frame, y, columns, groups=listed, defects=_defects(frame, y, listed), **more)


def _defects(frame: pd.DataFrame, y: pd.DataFrame, groups: list[str] | None) -> dict[str, Any]:
    """Counts of rows, gaps, and rows whose inputs occur again."""
    found: dict[str, Any] = {
        "rows": len(frame),
        "gaps": int(frame.isna().sum().sum() + y.isna().sum().sum()),
        "rows whose inputs occur again": int(frame.duplicated(keep=False).sum()),
    }
    again = y[frame.duplicated(keep=False)].groupby([frame[name] for name in frame], sort=False)
    if found["rows whose inputs occur again"]:
        differing = (again.max() > again.min()).any(axis=1)
        found["inputs that occur again with different values"] = int(differing.sum())
        within = {name: float(np.sqrt(((y[name] - again[name].transform("mean")) ** 2).mean())) for name in y}
        found["spread of the values of equal inputs"] = within
    if groups is not None:
        found["groups"] = len(set(groups))
    return found


def _category(raw: pd.DataFrame, name: str) -> Column:
    return Column(name, "category", values=tuple(sorted(raw[name].unique())))


def number(frame: pd.DataFrame, name: str, *, log: bool = False) -> Column:
    """A number's column with the bounds of the whole table, as a search space would declare them."""
    low, high = float(frame[name].min()), float(frame[name].max())
    return Column(name, "number", bounds=(low, high if high > low else low + 1.0), log=log)


def _inserted(frame: pd.DataFrame) -> np.ndarray:
    """Working ions that discharge takes up, for each atom of the framework."""
    symbols = element_symbols()
    place = {symbol: number for number, symbol in enumerate(symbols)}
    ions = frame["working_ion"].map(place).to_numpy()
    rows = np.arange(len(frame))
    ratio = []
    for name in ("formula_charge", "formula_discharge"):
        amounts = element_amounts(list(frame[name]), symbols)
        ion = amounts[rows, ions]
        ratio.append(ion / (amounts.sum(axis=1) - ion))
    return ratio[1] - ratio[0]


def _framework(formula: str, ion: str) -> str:
    from pymatgen.core import Composition

    kept = {element: amount for element, amount in Composition(formula).items() if element.symbol != ion}
    return Composition(kept).reduced_formula if kept else ion
