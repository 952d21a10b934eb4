"""The laboratory's hand: what is expected, corrections, withdrawn candidates and data that were measured before."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from invdesign.campaign import Campaign
from invdesign.campaign.laboratory import ignored_columns
from invdesign.campaign.sheet import laboratory_sheet
from invdesign.core.errors import InputError
from invdesign.core.tables import Table, read_table, write_table
from invdesign.objectives.python import PythonObjective
from invdesign.optimizers import GeneticOptimizer, ParticleSwarmOptimizer, RandomOptimizer
from invdesign.space import Continuous, Mixture, SearchSpace
from invdesign.targets import AtLeast, AtMost, Maximize, Targets

SPACE = SearchSpace(x=Continuous(0, 1), t=Continuous(20, 60, unit="degC", step=10))
TARGETS = Targets(AtLeast("f", 0.5, unit="V"), AtMost("g", 2))


def opened(targets=TARGETS, store=None, **settings):
    return Campaign(SPACE, targets, store=store, seed=1, **settings)


def measured(n=12):
    frame = SPACE.sample(n, np.random.default_rng(0)).drop_duplicates(ignore_index=True)
    return frame.assign(f=frame["x"] ** 2, g=frame["t"] / 20)


def test_predictions_cover_the_truth_and_give_the_chance_of_every_target():
    campaign = opened()
    campaign.tell(measured(30))
    frame = SPACE.sample(50, np.random.default_rng(5))
    found = campaign.predict(frame)
    truth = frame["x"] ** 2
    assert (found["f expected"] - truth).abs().mean() < 0.05
    assert found["f low"].le(found["f expected"]).all()
    assert found["f high"].ge(found["f expected"]).all()
    assert found["chance: f at least 0.5 V"][truth > 0.7].mean() > 0.9
    assert found["chance: f at least 0.5 V"][truth < 0.3].mean() < 0.1
    assert (found["chance"] <= found["chance: g at most 2"] + 1e-9).all()


def test_a_direction_has_no_chance_and_few_values_no_prediction():
    campaign = opened(Targets(Maximize("f")))
    with pytest.raises(InputError, match="at least 3 values"):
        campaign.predict(SPACE.sample(2, np.random.default_rng(0)))
    campaign.tell(measured().drop(columns="g"))
    found = campaign.predict(SPACE.sample(2, np.random.default_rng(0)))
    assert list(found) == ["f expected", "f low", "f high", "distance"]
    with pytest.raises(InputError, match="Column 'x': 3 lies outside"):
        campaign.predict(pd.DataFrame({"x": [3.0], "t": [20.0]}))


def test_predictions_say_how_far_they_are_from_the_data():
    campaign = opened()
    near = measured(30).query("x < 0.5")
    campaign.tell(near)
    asked = pd.DataFrame({"x": [*near["x"], 1.0], "t": [*near["t"], 40.0]})
    *inside, far = campaign.predict(asked)["distance"]
    assert max(inside) <= 1.0 < far
    batch = pd.DataFrame({"x": [1.0], "t": [40.0]})
    sheet = laboratory_sheet(batch, SPACE, TARGETS, campaign.expectation(), campaign.units)
    assert sheet["distance"].item() == pytest.approx(far, rel=1e-3)
    assert ignored_columns(Table.of(sheet, "the sheet", first=1), SPACE, TARGETS) == []


def test_a_parameter_named_distance_keeps_its_column_in_the_sheet():
    space = SearchSpace(distance=Continuous(0, 1))
    campaign = Campaign(space, Targets(AtLeast("f", 0.5)))
    campaign.tell(pd.DataFrame({"distance": [0.1, 0.5, 0.9], "f": [0.1, 0.5, 0.9]}))
    batch = pd.DataFrame({"distance": [0.25]})
    sheet = laboratory_sheet(batch, space, campaign.targets, campaign.expectation(), campaign.units)
    assert list(sheet)[:2] == ["distance", "f"]
    assert sheet.columns.is_unique
    assert sheet["distance"].item() == 0.25


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_a_sheet_with_units_and_expectations_is_read_back_in_any_order(tmp_path, ending):
    campaign = opened()
    campaign.tell(measured())
    batch = campaign.ask(5)
    sheet = laboratory_sheet(batch, SPACE, TARGETS, campaign.expectation(), campaign.units)
    assert list(sheet)[:5] == ["x", "t (degC)", "f (V)", "g", "f expected (V)"]
    filled = sheet.iloc[[3, 0, 4]].assign(**{"f (V)": [0.1, 0.2, 0.3], "g": 1.0, "remark": "cloudy"})
    write_table(filled, tmp_path / f"batch{ending}")
    assert campaign.tell(read_table(tmp_path / f"batch{ending}")) == filled.index.tolist()
    assert campaign.pending().index.tolist() == sorted(set(batch.index) - set(filled.index))


def test_a_correction_replaces_the_value_and_keeps_the_former_one():
    campaign = opened()
    data = measured(5)
    numbers = campaign.tell(data)
    with pytest.raises(InputError, match="already done"):
        campaign.tell(data.iloc[[2]].assign(candidate=2, f=9.0))
    assert campaign.amend(data.iloc[[2]].assign(f=9.0)) == [numbers[2]]
    assert campaign.frame()["f"][2] == 9.0
    former = campaign.attempts()
    assert former["candidate"].tolist() == [2]
    assert json.loads(former["reason"][0].partition(": ")[2])["properties"]["f"] == data["f"][2]
    asked = campaign.ask(1)
    with pytest.raises(InputError, match="has no result to correct"):
        campaign.amend(asked.assign(f=1.0, g=1.0))


def test_a_withdrawn_candidate_is_neither_a_value_nor_proposed_again():
    space = SearchSpace(t=Continuous(20, 60, step=10))
    campaign = Campaign(space, Targets(AtLeast("f", 1)), seed=1, initial=2)
    batch = campaign.ask(3)
    campaign.withdraw([int(batch.index[1])], "the salt is sold out")
    assert campaign.pending().index.tolist() == [batch.index[0], batch.index[2]]
    assert "the salt is sold out" in campaign.frame()["reason"][batch.index[1]]
    assert campaign.history().properties.empty
    rest = campaign.ask(9)
    assert sorted([*batch["t"], *rest["t"]]) == [20, 30, 40, 50, 60]
    with pytest.raises(InputError, match="Candidate 1 is not pending"):
        campaign.withdraw([1])


def test_data_are_added_once_and_replace_a_part_of_the_initial_design(tmp_path):
    campaign = opened(store=tmp_path / "c.db", initial=10)
    data = measured(8)
    assert len(campaign.add_data(data)) == 8
    assert campaign.add_data(data) == []
    more = pd.concat([data, data.iloc[[0]].assign(f=0.77)])
    assert campaign.add_data(more) == [0]
    assert campaign.add_data(more) == []
    assert len(campaign.history().candidates) == 8
    asked = campaign.ask(3)
    origins = campaign.frame().loc[asked.index, "origin"]
    assert origins.tolist() == ["initial", "initial", "BayesianOptimizer"]


def test_mixtures_that_were_weighed_are_matched_to_their_proposals():
    mixture = Mixture(roles={"m": {"components": ["NMC", "C65", "PVDF"], "pick": 3, "amount": [0.02, 1], "step": 0.02}})
    campaign = Campaign(SearchSpace(slurry=mixture), Targets(AtLeast("f", 1)), seed=1)
    batch = campaign.ask(2)
    first = batch["slurry"].iloc[0]
    amount = first.split(" + ")[0].split()[1]
    made = first.replace(f"NMC {amount}", f"NMC {float(amount) + 0.004:.3f}")
    assert campaign.tell(pd.DataFrame({"slurry": [made], "f": [0.5]})) == [batch.index[0]]
    assert campaign.frame()["slurry"].iloc[0] == mixture.canonical([made])[0] != first


def test_a_rejected_proposal_is_never_proposed_again_and_teaches_nothing():
    space = SearchSpace(t=Continuous(20, 60, step=10))
    campaign = Campaign(space, Targets(AtLeast("f", 1)), seed=1, initial=2)
    batch = campaign.ask(3)
    campaign.tell(batch.iloc[[0]].assign(f=0.5))
    first, second = (int(number) for number in batch.index[:2])
    with pytest.raises(InputError, match="needs a reason"):
        campaign.reject([second], " ")
    campaign.reject([first, second], "the salt does not dissolve")
    with pytest.raises(InputError, match=f"Candidate {first} is rejected already"):
        campaign.reject([first], "again")
    with pytest.raises(InputError, match="Candidate 99 was not proposed"):
        campaign.reject([99], "unknown")
    with pytest.raises(InputError, match=f"candidate {first} was rejected"):
        campaign.tell(batch.iloc[[0]].assign(f=0.6), again=True)
    assert campaign.history().properties.empty
    assert campaign.frame()["reason"][[first, second]].tolist() == ["rejected: the salt does not dissolve"] * 2
    assert '"f": 0.5' in campaign.attempts()["reason"][0]
    rest = campaign.ask(9)
    assert sorted([*batch["t"], *rest["t"]]) == [20, 30, 40, 50, 60]
    log = campaign.log()
    assert log[["action", "detail"]].to_numpy().tolist() == [["rejected", "the salt does not dissolve"]]
    assert log["candidates"].tolist() == [[first, second]]


@pytest.mark.parametrize("optimizer", [None, ParticleSwarmOptimizer(), GeneticOptimizer(), RandomOptimizer()])
def test_a_pinned_batch_has_the_value_and_is_resumed_exactly(optimizer, tmp_path):
    campaigns = [opened(store=tmp_path / name, initial=4, optimizer=optimizer) for name in ("a.db", "b.db")]
    for campaign in campaigns:
        campaign.tell(measured())
    whole, resumed = campaigns[0].ask(4, pin={"t": 40}), campaigns[1].ask(4, pin={"t": 40})
    assert set(whole["t"]) == {40}
    assert whole["x"].nunique() == 4
    pd.testing.assert_frame_equal(whole, resumed)
    reopened = opened(store=tmp_path / "b.db", initial=4, optimizer=optimizer)
    pd.testing.assert_frame_equal(campaigns[0].ask(2), reopened.ask(2))
    assert campaigns[0].log()["detail"].tolist() == ["t=40"]


def test_a_proposal_is_edited_and_its_result_finds_it(tmp_path):
    campaign = opened(store=tmp_path / "c.db")
    batch = campaign.ask(2)
    edited = batch.iloc[[0]].assign(t=60)
    assert campaign.amend(edited) == [batch.index[0]]
    assert campaign.pending()["t"].tolist()[0] == 60
    log = campaign.log()
    assert log["action"].tolist() == ["edited"]
    assert str(batch["t"].iloc[0]) in log["detail"][0]
    assert opened(store=tmp_path / "c.db").tell(edited.reset_index(drop=True).assign(f=1.0, g=1.0)) == [batch.index[0]]
    with pytest.raises(InputError, match="would have the parameters of candidate"):
        campaign.amend(batch.iloc[[1]].assign(x=edited["x"].iloc[0], t=60))
    with pytest.raises(InputError, match="would be outside of the space: 'x' is 3"):
        campaign.amend(batch.iloc[[1]].assign(x=3.0))


def test_an_edited_proposal_still_belongs_to_the_laboratory():
    campaign = opened()
    batch = campaign.ask(1)
    campaign.amend(batch.assign(t=60))
    campaign.run(PythonObjective(lambda x, t: {"f": x, "g": t}, {"f": "V", "g": ""}, isolated=False), evaluations=3)
    assert campaign.pending().index.tolist() == batch.index.tolist()
