from __future__ import annotations

import pandas as pd
import pytest

from invdesign.core.errors import InputError
from invdesign.objectives.calibrated import Calibrated
from invdesign.objectives.combined import CombinedObjective
from invdesign.objectives.python import PythonObjective


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
