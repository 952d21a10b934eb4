from __future__ import annotations

import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem

from invdesign.core.errors import InputError
from invdesign.space import SearchSpace
from invdesign.space.molecules.library import MoleculeLibrary

ETHERS = MoleculeLibrary(
    "[*:6]C([*:2])C([*:4])([*:5])c1ccc([*:3])cc1",
    {
        "X6": ("*O[*:1]", "*S[*:1]"),
        "R1": ("*C", "*COC", "*c1ccccc1"),
        "R2": ("[H]", "*C", "*OC", "*C#N", "*Br", "*c1ccccc1"),
        "R3": ("[H]", "*OC", "*CC", "*C#N", "*N(C)C", "*C(=O)OC", "*[N+](=O)[O-]", "*c1ccccc1"),
        "R4": ("[H]", "*C", "*C#N", "*c1ccccc1"),
        "R5": ("[H]", "*C", "*C#N", "*c1ccccc1"),
    },
)
"""The substituents of the dataset hbe, with sulfur as a second bridging atom."""
XYLENES = MoleculeLibrary("c1cc([*:1])ccc1[*:2]", {"R1": ("[H]", "*C", "*CC"), "R2": ("[H]", "*C", "*CC")})


@given(st.integers(0, 2**32 - 1))
def test_decoding_and_encoding_are_inverse(seed):
    molecules = ETHERS.decode(np.random.default_rng(seed).random((3, ETHERS.dimension)))
    assert all(Chem.MolToSmiles(Chem.MolFromSmiles(smiles)) == smiles for smiles in molecules)
    points = ETHERS.encode(molecules)
    assert set(np.unique(points)) == {0.0, 1.0}
    assert ETHERS.decode(points).tolist() == molecules.tolist()


def test_members_are_what_rdkit_zips_together():
    scaffold = "C[C@H]([*:1])c1cc([*:2])n[nH]1"
    choices = {"R1": ["*C1CC1", "*OC(=O)C", "[H]"], "R2": ["*c1ccc2ccccc2c1", "*[C@@H](F)Cl", "*C1CC1"]}
    library = MoleculeLibrary(scaffold, choices)
    for place, (first, second) in enumerate(itertools.product(*choices.values())):
        parts = [
            scaffold,
            *(text.replace("*", f"[*:{n}]") if "*" in text else f"[H][*:{n}]" for n, text in ((1, first), (2, second))),
        ]
        zipped = Chem.molzip(Chem.MolFromSmiles(".".join(parts), sanitize=True))
        expected = Chem.MolToSmiles(Chem.MolFromSmiles(Chem.MolToSmiles(Chem.RemoveHs(zipped))))
        assert library.at(np.array([place]))[0] == expected
        assert library.decode(library.encode([expected]))[0] == expected


def test_members_are_counted_and_unranked():
    assert ETHERS.size == 2 * 3 * 6 * 8 * 4 * 4
    everything = ETHERS.at(np.arange(0, int(ETHERS.size), 97))
    assert len(set(everything)) > 40
    assert XYLENES.size == 9
    assert XYLENES.distinct_size() == 6
    assert len(set(XYLENES.at(np.arange(9)))) == 6


def test_a_huge_library_is_defined_at_once():
    tens = tuple("*" + "C" * length for length in range(1, 21))
    scaffold = "C" + "".join(f"N([*:{number}])C" for number in range(1, 11))
    library = MoleculeLibrary(scaffold, {f"R{number}": tens for number in range(1, 11)})
    assert library.size == 20.0**10
    assert library.distinct_size() is None
    last = library.at(np.array([20**10 - 1]))
    assert last[0].count("C") == 11 + 10 * 20
    assert library.decode(library.draw(5, np.random.default_rng(0))).shape == (5,)


def test_equal_molecules_have_equal_points_whatever_was_decoded_before():
    fresh = MoleculeLibrary(XYLENES.scaffold, XYLENES.substituents)
    XYLENES.at(np.arange(9)[::-1])
    molecules = fresh.at(np.arange(9))
    assert (fresh.encode(molecules) == XYLENES.encode(molecules)).all()
    assert fresh.encode(["Cc1ccc(CC)cc1"]).tolist() == fresh.encode(["CCc1ccc(C)cc1"]).tolist()


def test_every_molecule_of_a_real_library_is_found(real_data):
    table = pd.read_csv(real_data / "hbe" / "Oxidation-HBE-b3lyp-results-clean.csv").iloc[::7]
    assert ETHERS.decode(ETHERS.encode(table["canonSMILES"])).tolist() == table["canonSMILES"].tolist()


def test_a_library_fits_in_a_space_and_shows_some_members():
    space = SearchSpace(molecule=ETHERS)
    sample = space.sample(4, np.random.default_rng(0))
    assert sample.equals(space.sample(4, np.random.default_rng(0)))
    column = ETHERS.column("molecule")
    assert len(column.values) == 2000
    assert column.values[3] == column.values[2:5][1] == ETHERS.at(np.array([3 * 4608 // 2000]))[0]
    assert hash(column.values) == hash(pickle.loads(pickle.dumps(ETHERS)).column("m").values)  # noqa: S301


@pytest.mark.parametrize(
    ("scaffold", "substituents", "message"),
    [
        ("CC", {"R1": ["*C"]}, r"no attachment point. Write one as \[\*:1\]"),
        ("C*", {"R1": ["*C"]}, r"has no number. Write it as \[\*:1\]"),
        ("C(((", {"R1": ["*C"]}, "is not a molecule that RDKit can read"),
        ("C[*:1].C", {"R1": ["*C"]}, "is not connected"),
        ("C[*:1]", {"R2": ["*C"]}, r"\[\*:1\] has no substituents. Add 'R1: \[...\]'"),
        ("C[*:1]", {"R1": ["*C"], "R2": ["*C"]}, r"'R2' belongs to \[\*:2\], which is not in the scaffold"),
        ("C[*:1]", {"R1": ["C"]}, "has no attachment point"),
        ("C[*:1]", {"R1": ["*C*"]}, "has 2 attachment points"),
        ("C[*:1]", {"R1": []}, "lists no substituent"),
        ("C[*:1]", {"R1": ["*OC", "CO*"]}, "lists a substituent twice"),
        ("C[*:1]", {"R1": ["*C"], "X1": ["*C"]}, "same attachment point"),
        ("C[*:1]", {"first": ["*C"]}, r"Use R1 for \[\*:1\]"),
        ("C[*:1]", {"R1": ["*=O"]}, "bound by a double bond"),
        ("C[*:1]", {"R1": ["*C[*:2]", "*C"], "R2": ["*C"]}, "bear different attachment points"),
        ("C1[*:1]C1", {"R1": ["*C"]}, "must have one bond and lie in no ring"),
    ],
)
def test_bad_libraries_are_refused(scaffold, substituents, message):
    with pytest.raises(InputError, match=message):
        MoleculeLibrary(scaffold, substituents)


@pytest.mark.parametrize("molecule", ["CCO", "?", None, "Cc1ccc(CCC)cc1"])
def test_foreign_molecules_are_refused(molecule):
    with pytest.raises(InputError, match="not one of the library's 9 molecules"):
        XYLENES.encode([molecule])
