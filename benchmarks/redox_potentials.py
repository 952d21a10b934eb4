"""Redox potentials by GFN2-xTB: beside measured ones, and as the only guide through the homobenzylic ethers.

    INVDESIGN_DATA=... python benchmarks/redox_potentials.py --seeds 5

First ten aromatic hydrocarbons whose oxidation and seven quinones whose reduction was measured in acetonitrile, one
table each: raw error, error left after a straight line (each molecule left out once), and where the time goes. Then the
search: xTB's values of all 1,424 ethers, calibrated on 40 random values of the table, propose the 60 molecules
likeliest to lie in 1.40-1.70 V, and the table says how many do. For the pool the fast settings: MMFF structure of one
conformer, HOMO for the ion's energy.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd
from _clock import Clock, empty_cache
from _record import write_result
from scipy.stats import norm

import invdesign as ind
from invdesign import datasets
from invdesign.objectives.redox import conformers as redox_conformers
from invdesign.objectives.redox import states as redox_states

OXIDATIONS = (
    "Pysh and Yang, J. Am. Chem. Soc. 85 (1963) 2124-2130, doi:10.1021/ja00897a014: polarographic half-wave oxidation "
    "potentials, acetonitrile, V against the saturated calomel electrode (SCE)"
)
OXIDIZED = {
    "benzene": ("c1ccccc1", 2.30),
    "triphenylene": ("c1ccc2c(c1)c1ccccc1c1ccccc21", 1.55),
    "naphthalene": ("c1ccc2ccccc2c1", 1.54),
    "phenanthrene": ("c1ccc2c(c1)ccc1ccccc12", 1.50),
    "chrysene": ("c1ccc2c(c1)ccc1c3ccccc3ccc21", 1.35),
    "benz[a]anthracene": ("c1ccc2c(c1)ccc1cc3ccccc3cc12", 1.18),
    "pyrene": ("c1cc2ccc3cccc4ccc(c1)c2c34", 1.16),
    "anthracene": ("c1ccc2cc3ccccc3cc2c1", 1.09),
    "perylene": ("c1cc2cccc3c4cccc5cccc(c(c1)c23)c45", 0.85),
    "tetracene": ("c1ccc2cc3cc4ccccc4cc3cc2c1", 0.77),
}
REDUCTIONS = (
    "Peover, J. Chem. Soc. (1962) 4540-4549, doi:10.1039/jr9620004540: polarographic half-wave reduction potentials, "
    "acetonitrile, V against the saturated calomel electrode (SCE)"
)
REDUCED = {
    "1,4-benzoquinone": ("O=C1C=CC(=O)C=C1", -0.51),
    "2-methyl-1,4-benzoquinone": ("CC1=CC(=O)C=CC1=O", -0.58),
    "duroquinone": ("CC1=C(C)C(=O)C(C)=C(C)C1=O", -0.84),
    "1,4-naphthoquinone": ("O=C1C=CC(=O)c2ccccc12", -0.71),
    "9,10-anthraquinone": ("O=C1c2ccccc2C(=O)c2ccccc12", -0.94),
    "chloranil": ("O=C1C(Cl)=C(Cl)C(=O)C(Cl)=C1Cl", 0.01),
    "DDQ": ("N#CC1=C(C#N)C(=O)C(Cl)=C(Cl)C1=O", 0.51),
}
SCE_AGAINST_SHE = 0.241
"""V, CRC Handbook of Chemistry and Physics, "Reduction and oxidation potentials for certain ion radicals"."""
LITHIUM_AGAINST_SHE = -3.04
WINDOW = (1.40, 1.70)
CALIBRATED_ON = 40
PROPOSED = 60
FAST: dict[str, Any] = {
    "molecule": "molecule",
    "wanted": ("oxidation_potential",),
    "ionization": "orbital",
    "geometry": "mmff",
    "conformers": 1,
}
PACKAGES = ("invdesign", "numpy", "pandas", "rdkit", "ase", "tblite")


def timed_values(objective: ind.RedoxObjective, smiles: list[str]) -> tuple[pd.DataFrame, dict[str, float]]:
    """Values computed afresh, and the seconds a molecule: all, and those in tblite, RDKit, ASE and our own code."""
    from tblite.interface import Calculator

    clock = Clock()
    with empty_cache():
        objective.evaluate(pd.DataFrame({"molecule": ["CCO"]}))  # imports and first use are no molecule's time
    with (
        empty_cache(),
        clock.on(Calculator, "singlepoint", "tblite"),
        clock.on(Calculator, "__init__", "tblite setup"),
        clock.on(redox_conformers, "_embedded", "rdkit"),
        clock.on(redox_states, "relaxed", "relaxed"),
        clock.on(redox_states, "single_point", "single_point"),
    ):
        start = time.perf_counter()
        values = objective.evaluate(pd.DataFrame({"molecule": smiles}))
        total = time.perf_counter() - start
    spent = clock.seconds
    tblite = spent["tblite"] + spent["tblite setup"]
    inside = spent["relaxed"] + spent["single_point"]
    parts = {"total": total, "tblite": tblite, "rdkit": spent["rdkit"], "ase": inside - tblite}
    parts["ours"] = total - inside - spent["rdkit"]
    return values, {name: seconds / len(smiles) for name, seconds in parts.items()}


def measured_ones(wanted: str, table: dict[str, tuple[str, float]], source: str) -> dict[str, Any]:
    """Raw and calibrated errors over molecules whose potentials were measured, in V."""
    smiles = [text for text, _ in table.values()]
    objective = ind.RedoxObjective(molecule="molecule", wanted=(wanted,))
    values, seconds = timed_values(objective, smiles)
    shift = SCE_AGAINST_SHE - LITHIUM_AGAINST_SHE
    known = np.array([value for _, value in table.values()]) + shift
    raw = values[wanted].to_numpy()
    report = calibrated(objective, smiles, known, kind="linear").calibration_report()
    rows = [
        {"molecule": name, "measured": round(float(k), 3), "xtb": round(float(r), 3), "error": round(float(r - k), 3)}
        for name, k, r in zip(table, known, raw, strict=True)
    ]
    print(pd.DataFrame(rows).to_string(index=False))
    print(report, seconds)
    return {
        "source": source,
        "reference": f"Li/Li+: SCE + {shift:.3f} V",
        "molecules": rows,
        "raw_mae": report.raw_mae,
        "linear": asdict(report),
        "seconds_per_molecule": seconds,
        "share_not_tblite": 1.0 - seconds["tblite"] / seconds["total"],
        "share_ours": seconds["ours"] / seconds["total"],
    }


def calibrated(
    objective: ind.RedoxObjective, smiles: list[str], known: np.ndarray[Any, Any], *, kind: Any
) -> ind.RedoxObjective:
    """The objective, calibrated on these values."""
    with tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False) as file:
        pd.DataFrame({"smiles": smiles, "value": known}).to_csv(file, index=False)
    calibration = ind.Calibration(file.name, "smiles", "value", property=objective.wanted[0], kind=kind)
    return replace(objective, calibration=calibration)


def proposals(table: pd.DataFrame, *, kind: str, seed: int) -> dict[str, float]:
    """Share of 60 proposed molecules whose value in the table lies in the window."""
    chosen = np.random.default_rng(seed).permutation(len(table))
    known, rest = table.iloc[chosen[:CALIBRATED_ON]], table.iloc[chosen[CALIBRATED_ON:]]
    objective = calibrated(
        ind.RedoxObjective(**FAST), known["canonSMILES"].tolist(), known["Potential"].to_numpy(), kind=kind
    )
    found = objective.evaluate(pd.DataFrame({"molecule": rest["canonSMILES"].tolist()}, index=rest.index))
    mean, std = found["oxidation_potential"], found["oxidation_potential_std"]
    inside = norm.cdf(WINDOW[1], mean, std) - norm.cdf(WINDOW[0], mean, std)
    best = rest.loc[pd.Series(inside, index=rest.index).fillna(0.0).nlargest(PROPOSED).index, "Potential"]
    return {"share": float(best.between(*WINDOW).mean()), "loo_mae": objective.calibration_report().loo_mae}


def search(seeds: int) -> dict[str, Any]:
    """The search through the homobenzylic ethers, by kind of calibration."""
    table = pd.read_csv(datasets.resolve("dataset:hbe")).drop_duplicates("canonSMILES").reset_index(drop=True)
    sample = table["canonSMILES"].sample(20, random_state=0).tolist()
    _, seconds = timed_values(ind.RedoxObjective(**FAST), sample)
    result: dict[str, Any] = {
        "window": WINDOW,
        "calibrated_on": CALIBRATED_ON,
        "proposed": PROPOSED,
        "settings": {name: value for name, value in FAST.items() if name != "molecule"},
        "share_of_the_library": float(table["Potential"].between(*WINDOW).mean()),
        "seconds_per_molecule": seconds,
    }
    for kind in ("linear", "gaussian-process"):
        runs = [proposals(table, kind=kind, seed=seed) for seed in range(seeds)]
        shares = [run["share"] for run in runs]
        result[kind] = {
            "shares": shares,
            "mean_share": float(np.mean(shares)),
            "loo_mae": [run["loo_mae"] for run in runs],
        }
        print(kind, result[kind])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    payload = {
        "oxidation": measured_ones("oxidation_potential", OXIDIZED, OXIDATIONS),
        "reduction": measured_ones("reduction_potential", REDUCED, REDUCTIONS),
        "hbe": search(seeds),
    }
    print(write_result("redox_potentials", payload, packages=PACKAGES))


if __name__ == "__main__":
    main()
