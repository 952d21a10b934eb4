from __future__ import annotations

import pytest

from invdesign.space import MoleculePool, SearchSpace
from surrogates.errors import InputError


def test_pool_is_canonical_and_reports_what_it_left_out(tmp_path):
    path = tmp_path / "pool.csv"
    path.write_text("name,smiles\na,OCC\nb,not a molecule\nc,C(O)C\nd,c1ccccc1\ne,\n")
    pool = MoleculePool.from_csv(path, smiles="smiles")
    assert pool.smiles == ("CCO", "c1ccccc1")
    assert pool.remarks == (
        "line 3: 'not a molecule' is no molecule that RDKit can read",
        "line 4: 'C(O)C' is the molecule of line 2 again",
        "line 6: nan is no molecule that RDKit can read",
    )


def test_every_molecule_has_its_own_place():
    pool = MoleculePool.from_smiles(["C" * length for length in range(1, 30)])
    space = SearchSpace(m=pool)
    assert space.grid()["m"].tolist() == list(pool.smiles)
    assert space.decode(space.encode(space.grid()))["m"].tolist() == list(pool.smiles)


def test_bad_pools_are_refused(tmp_path):
    path = tmp_path / "pool.csv"
    path.write_text("name,canonSMILES\na,CC\n")
    with pytest.raises(InputError, match=r"no column 'canonSMILE'.*Did you mean 'canonSMILES'"):
        MoleculePool.from_csv(path, smiles="canonSMILE")
    with pytest.raises(InputError, match="There is no file"):
        MoleculePool.from_csv(tmp_path / "none.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(InputError, match="cannot be read as CSV"):
        MoleculePool.from_csv(tmp_path / "empty.csv")
    with pytest.raises(InputError, match="at least one molecule"):
        MoleculePool.from_smiles(["?"])


def test_pool_of_a_real_dataset(real_data):
    pool = MoleculePool.from_csv("dataset:hbe", smiles="canonSMILES")
    assert len(pool.smiles) == 1424
    assert pool.remarks == ()
