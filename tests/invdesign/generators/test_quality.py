"""The shares of generated molecules are those that can be counted by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from invdesign import InputError
from invdesign.generators import assessed, fitted_judge
from invdesign.surrogates.forests import RandomForest
from invdesign.targets import AtLeast, Targets


def test_shares_are_counted():
    found = assessed(["CCO", "OCC", "C1CC", "CCN", "OO"], known=["NCC"])
    assert (found.count, found.valid, found.unique) == (5, 0.8, 0.75)
    assert found.novel == pytest.approx(2 / 3)
    assert found.alerts == pytest.approx(1 / 3)  # the peroxide
    assert found.met is None


def test_a_judge_that_learned_from_other_rows_counts_hits(molecules):
    judge = fitted_judge(RandomForest(n_estimators=50), molecules["SMILES"].tolist(), molecules[["carbons"]])
    found = assessed(["CCCCCCCCCCO", "CCN"], targets=Targets(AtLeast("carbons", 8.0)), judge=judge)
    assert found.met == 0.5
    assert 0.3 < found.expected < 0.7


def test_the_same_molecules_are_not_diverse():
    assert assessed(["CCO", "CCO"]).diversity == 0.0
    assert assessed(["CCO", "c1ccccc1"]).diversity > 0.8


def test_nothing_can_be_said_of_nothing():
    with pytest.raises(InputError, match="None of 2 molecules is valid"):
        assessed(["C1", "x"])
    with pytest.raises(InputError, match="need a judge"):
        assessed(["CCO"], targets=Targets(AtLeast("p", 1.0)))
    assert pd.notna(assessed(["CCO"]).easily_made)
