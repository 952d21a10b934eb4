"""What an evaluation by each objective costs, and how much of it is ours.

    OMP_NUM_THREADS=1 INVDESIGN_DATA=... python benchmarks/objective_costs.py

For redox and electrode see redox_potentials.json and electrode_voltages.json. Ours is all that is spent outside of the
library or the program that does the objective's work: PyBaMM's solver, the process of the user's program, the
surrogate's prediction, the user's function. A formula is worked out and a table looked up by nobody but us, so that
all of it is ours. Each figure is the median of the repeats, after one evaluation that builds, fits and reads what is
kept. At last what it costs to have a call if it can be ended: in a worker process that is kept.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("PYBAMM_DISABLE_TELEMETRY", "true")

import numpy as np
import pandas as pd
from _clock import Clock
from _record import write_result

import invdesign as ind
from invdesign import datasets
from invdesign.campaign.execution.executor import evaluate_all
from invdesign.core.columns import Column
from invdesign.objectives.base import Objective

PACKAGES = ("invdesign", "numpy", "pandas", "scipy", "scikit-learn", "pymatgen", "pybamm", "pybammsolvers")
PROGRAM = Path(__file__).parent.parent / "examples" / "own_program.py"
FUNCTION_SECONDS = 0.01


@dataclass(frozen=True)
class Case:
    """An objective, what it is asked, and where others work.

    Attributes:
        what: in words.
        objective: as a campaign would have it.
        rows: the candidates of one call.
        others: owners and names of the functions in which the library or the program works.
        library: who works there; empty for nobody.
    """

    what: str
    objective: Objective
    rows: pd.DataFrame
    others: tuple[tuple[Any, str], ...] = ()
    library: str = ""


def measured(case: Case, repeats: int) -> dict[str, Any]:
    """Seconds of an evaluation, and the share of them that is ours."""
    first = case.objective.evaluate(case.rows)
    failures = int(first["reason"].notna().sum())
    totals, ours = [], []
    for _ in range(repeats):
        clock = Clock()
        with ExitStack() as timed:
            for owner, name in case.others:
                timed.enter_context(clock.on(owner, name, f"{owner} {name}"))
            start = time.perf_counter()
            case.objective.evaluate(case.rows)
            totals.append((time.perf_counter() - start) / len(case.rows))
        ours.append(totals[-1] - sum(clock.seconds.values()) / len(case.rows))
    total, own = statistics.median(totals), statistics.median(ours)
    result = {
        "what": case.what,
        "candidates_per_call": len(case.rows),
        "without_value": failures,
        "library": case.library or "none",
        "seconds_per_evaluation": {"total": total, "library": total - own, "ours": own},
        "share_ours": own / total,
    }
    print(f"{type(case.objective).__name__:22s} {total * 1e3:10.4f} ms  ours {own * 1e3:10.4f} ms  {own / total:.3f}")
    return result


def cell() -> Case:
    """The demo's cell, all properties."""
    import pybamm

    inputs = {
        "thickness": "Positive electrode thickness [m]",
        "ratio": "N/P ratio",
        "porosity": "Positive electrode porosity",
        "radius": "Positive particle radius [m]",
    }
    objective = ind.CellObjective(inputs=inputs, units={"thickness": "um", "radius": "um"})
    random = np.random.default_rng(0).uniform([50.0, 1.03, 0.25, 1.0], [90.0, 1.3, 0.4, 8.0], (16, 4))
    rows = pd.DataFrame(random, columns=list(inputs))
    solver = ((pybamm.BaseSolver, "solve"),)
    return Case("16 designs, SPMe, three protocols", objective, rows, solver, "PyBaMM's solver")


def formula(count: int) -> Case:
    """Layered oxides, all properties."""
    shares = np.random.default_rng(0).dirichlet((8.0, 1.0, 1.0), count).round(3)
    formulas = [f"LiNi{nickel:.3f}Mn{manganese:.3f}Co{cobalt:.3f}O2" for nickel, manganese, cobalt in shares]
    objective = ind.FormulaObjective("formula")
    return Case(f"{count} layered oxides, all properties", objective, pd.DataFrame({"formula": formulas}))


