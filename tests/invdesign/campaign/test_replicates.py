"""Several measurements of one candidate: all are stored, and the search has their mean with its standard error."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from invdesign.campaign import Campaign
from invdesign.campaign.measurements import Measurement, combined, next_label, standard_errors
from invdesign.core.errors import InputError
from invdesign.core.tables import read_table
from invdesign.optimizers import RandomOptimizer
from invdesign.space import Continuous, SearchSpace
from invdesign.targets import AtLeast, Targets

SPACE = SearchSpace(x=Continuous(0, 1))
TARGETS = Targets(AtLeast("q", 150, unit="mAh/g"))


def opened(store=None):
    return Campaign(SPACE, TARGETS, optimizer=RandomOptimizer(), store=store, seed=1)


def replicated():
    return pd.DataFrame(
        {"x": [0.1, 0.1, 0.1, 0.4, 0.4, 0.8], "replicate": [1, 2, 3, 1, 2, 1], "q": [140, 150, 160, 200, 204, 100]}
    )


def test_replicates_are_measurements_of_one_candidate(tmp_path):
    campaign = opened(tmp_path / "c.db")
    assert campaign.tell(replicated()) == [0, 0, 0, 1, 1, 2]
    reopened = opened(tmp_path / "c.db")
    frame = reopened.frame()
    assert frame["q"].tolist() == [150, 202, 100]
    assert frame["measurements"].tolist() == [3, 2, 1]
    # Pooled over both: (100 + 0 + 100 + 4 + 4) / (2 + 1).
    pooled = math.sqrt(208 / 3)
    assert frame["q_std"].tolist()[:2] == pytest.approx([pooled / math.sqrt(3), pooled / math.sqrt(2)])
    assert math.isnan(frame["q_std"][2])
    hits = reopened.hits()
    assert hits["measurements"].tolist() == [3, 2]
    assert reopened.status() == campaign.status()


def test_the_optimizer_gets_means_with_their_standard_errors():
    campaign = opened()
    campaign.tell(replicated())
    history = campaign.history()
    assert history.properties["q"].tolist() == [150, 202, 100]
    assert history.noise_std is not None
    np.testing.assert_allclose(history.noise_std["q"], campaign.frame()["q_std"])
    single = opened()
    single.tell(replicated().iloc[[0, 3]])
    assert single.history().noise_std is None


def test_an_uncertain_mean_moves_the_model_less():
    x = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    rows = pd.DataFrame({"x": x, "q": [10.0, 12, 14, 40, 18, 20], "q_std": [0.1, 0.1, 0.1, None, 0.1, 0.1]})
    sure, unsure = opened(), opened()
    sure.tell(rows.assign(q_std=0.1))
    unsure.tell(rows.fillna({"q_std": 50.0}))
    at = pd.DataFrame({"x": [0.6]})
    assert sure.predict(at)["q expected"][0] > 35
    assert unsure.predict(at)["q expected"][0] < 25


def test_the_same_file_doubles_nothing_and_a_grown_one_names_what_is_stored(tmp_path):
    campaign = opened()
    replicated().to_csv(tmp_path / "r.csv", index=False)
    campaign.tell(read_table(tmp_path / "r.csv"))
    with pytest.raises(InputError, match=r"6 of 6 rows are already stored .*candidate 0, replicate 1"):
        campaign.tell(read_table(tmp_path / "r.csv"))
    changed = replicated().assign(q=replicated()["q"] + [0, 1, 0, 0, 0, 0])
    with pytest.raises(InputError, match="row 2: replicate 2 of candidate 0 is already stored with other values"):
        campaign.tell(changed)
    found = campaign.measurements()
    assert len(found) == 6
    assert set(found["source"]) == {str(tmp_path / "r.csv")}
    assert found["measured_at"].notna().all()


def test_a_growing_file_of_data_adds_only_what_is_new():
    campaign = opened()
    campaign.add_data(replicated().iloc[:4])
    assert campaign.add_data(replicated()) == [1, 2]
    assert campaign.frame()["measurements"].tolist() == [3, 2, 1]


def test_a_given_candidate_is_measured_again_by_its_number():
    campaign = opened()
    sheet = campaign.ask(2).assign(q=[140.0, 100.0])
    campaign.tell(sheet)
    more = pd.DataFrame({"candidate": [0, 0], "x": sheet["x"].iloc[0], "q": [160.0, 150.0], "replicate": ["b", "c"]})
    assert campaign.tell(more) == [0, 0]
    assert campaign.frame()["q"].tolist() == [150, 100]
    assert campaign.measurements()["replicate"].tolist() == ["1", "b", "c", "1"]


def test_labels_are_unique_within_a_table():
    campaign = opened()
    with pytest.raises(InputError, match=r"row 2 repeats the replicate 1 of row 1"):
        campaign.tell(replicated().assign(replicate=1))
    sheet = campaign.ask(1).reset_index()
    twice = pd.concat([sheet, sheet]).assign(q=[1.0, 2.0])
    with pytest.raises(InputError, match=r"candidate 0 appears twice.*column 'replicate'"):
        campaign.tell(twice)
    assert campaign.tell(twice.assign(replicate=[1, 2])) == [0, 0]


def test_a_known_standard_deviation_replaces_that_of_the_replicates():
    campaign = opened()
    table = pd.DataFrame(
        {"x": [0.1, 0.1, 0.5], "q (A*h/kg)": [100, 104, 90], "q_std": [3, 4, 2], "replicate": [1, 2, 1]}
    )
    campaign.tell(table)
    assert campaign.frame()["q_std"].tolist() == pytest.approx([2.5, 2.0])
    with pytest.raises(InputError, match="row 1: q_std is -1, but a standard deviation is at least 0"):
        campaign.tell(pd.DataFrame({"x": [0.2], "q": [1.0], "q_std": [-1.0]}))


def test_one_of_several_measurements_is_corrected_by_its_label():
    campaign = opened()
    campaign.tell(replicated())
    with pytest.raises(InputError, match="candidate 0 has 3 measurements"):
        campaign.amend(pd.DataFrame({"x": [0.1], "q": [170.0]}))
    with pytest.raises(InputError, match="candidate 0 has no measurement '7', but '1', '2', '3'"):
        campaign.amend(pd.DataFrame({"x": [0.1], "q": [170.0], "replicate": 7}))
    campaign.amend(pd.DataFrame({"x": [0.1], "q": [170.0], "replicate": 2}))
    assert campaign.frame()["q"][0] == pytest.approx(470 / 3)
    assert campaign.measurements()["q"].tolist()[:3] == [140, 170, 160]
    campaign.amend(pd.DataFrame({"x": 0.1, "q": [141.0, 159.0], "replicate": [1, 3]}))
    assert campaign.measurements()["q"].tolist()[:3] == [141, 170, 159]
    assert campaign.attempts()["attempt"].tolist() == [1, 2, 3]
    log = campaign.log()[:1]
    assert (log["action"].tolist(), log["candidates"].tolist()) == (["amended"], [[0]])
    assert log["at"].notna().all()


def test_a_failed_replicate_leaves_the_value_and_a_success_ends_a_failure():
    campaign = opened()
    campaign.tell(pd.DataFrame({"x": [0.1, 0.5], "q": [100.0, None]}))
    rows = {"x": [0.1, 0.5], "q": [None, 80.0], "reason": ["spilled", None], "replicate": [2, 2]}
    campaign.tell(pd.DataFrame(rows))
    frame = campaign.frame()
    assert frame["state"].tolist() == ["done", "done"]
    assert frame["q"].tolist() == [100, 80]
    assert campaign.measurements()["reason"].tolist() == [None, "spilled", "no value was given", None]


MEASURED = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6)


@given(MEASURED)
def test_a_mean_lies_between_its_values(values):
    found = combined([Measurement({"q": value}, None, str(place)) for place, value in enumerate(values)])
    assert min(values) - 1e-6 <= found["q"] <= max(values) + 1e-6


def test_equal_replicates_do_not_count_as_exact():
    same = [Measurement({"q": 1.0}, None, "1"), Measurement({"q": 1.0}, None, "2")]
    assert standard_errors({0: same}, "q") == {}
    other = [Measurement({"q": 1.0}, None, "1"), Measurement({"q": 3.0}, None, "2")]
    assert standard_errors({0: same, 1: other}, "q") == pytest.approx({0: math.sqrt(0.5), 1: math.sqrt(0.5)})


def test_labels_fill_the_first_free_number():
    assert next_label([]) == "1"
    assert next_label(["1", "3", "b"]) == "2"
