from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.optimizers import History
from invdesign.optimizers.bayesian.fidelity_choice import FidelityChoice, ValueOfInformation, lacking_pairs
from invdesign.space import Fidelity, Integer, SearchSpace
from invdesign.surrogates.forests import RandomForest
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.targets import AtLeast, Maximize, Targets

TARGETS = Targets(AtLeast("f", 1.0))


def observed(share: float, mean: float = 0.5, std: float = 1.0) -> ValueOfInformation:
    """A value that explains a share of the variance of the target fidelity one."""
    return ValueOfInformation(TARGETS, np.array([mean]), np.array([std]), np.array([std * np.sqrt(share)]))


def probability(mean: float = 0.5) -> float:
    return float(np.exp(TARGETS.log_probability(pd.DataFrame({"f": [mean]}), pd.DataFrame({"f": [1.0]}))[0]))


def test_information_is_that_of_normal_variables():
    assert observed(0.0).information() == 0.0
    assert observed(0.75).information() == pytest.approx(0.5 * np.log(4.0))
    assert np.isfinite(observed(1.0).information())
    two = ValueOfInformation(TARGETS, np.zeros(2), np.array([1.0, 2.0]), np.array([0.5, 1.0]))
    assert two.information() == pytest.approx(-np.log(0.75))


def test_hits_for_a_cost_are_those_of_a_screen():
    assert observed(0.0).hits_a_cost(1.0, 20.0) == pytest.approx(probability() / 21.0)
    perfect = observed(1.0 - 1e-9).hits_a_cost(1.0, 20.0)  # only hits are asked for truly
    assert perfect == pytest.approx(probability() / (1.0 + 20.0 * probability()), rel=0.05)
    assert observed(0.3).hits_a_cost(1.0, 20.0) < observed(0.9).hits_a_cost(1.0, 20.0) < perfect


@pytest.mark.parametrize("mean", [-2.0, 0.5, 3.0])
def test_a_screen_that_costs_as_much_or_tells_nothing_never_pays(mean):
    directly = probability(mean) / 20.0
    for share in (0.0, 0.5, 1.0):
        assert observed(share, mean).hits_a_cost(20.0, 20.0) < directly
    assert observed(0.0, mean).hits_a_cost(1e-3, 20.0) < directly


def test_no_screen_pays_for_what_is_nearly_sure():
    assert observed(0.9, mean=4.0).hits_a_cost(1.0, 20.0) < probability(4.0) / 20.0


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


def test_hits_for_a_cost_do_not_depend_on_the_unit():
    milli = ValueOfInformation(Targets(AtLeast("f", 1000.0)), np.array([500.0]), np.array([1000.0]), np.array([600.0]))
    assert milli.hits_a_cost(1.0, 20.0) == pytest.approx(observed(0.36).hits_a_cost(1.0, 20.0))


def correlated(cheap: float) -> tuple[SearchSpace, GaussianProcess, pd.DataFrame]:
    """A space of two fidelities that differ by a constant, a Gaussian process that has seen both, and what it saw."""
    searched = space(cheap)
    rows = pd.concat(
        [pd.DataFrame({"k": range(0, 31, step), "fidelity": name}) for name, step in (("cheap", 2), ("dear", 5))]
    )
    rows = rows.reset_index(drop=True)
    noise = 0.05 * np.random.default_rng(0).standard_normal(len(rows))
    values = pd.DataFrame({"f": np.sin(rows["k"] / 4.0) + 0.5 * (rows["fidelity"] == "dear") + noise})
    return searched, GaussianProcess(calibrate=False).fit(rows, values, columns=searched.columns), rows


def test_the_shift_of_a_mean_is_what_conditioning_on_the_value_takes_off_its_variance():
    _, model, _ = correlated(1.0)
    true, other = pd.DataFrame({"k": [17], "fidelity": ["dear"]}), pd.DataFrame({"k": [17], "fidelity": ["cheap"]})
    before = model.predict(true, return_std=True)[1]["f"][0]
    after = model.condition_on(other, model.predict(other)).predict(true, return_std=True)[1]["f"][0]
    found = ValueOfInformation.of(model, Targets(Maximize("f")), true, other)
    assert found.std[0] == pytest.approx(before, rel=1e-6)
    assert found.shift[0] ** 2 == pytest.approx(before**2 - after**2, rel=1e-4)
    assert found.shift[0] > 0.1 * before


@pytest.mark.parametrize(("cheap", "expected"), [(0.01, "cheap"), (20.0, "dear")])
def test_a_direction_is_asked_at_the_fidelity_that_tells_most_for_its_cost(cheap, expected):
    searched, model, rows = correlated(cheap)
    pick = pd.DataFrame({"k": [17], "fidelity": ["dear"]})
    placed = FidelityChoice(searched, model, Targets(Maximize("f")), rows).placed(pick)
    assert placed["fidelity"].tolist() == [expected]
    assert placed["k"].tolist() == [17]


def test_what_was_evaluated_at_a_fidelity_is_not_asked_there_again():
    searched, model, rows = correlated(0.01)
    pick = pd.DataFrame({"k": [18], "fidelity": ["dear"]})
    assert FidelityChoice(searched, model, Targets(Maximize("f")), rows).placed(pick)["fidelity"].tolist() == ["dear"]
