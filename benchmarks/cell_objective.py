"""Milliseconds a cell design: invdesign's cell objective, PyBaMM rebuilt for each design, and PyBOP.

    OMP_NUM_THREADS=1 python benchmarks/cell_objective.py --pybop-python VENV/bin/python

The shared design problem is the energy of a C/2 discharge from full to 2.5 V of Chen2020's cell (SPMe, 20 mesh points a
domain), with both electrode thicknesses and both particle radii free. invdesign gets each design's own C/2; PyBOP and
the rebuild get the same currents' nominal 2.5 A, as their users would write it. PyBOP's time is one call of its
problem on the same designs, in its own interpreter. invdesign is also measured on all three protocols of the demo.
Each timing is taken after a warm-up that builds what can be built once.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("PYBAMM_DISABLE_TELEMETRY", "true")

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = (
    "Positive electrode thickness [m]",
    "Negative electrode thickness [m]",
    "Positive particle radius [m]",
    "Negative particle radius [m]",
)
DISCHARGE = "Discharge at 2.5 A until 2.5 V"


def designs(count: int, seed: int) -> list[dict[str, float]]:
    """Returns random designs with an N/P ratio near the published one."""
    random = np.random.default_rng(seed)
    positive = random.uniform(50e-6, 90e-6, count)
    negative = positive * (85.2 / 75.6) * random.uniform(1.0, 1.1, count)
    radii = random.uniform(1e-6, 8e-6, (2, count))
    return [dict(zip(NAMES, map(float, row), strict=True)) for row in zip(positive, negative, *radii, strict=True)]


def timed(action: Callable[[], Any], count: int) -> float:
    """Returns milliseconds a design of one run."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) / count * 1000.0


def ours(count: int, seeds: list[int], *, compiled: bool) -> dict[str, list[float]]:
    import pandas as pd

    from invdesign.objectives.cell.objective import CellObjective

    shared = CellObjective(inputs={name: name for name in NAMES}, wanted=("specific_energy",), compiled=compiled)
    demo = CellObjective(
        inputs={
            "thickness": "Positive electrode thickness [m]",
            "ratio": "N/P ratio",
            "negative_porosity": "Negative electrode porosity",
            "positive_porosity": "Positive electrode porosity",
            "negative_radius": "Negative particle radius [m]",
            "positive_radius": "Positive particle radius [m]",
        },
        units={"thickness": "um", "negative_radius": "um", "positive_radius": "um"},
        compiled=compiled,
    )
    low = np.array([40.0, 1.03, 0.2, 0.2, 1.0, 1.0])
    high = np.array([120.0, 1.3, 0.45, 0.45, 10.0, 10.0])
    result: dict[str, list[float]] = {"C/2 energy": [], "three protocols": []}
    for seed in seeds:
        frame = pd.DataFrame(designs(count, seed))
        random = np.random.default_rng(seed).uniform(low, high, (count, 6))
        wide = pd.DataFrame(random, columns=list(demo.inputs))
        if seed == seeds[0]:
            shared.evaluate(frame)
            demo.evaluate(wide)
        result["C/2 energy"].append(timed(lambda frame=frame: shared.evaluate(frame), count))
        result["three protocols"].append(timed(lambda wide=wide: demo.evaluate(wide), count))
    return result


def rebuilt(count: int, seeds: list[int]) -> dict[str, list[float]]:
    import pybamm

    def one(design: dict[str, float]) -> None:
        values = pybamm.ParameterValues("Chen2020")
        values.update(design)
        model = pybamm.lithium_ion.SPMe({"calculate discharge energy": "true"})
        experiment = pybamm.Experiment([DISCHARGE])
        simulation = pybamm.Simulation(
            model, parameter_values=values, experiment=experiment, solver=pybamm.IDAKLUSolver()
        )
        float(simulation.solve(initial_soc=1.0)["Discharge energy [W.h]"].data[-1])

    def all_of(seed: int) -> None:
        for design in designs(count, seed):
            one(design)

    one(designs(1, seeds[0])[0])
    return {"C/2 energy": [timed(lambda seed=seed: all_of(seed), count) for seed in seeds]}


def pybop_child(count: int, seeds: list[int]) -> dict[str, Any]:
    """Runs in PyBOP's interpreter."""
    import pybamm
    import pybop

    target = "Gravimetric energy density [W.h.kg-1]"
    model = pybamm.lithium_ion.SPMe()
    pybop.pybamm.add_variable_to_model(model, target)
    values = pybamm.ParameterValues("Chen2020")
    values.update({"Cell mass [kg]": 0.05}, check_already_exists=False)
    values.update({name: pybop.Parameter(bounds=(1e-7, 1e-3), initial_value=1e-5) for name in NAMES})
    simulator = pybop.pybamm.Simulator(
        model, parameter_values=values, protocol=pybamm.Experiment([DISCHARGE]), initial_state={"Initial SoC": 1.0}
    )
    problem = pybop.Problem(simulator, pybop.DesignCost(target=target))
    problem.evaluate(designs(1, seeds[0]))
    times = [timed(lambda seed=seed: problem.evaluate(designs(count, seed)), count) for seed in seeds]
    evaluation = problem.evaluate(designs(2, seeds[0]))
    return {
        "C/2 energy": times,
        "versions": {"pybop": pybop.__version__, "pybamm": pybamm.__version__},
        "first_values": [float(value) for value in np.ravel(evaluation.values)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--designs", type=int, default=64, help="in a batch of the cell objective")
    parser.add_argument("--slow-designs", type=int, default=8, help="of the rebuild and of PyBOP")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--pybop-python", help="interpreter of an environment that has PyBOP")
    parser.add_argument("--compiled", action="store_true", help="measure the compiled model too")
    parser.add_argument("--as-pybop", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    seeds = list(range(arguments.seeds))
    if arguments.as_pybop:
        print(json.dumps(pybop_child(arguments.slow_designs, seeds)))
        return

    sys.path.insert(0, str(Path(__file__).parents[1]))
    from _record import write_result

    runs: dict[str, Any] = {"invdesign": ours(arguments.designs, seeds, compiled=False)}
    if arguments.compiled:
        runs["invdesign, compiled"] = ours(arguments.designs, seeds, compiled=True)
    runs["rebuild per design"] = rebuilt(arguments.slow_designs, seeds)
    if arguments.pybop_python:
        command = [arguments.pybop_python, __file__, "--as-pybop"]
        command += ["--slow-designs", str(arguments.slow_designs), "--seeds", str(arguments.seeds)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        runs["PyBOP"] = (
            json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {"error": done.stderr[-2000:]}
        )
    medians = {
        who: {
            what: round(statistics.median(times), 3)
            for what, times in run.items()
            if what in {"C/2 energy", "three protocols"}
        }
        for who, run in runs.items()
    }
    base = medians["invdesign"]["C/2 energy"]
    ratios = {who: round(row["C/2 energy"] / base, 1) for who, row in medians.items() if "C/2 energy" in row}
    payload = {
        "unit": "ms a design, one core",
        "batch": {"invdesign": arguments.designs, "others": arguments.slow_designs},
        "seeds": seeds,
        "median": medians,
        "C/2 energy, times invdesign's": ratios,
        "runs": runs,
    }
    file = write_result(
        "cell_objective", payload, packages=("pybamm", "pybammsolvers", "casadi", "numpy", "scipy", "pandas")
    )
    print(json.dumps({"median": medians, "ratios": ratios}, indent=2))
    print(file)


if __name__ == "__main__":
    main()
