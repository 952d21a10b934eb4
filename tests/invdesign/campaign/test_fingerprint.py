"""A changed objective is noticed before its values mix with those of the former one."""

from __future__ import annotations

import pandas as pd
import pytest

from invdesign.campaign import Campaign, RunSettings
from invdesign.campaign.fingerprint import parts_of
from invdesign.core.errors import InputError
from invdesign.objectives.python import PythonObjective
from invdesign.objectives.table import TableObjective
from invdesign.optimizers import RandomOptimizer
from invdesign.space import Categorical, SearchSpace
from invdesign.targets import AtLeast, Targets

SPACE = SearchSpace(w=Categorical(list("abcdefgh")))


def campaign(place):
    targets = Targets(AtLeast("f", 0.5))
    return Campaign(SPACE, targets, optimizer=RandomOptimizer(), store=place, seed=1, initial=2)


def written(folder, factor):
    path = folder / "mine.py"
    path.write_text(f"def f(w):\n    return {{'f': {factor} * ord(w)}}\n")
    return PythonObjective(f"{path}:f", {"f": ""})


def test_an_edited_function_is_refused_kept_or_evaluated_again(tmp_path):
    campaign(tmp_path / "c.db").run(written(tmp_path, 1), evaluations=4)
    changed = written(tmp_path, 2)
    with pytest.raises(InputError, match=r"has changed since .*content of '.*mine\.py'.*--objective-changed keep"):
        campaign(tmp_path / "c.db").run(changed, evaluations=6)
    mine = campaign(tmp_path / "c.db")
    assert mine.status().evaluated == 4
    mine.run(changed, evaluations=6, settings=RunSettings(objective_changed="keep"))
    factors = mine.frame()["f"] / mine.frame()["w"].map(ord)
    assert factors.tolist() == [1] * 4 + [2] * 2
    campaign(tmp_path / "c.db").run(written(tmp_path, 2), evaluations=7)  # was kept, and is not asked about again
    with pytest.raises(InputError, match="has changed"):
        campaign(tmp_path / "c.db").run(written(tmp_path, 3), evaluations=8)
    again = campaign(tmp_path / "c.db")
    again.run(written(tmp_path, 3), evaluations=8, settings=RunSettings(objective_changed="re-evaluate"))
    assert (again.frame()["f"] / again.frame()["w"].map(ord)).eq(3).all()
    assert len(again.frame()) == 8


def test_an_edited_table_is_refused(tmp_path):
    table = tmp_path / "t.csv"
    pd.DataFrame({"w": list("abcdefgh"), "f": range(8)}).to_csv(table, index=False)
    objective = TableObjective(str(table), key={"w": "w"}, values={"f": "f"}, units={"f": ""})
    campaign(tmp_path / "c.db").run(objective, evaluations=4)
    campaign(tmp_path / "c.db").run(objective, evaluations=5)
    pd.DataFrame({"w": list("abcdefgh"), "f": range(1, 9)}).to_csv(table, index=False)
    again = TableObjective(str(table), key={"w": "w"}, values={"f": "f"}, units={"f": ""})
    with pytest.raises(InputError, match=r"content of '.*t\.csv'"):
        campaign(tmp_path / "c.db").run(again, evaluations=6)


def test_values_of_a_laboratory_do_not_ask_about_the_objective(tmp_path):
    mine = campaign(tmp_path / "c.db")
    mine.tell(mine.ask(2).assign(f=1.0))
    mine.run(written(tmp_path, 1), evaluations=4)
    assert mine.status().evaluated == 4


def one(w):
    return {"f": 1.0}


def other(w):
    return {"f": 2.0}


def test_parts_name_what_may_change():
    parts = parts_of(PythonObjective(one, {"f": ""}))
    assert set(parts) == {
        "type of PythonObjective",
        "source of PythonObjective.function",
        "PythonObjective.units['f']",
    }
    assert parts == parts_of(PythonObjective(one, {"f": ""}, time_limit=5))
    assert parts != parts_of(PythonObjective(other, {"f": ""}))
    assert parts != parts_of(PythonObjective(one, {"f": "V"}))
