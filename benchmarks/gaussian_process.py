"""Our Gaussian process beside BoTorch's SingleTaskGP from 20 to 2,000 rows, and alone with 20,000.

Seconds of a fit, RMSE and coverage of 90 % intervals (noise included) on held-out rows, one thread. BoTorch gets the
same features. Nothing was tuned on what is reported: the limits of rows and the number of neighbors were chosen on the
function ``waves`` below with seed 3; reported are Friedman's and Hartmann's functions and two tables, seeds from 100.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from _datasets import Table, calendering, electrode_voltages
from _record import write_result

from invdesign.core.columns import Column
from invdesign.surrogates.base import Surrogate
from invdesign.surrogates.botorch import BotorchSurrogate
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess

COUNTS = (20, 50, 100, 200, 500, 1000, 2000)
LARGEST = {"Friedman 1, 15 inputs": 1000}
"""Rows up to which a problem is run where no other number is asked for: from 1,000 on BoTorch takes minutes a fit."""
SEEDS = (100, 101, 102)
SEEDS_OF_MANY = (100,)
MANY = 500
"""Rows from which one seed is enough for both: a fit takes long."""
TESTED = 1000
NOISE = 0.05
"""Standard deviation of the noise of functions, in their own."""


def waves(x: np.ndarray) -> np.ndarray:
    """The function on which the method was developed."""
    first = np.sin(3 * x[:, 0] * x[:, 1]) + 4 * (x[:, 2] - 0.5) ** 2
    return first + x[:, 3] * x[:, 4] + 0.5 * np.cos(4 * x[:, 5]) + 0.3 * x[:, 6]


def friedman(x: np.ndarray) -> np.ndarray:
    """Friedman's first function (1991, doi:10.1214/aos/1176347963): five inputs matter, the others do not."""
    return 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]


def hartmann(x: np.ndarray) -> np.ndarray:
    """Hartmann's function of six inputs (Dixon and Szego 1978)."""
    from botorch.test_functions import Hartmann
    from torch import as_tensor

    return Hartmann(dim=6)(as_tensor(x[:, :6])).numpy()


def of_function(function: Callable[[np.ndarray], np.ndarray], dimension: int, count: int, seed: int) -> Table:
    """Random points, and values with noise."""
    rng = np.random.default_rng(seed)
    points = rng.random((count, dimension))
    values = function(points)
    values = (values - values.mean()) / values.std() + NOISE * rng.standard_normal(count)
    names = [f"x{place}" for place in range(dimension)]
    columns = tuple(Column(name, "number", bounds=(0.0, 1.0)) for name in names)
    return Table(pd.DataFrame(points, columns=names), pd.DataFrame({"y": values}), columns)


def shuffled(table: Table, name: str, seed: int) -> Table:
    """A property of a dataset in a random order of rows; rows without a value are no rows to learn from."""
    known = table.y[name].notna().to_numpy()
    order = np.random.default_rng(seed).permutation(np.flatnonzero(known))
    return Table(
        table.frame.iloc[order].reset_index(drop=True),
        table.y[[name]].iloc[order].reset_index(drop=True),
        table.columns,
    )


PROBLEMS: dict[str, Callable[[int], Table]] = {
    "Friedman 1, 15 inputs": lambda seed: of_function(friedman, 15, 2000 + TESTED, seed),
    "Hartmann-6": lambda seed: of_function(hartmann, 6, 2000 + TESTED, seed),
    "calendering, liquid tortuosity": lambda seed: shuffled(calendering(), next(iter(calendering().y)), seed),
    "electrode voltages": lambda seed: shuffled(electrode_voltages(), next(iter(electrode_voltages().y)), seed),
}


def scored(surrogate: Surrogate, table: Table, count: int, tested: int) -> dict[str, float]:
    """Seconds of a fit, and how the last rows are predicted from the first ``count``."""
    frame, y = table.frame[:count], table.y[:count]
    start = time.perf_counter()
    fitted: Any = surrogate.fit(frame, y, columns=table.columns)
    seconds = time.perf_counter() - start
    test, truth = table.frame[-tested:], table.y[-tested:].iloc[:, 0].to_numpy()
    start = time.perf_counter()
    mean, std = fitted.predict(test, return_std=True)
    predicting = time.perf_counter() - start
    name = mean.columns[0]
    error = np.abs(mean[name].to_numpy() - truth)
    spread = np.sqrt(std[name].to_numpy() ** 2 + fitted.noise_std()[name] ** 2)
    return {
        "fit_s": seconds,
        "predict_s": predicting,
        "rmse": float(np.sqrt((error**2).mean())),
        "coverage": float((error < 1.6449 * spread).mean()),
    }


def beside(problem: str, counts: tuple[int, ...]) -> list[dict[str, Any]]:
    """Both surrogates on one problem: medians over the seeds."""
    rows = []
    for count in counts:
        found: dict[str, list[dict[str, float]]] = {"ours": [], "botorch": []}
        for seed in SEEDS_OF_MANY if count >= MANY else SEEDS:
            table = PROBLEMS[problem](seed)
            tested = min(TESTED, len(table.frame) - count)
            if tested < 100:
                continue
            for name, surrogate in (("ours", GaussianProcess()), ("botorch", BotorchSurrogate(device="cpu"))):
                found[name].append(scored(surrogate, table, count, tested))
        if not found["ours"]:
            continue
        medians = {
            name: {key: float(np.median([run[key] for run in runs])) for key in runs[0]} for name, runs in found.items()
        }
        rows.append({"rows": count, "seeds": len(found["ours"]), **medians})
        print(problem, count, medians, flush=True)
    return rows


def many() -> dict[str, Any]:
    """20,000 rows of 15 features beside 1,000 random ones, by ours alone, and the memory of the process."""
    found = {}
    for name, function in (("Friedman 1", friedman), ("waves (development)", waves)):
        table = of_function(function, 15, 20_000 + TESTED, 100)
        found[name] = {str(count): scored(GaussianProcess(), table, count, TESTED) for count in (1000, 20_000)}
        print(name, found[name], flush=True)
    return {**found, "peak memory, GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}


def main() -> None:
    """Measures and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=500, help="largest number of rows beside BoTorch, but for LARGEST")
    most = parser.parse_args().most
    alone = many()
    result = {
        problem: beside(problem, tuple(count for count in COUNTS if count <= max(most, LARGEST.get(problem, 0))))
        for problem in PROBLEMS
    }
    write_result(
        "gaussian_process",
        {"beside BoTorch's SingleTaskGP": result, "20,000 rows": alone, "report seeds": list(SEEDS)},
        packages=("numpy", "scipy", "torch", "botorch", "gpytorch"),
    )


if __name__ == "__main__":
    main()
