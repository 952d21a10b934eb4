from __future__ import annotations

import math

import pandas as pd
import pytest

from invdesign.core.columns import Column
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
    assert PythonObjective("math:hypot", {"p": ""}).check(()) == []


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


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: {"q": x}, "the function did not return 'p'. Known: 'q'."),
        (lambda x: x, "the function must return a mapping such as {'p': ...}, not float (1.0)"),
        (lambda x: None, "the function must return a mapping such as {'p': ...}, not NoneType (None)"),
    ],
)
def test_a_wrong_return_value_is_a_reason_that_says_what_is_expected(function, words):
    (reason,) = PythonObjective(function, {"p": ""}).evaluate(pd.DataFrame({"x": [1.0]}))["reason"]
    assert reason == f"wrong return value: {words}"


def test_a_missing_key_of_its_own_is_not_a_wrong_return_value():
    (reason,) = PythonObjective(lambda x: {"p": {}["p"]}, {"p": ""}).evaluate(pd.DataFrame({"x": [1.0]}))["reason"]
    assert reason == "KeyError: 'p'"


COLUMNS = tuple(Column(name, "number", bounds=(0.0, 1.0)) for name in ("thickness", "porosity"))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda thickness, porosity: {}, []),
        (lambda **parameters: {}, []),
        (lambda thickness, **others: {}, []),
        (lambda thickness, porosity, rate=1.0: {}, []),
        (
            lambda thicknes, porosity: {},
            [
                "needs the argument 'thicknes', which is not a parameter of the space. Did you mean 'thickness'?",
                "does not take the parameter 'thickness' of the space. Did you mean 'thicknes'?",
            ],
        ),
        (lambda thickness: {}, ["does not take the parameter 'porosity' of the space."]),
        (lambda thickness, porosity, rate: {}, ["needs the argument 'rate'"]),
        (lambda thickness, porosity, /: {}, ["takes 'thickness' by position only"]),
    ],
)
def test_the_signature_is_compared_with_the_parameters(function, words):
    problems = PythonObjective(function, {"p": ""}).check(COLUMNS)
    assert bool(problems) == bool(words)
    for text in words:
        assert any(text in problem for problem in problems), problems


def test_a_file_that_cannot_be_loaded_is_a_problem(tmp_path):
    file = tmp_path / "broken.py"
    file.write_text("import sys\nsys.exit(4)\n")
    (problem,) = PythonObjective(f"{file}:f", {"p": ""}).check(())
    assert problem == f"The Python file '{file}' cannot be imported: SystemExit: 4 ({file}, line 2)."


def test_bad_settings_are_refused():
    with pytest.raises(InputError, match="is not a function"):
        PythonObjective("areas", {"p": ""})
    with pytest.raises(InputError, match="'units' needs 1 entry or more"):
        PythonObjective(areas, {})
    with pytest.raises(InputError, match="'2 apples' is not a size of memory"):
        PythonObjective(areas, {"p": ""}, memory_limit="2 apples")
