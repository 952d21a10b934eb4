"""Every objective of ours keeps to the contract, and the contract finds those that do not."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.core.columns import Column
from invdesign.objectives.base import failed, valued
from invdesign.objectives.combined import CombinedObjective
from invdesign.objectives.fidelity import MultiFidelityObjective
from invdesign.testing import check_objective

NUMBERS = pd.DataFrame({"x": [0.1, 0.5, 0.9]})
FORMULAS = pd.DataFrame({"cathode": ["LiCoO2", "LiNi0.8Mn0.1Co0.1O2"]})
MOLECULES = pd.DataFrame({"solvent": ["CO", "CC#N"]})


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("INVDESIGN_CACHE", str(tmp_path))


def root(x: float) -> dict[str, float]:
    return {"f": x**0.5 if x >= 0 else float("nan")}


def square(x: float) -> dict[str, float]:
    return {"f": x**2}


def table(**settings) -> ind.TableObjective:
    return ind.TableObjective(NUMBERS.assign(f=[1.0, 2.0, 3.0]), {"x": "x"}, {"f": "f"}, **settings)


def test_a_function():
    check_objective(ind.PythonObjective(root, {"f": "V"}), NUMBERS, failing=pd.DataFrame({"x": [-1.0]}))
    check_objective(ind.PythonObjective(lambda x: {"f": 2 * x}, {"f": ""}), NUMBERS)


def test_a_table():
    check_objective(table(units={"f": "V"}), NUMBERS, failing=pd.DataFrame({"x": [0.3]}))


def test_a_surrogate():
    known = pd.DataFrame({"x": np.linspace(0.0, 1.0, 12)})
    known["y"] = np.sin(5 * known["x"])
    check_objective(ind.SurrogateObjective(known, {"x": "x"}, {"y": "y"}), NUMBERS)


def test_objectives_together():
    check_objective(CombinedObjective((ind.PythonObjective(lambda x: {"g": x}, {"g": ""}), table())), NUMBERS)
    levels = {"quick": ind.PythonObjective(square, {"f": "V"}), "exact": ind.PythonObjective(root, {"f": "V"})}
    rows = NUMBERS.assign(fidelity=["quick", "exact", "exact"])
    columns = (Column("x", "number", (0.0, 1.0)), Column("fidelity", "fidelity", values=("quick", "exact")))
    check_objective(MultiFidelityObjective(levels), rows, columns=columns)


def test_formulas():
    columns = [Column("cathode", "formula")]
    objective = ind.FormulaObjective(wanted=("capacity",))
    check_objective(objective, FORMULAS, columns=columns, failing=pd.DataFrame({"cathode": ["LiXxO2"]}))


def test_a_program(tmp_path):
    code = "import sys, json; x = json.load(open(sys.argv[1]))['x']; json.dump({'f': x + 1}, open(sys.argv[2], 'w'))"
    command = [sys.executable, "-S", "-c", code, "{candidate}", "{results}"]
    objective = ind.CommandObjective(command, {"f": "V"}, "json", folder=str(tmp_path / "runs"))
    check_objective(objective, NUMBERS.head(2))


def test_cells():
    pytest.importorskip("pybamm")
    objective = ind.CellObjective({"thickness": "Positive electrode thickness [m]"}, wanted=("areal_capacity",))
    columns = [Column("thickness", "number", (40.0, 90.0), "um")]
    rows = pd.DataFrame({"thickness": [50.0, 75.6]})
    check_objective(objective, rows, columns=columns, failing=pd.DataFrame({"thickness": [-1.0, 500.0]}))


def test_redox_potentials():
    pytest.importorskip("tblite")
    objective = ind.RedoxObjective(wanted=("HOMO",), geometry="mmff", ionization="vertical", conformers=1)
    columns = [Column("solvent", "molecule")]
    check_objective(objective, MOLECULES, columns=columns, failing=pd.DataFrame({"solvent": ["C1#CC1", "[U]"]}))


def test_electrodes():
    pytest.importorskip("ase")
    settings = {"sigma": 2.2, "epsilon": 0.3, "rc": 6.0, "smooth": True}
    objective = ind.ElectrodeObjective(
        "layered",
        calculator="ase.calculators.lj:LennardJones",
        settings=settings,
        drift=5.0,
        largest_volume_change=5.0,
        wanted=("voltage",),
    )
    rows = pd.DataFrame({"cathode": ["LiCoO2", "LiNiO2"]})
    columns = [Column("cathode", "formula")]
    check_objective(objective, rows, columns=columns, failing=pd.DataFrame({"cathode": ["LiCo2O2"]}))


@dataclass(frozen=True)
class Faulty:
    """Gives twice x; what is wrong with it is said by a word."""

    wrong: str = ""
    unit: str = "V"
    size: object = None
    state: object = None

    @property
    def properties(self):
        return {"f": self.unit}

    @property
    def rows_per_call(self):
        return self.size

    def for_columns(self, columns):
        return Faulty(self.wrong, self.unit, self.size, object()) if self.wrong == "forgets" else self

    def check(self, columns):
        return {"text": "all is well", "complains": ["The space is too small."]}.get(self.wrong, [])

    def evaluate(self, candidates):
        numbers = pd.to_numeric(candidates["x"], errors="raise" if self.wrong == "raises" else "coerce")
        numbers = numbers.astype(float)
        values = 2 * numbers
        if self.wrong == "changes" and len(candidates):
            candidates["y"] = 1.0
        if self.wrong == "spreads" and numbers.isna().any():
            return failed(candidates.index, self.properties, "something in the batch is wrong")
        if self.wrong == "normalizes":
            values = values / values.max()
        if self.wrong == "integers":
            values = values.fillna(0).astype(int)
        reasons = [None if known else "x is not a number" for known in numbers.notna()]
        if self.wrong == "silent":
            reasons = [None] * len(candidates)
        if self.wrong == "fills":
            values, reasons = values.fillna(0.0), [None] * len(candidates)
        if self.wrong == "talks":
            reasons = ["it went well"] * len(candidates)
        frame = valued(pd.DataFrame({"f": values}), reasons)
        if self.wrong == "index":
            return frame.reset_index(drop=True)
        return frame.drop(columns="reason") if self.wrong == "no reason" else frame

    def __reduce__(self):
        if self.wrong == "stays":
            raise TypeError("cannot pickle an open file")
        return Faulty, ("", self.unit, self.size, 1.0) if self.wrong == "other" else (self.wrong, self.unit, self.size)


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        (Faulty(unit="Vlot"), "unit of the property 'f'.*not a known unit"),
        (Faulty(size=0), "rows_per_call is a whole number"),
        (Faulty(size=True), "rows_per_call is a whole number"),
        (Faulty("forgets"), "for_columns gives another objective"),
        (Faulty("text"), "check returns a list of messages"),
        (Faulty("complains"), "check reports problems.*too small"),
        (Faulty("raises"), "evaluate raised ValueError.*NaN and a reason"),
        (Faulty("changes"), "changed the candidates"),
        (Faulty("spreads"), "changed another row"),
        (Faulty("normalizes"), "A row alone has other values"),
        (Faulty("integers"), "holds int64, not float64"),
        (Faulty("silent"), "lacks a value and has the reason None"),
        (Faulty("fills"), "ought to fail"),
        (Faulty("talks"), "has all values and yet the reason"),
        (Faulty("index"), "has the index"),
        (Faulty("no reason"), "no column 'reason'"),
        (Faulty("stays"), "cannot be sent to a worker"),
    ],
)
def test_what_an_objective_does_not_keep_is_named(objective, words):
    failing = pd.DataFrame({"x": [np.nan]})
    check_objective(Faulty(), NUMBERS, failing=failing)
    with pytest.raises(AssertionError, match=words):
        check_objective(objective, NUMBERS, failing=failing)


def test_what_is_given_to_the_check_must_serve():
    with pytest.raises(AssertionError, match="at least two candidates"):
        check_objective(Faulty(), NUMBERS.head(1))
    with pytest.raises(AssertionError, match=r"can evaluate\..*no row for 0\.2"):
        check_objective(table(), pd.DataFrame({"x": [0.1, 0.2]}))
    with pytest.raises(AssertionError, match="An objective has properties"):
        check_objective(root, NUMBERS)
