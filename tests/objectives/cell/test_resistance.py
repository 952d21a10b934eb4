"""The resistance of a pulse: an analytic limit, and the models beside each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign import CellObjective
from invdesign.objectives.cell import parameters as names


def test_the_resistance_of_a_short_weak_pulse_is_that_of_the_reactions():
    """Linearized Butler-Volmer kinetics of both electrodes, which is all that SPM has before anything diffuses."""
    objective = CellObjective(
        inputs={"L": names.POSITIVE_THICKNESS}, model="SPM", wanted=("resistance",), pulse_rate=1e-3, pulse_seconds=1e-4
    )
    values = names.load_set("Chen2020")
    cell = objective.cell()
    design = cell.design({names.POSITIVE_THICKNESS: np.array([60e-6])}, [None])
    balance = cell.solve(design)
    expected = 0.0
    for side, x in (("Negative", balance.x_0 + balance.x_100), ("Positive", balance.y_0 + balance.y_100)):
        maximum = values[f"Maximum concentration in {side.lower()} electrode [mol.m-3]"]
        exchange = values[f"{side} electrode exchange-current density [A.m-2]"](
            values["Initial concentration in electrolyte [mol.m-3]"], 0.5 * x[0] * maximum, maximum, 298.15
        )
        rate = float(getattr(exchange, "value", exchange))
        area = 3 * design[f"{side} electrode active material volume fraction"] / design[f"{side} particle radius [m]"]
        expected += 8.314462618 * 298.15 / names.FARADAY / (area * design[f"{side} electrode thickness [m]"] * rate)
    found = objective.evaluate(pd.DataFrame({"L": [60e-6]}))["resistance"].iloc[0]
    assert found == pytest.approx(1e4 * expected[0], rel=2e-3)


def test_resistance_grows_with_the_pulse_and_dfn_agrees_with_spme():
    found = {}
    for model, seconds in (("SPMe", 1.0), ("SPMe", 30.0), ("DFN", 30.0)):
        objective = CellObjective(
            inputs={"L": names.POSITIVE_THICKNESS}, model=model, wanted=("resistance",), pulse_seconds=seconds
        )
        found[model, seconds] = objective.evaluate(pd.DataFrame({"L": [75e-6]}))["resistance"].iloc[0]
    assert found["SPMe", 1.0] < found["SPMe", 30.0]
    assert found["SPMe", 30.0] == pytest.approx(found["DFN", 30.0], rel=0.03)
