from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.surrogates.features.featurizer import MOST_VALUES, Featurizer
from invdesign.surrogates.features.molecules import MoleculeFeatures, descriptor_names, descriptors
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.features.smiles import canonical_or_given, canonical_smiles, smiles_problem

ALCOHOLS = ["C" * n + "O" for n in range(1, 9)]
AROMATICS = ["c1ccccc1" + "C" * n for n in range(8)]


def test_descriptors_are_those_of_rdkit():
    from rdkit import Chem
    from rdkit.Chem.Descriptors import MolWt

    table = descriptors(["CCO", "c1ccccc1"])
    assert table.shape == (2, len(descriptor_names()))
    weights = table[:, descriptor_names().index("MolWt")]
    assert weights.tolist() == [MolWt(Chem.MolFromSmiles(smiles)) for smiles in ("CCO", "c1ccccc1")]


def test_components_tell_families_apart_and_do_not_depend_on_order():
    pool = ALCOHOLS + AROMATICS
    components = MoleculeFeatures(components=3).fit(pool)
    first = components.transform(pool)
    assert first.shape == (16, 3)
    assert first[:, 0].std() == pytest.approx(1.0)
    assert (first[:8, 0].max() < first[8:, 0].min()) or (first[:8, 0].min() > first[8:, 0].max())
    again = MoleculeFeatures(components=3).fit(pool[::-1]).transform(pool)
    np.testing.assert_allclose(first, again, atol=1e-8)


def test_few_molecules_have_few_components():
    assert len(MoleculeFeatures(components=15).fit(["CCO", "CC", "CCC"]).names) == 2
    assert MoleculeFeatures(components=15).fit(["CCO", "CCO"]).transform(["CCO"]).shape == (1, 0)


def test_a_pool_is_known_before_any_value():
    column = Column("m", "molecule", values=tuple(ALCOHOLS + AROMATICS))
    small = Featurizer(Features(components=4)).fit(pd.DataFrame({"m": ["CO"]}), (column,))
    large = Featurizer(Features(components=4)).fit(pd.DataFrame({"m": ALCOHOLS}), (column,))
    frame = pd.DataFrame({"m": AROMATICS})
    np.testing.assert_array_equal(small.transform(frame), large.transform(frame))
    assert small.names[0] == "m:descriptor_pc1"


def test_canonical_smiles_are_one_string_a_molecule():
    assert canonical_smiles(["OCC", "C(O)C", "[CH3][CH2][OH]"]) == ["CCO"] * 3
    assert canonical_smiles(["nonsense", "", None, 3, "C1CC"]) == [None] * 5


def test_what_is_not_a_molecule_has_a_reason():
    assert canonical_or_given(["OCC", "C1CC", None]) == ["CCO", "C1CC", None]
    for text, reason in {
        "": "it is empty",
        "C1CC": "syntax is invalid",
        "FC(F)(F)(F)F": "Explicit valence for atom # 1 C, 5",
        "c1cccc1": "kekulize",
        "C" * 100_000: "more than 1,000 atoms",
    }.items():
        assert canonical_smiles([text]) == [None]
        assert reason in smiles_problem(text)


def test_atoms_are_counted_without_hydrogen():
    large = "C([2H])" * 999 + "[CH3]"
    assert len(large) > 1000
    assert canonical_smiles([large]) != [None]
    assert canonical_smiles([f"C{large}"]) == [None]


def test_a_molecule_that_cannot_be_read_is_named():
    with pytest.raises(InputError, match="'C1CC' is not a molecule"):
        descriptors(["C1CC"])


def test_molecules_of_a_short_list_may_be_categories():
    column = Column("base", "molecule", values=("CCO", "CN", "c1ccccc1"))
    featurizer = Featurizer(Features(molecules="names")).fit(pd.DataFrame({"base": ["CN"]}), [column])
    assert [block.kind for block in featurizer.blocks] == ["category"]
    assert featurizer.names == ("base=CCO", "base=CN", "base=c1ccccc1")
    # What is not listed may have been measured: it is none of them.
    found = featurizer.transform(pd.DataFrame({"base": ["CN", "CCC", "CCO"]}))
    np.testing.assert_array_equal(found, [[0, 1, 0], [0, 0, 0], [1, 0, 0]])


def test_a_long_list_of_named_molecules_has_descriptors():
    column = Column("base", "molecule", values=tuple("C" * n + "O" for n in range(1, MOST_VALUES + 2)))
    featurizer = Featurizer(Features(molecules="names")).fit(pd.DataFrame({"base": ["CO"]}), [column])
    assert [block.kind for block in featurizer.blocks] == ["molecule"]


def test_quick_features_are_fingerprints_and_a_few_descriptors():
    features = MoleculeFeatures("quick").fit(ALCOHOLS)
    kinds = dict(features.blocks)
    assert kinds["fingerprint"] == MoleculeFeatures("fingerprints").fit(ALCOHOLS).names
    assert {"MolWt", "atoms_C", "atoms_H"} < set(kinds["molecule"])
    assert "atoms_O" not in kinds["molecule"]  # each has one oxygen
    assert len(kinds["molecule"]) < 30
    assert features.transform(["CO"]).shape == (1, len(features.names))
