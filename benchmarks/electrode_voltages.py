"""Insertion electrodes by CHGNet: voltages beside measured ones, an NMC campaign, and MXenes beside a table.

    INVDESIGN_DATA=... python benchmarks/electrode_voltages.py --store nmc-electrode.db

Four oxides and phosphates whose average voltage is known, with where the time goes; twelve MXenes, the same rows each
time, beside the density functional theory of the table; the campaign of examples/nmc-electrode.yaml (one whose store is
complete is read, and nothing is run again).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _clock import Clock, empty_cache
from _record import write_result
from scipy.stats import spearmanr

import invdesign as ind
from invdesign import datasets
from invdesign.objectives.electrode import relaxation as electrode_relaxation

MEASURED = {
    "LiCoO2": ("layered", 3.9),
    "LiNiO2": ("layered", 3.85),
    "LiFePO4": ("olivine", 3.45),
    "LiMn2O4": ("spinel", 4.05),
}
"""V, average against lithium, as PHYSICS.md gives them."""
CAMPAIGN = Path(__file__).parent.parent / "examples" / "nmc-electrode.yaml"
METALS = ("Sc", "Ti", "V", "Cr", "Zr", "Nb", "Mo", "Hf", "Ta")
TERMINATIONS = {"F": "F2", "H": "H2", "O": "O2", "OH": "(OH)2", "NULL": ""}
IONS = ("Li", "Na", "K", "Mg")
PACKAGES = ("invdesign", "numpy", "pandas", "ase", "chgnet", "pymatgen", "torch")


def valued(formula: str, prototype: str, **settings: Any) -> pd.Series[Any]:
    """The properties of one formula."""
    objective = ind.ElectrodeObjective(prototype, "formula", **settings)
    return objective.evaluate(pd.DataFrame({"formula": [formula]})).iloc[0]


def measured_ones(model: str) -> dict[str, Any]:
    """Voltages beside measured ones, and the seconds of an evaluation: all, CHGNet's, ASE's and our own."""
    from chgnet.model.dynamics import CHGNetCalculator

    wanted = ("voltage", "capacity", "volume_change")
    settings: dict[str, Any] = {"wanted": wanted, "metal_sites": 4, "settings": {"model": model}}
    with empty_cache():
        valued("LiCoO2", "layered", **settings)  # imports and first use are no material's time
    clock, rows = Clock(), []
    start = time.perf_counter()
    with (
        empty_cache(),
        clock.on(CHGNetCalculator, "calculate", "calculator"),
        clock.on(electrode_relaxation, "_steps", "relaxation"),
    ):
        for formula, (prototype, measured) in MEASURED.items():
            begun = time.perf_counter()
            found = valued(formula, prototype, **settings)
            row = {"formula": formula, "measured": measured, **found[[*wanted]].astype(float).round(4).to_dict()}
            rows.append({**row, "reason": found["reason"], "seconds": round(time.perf_counter() - begun, 2)})
    total = time.perf_counter() - start
    spent = clock.seconds
    frame = pd.DataFrame(rows)
    print(frame.to_string(index=False))
    return {
        "model": model,
        "electrodes": rows,
        "mae": float((frame["voltage"] - frame["measured"]).abs().mean()),
        "seconds_per_evaluation": {
            "total": total / len(rows),
            "calculator": spent["calculator"] / len(rows),
            "ase": (spent["relaxation"] - spent["calculator"]) / len(rows),
            "ours": (total - spent["relaxation"]) / len(rows),
        },
        "share_ours": 1.0 - spent["relaxation"] / total,
    }


def campaign(store: str) -> dict[str, Any]:
    """What the campaign of the example found."""
    read = ind.read_campaign(CAMPAIGN)
    opened = read.open(store)
    if read.objective is None:
        raise ValueError(f"{CAMPAIGN} names no objective to run")
    opened.run(read.objective, evaluations=read.budget.evaluations, batch=read.budget.batch)
    frame, hits = opened.frame(), opened.hits()
    seconds = opened.store.evaluations()["seconds"].dropna()
    print(frame.to_string(), len(hits))
    return {
        "file": CAMPAIGN.name,
        "evaluations": len(frame),
        "failed": int(frame["voltage"].isna().sum()),
        "hits": len(hits),
        "seconds_per_evaluation": {"mean": float(seconds.mean()), "most": float(seconds.max())},
        "candidates": frame[["cathode", "voltage", "capacity", "specific_energy", "volume_change", "reason"]]
        .replace({np.nan: None})
        .to_dict("records"),
    }


def mxenes(rows: int) -> dict[str, Any]:
    """Voltages of MXenes beside the table's; both against the metal of the ion."""
    table = pd.read_csv(datasets.resolve("dataset:mxene"))
    chosen = table.iloc[np.sort(np.random.default_rng(0).permutation(len(table))[:rows])]
    found = []
    for _, row in chosen.iterrows():
        one = {
            kind: next(name for name in names if row[name] == 1)
            for kind, names in (("M", METALS), ("X", ("C", "N")), ("T", TERMINATIONS), ("Z", IONS))
        }
        formula = f"{one['M']}2{one['X']}{TERMINATIONS[one['T']]}{one['Z']}2"
        start = time.perf_counter()
        values = valued(formula, "mxene", wanted=("voltage", "capacity"))
        found.append(
            {
                "formula": formula,
                "voltage": None if np.isnan(values["voltage"]) else round(float(values["voltage"]), 3),
                "table_voltage": float(row["Voltage(V)"]),
                "capacity": None if np.isnan(values["capacity"]) else round(float(values["capacity"]), 1),
                "table_capacity": float(row["Theoretical_capacity (mAh/g)"]),
                "reason": values["reason"],
                "seconds": round(time.perf_counter() - start, 2),
            }
        )
    frame = pd.DataFrame(found)
    print(frame.to_string(index=False))
    both = frame.dropna(subset=["voltage"])
    return {
        "rows": found,
        "valued": len(both),
        "mae": float((both["voltage"] - both["table_voltage"]).abs().mean()),
        "spearman": float(spearmanr(both["voltage"], both["table_voltage"]).statistic),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", help="of the campaign; one that is thrown away if missing")
    parser.add_argument("--mxenes", type=int, default=12)
    parser.add_argument("--quick", action="store_true", help="without the campaign, into electrode_voltages_quick.json")
    given = parser.parse_args()
    payload = {"measured": measured_ones("0.3.0"), "mxene": mxenes(given.mxenes)}
    if given.quick:
        print(write_result("electrode_voltages_quick", payload, packages=PACKAGES))
        return
    with tempfile.TemporaryDirectory() as folder:
        payload["nmc"] = campaign(given.store or f"{folder}/nmc.db")
    print(write_result("electrode_voltages", payload, packages=PACKAGES))


if __name__ == "__main__":
    main()
