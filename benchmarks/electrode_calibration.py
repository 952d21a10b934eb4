"""Voltages of electrodes by CHGNet beside measured ones, and a calibration: fitted on half, judged on the other half.

    python benchmarks/electrode_calibration.py

Every second electrode of the list, which is ordered by structure, calibrates a straight line; the others report its
error. Structures are read from the disk cache where they were relaxed before.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _record import write_result

import invdesign as ind
from invdesign.objectives.electrode.calibration import VoltageCalibration

MEASURED: tuple[tuple[str, str, float, float, str], ...] = (
    ("LiCoO2", "layered", 0.0, 3.9, "Aydinol et al. 1997, doi:10.1103/PhysRevB.56.1354"),
    ("LiNiO2", "layered", 0.0, 3.85, "Ohzuku et al. 1993, doi:10.1149/1.2220730"),
    ("LiTiS2", "layered", 0.0, 2.1, "Whittingham 1976, doi:10.1126/science.192.4244.1126"),
    ("LiMn2O4", "spinel", 0.0, 4.05, "Thackeray et al. 1983, doi:10.1016/0025-5408(83)90138-1"),
    ("LiNi0.5Mn1.5O4", "spinel", 0.0, 4.7, "Zhong et al. 1997, doi:10.1149/1.1837386"),
    ("Li2Mn2O4", "lithiated-spinel", 0.5, 2.95, "Thackeray et al. 1983, doi:10.1016/0025-5408(83)90138-1"),
    ("Li7Ti5O12", "lithiated-spinel", 0.5, 1.55, "Ohzuku et al. 1995, doi:10.1149/1.2048592"),
    ("Li2Ti2O4", "lithiated-spinel", 0.5, 1.34, "Colbow et al. 1989, doi:10.1016/0378-7753(89)80152-1"),
    ("LiFePO4", "olivine", 0.0, 3.45, "Padhi et al. 1997, doi:10.1149/1.1837571"),
    ("LiMnPO4", "olivine", 0.0, 4.1, "Padhi et al. 1997, doi:10.1149/1.1837571"),
    ("LiCoPO4", "olivine", 0.0, 4.8, "Amine et al. 2000, doi:10.1149/1.1390994"),
    ("NaFePO4", "olivine", 0.0, 2.9, "Oh et al. 2012, doi:10.1016/j.elecom.2012.05.023"),
    ("LiVPO4F", "tavorite", 0.0, 4.2, "Barker et al. 2003, doi:10.1149/1.1606451"),
    ("LiFeSO4F", "tavorite", 0.0, 3.6, "Recham et al. 2010, doi:10.1038/nmat2590"),
    ("Na3V2(PO4)3", "nasicon", 1 / 3, 3.4, "Jian et al. 2012, doi:10.1016/j.elecom.2011.11.009"),
    ("Na3Ti2(PO4)3", "nasicon", 1 / 3, 2.1, "Delmas et al. 1987, doi:10.1016/0025-5408(87)90129-4"),
    ("Li3V2(PO4)3", "nasicon", 1 / 3, 3.77, "Gaubicher et al. 2000, doi:10.1021/cm000345g"),
    ("Li3Ti2(PO4)3", "nasicon", 1 / 3, 2.48, "Patoux and Masquelier 2002, doi:10.1021/cm0201798"),
)
"""Formula discharged, prototype, share of the ions that remains, V against the ion's metal, source."""
NAMES = ["formula", "prototype", "remaining", "measured", "source"]
SETTINGS: dict[str, Any] = {"wanted": ("voltage",), "metal_sites": 12, "time_limit": 3600.0}
PACKAGES = ("invdesign", "numpy", "pandas", "ase", "chgnet", "pymatgen", "torch")


def computed(row: pd.Series[Any], **more: Any) -> pd.Series[Any]:
    """The voltage of an electrode, or the reason why it has none."""
    objective = ind.ElectrodeObjective(row["prototype"], "formula", remaining=row["remaining"], **SETTINGS, **more)
    return objective.evaluate(pd.DataFrame({"formula": [row["formula"]]})).iloc[0]


def calibrated(table: pd.DataFrame, folder: Path) -> dict[str, Any]:
    """Errors of the electrodes that did not calibrate, without and with the line."""
    fitted, others = table.iloc[::2], table.iloc[1::2].dropna(subset=["voltage"])
    fitted.to_csv(folder / "known.csv", index=False)
    known = VoltageCalibration(
        str(folder / "known.csv"), "formula", "measured", prototype="prototype", remaining="remaining"
    )
    found = pd.DataFrame([computed(row, calibration=known) for _, row in others.iterrows()], index=others.index)
    report = ind.ElectrodeObjective("layered", "formula", calibration=known, **SETTINGS).calibration_reports()[
        "voltage"
    ]
    raw, line = others["voltage"] - others["measured"], found["voltage"] - others["measured"]
    return {
        "fitted on": fitted["formula"].tolist(),
        "report": str(report),
        "rows": others.assign(calibrated=found["voltage"].round(3), std=found["voltage_std"].round(3)).to_dict(
            "records"
        ),
        "mae": {"raw": float(raw.abs().mean()), "calibrated": float(line.abs().mean())},
        "mean error": {"raw": float(raw.mean()), "calibrated": float(line.mean())},
        "largest": {"raw": float(raw.abs().max()), "calibrated": float(line.abs().max())},
        "within two standard deviations": int((line.abs() <= 2.0 * found["voltage_std"]).sum()),
    }


def main() -> None:
    """Computes what the cache does not have, calibrates, and writes the result."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    table = pd.DataFrame(MEASURED, columns=NAMES)
    rows = []
    for _, row in table.iterrows():
        found = computed(row)
        rows.append({"voltage": round(float(found["voltage"]), 3), "reason": found["reason"]})
        print(*row[NAMES[:4]], rows[-1], flush=True)
    table = table.assign(**pd.DataFrame(rows))
    error = table["voltage"] - table["measured"]
    with tempfile.TemporaryDirectory() as folder:
        other_half = calibrated(table, Path(folder))
    payload = {
        "electrodes": table.replace({np.nan: None}).to_dict("records"),
        "mae": float(error.abs().mean()),
        "mean error": float(error.mean()),
        "other half": other_half,
    }
    print(payload["mae"], payload["mean error"], {key: other_half[key] for key in ("mae", "mean error", "largest")})
    print(write_result("electrode_calibration", payload, packages=PACKAGES))


if __name__ == "__main__":
    main()
