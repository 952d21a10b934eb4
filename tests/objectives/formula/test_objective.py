from __future__ import annotations

import math

import pandas as pd
import pytest
from pymatgen.core import Composition

import invdesign as ind
from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.objectives.formula.objective import FormulaObjective


def values(formulas, **settings):
    return FormulaObjective("formula", **settings).evaluate(pd.DataFrame({"formula": formulas}))


@pytest.mark.parametrize(
    ("formula", "capacity"),
    # Theoretical capacities as in Nitta et al. 2015, doi:10.1016/j.mattod.2014.10.040, table 1.
    [("LiCoO2", 274), ("LiFePO4", 170), ("LiMn2O4", 148), ("LiNiO2", 275), ("LiNi0.8Co0.15Al0.05O2", 279 * 0.95)],
)
def test_theoretical_capacities_are_the_published_ones(formula, capacity):
    assert values([formula])["capacity"][0] == pytest.approx(capacity, rel=0.006)


def test_capacity_is_bounded_by_ions_and_by_electrons():
    found = values(["LiNi0.8Mn0.1Co0.1O2", "Li2MnO3", "Li2FeSiO4"])["capacity"]
    assert found[0] == pytest.approx(275.5, abs=0.1)
    assert found[1] == 0.0
    assert found[2] == pytest.approx(165.6, abs=0.1)
    assert values(["Li2FeSiO4"], highest_states={"Fe": 4})["capacity"][0] == pytest.approx(331.3, abs=0.1)
    half = values(["LiNi0.8Mn0.1Co0.1O2"], extractable=0.5)["capacity"]
    assert half[0] == pytest.approx(found[0] / 2)
    assert values(["MgMn2O4"], working_ion="Mg")["capacity"][0] == pytest.approx(270.5, abs=0.1)


@pytest.mark.parametrize(
    "formula",
    ["LiCoO2", "LiFePO4", "LiMn2O4", "Li3V2(PO4)3", "Na2FePO4F", "LiTiS2", "Li4Ti5O12", "V2O5", "FeCO3", "LiFeSO4F"],
)
def test_oxidation_states_agree_with_pymatgens_guess(formula):
    guess = Composition(formula).oxi_state_guesses()[0]
    metal = next(symbol for symbol in ("Co", "Fe", "Mn", "V", "Ti") if symbol in guess)
    assert values([formula])["oxidation_state"][0] == pytest.approx(guess[metal])


def test_carbon_is_an_anion_in_mxenes_with_oxygen():
    assert values(["Ti2CO2", "Ti3C2", "Ti2C(OH)2"])["oxidation_state"].tolist() == pytest.approx([4.0, 8 / 3, 3.0])


def test_sustainability_of_known_formulas():
    found = values(["LiCoO2", "LiFePO4", "LiNi0.8Mn0.1Co0.1O2", "PbTe"])
    assert found["cobalt_share"].tolist() == pytest.approx([1.0, 0.0, 0.1, 0.0])
    assert found["toxicity_class"].tolist() == [2.0, 3.0, 2.0, 1.0]
    assert found["molar_mass"][0] == pytest.approx(97.873, abs=0.002)
    assert found["element_cost"][0] > found["element_cost"][2] > found["element_cost"][1]
    assert found["crustal_abundance"][1] > found["crustal_abundance"][0]
    # By hand from Gaultois et al. 2013: Li 2900, Co 3100, O 500, weighted by mass.
    by_hand = (6.94 * 2900 + 58.933 * 3100 + 31.998 * 500) / 97.871
    assert found["production_hhi"][0] == pytest.approx(by_hand, rel=1e-3)
    dear = values(["LiCoO2"], prices={"Co": 100.0})["element_cost"][0]
    assert dear - found["element_cost"][0] == pytest.approx((100 - 36.0896294) * 58.933 / 97.873, rel=1e-3)


