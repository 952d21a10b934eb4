from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.optimizers import History
from invdesign.optimizers.bayesian.fidelity_choice import FidelityChoice, ValueOfInformation, lacking_pairs
from invdesign.space import Fidelity, Integer, SearchSpace
from invdesign.surrogates.forests import RandomForest
from invdesign.targets import AtLeast, Maximize, Targets

TARGETS = Targets(AtLeast("f", 1.0))


def told(share: float, mean: float = 0.5, std: float = 1.0) -> ValueOfInformation:
    """A value that explains a share of the variance of the target fidelity one."""
    return ValueOfInformation(TARGETS, np.array([mean]), np.array([std]), np.array([std * np.sqrt(share)]))


def probability(mean: float = 0.5) -> float:
    return float(np.exp(TARGETS.log_probability(pd.DataFrame({"f": [mean]}), pd.DataFrame({"f": [1.0]}))[0]))


def test_information_is_that_of_normal_variables():
    assert told(0.0).information() == 0.0
    assert told(0.75).information() == pytest.approx(0.5 * np.log(4.0))
    assert np.isfinite(told(1.0).information())
    two = ValueOfInformation(TARGETS, np.zeros(2), np.array([1.0, 2.0]), np.array([0.5, 1.0]))
    assert two.information() == pytest.approx(-np.log(0.75))


def test_hits_for_a_cost_are_those_of_a_screen():
    assert told(0.0).hits_a_cost(1.0, 20.0) == pytest.approx(probability() / 21.0)
    perfect = told(1.0 - 1e-9).hits_a_cost(1.0, 20.0)  # only hits are asked for truly
    assert perfect == pytest.approx(probability() / (1.0 + 20.0 * probability()), rel=0.05)
    assert told(0.3).hits_a_cost(1.0, 20.0) < told(0.9).hits_a_cost(1.0, 20.0) < perfect


@pytest.mark.parametrize("mean", [-2.0, 0.5, 3.0])
def test_a_screen_that_costs_as_much_or_tells_nothing_never_pays(mean):
    directly = probability(mean) / 20.0
    for share in (0.0, 0.5, 1.0):
        assert told(share, mean).hits_a_cost(20.0, 20.0) < directly
    assert told(0.0, mean).hits_a_cost(1e-3, 20.0) < directly


def test_no_screen_pays_for_what_is_nearly_sure():
    assert told(0.9, mean=4.0).hits_a_cost(1.0, 20.0) < probability(4.0) / 20.0


def space(cheap: float) -> SearchSpace:
    return SearchSpace(k=Integer(0, 30), fidelity=Fidelity({"cheap": cheap, "dear": 20}))


def test_so_many_are_paired_as_cost_less_than_one_true_evaluation():
    rows = space(1).grid().head(15)
    values = pd.DataFrame({"f": np.arange(15.0)})
    values.loc[2, "f"] = np.nan
    history = History(rows, values, rows.iloc[:0])
    for cheap, pairs in ((1, 10), (5, 3), (10, 1), (20, 0)):
        lacking = lacking_pairs(space(cheap), history)
        assert len(lacking) == pairs
        assert (lacking["fidelity"] == "cheap").all()
        assert 2 not in lacking["k"].tolist()  # it has no value
    known = History(rows, values, rows.head(4).assign(fidelity="cheap"))
    assert lacking_pairs(space(1), known)["k"].tolist() == [4, 5, 6, 7, 8, 9, 10]
    plain = SearchSpace(k=Integer(0, 30))
    assert lacking_pairs(plain, History(rows[["k"]], values, rows[["k"]].head(2))).empty


def test_models_that_do_not_tell_how_fidelities_vary_together_stay_at_the_target_fidelity():
    rows = space(1).grid().head(8)
    model = RandomForest(n_estimators=5).fit(rows, pd.DataFrame({"f": np.arange(8.0)}), columns=space(1).columns)
    pick = rows.head(1)
    for targets in (TARGETS, Targets(Maximize("f"))):
        assert FidelityChoice(space(1), model, targets, rows).placed(pick).equals(pick)
