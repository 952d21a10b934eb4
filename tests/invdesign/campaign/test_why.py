"""Sheets say why each candidate was proposed."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from invdesign.campaign import Campaign
from invdesign.campaign.laboratory import ignored_columns
from invdesign.campaign.sheet import laboratory_sheet
from invdesign.campaign.why import WHY
from invdesign.core.tables import Table
from invdesign.space import Continuous, SearchSpace
from invdesign.targets import AtLeast, AtMost, Maximize, Targets

SPACE = SearchSpace(x=Continuous(0, 1), y=Continuous(0, 1))


def told(*targets):
    campaign = Campaign(SPACE, Targets(*targets), seed=1, initial=4)
    frame = SPACE.sample(12, np.random.default_rng(0))
    campaign.tell(frame.assign(f=frame["x"] + frame["y"], g=frame["x"]))
    return campaign


def test_the_initial_design_spreads_over_the_space():
    campaign = Campaign(SPACE, Targets(AtLeast("f", 1)), seed=1, initial=4)
    batch = campaign.ask(2)
    assert (
        campaign.why(batch, campaign.expectation())
        == ["Explores: part of the initial design, which spreads over the space."] * 2
    )


def test_likely_candidates_exploit_and_others_explore_with_the_least_likely_target():
    campaign = told(AtLeast("f", 1.0), AtMost("g", 0.5))
    batch = pd.DataFrame({"x": [0.4, 0.9], "y": [0.9, 0.9]}, index=campaign.ask(2).index)
    likely, unlikely = campaign.why(batch, campaign.expectation())
    assert likely.startswith("Exploits: the chance to meet all targets is ")
    assert unlikely.startswith("Explores: ")
    assert "the least likely is g at most 0.5 (" in unlikely


def test_the_nearest_measured_candidate_is_named_with_its_distance():
    campaign = told(Maximize("f"))
    batch = campaign.ask(2)
    frame = campaign.frame().loc[:11, ["x", "y"]].astype(float)
    for text, (_, row) in zip(campaign.why(batch, campaign.expectation()), batch.iterrows(), strict=True):
        gaps = np.hypot(frame["x"] - row["x"], frame["y"] - row["y"])
        found = re.search(r"Nearest measured: candidate (\d+), distance ([0-9.e-]+)\.$", text)
        assert found is not None
        assert int(found[1]) == gaps.idxmin()
        assert abs(float(found[2]) - gaps.min()) < 0.01
        assert "better than the best, candidate" in text


def test_the_sheet_has_it_last_and_it_is_read_back():
    campaign = told(AtLeast("f", 1.0), AtMost("g", 0.5))
    batch, expectation = campaign.ask(2), campaign.expectation()
    reasons = campaign.why(batch, expectation)
    sheet = laboratory_sheet(batch, SPACE, campaign.targets, expectation, campaign.units, why=reasons)
    assert list(sheet)[-1] == WHY
    assert sheet[WHY].tolist() == reasons
    assert ignored_columns(Table.of(sheet.reset_index()), SPACE, campaign.targets) == []
    assert campaign.tell(sheet.assign(f=1.0, g=0.2)) == batch.index.tolist()
