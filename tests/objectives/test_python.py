from __future__ import annotations

import math

import pandas as pd
import pytest

from invdesign.core.errors import InputError
from invdesign.objectives.python import PythonObjective


def areas(x: float, y: float) -> dict[str, float]:
    if x < 0:
        raise ValueError("no negative length")
    return {"area": x * y, "ratio": x / y if y else math.nan}


ROWS = pd.DataFrame({"x": [2.0, -1.0, 3.0], "y": [4.0, 1.0, 0.0]}, index=[7, 8, 9])
UNITS = {"area": "m**2", "ratio": ""}


def test_each_row_gives_values_or_a_reason():
    result = PythonObjective(areas, UNITS).evaluate(ROWS)
    assert result.index.tolist() == [7, 8, 9]
    assert result["area"].tolist()[0] == 8.0
    assert math.isnan(result["area"].tolist()[1])
    assert result["reason"].tolist() == [
        None,
        "ValueError: no negative length",
        "the function returned no finite ratio",
    ]
    assert result["area"].tolist()[2] == 0.0


def test_a_function_is_found_by_its_name(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("def double(x):\n    return {'twice': 2 * x}\n")
    objective = PythonObjective(f"{path}:double", {"twice": ""})
    assert objective.evaluate(pd.DataFrame({"x": [3.0]}))["twice"].tolist() == [6.0]
    assert PythonObjective("math:sqrt", {"p": ""}).check(()) == []


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("math:sqr", "Did you mean 'sqrt'"),
        ("no_such_module:f", "cannot be imported"),
        ("nowhere.py:f", "Python file 'nowhere.py' does not exist"),
    ],
)
def test_a_function_that_is_not_there_is_named(function, words):
    assert words in PythonObjective(function, {"p": ""}).check(())[0]


def test_wrong_answers_are_reasons():
    assert PythonObjective(lambda x: {"q": x}, {"p": ""}).evaluate(pd.DataFrame({"x": [1.0]}))["reason"].tolist() == [
        "the function did not return 'p'"
    ]
    told = PythonObjective(lambda x: x, {"p": ""}).evaluate(pd.DataFrame({"x": [1.0]}))["reason"][0]
    assert told.startswith("TypeError")


def test_bad_settings_are_refused():
    with pytest.raises(InputError, match="is not a function"):
        PythonObjective("areas", {"p": ""})
    with pytest.raises(InputError, match="'units' needs 1 entry or more"):
        PythonObjective(areas, {})
