from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.campaign import Campaign
from invdesign.campaign.laboratory import ignored_columns
from invdesign.core.errors import InputError
from invdesign.core.tables import Table, read_table
from invdesign.objectives.python import PythonObjective
from invdesign.optimizers import RandomOptimizer
from invdesign.space import Categorical, Composition, Continuous, Integer, MoleculePool, SearchSpace
from invdesign.targets import AtLeast, AtMost, Targets

SPACE = SearchSpace(x=Continuous(0, 1), k=Integer(1, 4), w=Categorical(["1", "2"]))
TARGETS = Targets(AtLeast("q", 0.15, unit="A*h/g"))
MXENE = Composition(
    {
        "M": {"elements": ["Nb", "Ti"], "amount": 2, "pick": 1},
        "X": {"elements": ["C"], "amount": 1},
        "T": {"elements": ["O", "F"], "amount": 2, "pick": 1},
        "Z": {"elements": ["Na", "Li"], "amount": 2, "pick": 1},
    }
)


def campaign(space=SPACE, targets=TARGETS, store=None):
    return Campaign(space, targets, optimizer=RandomOptimizer(), store=store, seed=1)


def own(**columns):
    return pd.DataFrame({"x": [0.25, 0.5], "k": [2, 3], "w": ["1", "2"], "q": [0.1, 0.2], **columns})


def test_molecules_are_those_of_the_pool_however_they_are_written():
    given = ["OCC", "C(C)(=O)C", "c1ccccc1", "N#CC"]
    mine = campaign(SearchSpace(m=MoleculePool.from_smiles(given)))
    asked = mine.ask(2)
    stored = mine.tell(pd.DataFrame({"m": given, "q": np.arange(4.0)}))
    assert set(asked.index) < set(stored)
    assert mine.frame()["m"].tolist() == [
        *asked["m"],
        *(m for m in ["CCO", "CC(C)=O", "c1ccccc1", "CC#N"] if m not in set(asked["m"])),
    ]


def test_formulas_are_those_of_the_space_in_any_order_and_scale():
    mine = campaign(SearchSpace(c=MXENE))
    asked = mine.ask(8)
    other = asked["c"].str.replace(r"^(\w\w2)(C)(\w2)(\w\w2)$", r"\4\3\1\2", regex=True).str.replace("C", "C1")
    assert (other != asked["c"]).all()
    assert mine.tell(pd.DataFrame({"c": other, "q": 1.0})) == asked.index.tolist()
    assert mine.frame()["c"].tolist() == asked["c"].tolist()


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(("header", "value"), [("q", 0.19), ("q (mAh/g)", 190.0), ("q [Ah/kg]", 190.0)])
def test_values_are_in_the_unit_of_the_header_or_the_target(first, header, value):
    mine = campaign()
    objective = PythonObjective(lambda x, k, w: {"q": 100.0 * x}, {"q": "mAh/g"})
    if first:
        mine.run(objective, evaluations=4)
    else:
        mine.use_units_of(objective)
    (number,) = mine.tell(own().iloc[:1].drop(columns="q").assign(**{header: value}))
    assert mine.units == {"q": "mAh/g"}
    assert mine.frame().loc[number, "q"] == pytest.approx(190.0)
    assert mine.hits().index.tolist() == [number]


def test_values_told_before_a_run_keep_their_unit(tmp_path):
    mine = campaign(store=tmp_path / "c.db")
    mine.tell(own())
    assert mine.units == {"q": "A*h/g"}
    other = campaign(targets=Targets(AtLeast("q", 150, unit="mAh/g")), store=tmp_path / "c.db")
    assert other.frame()["q"].tolist() == [0.1, 0.2]
    assert other.status().hits == 1
    with pytest.raises(InputError, match=r"holds values of a laboratory in {'q': 'A\*h/g'}"):
        other.run(PythonObjective(lambda x, k, w: {"q": x}, {"q": "mAh/g"}), evaluations=4)


