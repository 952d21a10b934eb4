"""Scores of molecules that chemists use."""

from __future__ import annotations

import pytest
from rdkit import Chem

from invdesign.surrogates.features.chemists_scores import alerts, sa_score, usual_sa_score


def test_alerts_have_names():
    assert alerts(Chem.MolFromSmiles("CC=O")) == {"aldehyde"}
    assert alerts(Chem.MolFromSmiles("CCO")) == frozenset()


def test_accessibility_is_that_of_the_publication_for_simple_and_complex_molecules():
    assert sa_score(Chem.MolFromSmiles("CC(=O)Oc1ccccc1C(=O)O")) == pytest.approx(1.58, abs=0.01)
    assert sa_score(Chem.MolFromSmiles("CN1CC[C@]23c4c5ccc(O)c4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5")) > 4.5


def test_the_usual_accessibility_is_what_nine_of_ten_keep_to_and_never_below_that_of_an_easy_one():
    easy, hard = map(Chem.MolFromSmiles, ("CCO", "CN1CC[C@]23c4c5ccc(O)c4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5"))
    assert usual_sa_score([easy]) == usual_sa_score([easy] * 19 + [hard]) == 4.5
    assert usual_sa_score([easy, hard, hard]) == pytest.approx(sa_score(hard), abs=1e-9)
