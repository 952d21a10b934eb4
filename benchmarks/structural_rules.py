"""Which share of real molecules each structural rule of MoleculeGraph refuses, and which share carries an alert.

    python benchmarks/structural_rules.py

The rules were developed on every second molecule of ``zinc-valid``. Reported are the other half with ``zinc-test``, and
two collections that no rule was developed on: ``redox-chembl`` and ``hbe``, a library that was computed, not made.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rdkit import Chem, RDLogger

from invdesign.datasets import fetch
from invdesign.space.molecules.structural_rules import STRUCTURAL_RULES, broken_rule
from invdesign.surrogates.features.chemists_scores import alerts


def collections() -> dict[str, list[str]]:
    """SMILES by the name of their collection."""
    valid = Path(fetch("zinc-valid")).read_text(encoding="utf-8").split()
    test = Path(fetch("zinc-test")).read_text(encoding="utf-8").split()
    return {
        "zinc, every second of zinc-valid, and zinc-test": [*valid[1::2], *test],
        "redox-chembl": pd.read_csv(fetch("redox-chembl"))["SMILES"].tolist(),
        "hbe": pd.read_csv(fetch("hbe"))["canonSMILES"].tolist(),
    }


def refused(smiles: Sequence[str]) -> dict[str, Any]:
    """The share that each rule refuses alone, that any does, and that carries an alert."""
    molecules = [molecule for text in smiles if (molecule := Chem.MolFromSmiles(text)) is not None]
    counts: Counter[str] = Counter()
    for name in STRUCTURAL_RULES:
        others = STRUCTURAL_RULES.keys() - {name}
        counts[name] = sum(broken_rule(molecule, allow=others) is not None for molecule in molecules)
    total = len(molecules)
    return {
        "molecules": total,
        "any rule": round(sum(broken_rule(molecule) is not None for molecule in molecules) / total, 4),
        "any alert": round(sum(bool(alerts(molecule)) for molecule in molecules) / total, 4),
        "rules": {name: round(count / total, 4) for name, count in counts.most_common()},
    }


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    from _record import write_result

    RDLogger.DisableLog("rdApp.*")
    payload = {name: refused(smiles) for name, smiles in collections().items()}
    print(json.dumps(payload, indent=2))
    print(write_result("structural_rules", payload, packages=("rdkit",)))


if __name__ == "__main__":
    main()
