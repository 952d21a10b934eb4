"""Censored values: limits decide targets where they can, and are replaced by what a model expects in a search."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.campaign import Campaign
from invdesign.campaign.censoring import imputed
from invdesign.core.errors import InputError
from invdesign.core.tables import read_table
from invdesign.optimizers import RandomOptimizer
from invdesign.space import Continuous, SearchSpace
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.targets import AtLeast, AtMost, Between, Maximize, Minimize, Targets

SPACE = SearchSpace(x=Continuous(0, 1))


def opened(*targets):
    return Campaign(SPACE, Targets(*targets), optimizer=RandomOptimizer(), seed=1)


@pytest.mark.parametrize(
    ("target", "cell", "hit"),
    [
        (AtMost("q", 6), "<5", True),
        (AtMost("q", 4), "<5", False),
        (AtLeast("q", 3), "< 5", False),
        (AtLeast("q", 7), "<5", False),
        (AtLeast("q", 90), ">100", True),
        (AtLeast("q", 100), "≥100", True),
        (AtMost("q", 90), ">=100", False),
        (Between("q", 3, 6), "<5", False),
        (Maximize("q"), ">100", True),
        (Maximize("q"), "<5", False),
        (Minimize("q"), "<=5", True),
    ],
)
def test_a_limit_meets_a_target_only_if_every_value_beyond_it_does(target, cell, hit):
    campaign = opened(target)
    campaign.tell(pd.DataFrame({"x": [0.5], "q": [cell]}))
    assert campaign.status().evaluated == 1
    assert len(campaign.hits()) == campaign.status().hits == int(hit)


def test_censored_values_come_back_as_they_were_given(tmp_path):
    (tmp_path / "r.csv").write_text("x,q (mAh/g)\n0.1,<5\n0.2,12.5\n0.3,>100\n")
    campaign = opened(AtLeast("q", 0.05, unit="A*h/g"))
    campaign.tell(read_table(tmp_path / "r.csv"))
    frame = campaign.frame()
    assert frame["q_limit"].tolist() == ["<0.005", "", ">0.1"]
    assert frame["q"].isna().tolist() == [True, False, True]
    assert campaign.measurements()["q"].tolist() == ["<0.005", 0.0125, ">0.1"]
    assert campaign.hits()["q_limit"].tolist() == [">0.1"]
    with pytest.raises(InputError, match="row 1: q is '<five', which is not a finite number"):
        campaign.tell(pd.DataFrame({"x": [0.9], "q": ["<five"]}))


def test_a_measured_value_counts_before_a_limit():
    campaign = opened(AtLeast("q", 3))
    campaign.tell(pd.DataFrame({"x": [0.5, 0.5], "q": ["<5", 4.0], "replicate": [1, 2]}))
    assert campaign.frame()["q"].tolist() == [4.0]
    assert "q_limit" not in campaign.frame()


def test_the_search_learns_from_limits():
    x = np.linspace(0, 1, 11)
    truth = 10 * x
    cells = [f"<{4:g}" if value < 4 else value for value in truth]
    campaign = Campaign(SPACE, Targets(Minimize("q")), seed=1, initial=2)
    campaign.tell(pd.DataFrame({"x": x, "q": cells}))
    assert campaign.history().properties["q"].isna().sum() == 4
    expected = campaign.predict(pd.DataFrame({"x": [0.0, 0.1]}))["q expected"]
    limits_taken = Campaign(SPACE, Targets(Minimize("q")), seed=1, initial=2)
    limits_taken.tell(pd.DataFrame({"x": x, "q": np.maximum(truth, 4.0)}))
    wrong = limits_taken.predict(pd.DataFrame({"x": [0.0, 0.1]}))["q expected"]
    assert (np.abs(expected - [0.0, 1.0]) < np.abs(wrong - [0.0, 1.0])).all()


def test_imputed_values_respect_their_limits_and_have_their_noise():
    x = np.linspace(0, 1, 9)
    values = np.where(x < 0.7, np.sin(3 * x), np.nan)
    campaign = opened(AtLeast("q", 1))
    campaign.tell(pd.DataFrame({"x": x, "q": values}).dropna())
    history = campaign.history()
    extended = pd.DataFrame({"x": x})
    both = type(history)(extended, pd.DataFrame({"q": values}), history.pending)
    above = pd.DataFrame({"q": np.where(x < 0.7, np.nan, 0.9)})
    found = imputed(both, pd.DataFrame(index=above.index), above, GaussianProcess(), SPACE.columns)
    new = found.properties["q"][x >= 0.7]
    assert (new >= 0.9).all()
    assert found.noise_std is not None
    assert (found.noise_std["q"][x >= 0.7] > 0).all()
    assert found.noise_std["q"][x < 0.7].isna().all()
    np.testing.assert_array_equal(found.properties["q"][x < 0.7], values[x < 0.7])


def test_with_few_values_the_limits_themselves_are_taken():
    campaign = opened(AtLeast("q", 1))
    campaign.tell(pd.DataFrame({"x": [0.1, 0.2, 0.3], "q": [1.0, "<0.5", ">2"]}))
    found = campaign._uncensored(campaign.history())
    assert found.properties["q"].tolist() == [1.0, 0.5, 2.0]