def pymatgen_seconds(formulas: list[str]) -> float:
    """Seconds a formula that pymatgen takes to read it and tell its molar mass alone: what ours may be held against."""
    from pymatgen.core import Composition

    start = time.perf_counter()
    for text in formulas:
        _ = Composition(text).weight
    return (time.perf_counter() - start) / len(formulas)


def command(folder: str) -> Case:
    """The program of examples/own-program.yaml."""
    objective = ind.CommandObjective(
        ["{python}", str(PROGRAM), "{candidate}", "{results}"],
        {"areal_capacity": "mAh/cm^2", "resistance": "ohm cm^2"},
        format="json",
        folder=folder,
    )
    rows = pd.DataFrame({"thickness": [60.0] * 10, "porosity": [0.3] * 10})
    process = ((subprocess.Popen, "__init__"), (subprocess.Popen, "wait"))
    return Case("a Python script of some lines", objective, rows, process, "the program, from its start to its end")


def surrogate() -> Case:
    """A Gaussian process on simulated electrodes."""
    names = ["Gap", "AM", "porous"]
    objective = ind.SurrogateObjective(
        data=datasets.resolve("dataset:calendering"),
        key={name: name for name in names},
        values={"tliq": "tliq", "tsol": "tsol"},
    )
    data = pd.read_csv(datasets.resolve("dataset:calendering"), encoding="utf-8-sig")[names]
    columns = [Column(name, "number", bounds=(data[name].min(), data[name].max())) for name in names]
    rows = data.sample(1000, replace=True, random_state=0).reset_index(drop=True)
    predict = ((ind.GaussianProcess, "predict"),)
    return Case("1,000 electrodes, two properties", objective.for_columns(columns), rows, predict, "the surrogate")


def table() -> Case:
    """Molecules looked up by canonical SMILES."""
    path = datasets.resolve("dataset:hbe")
    objective = ind.TableObjective(path, {"molecule": "canonSMILES"}, {"oxidation_potential": "Potential"})
    rows = pd.DataFrame({"molecule": pd.read_csv(path)["canonSMILES"].drop_duplicates().head(1000)})
    return Case("1,000 molecules", objective.for_columns([Column("molecule", "molecule")]), rows)


class Work:
    """A user's function that takes its time."""

    def __call__(self, x: float) -> dict[str, float]:
        end = time.perf_counter() + FUNCTION_SECONDS
        while time.perf_counter() < end:
            pass
        return {"f": x}


def own_function() -> Case:
    """A function of the user's."""
    rows = pd.DataFrame({"x": np.linspace(0.0, 1.0, 20)})
    objective = ind.PythonObjective(Work(), {"f": ""})
    return Case(f"a function of {FUNCTION_SECONDS * 1e3:g} ms", objective, rows, ((Work, "__call__"),), "the function")


def ended_calls(calls: int) -> dict[str, float]:
    """Seconds that a call costs more if it can be ended: the first, which starts the process, and each further."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "own.py"
        file.write_text("def f(x):\n    return {'f': x}\n", encoding="utf-8")
        objective = ind.PythonObjective(f"{file}:f", {"f": ""}, time_limit=60.0)
        seconds = []
        for row in range(calls + 1):
            start = time.perf_counter()
            list(evaluate_all(objective, pd.DataFrame({"x": [float(row)]}), None))
            seconds.append(time.perf_counter() - start)
    return {"first_call": seconds[0], "further_call": statistics.median(seconds[1:])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--formulas", type=int, default=10_000)
    given = parser.parse_args()
    formulas = formula(given.formulas)
    with tempfile.TemporaryDirectory() as folder:
        cases = {
            "cell": cell(),
            "formula": formulas,
            "command": command(folder),
            "surrogate": surrogate(),
            "table": table(),
            "python": own_function(),
        }
        costs = {name: measured(case, given.repeats) for name, case in cases.items()}
    costs["formula"]["pymatgen_seconds_to_read_one"] = pymatgen_seconds(formulas.rows["formula"].tolist())
    payload = {"repeats": given.repeats, "objectives": costs, "call_that_can_be_ended": ended_calls(50)}
    print(payload["call_that_can_be_ended"])
    print(write_result("objective_costs", payload, packages=PACKAGES))


if __name__ == "__main__":
    main()
