"""Mixtures in the report: components are drawn, and three of them span a map."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.report.findings import gather
from invdesign.report.mixtures import CORNERS, component_drawings, ternary_maps

SOLVENTS = {"EC": "O=C1OCCO1", "DMC": "COC(=O)OC", "EMC": "CCOC(=O)OC", "EA": "CCOC(C)=O"}


def campaign_of(solvents: dict[str, str], pick: list[int], *, best: str = "") -> ind.Campaign:
    """Sixty random electrolytes; the share of EC is the property, and ``best`` beats all."""
    roles = {
        "solvent": {"components": solvents, "pick": pick, "amount": [0.1, 1.0], "step": 0.1},
        "salt": {"components": ["LiPF6"], "pick": 1, "amount": [0.5, 1.0], "step": 0.5, "unit": "mol/l"},
    }
    mixture = ind.Mixture(roles=roles)
    campaign = ind.Campaign(
        ind.SearchSpace(electrolyte=mixture),
        ind.Targets(ind.Maximize("k")),
        optimizer=ind.RandomOptimizer(),
        seed=3,
        name="electrolytes",
    )
    shares = mixture.derived("share('EC')", (asked := campaign.ask(60))["electrolyte"].to_numpy())
    campaign.tell(asked.assign(k=shares))
    if best:
        campaign.tell(asked.iloc[:1].assign(electrolyte=best, k=2.0).reset_index(drop=True))
    return campaign


@pytest.fixture(scope="module")
def three() -> ind.Campaign:
    return campaign_of({name: SOLVENTS[name] for name in ("EC", "DMC", "EMC")}, [1, 3])


def test_a_map_of_three_has_every_candidate_at_its_shares_and_rings_the_best(three: ind.Campaign) -> None:
    (figure,) = ternary_maps(gather(three))
    points, ring = figure.data
    frame = three.frame()
    mixture = three.space.parameters["electrolyte"]
    assert isinstance(mixture, ind.Mixture)
    texts = frame["electrolyte"].to_numpy()
    shares = np.stack([mixture.derived(f"share('{name}')", texts) for name in ("EC", "DMC", "EMC")], axis=1)
    assert np.stack([points["x"], points["y"]], axis=1) == pytest.approx(shares @ CORNERS)
    assert points["marker"]["color"] == frame["k"].tolist()
    best = three.best(1).index[0]
    row = frame.index.get_loc(best)
    assert (ring["x"][0], ring["y"][0]) == (points["x"][row], points["y"][row])
    assert f"the best candidate, {best}." in figure.caption


def test_of_more_components_those_of_the_best_candidate_span_the_map() -> None:
    campaign = campaign_of(SOLVENTS, [1, 3], best="EC 0.5 + DMC 0.3 + EA 0.2 | LiPF6 1 mol/l")
    (figure,) = ternary_maps(gather(campaign))
    assert [one["text"] for one in figure.layout["annotations"]] == ["EC", "DMC", "EA"]
    assert 3 <= len(figure.data[0]["x"]) < 61
    assert not any("EMC" in text for text in figure.data[0]["hovertext"])


def test_pairs_of_many_components_have_no_map() -> None:
    assert ternary_maps(gather(campaign_of(SOLVENTS, [1, 2]))) == []


def test_components_are_drawn_with_their_amounts(three: ind.Campaign) -> None:
    rows = pd.DataFrame({"electrolyte": ["EC 0.7 + DMC 0.3 | LiPF6 1 mol/l", "DMC 1 | LiPF6 0.5 mol/l"]})
    drawn = component_drawings(gather(three), rows)
    assert re.findall(r'aria-label="([^"]*)"', drawn) == [SOLVENTS["DMC"], SOLVENTS["EC"]], "LiPF6 is only a name here"
    captions = re.findall(r"<figcaption>([^<]*)</figcaption>", drawn)
    assert captions == ["DMC (solvent): 0.3 in the first, 0.3 to 1 in 2 of 2", "EC (solvent): 0.7 in 1 of 2"]
