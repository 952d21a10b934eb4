"""Classes that a laboratory measures by name, such as the phase that a synthesis gave."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.campaign.laboratory import ignored_columns
from invdesign.campaign.sheet import laboratory_sheet, to_fill_in
from invdesign.core.errors import InputError
from invdesign.core.tables import Table, read_table, write_table

SPACE = ind.SearchSpace(x=ind.Continuous(0, 1), t=ind.Continuous(600, 900, unit="degC"))
CLASSES = ("layered", "spinel", "rock salt")
TARGETS = ind.Targets(ind.Equals("phase", "layered", classes=CLASSES), ind.AtLeast("capacity", 0.5, unit="mAh/g"))


def opened(targets=TARGETS, **more):
    return ind.Campaign(SPACE, targets, seed=1, **more)


def measured(n=30):
    frame = SPACE.sample(n, np.random.default_rng(0))
    phase = np.select([frame["t"] > 800, frame["x"] > 0.5], ["rock salt", "spinel"], "layered")
    return frame.assign(phase=phase, capacity=frame["x"])


def test_a_class_is_stored_as_numbers_one_for_each_class():
    campaign = opened()
    table = measured()
    campaign.tell(table)
    frame = campaign.frame()
    for name in CLASSES:
        assert frame[f"phase={name}"].tolist() == (table["phase"] == name).astype(float).tolist()
    hits = campaign.hits()
    assert (table.loc[hits.index, "phase"] == "layered").all()
    assert len(hits) == ((table["phase"] == "layered") & (table["capacity"] >= 0.5)).sum()
    chance = campaign.predict(pd.DataFrame({"x": [0.1, 0.1], "t": [620.0, 880.0]}))["chance: phase equal to layered"]
    assert chance[0] > 0.8
    assert chance[1] < 0.2


def test_other_targets_on_the_same_classes_need_no_new_data(tmp_path):
    table = measured()
    opened(store=tmp_path / "s.db").tell(table)
    other = opened(ind.Targets(ind.Equals("phase", "spinel", classes=CLASSES)), store=tmp_path / "s.db")
    assert len(other.hits()) == (table["phase"] == "spinel").sum()


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_a_sheet_has_one_column_for_a_class_and_is_read_back(tmp_path, ending):
    campaign = opened()
    campaign.tell(measured())
    batch = campaign.ask(3)
    sheet = laboratory_sheet(batch, SPACE, TARGETS, campaign.expectation(), campaign.units)
    assert list(sheet)[:4] == ["x", "t (degC)", "phase", "capacity (mAh/g)"]
    assert to_fill_in(TARGETS, campaign.units) == "phase (layered or spinel or rock salt), capacity in mAh/g"
    write_table(
        sheet.assign(**{"phase": ["spinel", " layered ", ""], "capacity (mAh/g)": 0.7}), tmp_path / f"s{ending}"
    )
    read = read_table(tmp_path / f"s{ending}")
    assert ignored_columns(read, SPACE, TARGETS) == []
    numbers = campaign.tell(read)
    found = campaign.frame().loc[numbers]
    assert found["phase=spinel"].tolist()[:2] == [1.0, 0.0]
    assert found["phase=layered"].tolist()[:2] == [0.0, 1.0]
    assert np.isnan(found["phase=layered"].iloc[2])
    assert found["capacity"].tolist() == [0.7] * 3


def test_unknown_classes_are_named_with_their_rows_and_nothing_is_stored():
    campaign = opened()
    table = measured(4).assign(phase=["layerd", "spinel", "cubic", 1])
    with pytest.raises(InputError) as caught:
        campaign.tell(Table.of(table, "'results.csv'"))
    text = str(caught.value)
    assert "row 2: phase is 'layerd', which is not one of its classes layered, spinel, rock salt." in text
    assert "Did you mean 'layered'?" in text
    assert "row 4: phase is 'cubic', which is not one of its classes layered, spinel, rock salt." in text
    assert "row 5: phase is '1'" in text
    assert "row 3" not in text
    assert campaign.frame().empty


def test_a_missing_column_and_a_contradicting_one_are_named():
    with pytest.raises(InputError, match="has no column 'phase'"):
        opened().tell(measured(4).drop(columns="phase"))
    with pytest.raises(InputError, match=r"has the columns 'phase' and 'phase=layered'\. Remove one"):
        opened().tell(measured(4).assign(**{"phase=layered": 1}))


def test_a_class_may_still_be_given_as_a_number():
    table = measured(4).drop(columns="phase")
    campaign = opened()
    campaign.tell(table.assign(**{"phase=layered": [1, 0, 1, 0]}))
    assert campaign.frame()["phase=layered"].tolist() == [1.0, 0.0, 1.0, 0.0]


def test_numbers_as_classes_and_corrections():
    targets = ind.Targets(ind.Equals("group", "2", classes=("1", "2")))
    campaign = opened(targets)
    table = measured(4)[["x", "t"]]
    campaign.tell(table.assign(group=[2, 1, 2, 2]))
    assert campaign.frame()["group=2"].tolist() == [1.0, 0.0, 1.0, 1.0]
    campaign.amend(table.iloc[[0]].assign(group=[1]))
    assert campaign.frame()["group=2"].tolist() == [0.0, 0.0, 1.0, 1.0]


def test_classes_of_an_objective_are_known_without_being_listed():
    table = pd.DataFrame({"n": range(6), "phase": ["layered", "spinel"] * 3})
    objective = ind.TableObjective(table, {"n": "n"}, {"phase": "phase"}, classes=("phase",))
    space = ind.SearchSpace(n=ind.Integer(0, 9))
    campaign = ind.Campaign(space, ind.Targets(ind.Equals("phase", "layered")))
    campaign.use_units_of(objective)
    campaign.tell(table)
    assert campaign.frame()["phase=spinel"].tolist() == [0.0, 1.0] * 3
    with pytest.raises(InputError, match="phase is 'olivine', which is not one of its classes layered, spinel"):
        campaign.tell(pd.DataFrame({"n": [7], "phase": ["olivine"]}))
