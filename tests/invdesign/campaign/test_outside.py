"""Results outside of the space: data for the model, neither hits nor proposals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.campaign import Campaign
from invdesign.core.errors import InputError
from invdesign.optimizers import GeneticOptimizer, ParticleSwarmOptimizer, RandomOptimizer
from invdesign.optimizers.bayesian.optimizer import BayesianOptimizer
from invdesign.space import Continuous, Integer, Mixture, SearchSpace
from invdesign.targets import AtLeast, Maximize, Targets

SPACE = SearchSpace(a=Continuous(0, 1), b=Continuous(0, 1), k=Integer(1, 4), constraints=["a + b <= 1.2"])


def opened(optimizer=None, targets=None, store=None):
    targets = targets or Targets(AtLeast("f", 2.0))
    return Campaign(SPACE, targets, optimizer=optimizer or RandomOptimizer(), store=store, seed=1, initial=4)


def rows():
    frame = pd.DataFrame({"a": [0.5, 1.4, 0.9, 0.2], "b": [0.5, 0.1, 0.8, 0.2], "k": [2, 2, 2, 7]})
    return frame.assign(f=frame["a"] + frame["b"] + frame["k"])


def test_they_are_stored_and_counted_but_are_no_hits(tmp_path):
    campaign = opened(store=tmp_path / "c.db")
    assert campaign.tell(rows()) == [0, 1, 2, 3]
    for one in (campaign, opened(store=tmp_path / "c.db")):
        assert one.frame()["outside"].tolist() == [False, True, True, True]
        assert one.hits().index.tolist() == [0]
        assert one.best(9).index.tolist() == [0]
        status = one.status()
        assert (status.evaluated, status.hits, status.outside) == (4, 1, 3)
    assert campaign.outside().to_dict() == {
        1: "'a' is 1.4, outside [0, 1].",
        2: "The candidate violates the constraint 'a + b <= 1.2' by 0.5, more than the tolerance 0.002.",
        3: "'k' is 7, outside [1, 4].",
    }


@pytest.mark.parametrize("kind", [BayesianOptimizer, RandomOptimizer, GeneticOptimizer, ParticleSwarmOptimizer])
def test_every_optimizer_goes_on_inside_of_the_space(kind):
    campaign = opened(kind(), Targets(Maximize("f")))
    campaign.tell(rows())
    inside = SPACE.sample(6, np.random.default_rng(0))
    campaign.tell(inside.assign(f=inside.sum(axis=1)))
    asked = campaign.ask(4)
    assert SPACE.feasible(asked).all()
    SPACE.encode(asked)


def test_the_model_learns_from_them():
    x = [0.0, 0.1, 0.2, 0.3, 0.4]
    data = pd.DataFrame({"a": x, "b": 0.0, "k": 2}).assign(f=lambda frame: frame["a"] ** 2)
    beyond = pd.DataFrame({"a": [1.1, 1.2, 1.3], "b": 0.0, "k": 2}).assign(f=lambda frame: frame["a"] ** 2)
    alone, both = opened(), opened()
    alone.tell(data)
    both.tell(pd.concat([data, beyond]))
    edge = pd.DataFrame({"a": [0.95], "b": [0.0], "k": [2]})
    off = [abs(one.predict(edge)["f expected"][0] - 0.95**2) for one in (both, alone)]
    assert off[0] < 0.2 * off[1]
    history = both.history()
    assert history.count == 8
    assert history.with_outside().candidates["a"].tolist() == [*x, 1.1, 1.2, 1.3]


def test_what_cannot_be_encoded_is_still_an_error():
    with pytest.raises(InputError, match=r"row 1: Column 'k': 2\.5 is not a whole number"):
        opened().tell(rows().assign(k=2.5))
    with pytest.raises(InputError, match="row 1: Column 'a': the cell is empty"):
        opened().tell(rows().assign(a=np.nan))


def test_what_was_made_outside_completes_its_proposal():
    campaign = opened()
    asked = campaign.ask(1)
    campaign.tell(asked.assign(a=1.3, f=1.0))
    assert campaign.status().pending == 0
    assert campaign.frame()["outside"].tolist() == [True]


def test_mixtures_off_their_rules_are_data_and_unknown_components_are_errors():
    mixture = Mixture(roles={"m": {"components": ["NMC", "C65", "PVDF"], "pick": 3, "amount": [0.02, 1], "step": 0.02}})
    campaign = Campaign(SearchSpace(slurry=mixture), Targets(AtLeast("f", 1)), seed=1, initial=2)
    rows = pd.DataFrame({"slurry": ["NMC 0.9 + C65 0.06 + PVDF 0.04", "NMC 0.9 + C65 0.1 + PVDF 0.1"], "f": [0.5, 2.0]})
    campaign.tell(rows)
    assert campaign.status().hits == 0
    assert campaign.outside()[1].startswith("'slurry': The mixture 'NMC 0.9 + C65 0.1 + PVDF 0.1' is not in this space")
    more = campaign.ask(3)
    campaign.tell(more.assign(f=0.1))
    assert campaign.space.feasible(campaign.ask(2)).all()
    assert len(campaign.predict(more)) == 3
    with pytest.raises(InputError, match="contains unknown component 'NMX'"):
        campaign.tell(rows.assign(slurry="NMX 0.9 + C65 0.06 + PVDF 0.04"))
