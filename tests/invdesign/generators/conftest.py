"""Small molecules with properties that are easily seen in them, and a generator that has learned them."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest

from invdesign.generators import MoleculeGenerator
from invdesign.space.molecules.rules import constitution


@pytest.fixture(scope="session")
def molecules() -> pd.DataFrame:
    """Chains with a branch and two ends: their carbon atoms, and the number of nitrogen atoms less oxygen atoms."""
    ends = ["O", "N", "C", "F", "OC", "NC"]
    made = {}
    for length, left, right, branch in itertools.product(range(2, 9), ends, ends, ["", "(C)", "(N)", "(O)"]):
        smiles = constitution(f"{left}C{branch}{'C' * length}{right}")
        assert smiles is not None
        made[smiles] = {
            "carbons": float(smiles.count("C")),
            "balance": float(smiles.count("N") - smiles.count("O")),
        }
    return pd.DataFrame([{"SMILES": smiles, **values} for smiles, values in made.items()])


@pytest.fixture(scope="session")
def learned(molecules) -> MoleculeGenerator:
    generator = MoleculeGenerator(width=48, epochs=10, batch=32, learning_rate=5e-3)
    return generator.fit(molecules["SMILES"], molecules[["carbons", "balance"]])
