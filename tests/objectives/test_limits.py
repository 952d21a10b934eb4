from __future__ import annotations

import pandas as pd
import pytest

import invdesign as ind
from invdesign.core.errors import InputError
from invdesign.objectives.base import Objective
from invdesign.objectives.cell.objective import CellObjective
from invdesign.objectives.combined import CombinedObjective
from invdesign.objectives.command.objective import CommandObjective
from invdesign.objectives.electrode.objective import ElectrodeObjective
from invdesign.objectives.formula.objective import FormulaObjective
from invdesign.objectives.limits import UNSTATED, seconds_allowed, with_grace
from invdesign.objectives.python import PythonObjective
from invdesign.objectives.redox.calibration import Calibration
from invdesign.objectives.redox.objective import RedoxObjective

BLOCKING = """
import time
from ase.calculators.lj import LennardJones

class Blocking(LennardJones):
    def calculate(self, atoms=None, *args, **settings):
        if "Ni" in atoms.get_chemical_symbols():
            time.sleep(600)
        super().calculate(atoms, *args, **settings)
"""


def test_a_calculator_that_blocks_is_a_reason_and_the_campaign_goes_on(tmp_path, monkeypatch):
    pytest.importorskip("ase")
    (tmp_path / "blocking.py").write_text(BLOCKING)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("INVDESIGN_CACHE", str(tmp_path))
    space = ind.SearchSpace(
        cathode=ind.Composition(
            sites={
                "A": {"elements": ["Li"], "amount": 1},
                "M": {"elements": ["Co", "Ni"], "amount": 1, "pick": 1},
                "O": {"elements": ["O"], "amount": 2},
            }
        )
    )
    objective = ind.ElectrodeObjective(
        "layered",
        wanted=("voltage",),
        calculator="blocking:Blocking",
        settings={"sigma": 2.2, "epsilon": 0.3, "rc": 6.0, "smooth": True},
        drift=5.0,
        largest_volume_change=5.0,
        time_limit=5.0,
    )
    campaign = ind.Campaign(
        space, ind.Targets(ind.AtLeast("voltage", -1e3, unit="V")), optimizer=ind.RandomOptimizer(), initial=2
    )
    campaign.run(objective, evaluations=2)
    frame = campaign.frame().set_index("cathode")
    assert frame["reason"]["LiNiO2"].startswith("the time limit was exceeded within a step that did not end")
    assert frame["reason"].isna()["LiCoO2"]
    assert pd.notna(frame["voltage"]["LiCoO2"])


@pytest.mark.parametrize(
    ("objective", "seconds"),
    [
        (ElectrodeObjective("layered", time_limit=100.0), 222.0),
        (RedoxObjective(time_limit=10.0), 24.0),
        (PythonObjective("m:f", {"p": ""}, time_limit=10.0), 20.0),
        (PythonObjective("m:f", {"p": ""}), None),
        (CellObjective({}, time_limit=40.0), 222.0),
        (CellObjective({}), None),
        # They end by themselves, or cannot hang: no process is made for them.
        (CommandObjective("program", {"p": ""}), None),
        (FormulaObjective(), None),
    ],
)
def test_two_candidates_may_take_so_long(objective, seconds):
    assert isinstance(objective, Objective)
    found = seconds_allowed(objective, 2)
    assert found == (seconds if seconds is None else pytest.approx(seconds))


def test_the_molecules_of_a_calibration_count(tmp_path):
    file = tmp_path / "known.csv"
    file.write_text("smiles,value\nCCO,5.0\nCC,6.0\nCCC,6.1\nCCN,4.9\nC,7.0\n")
    calibration = Calibration(str(file), "smiles", "value", property="oxidation_potential")
    objective = RedoxObjective(wanted=("oxidation_potential",), calibration=calibration, time_limit=10.0)
    assert seconds_allowed(objective, 1) == pytest.approx(with_grace(60.0))


def test_parts_of_a_combination_have_their_times_together():
    simulated = ElectrodeObjective("layered", wanted=("voltage",), time_limit=100.0)
    program = CommandObjective("program", {"p": ""}, time_limit=10.0)
    looked_up = FormulaObjective(wanted=("molar_mass",))
    own = PythonObjective("m:f", {"q": ""})
    together = CombinedObjective((simulated, program, looked_up))
    assert seconds_allowed(together, 1) == pytest.approx(with_grace(100.0) + with_grace(10.0) + with_grace(UNSTATED))
    assert seconds_allowed(CombinedObjective((simulated, own)), 1) is None
    assert seconds_allowed(CombinedObjective((program, looked_up)), 1) is None


@pytest.mark.parametrize("limit", [0.0, -1.0])
def test_a_limit_that_cannot_be_is_refused(limit):
    for make in (
        lambda: PythonObjective("m:f", {"p": ""}, time_limit=limit),
        lambda: CellObjective({}, time_limit=limit),
        lambda: ElectrodeObjective("layered", time_limit=limit),
    ):
        with pytest.raises(InputError, match="'time_limit' must be above 0"):
            make()
