from __future__ import annotations

import pickle

import pandas as pd
import pytest

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.objectives.table import TableObjective

FRAME = pd.DataFrame({"smi": ["OCC", "CC"], "E": [1.5, None], "name": ["a", "b"]})
MOLECULE = (Column("molecule", "molecule", values=("CCO", "CC")),)


def table(**changes):
    settings = {"data": FRAME, "key": {"molecule": "smi"}, "values": {"potential": "E"}, "units": {"potential": "V"}}
    return TableObjective(**{**settings, **changes})


def test_molecules_are_found_by_their_canonical_smiles():
    objective = table().for_columns(MOLECULE)
    result = objective.evaluate(pd.DataFrame({"molecule": ["CCO", "CC", "CCC"]}, index=[4, 5, 6]))
    assert objective.properties == {"potential": "V"}
    assert result.index.tolist() == [4, 5, 6]
    assert result["potential"].tolist()[0] == 1.5
    assert result["reason"].tolist() == [None, "the table has no value for CC", "the table has no row for CCC"]


def test_numbers_match_whatever_their_type(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("layers,solvent,q\n3,water,10\n4.0,water,20\n")
    objective = TableObjective(str(path), key={"n": "layers", "s": "solvent"}, values={"q": "q"})
    result = objective.evaluate(pd.DataFrame({"n": [4, 3], "s": ["water", "water"]}))
    assert result["q"].tolist() == [20.0, 10.0]


def test_it_travels_to_a_worker():
    objective = pickle.loads(pickle.dumps(table().for_columns(MOLECULE)))  # noqa: S301 - our own
    assert objective.evaluate(pd.DataFrame({"molecule": ["CCO"]}))["potential"].tolist() == [1.5]


def test_rows_that_contradict_each_other_are_named():
    twice = pd.DataFrame({"smi": ["CCO", "OCC"], "E": [1.5, 1.7]})
    problems = table(data=twice).for_columns(MOLECULE).check(MOLECULE)
    assert "different values for 1 candidates" in problems[0]
    assert "duplicates: mean or first. CCO has row 2: 1.5; row 3: 1.7." in problems[0]
    same = pd.DataFrame({"smi": ["CCO", "OCC"], "E": [1.5, 1.5]})
    assert table(data=same).for_columns(MOLECULE).check(MOLECULE) == []


def test_text_in_a_number_column_is_named():
    text = pd.DataFrame({"smi": ["CCO", "CC"], "E": ["1.5", "<1E-10"]})
    assert "holds '<1E-10' in row 3, which is not a number" in table(data=text).check(MOLECULE)[0]


def test_a_key_that_is_no_parameter_is_named():
    assert "'molecul' is not a parameter. Did you mean 'molecule'?" in table(key={"molecul": "smi"}).check(MOLECULE)[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"values": {"potential": "e"}}, "no column 'e'. Did you mean 'E'"),
        ({"key": {"molecule": "smile"}}, "no column 'smile'"),
        ({"key": {}}, "'key' needs 1 entry"),
        ({"units": {"potential": "Volts/"}}, "not a known unit"),
        ({"units": {"potentiel": "V"}}, "Did you mean 'potential'"),
        ({"data": "nowhere.csv"}, "does not exist"),
    ],
)
def test_bad_tables_are_refused(changes, words):
    with pytest.raises(InputError, match=words):
        table(**changes)
