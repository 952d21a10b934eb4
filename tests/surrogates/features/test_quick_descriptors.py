from __future__ import annotations

import numpy as np
import pytest

from invdesign.core.errors import InputError
from invdesign.surrogates.features.quick_descriptors import QUICK_NAMES, quick_descriptors


def value(smiles, name):
    return quick_descriptors([smiles])[0, QUICK_NAMES.index(name)]


def test_atoms_are_counted_with_hydrogen_whether_it_is_written_or_not():
    for smiles in ("OCC", "[H]OCC", "[CH3][CH2][OH]"):
        counts = [value(smiles, f"atoms_{symbol}") for symbol in ("C", "H", "O", "N")]
        assert counts == [2, 6, 1, 0]
    assert value("C[Si](C)(C)OB(F)F", "atoms_Si") == value("C[Si](C)(C)OB(F)F", "atoms_B") == 1


def test_others_are_those_of_rdkit():
    from rdkit import Chem
    from rdkit.Chem import Descriptors

    molecule = Chem.MolFromSmiles("CC(=O)Nc1ccc(O)cc1")
    for name in ("MolWt", "TPSA", "MolLogP", "NumHDonors", "RingCount"):
        assert value("CC(=O)Nc1ccc(O)cc1", name) == getattr(Descriptors, name)(molecule)


def test_every_value_is_a_number_and_no_molecules_have_no_rows():
    assert np.isfinite(
        quick_descriptors(["[Na+].[Cl-]", "O", "c1ccc2ccccc2c1", "FC(F)(F)S(=O)(=O)[N-]S(=O)(=O)C"])
    ).all()
    assert quick_descriptors([]).shape == (0, len(QUICK_NAMES))
    with pytest.raises(InputError, match="'C1CC' is not a molecule"):
        quick_descriptors(["C1CC"])
