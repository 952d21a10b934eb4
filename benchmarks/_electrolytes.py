"""Published tables of mixtures as a surrogate is given them: a column of mixtures with its components, and its context.

SMILES of the components were written down for this benchmark from their names; no table is copied.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from invdesign.core.columns import Column, Component
from invdesign.core.tables import read_table
from invdesign.datasets import fetch
from invdesign.surrogates.features.smiles import canonical_smiles

SOLVENTS = {
    "EC": "C1COC(=O)O1",
    "PC": "CC1COC(=O)O1",
    "DMC": "COC(=O)OC",
    "EMC": "CCOC(=O)OC",
    "DEC": "CCOC(=O)OCC",
    "DME": "COCCOC",
    "DMSO": "CS(C)=O",
    "AN": "CC#N",
    "MOEMC": "COCCOC(=O)OC",
    "TFP": "FC(F)(F)COP(=O)(OCC(F)(F)F)OCC(F)(F)F",
    "EA": "CCOC(C)=O",
    "MA": "COC(C)=O",
    "FEC": "FC1COC(=O)O1",
    "DOL": "C1COCO1",
    "2-MeTHF": "CC1CCCO1",
    "DMM": "COCOC",
    "Freon 11": "FC(Cl)(Cl)Cl",
    "Methylene chloride": "ClCCl",
    "THF": "C1CCOC1",
    "Toluene": "Cc1ccccc1",
    "Sulfolane": "O=S1(=O)CCCC1",
    "2-Glyme": "COCCOCCOC",
    "3-Glyme": "COCCOCCOCCOC",
    "4-Glyme": "COCCOCCOCCOCCOC",
    "3-Me-2-Oxazolidinone": "CN1CCOC1=O",
    "3-MeSulfolane": "CC1CCS(=O)(=O)C1",
    "Ethyldiglyme": "CCOCCOCCOCC",
    "DMF": "CN(C)C=O",
    "Ethylbenzene": "CCc1ccccc1",
    "Ethylmonoglyme": "CCOCCOCC",
    "Benzene": "c1ccccc1",
    "g-Butyrolactone": "O=C1CCCO1",
    "Cumene": "CC(C)c1ccccc1",
    "Propylsulfone": "CCCS(=O)(=O)CCC",
    "Pseudocumeme": "Cc1ccc(C)c(C)c1",
    "TEOS": "CCO[Si](OCC)(OCC)OCC",
    "m-Xylene": "Cc1cccc(C)c1",
    "o-Xylene": "Cc1ccccc1C",
}
SALTS = {
    "LiPF6": "F[P-](F)(F)(F)(F)F.[Li+]",
    "LiBOB": "O=C1O[B-]2(OC1=O)OC(=O)C(=O)O2.[Li+]",
    "LiBF4": "F[B-](F)(F)F.[Li+]",
    "LiAsF6": "F[As-](F)(F)(F)(F)F.[Li+]",
    "LiBPFPB": "FC(F)(F)C1(C(F)(F)F)O[B-]2(OC1(C(F)(F)F)C(F)(F)F)OC(C(F)(F)F)(C(F)(F)F)C(C(F)(F)F)(C(F)(F)F)O2.[Li+]",
    "LiClO4": "[O-]Cl(=O)(=O)=O.[Li+]",
    "LiTFSI": "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F.[Li+]",
    "LiCF3SO3": "O=S(=O)([O-])C(F)(F)F.[Li+]",
    "LiBMB": "O=C1CC(=O)O[B-]2(O1)OC(=O)CC(=O)O2.[Li+]",
    "LiFSI": "O=S(=O)(F)[N-]S(=O)(=O)F.[Li+]",
    "LiPDI": "N#Cc1nc(C(F)(F)C(F)(F)F)[n-]c1C#N.[Li+]",
    "LiTDI": "N#Cc1nc(C(F)(F)F)[n-]c1C#N.[Li+]",
}
SAME_SALT = {"LiN(CF3SO2)2": "LiTFSI"}


@dataclass(frozen=True)
class MixtureTable:
    """A table of mixtures.

    Attributes:
        frame: mixtures and their context, one row each.
        columns: what the columns of ``frame`` are.
        y: the property.
        plain: the same as plain numbers, for a model without features of its own.
        groups: kinds of groups of rows that are held out together, by name.
        left_out: rows without a usable value.
    """

    frame: pd.DataFrame
    columns: tuple[Column, ...]
    y: pd.DataFrame
    plain: pd.DataFrame
    groups: dict[str, list[str]]
    left_out: int


def half_of_papers(table: MixtureTable, *, development: bool) -> MixtureTable:
    """One half of the papers of CALiSol-23: features were chosen on the one, and are judged on the other."""
    papers = np.array(table.groups["paper"])
    different = np.unique(papers)
    half = np.random.default_rng(16).permutation(different)[: len(different) // 2]
    rows = np.flatnonzero(np.isin(papers, half) == development)
    return replace(
        table,
        frame=table.frame.iloc[rows].reset_index(drop=True),
        y=table.y.iloc[rows].reset_index(drop=True),
        plain=table.plain.iloc[rows].reset_index(drop=True),
        groups={name: [values[row] for row in rows] for name, values in table.groups.items()},
    )


def calisol() -> MixtureTable:
    """CALiSol-23 (doi:10.1038/s41597-024-03575-8): the decimal logarithm of the conductivity in mS/cm."""
    raw = read_table(fetch("calisol23")).frame
    names = list(SOLVENTS)
    raw = raw.assign(salt=raw["salt"].str.strip().replace(SAME_SALT))
    numbers = raw[["k", "T", "c", *names]].astype(float)
    used = (numbers["k"] > 0) & (numbers["c"] >= 0) & (numbers[names].sum(axis=1) > 0.5)
    raw, numbers = raw[used].reset_index(drop=True), numbers[used].reset_index(drop=True)
    solvents = numbers[names].to_numpy()
    texts = []
    for row, salt, amount in zip(solvents, raw["salt"], numbers["c"], strict=True):
        parts = " + ".join(f"{name} {value:.6g}" for name, value in zip(names, row, strict=True) if value > 1e-6)
        texts.append(parts + (f" | {salt} {amount:.6g}" if amount > 1e-6 else ""))
    frame = pd.DataFrame(
        {
            "electrolyte": texts,
            "temperature": numbers["T"],
            "concentration_unit": raw["c units"],
            "fractions_of": raw["solvent ratio type"],
        }
    )
    components = (*components_of("solvent", SOLVENTS), *components_of("salt", SALTS, largest=4.0))
    columns = (
        Column("electrolyte", "mixture", values=(*SOLVENTS, *SALTS), components=components),
        Column("temperature", "number", bounds=(190.0, 480.0), unit="K"),
        Column("concentration_unit", "category", values=("mol/kg", "mol/l")),
        Column("fractions_of", "category", values=("w", "v", "mol")),
    )
    salts = pd.get_dummies(raw["salt"]).astype(float)
    context = pd.get_dummies(frame[["concentration_unit", "fractions_of"]]).astype(float)
    plain = pd.concat([numbers[["T", "c", *names]], salts, context], axis=1)
    sets = ["+".join(name for name, value in zip(names, row, strict=True) if value > 1e-6) for row in solvents]
    y = pd.DataFrame({"log_conductivity": np.log10(numbers["k"])})
    groups = {"paper": raw["doi"].tolist(), "solvents": sets, "salt": raw["salt"].tolist()}
    return MixtureTable(frame, columns, y, plain, groups, int((~used).sum()))


def viscosities() -> MixtureTable:
    """Viscosities of pure and binary liquids (ChemMixHub): the decimal logarithm of the viscosity in cP."""
    raw = read_table(fetch("mixture-viscosity")).frame
    compounds = read_table(fetch("mixture-viscosity-compounds")).frame
    smiles = dict(zip(compounds["compound_id"].astype(int), canonical_smiles(compounds["smiles"]), strict=True))
    texts, sets = [], []
    for ids, fractions in zip(raw["cmp_ids"], raw["cmp_mole_fractions"], strict=True):
        # A pure liquid has one id and a fraction of one among two places.
        amounts = [one for one in ast.literal_eval(str(fractions)) if one > 0]
        named = sorted(zip((int(one) for one in ast.literal_eval(str(ids))), amounts, strict=True))
        texts.append(" + ".join(f"C{one} {amount:.6g}" for one, amount in named))
        sets.append("+".join(str(one) for one, _ in named))
    known = {f"C{one}": text for one, text in smiles.items() if text}
    usable = np.array([all(smiles.get(int(one)) for one in row.split("+")) for row in sets])
    frame = pd.DataFrame({"liquid": texts, "temperature": raw["T"].astype(float)})[usable].reset_index(drop=True)
    columns = (
        Column("liquid", "mixture", values=tuple(known), components=components_of("liquid", known)),
        Column("temperature", "number", bounds=(290.0, 325.0), unit="K"),
    )
    y = pd.DataFrame({"log_viscosity": raw["value"].astype(float)})[usable].reset_index(drop=True)
    chosen = np.flatnonzero(usable)
    groups = {
        "compounds": [sets[row] for row in chosen],
        "published": [str(raw["Train_Test_Label"].iloc[row]) for row in chosen],
    }
    return MixtureTable(frame, columns, y, _plain_binary(frame), groups, int((~usable).sum()))


def polymers() -> MixtureTable:
    """Solid polymer electrolytes (Bradford et al. 2023, doi:10.1021/acscentsci.2c01123): log10 of S/cm."""
    raw = read_table(fetch("polymer-electrolytes")).frame
    polymer = canonical_smiles(raw["smiles"])
    salt = [canonical_smiles([one])[0] if isinstance(one, str) and one else None for one in raw["salt smiles"]]
    usable = np.array([one is not None for one in polymer])
    polymers = {text: f"P{place}" for place, text in enumerate(dict.fromkeys(one for one in polymer if one))}
    salts = {text: f"L{place}" for place, text in enumerate(dict.fromkeys(one for one in salt if one))}
    molality = pd.to_numeric(raw["molality"], errors="coerce").fillna(0.0).to_numpy()
    mass = pd.to_numeric(raw["mw"], errors="coerce").to_numpy()
    texts = [
        f"{polymers[one]} 1" + (f" | {salts[other]} {amount:.6g}" if other and amount > 0 else "")
        for one, other, amount in zip(polymer, salt, molality, strict=True)
        if one is not None
    ]
    frame = pd.DataFrame(
        {
            "electrolyte": texts,
            "temperature": raw["temperature"].astype(float)[usable].to_numpy(),
            "log_molar_mass": np.log10(np.where(np.isfinite(mass), mass, np.nanmedian(mass)))[usable],
        }
    )
    named = (
        *components_of("polymer", {name: text for text, name in polymers.items()}),
        *components_of("salt", {name: text for text, name in salts.items()}, largest=5.0),
    )
    columns = (
        Column("electrolyte", "mixture", values=tuple(one.name for one in named), components=named),
        Column("temperature", "number", bounds=(-30.0, 190.0), unit="degC"),
        Column("log_molar_mass", "number", bounds=(2.0, 8.1)),
    )
    place = {text: number for number, text in enumerate(polymers)}
    plain = pd.DataFrame(
        {
            "polymer": [place[one] for one in polymer if one is not None],
            "salt": [list(salts).index(one) if one else -1 for one in np.array(salt, dtype=object)[usable]],
            "molality": molality[usable],
            "temperature": frame["temperature"],
            "log_molar_mass": frame["log_molar_mass"],
        }
    )
    y = pd.DataFrame({"log_conductivity": raw["conductivity"].astype(float)[usable].to_numpy()})
    groups = {"polymer": [polymers[one] for one in polymer if one is not None]}
    return MixtureTable(frame, columns, y, plain, groups, int((~usable).sum()))


def components_of(role: str, smiles: dict[str, str], *, largest: float = 1.0) -> tuple[Component, ...]:
    """The components of a role, from names and SMILES."""
    canonical = canonical_smiles(smiles.values())
    return tuple(
        Component(name, role, smiles=text or "", largest=largest) for name, text in zip(smiles, canonical, strict=True)
    )


def _plain_binary(frame: pd.DataFrame) -> pd.DataFrame:
    """Ids and the first fraction of a binary liquid, as numbers."""
    rows = []
    for text in frame["liquid"]:
        parts = [part.split() for part in text.split(" + ")]
        first, last = parts[0], parts[-1]
        rows.append((int(first[0][1:]), int(last[0][1:]), float(first[1])))
    plain = pd.DataFrame(rows, columns=["first", "second", "fraction"])
    return plain.assign(temperature=frame["temperature"])
