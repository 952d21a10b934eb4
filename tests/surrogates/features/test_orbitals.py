from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tblite")

from invdesign.core.errors import InputError
from invdesign.surrogates.features import orbitals
from invdesign.surrogates.features.orbitals import TYPICAL, orbital_energies


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("INVDESIGN_CACHE", str(tmp_path))
    orbitals._cached.cache_clear()
    yield
    orbitals._cached.cache_clear()


def test_they_are_those_of_a_plain_tblite_calculation():
    """The same conformer, calculated with tblite alone: its HOMO is the highest doubly occupied orbital."""
    from rdkit import Chem
    from rdkit.Chem import rdDistGeom, rdForceFieldHelpers
    from tblite.interface import Calculator

    molecule = Chem.AddHs(Chem.MolFromSmiles("CCO"))
    rdDistGeom.EmbedMolecule(molecule, randomSeed=7)
    rdForceFieldHelpers.MMFFOptimizeMolecule(molecule, maxIters=2000)
    numbers = np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()])
    positions_bohr = molecule.GetConformer().GetPositions() / 0.529177210903  # CODATA 2018
    calculator = Calculator("GFN2-xTB", numbers, positions_bohr)
    calculator.add("alpb-solvation", "acetonitrile")
    calculator.set("verbosity", 0)
    result = calculator.singlepoint()
    highest = 20 // 2 - 1  # 20 valence electrons: 4 + 4 + 6 of C, C and O, and 6 of H
    homo, lumo = result["orbital-energies"][[highest, highest + 1]] * 27.211386245988  # CODATA 2018
    centers, spreads = np.array(TYPICAL).T
    np.testing.assert_allclose(orbital_energies(["CCO"])[0] * spreads + centers, [homo, lumo], atol=1e-4)


def test_a_molecule_is_calculated_once_also_where_it_cannot_be(monkeypatch):
    molecules = ["CO", "C1#CC1", "[U]"]  # the second has no conformer, the third no parameters
    first = orbital_energies(molecules)
    assert np.isfinite(first[0]).all()
    assert np.isnan(first[1:]).all()
    orbitals._cached.cache_clear()
    monkeypatch.setattr(orbitals, "_computed", None)
    np.testing.assert_array_equal(orbital_energies(molecules), first)


def test_what_is_not_a_molecule_is_named():
    with pytest.raises(InputError, match="'C1CC' is not a molecule"):
        orbital_energies(["C1CC"])