def test_volumetric_capacity_takes_a_number_or_a_column():
    frame = pd.DataFrame({"f": ["LiCoO2", "LiCoO2"], "rho": [5.05, -1.0]})
    objective = FormulaObjective("f", ("volumetric_capacity",), density="rho")
    result = objective.evaluate(frame)
    assert result["volumetric_capacity"][0] == pytest.approx(5.05 * 273.84, abs=0.1)
    assert result["reason"].tolist() == [None, "its density is not a positive number"]
    fixed = FormulaObjective("f", ("volumetric_capacity",), density=5.05).evaluate(frame)["volumetric_capacity"]
    assert fixed[0] == result["volumetric_capacity"][0]


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("Xy2", "not an element"),
        ("LiCoO2)", "cannot be read"),
        ("", "contains no atoms"),
        (None, "cannot be read"),
        ("FePO4", "it contains no Li to extract"),
        ("Li2O", "it contains no redox metal"),
        ("LiNiO4", "charge does not balance"),
        ("LiArCoO2", None),
        ("LiTcO2", "no known price|no known crustal abundance|no known supply"),
    ],
)
def test_what_has_no_value_has_a_reason(formula, words):
    result = values(["LiCoO2", formula])
    assert result["reason"][0] is None
    assert result["capacity"][0] == pytest.approx(273.84, abs=0.01)
    if words is not None:
        assert result[result.columns[:-1]].iloc[1].isna().any()
        assert any(word in result["reason"][1] for word in words.split("|"))


def test_a_further_formula_takes_few_calls(python_calls):
    """Properties are computed for all formulas in arrays; only reading a formula is done one by one."""
    formulas = [f"LiNi{a / 100:.2f}Mn{(100 - a) / 100:.2f}O2" for a in range(1, 100)]

    def calls(repeats):
        return python_calls(lambda: values(formulas * repeats))

    values(formulas)
    assert (calls(20) - calls(10)) / (10 * len(formulas)) < 10


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"wanted": ("capacty",)}, "Did you mean 'capacity'"),
        ({"working_ion": "Lithium"}, "Did you mean 'Li'"),
        ({"working_ion": "O"}, "is not a working ion"),
        ({"extractable": 1.5}, "'extractable'"),
        ({"density": -1.0}, "'density'"),
        ({"wanted": ("volumetric_capacity",)}, "needs a 'density'"),
        ({"prices": {"Co": math.nan}}, "'prices.Co' must be a finite number"),
    ],
)
def test_bad_settings_are_refused(settings, words):
    with pytest.raises(InputError, match=words):
        FormulaObjective("f", **settings)


def test_the_only_formula_is_found_and_a_missing_one_is_named():
    columns = [Column("cathode", "formula"), Column("t", "number")]
    assert FormulaObjective().for_columns(columns).formula == "cathode"
    assert "parameter is not unique" in FormulaObjective().check(columns)[0]
    assert "Did you mean 'cathode'" in FormulaObjective("catode").check(columns)[0]
    assert "is a number" in FormulaObjective("t").check(columns)[0]
    assert FormulaObjective("cathode", density="t").check(columns) == []
    assert "not a numeric parameter" in FormulaObjective("cathode", density="u").check(columns)[0]


def test_a_campaign_searches_by_formula():
    cathode = ind.Composition(
        sites={
            "A": {"elements": ["Li"], "amount": 1},
            "M": {"elements": ["Ni", "Mn", "Co"], "amount": 1, "step": 0.1},
            "O": {"elements": ["O"], "amount": 2},
        }
    )
    space = ind.SearchSpace(cathode=cathode)
    targets = ind.Targets(ind.AtMost("cobalt_share", 0.1), ind.AtLeast("capacity", 250.0, unit="mAh/g"))
    objective = ind.FormulaObjective().for_columns(space.columns)
    campaign = ind.Campaign(space, targets, optimizer=ind.RandomOptimizer(), seed=1, initial=5)
    campaign.run(objective, evaluations=20)
    assert len(campaign.hits()) > 0
