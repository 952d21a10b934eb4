from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.objectives.calibrated import Calibrated
from invdesign.objectives.cell.objective import CellObjective
from invdesign.objectives.combined import CombinedObjective
from invdesign.objectives.python import PythonObjective
from invdesign.objectives.surrogate import SurrogateObjective

EXPONENT = "Positive electrode Bruggeman coefficient (electrolyte)"


def square(x: float) -> dict[str, float]:
    return {"square": x * x}


def root(x: float) -> dict[str, float]:
    return {"root": x**0.5 if x >= 0 else float("nan")}


def test_properties_and_reasons_are_joined():
    both = CombinedObjective((PythonObjective(square, {"square": "m**2"}), PythonObjective(root, {"root": ""})))
    result = both.evaluate(pd.DataFrame({"x": [4.0, -1.0]}, index=[1, 2]))
    assert both.properties == {"square": "m**2", "root": ""}
    assert result["square"].tolist() == [16.0, 1.0]
    assert result["reason"].tolist() == [None, "the function returned no finite root"]
    assert both.rows_per_call == 1


def test_two_sources_of_one_property_are_refused():
    with pytest.raises(InputError, match="Two objectives give 'square'"):
        CombinedObjective((PythonObjective(square, {"square": ""}), PythonObjective(square, {"square": ""})))


class Calibrating(PythonObjective):
    def calibration_basis(self):
        return {"square": "known squares"}

    def calibration_reports(self):
        return {"square": "no known square could be computed"}


def test_the_calibrations_of_its_parts_are_its_own():
    both = CombinedObjective((PythonObjective(root, {"root": ""}), Calibrating(square, {"square": ""})))
    assert isinstance(both, Calibrated)
    assert both.calibration_basis() == {"square": "known squares"}
    assert both.calibration_reports() == {"square": "no known square could be computed"}


def pressed(pressing: float) -> dict[str, float]:
    if pressing > 300:
        raise ValueError("the foil tears")
    return {"porosity": 0.5 - 0.001 * pressing}


def winding(porosity: float, **others: float) -> dict[str, float]:
    return {"tortuosity": porosity**-0.5}


def resisting(tortuosity: float, porosity: float, **others: float) -> dict[str, float]:
    return {"resistance": tortuosity / porosity}


CHAIN = CombinedObjective(
    (
        PythonObjective(resisting, {"resistance": ""}),
        PythonObjective(winding, {"tortuosity": ""}),
        PythonObjective(pressed, {"porosity": ""}),
    )
)


def test_a_property_of_one_objective_is_an_input_of_another_in_any_order():
    found = CHAIN.evaluate(pd.DataFrame({"pressing": [100.0, 400.0]}, index=[5, 3]))
    assert list(found.index) == [5, 3]
    assert found.loc[5, "resistance"] == pytest.approx(0.4**-1.5)
    assert found.loc[3, ["resistance", "tortuosity", "porosity"]].isna().all()
    reason = found.loc[3, "reason"]
    assert reason.startswith("ValueError: the foil tears")
    assert "'tortuosity' not computed, because 'porosity' has no value" in reason
    assert "'resistance' not computed, because 'tortuosity' has no value" in reason


def test_a_chain_in_which_nothing_has_a_value_gives_reasons():
    found = CHAIN.evaluate(pd.DataFrame({"pressing": [400.0]}))
    assert found["resistance"].isna().all()
    assert found["resistance"].dtype == float


def test_objectives_that_need_each_other_are_refused():
    def first(b: float) -> dict[str, float]:
        return {"a": b}

    def second(a: float) -> dict[str, float]:
        return {"b": a}

    with pytest.raises(InputError, match=r"in a circle: '[ab]' from '[ab]', and '[ab]' from '[ab]'"):
        CombinedObjective((PythonObjective(first, {"a": ""}), PythonObjective(second, {"b": ""})))


MEASURED = pd.DataFrame({"porosity": [0.2, 0.25, 0.3, 0.35, 0.4, 0.45], "tau": [4.0, 3.4, 2.9, 2.5, 2.2, 2.0]})


def test_a_model_of_a_table_feeds_a_simulated_cell():
    """Pressing gives the porosity, a model of measurements the tortuosity, and PyBaMM the resistance of the cell."""
    model = SurrogateObjective(MEASURED, {"porosity": "porosity"}, {"tortuosity": "tau"})
    bruggeman = CellObjective(
        inputs={"porosity": "Positive electrode porosity", "exponent": EXPONENT}, wanted=("resistance",), model="SPMe"
    )

    def exponent(tortuosity: float, porosity: float, **others: float) -> dict[str, float]:
        return {"exponent": 1.0 - np.log(tortuosity) / np.log(porosity)}

    columns = (Column("pressing", "number", (50.0, 250.0)),)
    chain = CombinedObjective(
        (PythonObjective(pressed, {"porosity": ""}), model, PythonObjective(exponent, {"exponent": ""}), bruggeman)
    ).for_columns(columns)
    assert chain.check(columns) == []
    found = chain.evaluate(pd.DataFrame({"pressing": [60.0, 240.0]}))
    given = found[["porosity", "exponent"]]
    alone = bruggeman.evaluate(given)
    assert found["resistance"].tolist() == pytest.approx(alone["resistance"].tolist())
    assert found["tortuosity_std"].notna().all()
    assert found["tortuosity"].iloc[0] == pytest.approx(2.05, abs=0.3)


def test_the_check_of_a_chain_names_unknown_properties_and_units():
    def wrong(pressing: float) -> dict[str, float]:
        return {"porosity": pressing}

    columns = (Column("pressing", "number", (50.0, 250.0)),)
    misspelled = CellObjective(inputs={"porosty": "Positive electrode porosity"}, wanted=("resistance",))
    (problem,) = CombinedObjective((PythonObjective(pressed, {"porosity": ""}), misspelled)).check(columns)
    assert problem == "The input 'porosty' is not a parameter of the space. Known: 'pressing'. Did you mean 'porosity'?"
    cell = CellObjective(inputs={"porosity": "Positive electrode porosity"}, wanted=("resistance",))
    metres = CombinedObjective((PythonObjective(wrong, {"porosity": "um"}), cell)).for_columns(columns)
    (problem,) = metres.check(columns)
    assert "The unit of 'porosity'" in problem


def test_the_prediction_that_is_farthest_from_its_data_decides_the_distance(rng):
    x = rng.uniform(0, 1, 30)
    narrow = ind.SurrogateObjective(pd.DataFrame({"x": x, "f": x}), {"x": "x"}, {"f": "f"}, surrogate=ind.Ridge())
    wide = ind.SurrogateObjective(pd.DataFrame({"x": 9 * x, "g": x}), {"x": "x"}, {"g": "g"}, surrogate=ind.Ridge())
    both = CombinedObjective((narrow, wide))
    asked = pd.DataFrame({"x": [0.5, 5.0]})
    assert list(both.properties) == ["f", "distance", "g"]
    apart = pd.concat([part.evaluate(asked)["distance"] for part in (narrow, wide)], axis=1).max(axis=1)
    np.testing.assert_allclose(both.evaluate(asked)["distance"], apart)
    assert both.evaluate(asked)["distance"].iloc[1] > 1.0
