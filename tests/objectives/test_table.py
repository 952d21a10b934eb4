from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign import datasets
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


def written(tmp_path, text: str, name: str = "t.csv") -> str:
    (tmp_path / name).write_text(text)
    return str(tmp_path / name)


FORMULA = (Column("c", "formula", values=("Nb", "Ti", "C", "O", "H", "(OH)", "Na")),)


def test_formulas_are_found_in_any_order_and_scale(tmp_path):
    data = written(tmp_path, "formula,v\nNa2Nb2CO2,1\nTi2C(OH)2,2\nTi2CO2H2,3\n")
    objective = TableObjective(data, key={"c": "formula"}, values={"v": "v"}).for_columns(FORMULA)
    assert objective.check(FORMULA) == []
    result = objective.evaluate(pd.DataFrame({"c": ["Nb2CO2Na2", "NbC0.5ONa", "Ti2C(OH)2", "H2O2CTi2", "Nb2C"]}))
    assert result["v"].tolist()[:4] == [1.0, 1.0, 2.0, 3.0]
    assert result["reason"].tolist()[4] == "the table has no row for Nb2C"


def test_every_formula_of_a_real_table_is_found(real_data):
    space = ind.SearchSpace(
        c=ind.Composition(
            {
                "M": {"elements": ["Sc", "Ti", "V", "Cr", "Zr", "Nb", "Mo", "Hf", "Ta"], "amount": 2, "pick": 1},
                "X": {"elements": ["C", "N"], "amount": 1, "pick": 1},
                "T": {"species": ["F", "H", "O", "OH"], "amount": 2, "pick": 1},
                "Z": {"elements": ["Li", "Na", "K", "Mg"], "amount": 2, "pick": 1},
            }
        )
    )
    candidates = space.sample(20, np.random.default_rng(0))
    amounts = candidates["c"].str.findall(r"\([A-Z]+\)\d?|[A-Z][a-z]?\d?").map(lambda parts: "".join(reversed(parts)))
    data = pd.DataFrame({"formula": amounts, "v": np.arange(20.0)}).drop_duplicates("formula")
    objective = TableObjective(data, key={"c": "formula"}, values={"v": "v"}).for_columns(space.columns)
    assert objective.evaluate(candidates)["reason"].isna().all()


@pytest.mark.parametrize(
    ("duplicates", "expected"), [("mean", [2.0, 5.0]), ("first", [1.0, 5.0]), ("error", "different values")]
)
def test_repeated_rows_are_treated_as_asked(tmp_path, duplicates, expected):
    data = written(tmp_path, "smi,E\nOCC,1\nCC,5\nCCO,3\nC(O)C,\nCC,5\n")
    settings = {"key": {"molecule": "smi"}, "values": {"potential": "E"}, "duplicates": duplicates}
    objective = TableObjective(data, **settings).for_columns(MOLECULE)
    if duplicates == "error":
        (problem,) = objective.check(MOLECULE)
        assert "OCC has line 2: 1; line 4: 3; line 5: nan." in problem
        assert expected in problem
    else:
        assert objective.evaluate(pd.DataFrame({"molecule": ["CCO", "CC"]}))["potential"].tolist() == expected


@pytest.mark.parametrize(
    ("header", "values", "units", "expected"),
    [
        ("E (mV)", "E", {"v": "V"}, ("V", 1.5)),
        ("E (mV)", "E (mV)", {"v": "V"}, ("V", 1.5)),
        ("E (mV)", "E", {}, ("mV", 1500.0)),
        ("E", "E", {"v": "V"}, ("V", 1500.0)),
        ("E (mAh/g)", "E (mAh/g)", {"v": "e"}, ("e", 1500.0)),
    ],
)
def test_units_of_headers(tmp_path, header, values, units, expected):
    unit, value = expected
    data = written(tmp_path, f"x;{header}\n1,5;1500\n")
    objective = TableObjective(data, key={"x": "x"}, values={"v": values}, units=units)
    assert objective.properties == {"v": unit}
    assert objective.evaluate(pd.DataFrame({"x": [1.5]}))["v"].tolist() == [value]
    assert objective.training()[1]["v"].tolist() == [value]


def test_units_that_do_not_fit_are_refused(tmp_path):
    data = written(tmp_path, "x,E (mAh/g),F (mV)\n1,2,<3\n")
    with pytest.raises(InputError, match=r"column 'E \(mAh/g\)', but the unit of 'v' is 'V'"):
        TableObjective(data, key={"x": "x"}, values={"v": "E"}, units={"v": "V"})
    with pytest.raises(InputError, match=r"line 2, column 'F', holds '<3', which cannot be converted to 'V'"):
        TableObjective(data, key={"x": "x"}, values={"v": "F"}, units={"v": "V"}).training()


def test_keys_are_converted_and_categories_are_words(tmp_path):
    data = written(tmp_path, "T (K),w,v\n300.15,2,1\n310.15,3,2\n")
    columns = (Column("t", "number", bounds=(0, 90), unit="degC"), Column("w", "category", values=("2", "3")))
    objective = TableObjective(data, key={"t": "T", "w": "w"}, values={"v": "v"}).for_columns(columns)
    result = objective.evaluate(pd.DataFrame({"t": [27.0, 37.0], "w": ["2", "3"]}))
    assert result["v"].tolist() == [1.0, 2.0]


def test_a_canonical_candidate_is_found_as_it_stands(tmp_path):
    """RDKit's canonical form of a canonical SMILES may differ: the candidate itself is looked up first."""
    data = written(tmp_path, "smi,v\nCCO,1\nnot a molecule,2\n")
    objective = TableObjective(data, key={"molecule": "smi"}, values={"v": "v"}).for_columns(MOLECULE)
    result = objective.evaluate(pd.DataFrame({"molecule": ["CCO", "OCC", "not a molecule"]}))
    assert result["v"].tolist() == [1.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("name", "key", "values"),
    [("lithium-ce", "Electrolyte", "FC"), ("li-features", "ID", "LLB")],
)
def test_registered_tables_of_other_formats_are_read(real_data, name, key, values):
    objective = TableObjective(datasets.fetch(name), key={"w": key}, values={"v": values}, duplicates="first")
    frame, y = objective.training()
    assert len(frame) > 100
    assert y["v"].notna().all()
    result = objective.evaluate(frame.head(3).rename(columns=str))
    assert result["v"].tolist() == y["v"].head(3).tolist()


def test_mixtures_are_found_in_any_order():
    frame = pd.DataFrame(
        {"recipe": ["DMC 0.70 + EC 0.3 | LiPF6 1.0 mol/kg", "DMC 1 | LiPF6 1 mol/kg"], "k": [9.0, 5.0]}
    )
    objective = table(data=frame, key={"e": "recipe"}, values={"k": "k"}, units={"k": "mS/cm"})
    found = objective.for_columns((Column("e", "mixture"),)).evaluate(
        pd.DataFrame({"e": ["DMC 1 | LiPF6 1 mol/kg", "EC 0.3 + DMC 0.7 | LiPF6 1 mol/kg"]})
    )
    assert found["k"].tolist() == [5.0, 9.0]
