"""A small pool of molecules, some entries of which are not molecules, and a table of their property."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from rdkit import Chem
from rdkit.Chem import Descriptors

SMILES = [
    *("C", "CC", "CCC", "CCCC", "CCO", "CCCO", "CO", "COC", "CCOC", "CCOCC", "CC(C)O", "CC(C)C"),
    *("c1ccccc1", "Cc1ccccc1", "COc1ccccc1", "Oc1ccccc1", "CC(=O)C", "CC=O", "C1CCOC1", "N#CC"),
]


@pytest.fixture
def smi(tmp_path) -> Path:
    """Ninety lines; every tenth (1, 11, 21, ...) is not a molecule."""
    lines = [f"bad{number}" if number % 10 == 0 else SMILES[number % 20] for number in range(90)]
    place = tmp_path / "pool.smi"
    place.write_text("\n".join(lines) + "\n")
    return place


@pytest.fixture
def table(tmp_path) -> Path:
    """The number of valence electrons over ten, as a property that is measured for most of them."""
    rows = [(one, Descriptors.NumValenceElectrons(Chem.MolFromSmiles(one)) / 10) for one in SMILES if one != "CCCO"]
    place = tmp_path / "table.csv"
    pd.DataFrame(rows, columns=["smiles", "level (V)"]).to_csv(place, index=False)
    return place
