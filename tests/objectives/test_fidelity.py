from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.objectives.base import REASON
from invdesign.objectives.calibrated import Calibrated
from invdesign.objectives.fidelity import MultiFidelityObjective
from invdesign.objectives.limits import seconds_allowed
from invdesign.objectives.python import PythonObjective
from invdesign.objectives.table import TableObjective

COLUMNS = (Column("x", "number", bounds=(0.0, 9.0)), Column("fidelity", "fidelity", values=("cheap", "dear")))


def cheap(x: float) -> dict[str, float]:
    return {"f": x - 1}


def dear(x: float) -> dict[str, float]:
    if x > 8:
        raise ValueError("too much x")
    return {"f": x}


OBJECTIVE = MultiFidelityObjective(
    {"cheap": PythonObjective(cheap, {"f": "V"}), "dear": PythonObjective(dear, {"f": "V"})}
)


def test_each_row_is_evaluated_at_its_fidelity():
    rows = pd.DataFrame({"x": [1.0, 2.0, 9.0, 4.0], "fidelity": ["dear", "cheap", "dear", "cheap"]}, index=[7, 3, 5, 1])
    found = OBJECTIVE.for_columns(COLUMNS).evaluate(rows)
    assert found.index.tolist() == [7, 3, 5, 1]
    np.testing.assert_allclose(found["f"], [1.0, 1.0, np.nan, 3.0])
    assert found[REASON].tolist() == [None, None, "ValueError: too much x", None]
    alone = pd.concat([OBJECTIVE.evaluate(rows.iloc[[place]]) for place in range(4)])
    pd.testing.assert_frame_equal(found, alone)
    assert OBJECTIVE.properties == {"f": "V"}
    assert OBJECTIVE.evaluate(rows.iloc[:0]).empty


def test_a_fidelity_that_is_not_there_is_a_reason():
    found = OBJECTIVE.evaluate(pd.DataFrame({"x": [1.0, 1.0], "fidelity": ["deer", "dear"]}))
    assert found["f"].isna().tolist() == [True, False]
    assert found[REASON][0] == "unknown fidelity 'deer'. Did you mean 'dear'?"
    assert "fidelity column 'fidelity' is missing" in OBJECTIVE.evaluate(pd.DataFrame({"x": [1.0]}))[REASON][0]


class Raising(PythonObjective):
    def evaluate(self, candidates):
        raise RuntimeError("out of order")


def test_a_fidelity_out_of_order_hurts_only_its_rows():
    broken = MultiFidelityObjective({"cheap": Raising(cheap, {"f": "V"}), "dear": PythonObjective(dear, {"f": "V"})})
    found = broken.evaluate(pd.DataFrame({"x": [1.0, 2.0], "fidelity": ["cheap", "dear"]}))
    assert found["f"].isna().tolist() == [True, False]
    assert found[REASON][0] == "RuntimeError: out of order"


def test_it_travels_to_workers():
    assert pickle.loads(pickle.dumps(OBJECTIVE)) == OBJECTIVE  # noqa: S301 - our own bytes


def test_what_does_not_fit_is_said():
    assert OBJECTIVE.check(COLUMNS) == []
    (reported,) = OBJECTIVE.check(COLUMNS[:1])
    assert "fidelity=Fidelity({'cheap': ..., 'dear': ...})" in reported
    (reported,) = OBJECTIVE.check((COLUMNS[0], Column("fidelity", "fidelity", values=("dear", "cheap"))))
    assert "fidelities in order" in reported
    table = TableObjective(pd.DataFrame({"x": [1.0], "f": [2.0]}), {"x": "x"}, {"f": "f"}, {"f": "V"})
    tabled = MultiFidelityObjective({"cheap": PythonObjective(cheap, {"f": "V"}), "dear": table})
    assert tabled.check(COLUMNS) == []
    problems = tabled.check((Column("y", "number"), COLUMNS[1]))
    assert problems[-1] == "Fidelity 'dear': The table's key 'x' is not a parameter. Known: 'y'."
    assert any("Fidelity 'cheap': The function 'cheap' needs the argument 'x'" in problem for problem in problems)


def test_fidelities_that_cannot_be_compared_are_refused():
    with pytest.raises(InputError, match="two or more objectives"):
        MultiFidelityObjective({"dear": PythonObjective(dear, {"f": "V"})})
    with pytest.raises(InputError, match="'cheap' gives f in 'mV', and the fidelity 'dear' f in 'V'"):
        MultiFidelityObjective(
            {"cheap": PythonObjective(cheap, {"f": "mV"}), "dear": PythonObjective(dear, {"f": "V"})}
        )
    with pytest.raises(InputError, match="must give the same properties"):
        MultiFidelityObjective({"cheap": PythonObjective(cheap, {"g": "V"}), "dear": PythonObjective(dear, {"f": "V"})})


class Calibrating(PythonObjective):
    def calibration_basis(self):
        return {"f": "known values"}

    def calibration_reports(self):
        return {"f": "none could be computed"}


class Limited(PythonObjective):
    def seconds_allowed(self, candidates):
        return 10.0 * candidates


def test_calibrations_and_time_limits_of_its_fidelities_are_its_own():
    both = MultiFidelityObjective({"cheap": Calibrating(cheap, {"f": "V"}), "dear": PythonObjective(dear, {"f": "V"})})
    assert isinstance(both, Calibrated)
    assert both.calibration_basis() == {"f": "cheap: known values"}
    assert both.calibration_reports() == {"f": "none could be computed"}
    slow = MultiFidelityObjective({"cheap": Limited(cheap, {"f": "V"}), "dear": Limited(dear, {"f": "V"})})
    assert seconds_allowed(slow, 2) == 40.0
    assert seconds_allowed(OBJECTIVE, 2) is None


def test_the_truest_comes_first_among_its_parts():
    assert OBJECTIVE.parts[0] is OBJECTIVE.objectives["dear"]