def test_parameters_are_converted_to_the_unit_of_the_space():
    mine = campaign(SearchSpace(t=Continuous(0, 100, unit="degC")))
    mine.tell(pd.DataFrame({"t (K)": [300.15], "q": [0.1]}))
    assert mine.frame()["t"].tolist() == pytest.approx([27.0])


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"q (V)": [1, 2]}, r"two columns for 'q': 'q' and 'q \(V\)'"),
        ({"q": [0.1, np.inf]}, "row 2: q is inf, which is not a finite number"),
        ({"q": [0.1, True]}, "row 2: q is True, which is not a finite number"),
        ({"q": [0.1, "good"]}, "row 2: q is 'good', which is not a finite number"),
        ({"x": [0.1, True]}, "row 2: Column 'x': True is neither a number nor text"),
        ({"x": [0.1, None]}, "row 2: Column 'x': the cell is empty"),
        ({"x": [0.1, "0,5"]}, "row 2: Column 'x': Values must be numbers"),
        ({"k": [1, 2.5]}, "row 2: Column 'k': 2.5 is not a whole number"),
        ({"candidate": [0, 0.5]}, "row 2: candidate is 0.5, which is not the number of a candidate"),
        ({"candidate": [0, True]}, "row 2: candidate is True, which is not the number"),
        ({"candidate": [0, np.inf]}, "row 2: candidate is inf, which is not the number"),
        ({"candidate": [0, "second"]}, "row 2: candidate is 'second', which is not the number"),
        ({"candidate": [1, 1]}, "row 2: candidate 1 appears twice, first in row 1"),
        ({"candidate": [0, -1]}, "row 2: candidate -1 was not proposed"),
        ({"x": [0.25, 0.25], "k": [2, 2], "w": ["1", "1"]}, r"row 2 repeats the candidate of row 1.*--again"),
    ],
)
def test_invalid_rows_are_named(columns, words):
    mine = campaign()
    mine.ask(2)
    with pytest.raises(InputError, match=words):
        mine.tell(own(**columns))
    assert mine.status().pending == len(mine.frame()) == 2


@pytest.mark.parametrize(
    ("rename", "words"),
    [
        ({"q": "q (V)"}, r"column 'q \(V\)': 'V' cannot be converted to 'A\*h/g'"),
        ({"x": "y"}, "has no column 'x'"),
    ],
)
def test_invalid_columns_are_named(rename, words):
    with pytest.raises(InputError, match=words):
        campaign().tell(own().rename(columns=rename))
    with pytest.raises(InputError, match="has no rows"):
        campaign().tell(own().iloc[:0])


def test_targets_in_different_units_need_one_in_the_header():
    targets = Targets(AtLeast("q", 0.15, unit="A*h/g"), AtMost("q", 300, unit="mAh/g"))
    mine = campaign(targets=targets)
    with pytest.raises(InputError, match=r"no unit for 'q', whose targets are in A\*h/g and mAh/g"):
        mine.tell(own())
    mine.tell(own().rename(columns={"q": "q (A*h/g)"}))
    assert mine.status().hits == 1


def test_numbers_must_fit_their_parameters():
    mine = campaign()
    sheet = mine.ask(3).reset_index().assign(q=0.2)
    permuted = sheet.assign(candidate=[1, 0, 2])
    with pytest.raises(InputError, match=r"row 1: candidate 1 has the parameters of candidate 0"):
        mine.tell(permuted)
    assert mine.tell(sheet.assign(x=[0.125, *sheet["x"][1:]])) == [0, 1, 2]
    assert mine.frame().loc[0, "x"] == 0.125


def test_a_file_is_stored_once_unless_it_is_said_to_be_measured_again():
    mine = campaign()
    sheet = mine.ask(2).assign(q=[0.1, 0.2])
    mine.tell(sheet)
    mine.tell(own())
    without_numbers = pd.concat([sheet.reset_index(drop=True), own(), own(q=[0.3, 0.2]).iloc[:1]], ignore_index=True)
    with pytest.raises(InputError, match=r"4 of 5 rows are already stored .*row 4 \(candidate 3\).*--again"):
        mine.tell(without_numbers)
    assert len(mine.frame()) == 4
    assert mine.tell(own(q=[0.3, 0.4])) == [4, 5]
    assert mine.tell(sheet, again=True) == [0, 1]
    assert mine.frame()["measurements"].tolist() == [2, 2, 1, 1, 1, 1]
    with pytest.raises(InputError, match=r"candidate 0 is already done.*--again"):
        mine.tell(sheet.assign(q=[0.7, 0.8]))


