from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.campaign import Campaign
from invdesign.core.errors import InputError
from invdesign.objectives.base import valued
from invdesign.objectives.python import PythonObjective
from invdesign.optimizers import RandomOptimizer
from invdesign.space import Continuous, SearchSpace
from invdesign.targets import Between, Targets

SPACE = SearchSpace(x=Continuous(0, 1))
TARGETS = Targets(Between("f", 0.4, 0.7, unit="V"))


class Guess(PythonObjective):
    """A cheap objective that knows how unsure it is."""

    def evaluate(self, candidates):
        values = pd.DataFrame({"f": candidates["x"], "f_std": 0.1 + candidates["x"], "g": 1.0})
        values.loc[candidates["x"] > 0.9, "f"] = float("nan")
        return valued(values, [None] * len(values))


GUESS = Guess(lambda x: {"f": x, "g": 1.0}, {"f": "V", "g": ""})


def truth(x):
    if 0.5 < x < 0.55:
        raise ValueError("does not converge")
    return {"f": 0.9 * x + 0.1}


@pytest.fixture(scope="module")
def campaign():
    mine = Campaign(SPACE, TARGETS, optimizer=RandomOptimizer(), seed=1, initial=5)
    mine.run(GUESS, evaluations=40)
    mine.verify(PythonObjective(truth, {"f": "V"}), top=20, stage="truth")
    return mine


def test_every_verified_candidate_has_both_values_and_their_disagreement(campaign):
    verified = campaign.verified()
    assert len(verified) == 20
    x = campaign.frame().loc[verified.index, "x"]
    np.testing.assert_array_equal(verified["f_low_fidelity"], x)
    np.testing.assert_array_equal(verified["f_low_fidelity_std"], 0.1 + x)
    found = verified["reason"].isna()
    np.testing.assert_allclose(verified.loc[found, "f_disagreement"], 0.1 - 0.1 * x[found])
    assert verified["low_fidelity_met"].tolist() == x.between(0.4, 0.7).tolist()
    assert verified["all_met"].tolist() == (found & (0.9 * x + 0.1).between(0.4, 0.7)).tolist()
    failed = verified[~found]
    assert failed["reason"].tolist() == ["ValueError: does not converge"] * len(failed)
    assert len(failed)
    assert failed["f_disagreement"].isna().all()


def test_what_only_the_search_knows_is_no_disagreement(campaign):
    verified = campaign.verified()
    assert verified["g"].isna().all()
    assert (verified["g_low_fidelity"] == 1.0).all()
    assert campaign.agreement()["property"].tolist() == ["f"]


def test_agreement_sums_up(campaign):
    verified = campaign.verified()
    off = verified["f_disagreement"].dropna()
    row = campaign.agreement().iloc[0]
    assert (row["stage"], row["property"], row["pairs"]) == ("truth", "f", len(off))
    assert row["mean"] == pytest.approx(off.mean())
    assert row["mae"] == pytest.approx(off.abs().mean())
    assert row["rmse"] == pytest.approx(np.sqrt((off**2).mean()))
    assert row["correlation"] == pytest.approx(1.0)
    assert row["rank_correlation"] == pytest.approx(1.0)


def test_equal_values_have_no_correlation():
    mine = Campaign(SPACE, TARGETS, optimizer=RandomOptimizer(), seed=1, initial=5)
    mine.run(PythonObjective(lambda x: {"f": 0.5}, {"f": "V"}), evaluations=5)
    assert mine.agreement().empty
    mine.verify(PythonObjective(truth, {"f": "V"}), top=5, stage="truth")
    assert np.isnan(mine.agreement()["correlation"].iloc[0])


def test_a_deviation_without_a_value_is_no_value(campaign):
    frame = campaign.frame()
    beyond = frame["x"] > 0.9
    assert beyond.any()
    # g has a value, f has none: its standard deviation must not make up for it.
    assert frame.loc[beyond, "f"].isna().all()
    kept = campaign.store.evaluations().loc[frame.index[beyond], "properties"]
    assert all(set(found) == {"g"} for found in kept)


def test_named_candidates_are_verified(campaign):
    numbers = campaign.best(3).index.tolist()
    campaign.verify(PythonObjective(truth, {"f": "V"}), candidates=numbers[::-1], stage="again")
    verified = campaign.verified()
    assert sorted(verified.index[verified["stage"] == "again"]) == sorted(numbers)
    with pytest.raises(InputError, match="Candidate 4711 has no value"):
        campaign.verify(PythonObjective(truth, {"f": "V"}), candidates=[4711], stage="again")
    with pytest.raises(InputError, match="exactly one of top"):
        campaign.verify(PythonObjective(truth, {"f": "V"}), stage="again")


def test_a_stage_in_another_unit_is_refused(campaign):
    with pytest.raises(InputError, match="holds the properties"):
        campaign.verify(PythonObjective(truth, {"f": "mV"}), top=3, stage="other")
