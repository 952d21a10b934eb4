from __future__ import annotations

import os
import sys
from pathlib import Path

import pandas as pd

from invdesign.campaign.execution.executor import evaluate_all
from invdesign.campaign.fingerprint import parts_of
from invdesign.objectives.function_files import load, neighbors
from invdesign.objectives.python import PythonObjective

FUNCTION = """
import constants_beside

def f(x):
    import lazy_beside
    return {"f": constants_beside.FACTOR * x + lazy_beside.OFFSET}
"""


def written(folder, factor):
    folder.mkdir(exist_ok=True)
    (folder / "mine.py").write_text(FUNCTION)
    (folder / "constants_beside.py").write_text(f"import deeper_beside\nFACTOR = {factor}\n")
    (folder / "deeper_beside.py").write_text("")
    (folder / "lazy_beside.py").write_text("OFFSET = 1.0\n")
    return folder / "mine.py"


def values(objective):
    rows = pd.DataFrame({"x": [2.0]})
    return [value for result in evaluate_all(objective, rows, None) for value in result.values["f"]]


def test_a_function_imports_its_neighbors_in_this_process_and_in_workers(tmp_path):
    path, before = list(sys.path), Path.cwd()
    for factor in (3.0, 5.0):  # another folder with modules of the same names
        file = written(tmp_path / str(factor), factor)
        for isolated in (True, False):
            assert values(PythonObjective(f"{file}:f", {"f": ""}, isolated=isolated)) == [2.0 * factor + 1.0]
    assert (sys.path, Path.cwd()) == (path, before)


def test_an_edited_neighbor_is_loaded_again_by_a_worker(tmp_path):
    file = written(tmp_path, 3.0)
    assert values(PythonObjective(f"{file}:f", {"f": ""})) == [7.0]
    os.utime(written(tmp_path, 4.25), ns=(1, 1))
    assert values(PythonObjective(f"{file}:f", {"f": ""})) == [9.5]


def test_neighbors_count_in_the_fingerprint(tmp_path):
    file = written(tmp_path, 3.0)
    assert [path.name for path in neighbors(file)] == ["constants_beside.py", "deeper_beside.py", "lazy_beside.py"]
    objective = PythonObjective(f"{file}:f", {"f": ""})
    before = parts_of(objective)
    (tmp_path / "deeper_beside.py").write_text("changed = True\n")
    after = parts_of(objective)
    assert [name for name in after if after[name] != before[name]] == [f"content of '{tmp_path / 'deeper_beside.py'}'"]


def test_modules_on_the_usual_path_stay_loaded(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    file = written(tmp_path, 3.0)
    load(file)
    mine = sys.modules["constants_beside"]
    load(file)
    assert sys.modules["constants_beside"] is mine