def test_values_of_an_objective_may_be_measured_by_a_laboratory():
    mine = campaign()
    mine.run(PythonObjective(lambda x, k, w: {"q": 0.2}, {"q": "A*h/g"}), evaluations=2)
    assert mine.tell(mine.frame()[["x", "k", "w", "q"]].reset_index(drop=True)) == [2, 3]


def test_a_spreadsheet_is_told_as_it_is(tmp_path):
    (tmp_path / "r.csv").write_text("x;k;w;q (mAh/g);operator\n0,5;2,0;1;190,5;Ada\n")
    table = read_table(tmp_path / "r.csv")
    assert ignored_columns(table, SPACE, TARGETS) == ["operator"]
    mine = campaign()
    mine.tell(table)
    row = mine.frame().loc[0]
    assert (row["x"], row["k"], row["w"]) == (0.5, 2, "1")
    assert row["q"] == pytest.approx(0.1905)
    with pytest.raises(InputError, match=r"line 2 \(candidate 0\)"):
        mine.tell(table)


def test_many_problems_are_cut():
    many = pd.DataFrame({"x": np.full(100, 0.5), "k": 1.5, "w": "1", "q": 1.0})
    with pytest.raises(InputError, match=r"row 20: .*\nand 80 more"):
        campaign().tell(Table(many, range(1, 101), "many"))


def test_the_number_may_be_index_and_column():
    mine = campaign()
    batch = mine.ask(2).assign(q=0.1)
    assert mine.tell(batch.assign(candidate=batch.index[::-1]).iloc[::-1].assign(candidate=[1, 0])) == [1, 0]


def stepped_campaign() -> Campaign:
    space = SearchSpace(
        {name: Continuous(0, 1, step=0.05) for name in "abc"} | {"t": Continuous(20, 60)},
        constraints=["a + b + c == 1"],
    )
    return Campaign(space, Targets(AtLeast("f", 1, unit="V")), seed=1)


def test_asked_numbers_can_be_set_and_results_are_accepted_as_they_were_made():
    campaign = stepped_campaign()
    batch = campaign.ask(4)
    assert campaign.space.feasible(batch).all()
    assert batch["t"].map(lambda value: value == round(value, 2)).all()
    made = batch.assign(a=batch["a"] + 0.004, b=batch["b"] - 0.003, t=batch["t"] + 0.02, f=1.5)
    assert campaign.tell(made.sample(frac=1, random_state=0).reset_index(drop=True)) != []
    frame = campaign.frame()
    assert (frame["state"] == "done").all()
    assert len(frame) == 4
    pd.testing.assert_series_equal(frame["a"], made["a"], check_index_type=False, check_names=False)


def test_nothing_is_proposed_again_within_a_step():
    space = SearchSpace(x=Continuous(0, 1, step=0.25))
    campaign = Campaign(space, Targets(AtLeast("f", 1)), seed=1, initial=2)
    batch = campaign.ask(2)
    campaign.tell(batch.assign(x=batch["x"] + 0.01, f=[0.1, 0.2]))
    rest = campaign.ask(9)
    assert sorted([*rest["x"], *batch["x"]]) == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_sum_beyond_the_tolerance_is_outside_and_names_the_constraint_and_by_how_much():
    campaign = stepped_campaign()
    row = pd.DataFrame({"a": [0.3], "b": [0.3], "c": [0.2], "t": [30.0], "f": [1.0]})
    campaign.tell(row)
    assert "violates the constraint 'a + b + c == 1' by 0.2" in campaign.outside()[0]
