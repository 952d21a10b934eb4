"""How fast surrogates are on one core: features of formulas, fits, and predictions of many candidates.

    OMP_NUM_THREADS=1 python benchmarks/surrogate_speed.py

Features: batches of 10,000 formulas, of NMC cathodes and of random mixtures over 30 elements, with Magpie's attributes,
beside matminer's ElementProperty on 300 formulas of each sort. Surrogates: 200 rows of 15 numbers, a smooth property
with noise; the warm fit has seen 195 of them before. Prediction: 100,000 rows, means and standard deviations; memory is
the peak of what Python and numpy held during the call, and during calls of 10,000 rows each. Everything is made up,
from a fixed seed; times are medians of five runs, in seconds of one core's work, so that they hold while others
wait for the same core. Other work still shares the caches and slows it: the load is written down.
"""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from _record import write_result

from invdesign.surrogates.features.elements import element_symbols
from invdesign.surrogates.features.formulas import FormulaFeatures
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.surrogates.neural_network.surrogate import NeuralNetwork

RUNS = 5
BATCH = 10_000
BESIDE = 300
KNOWN, KNOWN_BEFORE, DIMENSIONS = 200, 195, 15
ASKED = 100_000
PACKAGES = ("invdesign", "numpy", "scipy", "pandas", "torch", "matminer", "pymatgen")


def seconds(call: Callable[[], Any]) -> float:
    """The median of five runs, after one that loads what is loaded once."""
    call()
    taken = []
    for _ in range(RUNS):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return float(np.median(taken))


def peak_megabytes(call: Callable[[], Any]) -> float:
    """The most memory held during a call, beyond what was held before, in MB."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def cathodes(rng: np.random.Generator, count: int) -> list[str]:
    """Formulas like ``LiNi0.812Mn0.093Co0.095O2``, all different."""
    shares = rng.dirichlet((4.0, 1.0, 1.0), size=count)
    return [f"LiNi{nickel:.4f}Mn{manganese:.4f}Co{cobalt:.4f}O2" for nickel, manganese, cobalt in shares]


def mixtures(rng: np.random.Generator, count: int, elements: tuple[str, ...]) -> list[str]:
    """Formulas of two to five of the elements in whole numbers."""
    found = []
    for size in rng.integers(2, 6, size=count):
        chosen = rng.choice(len(elements), size=size, replace=False)
        found.append("".join(f"{elements[place]}{rng.integers(1, 13)}" for place in chosen))
    return found


def formula_speed() -> dict[str, Any]:
    """Formulas a second, ours and matminer's."""
    from matminer.featurizers.composition import ElementProperty
    from pymatgen.core import Composition

    rng = np.random.default_rng(0)
    thirty = element_symbols()[2:9] + element_symbols()[10:33]
    theirs = ElementProperty.from_preset("magpie", impute_nan=True)
    found = {}
    for name, elements, made in (
        ("nmc", ("Li", "Ni", "Mn", "Co", "O"), lambda count: cathodes(rng, count)),
        ("random over 30 elements", thirty, lambda count: mixtures(rng, count, thirty)),
    ):
        features = FormulaFeatures(elements, "magpie")
        # Formulas that were not seen before, each time: nothing kept from one run helps the next.
        batches = iter([made(BATCH) for _ in range(RUNS + 1)])
        ours = BATCH / seconds(lambda features=features, batches=batches: features.transform(next(batches)))
        few = iter([made(BESIDE) for _ in range(RUNS + 1)])
        beside = seconds(lambda few=few: [theirs.featurize(Composition(formula)) for formula in next(few)])
        found[name] = {
            "formulas_per_second": round(ours),
            "features": len(features.names),
            "matminer_formulas_per_second": round(BESIDE / beside),
            "matminer_features": len(theirs.feature_labels()),
        }
        print(name, found[name], flush=True)
    return found


def rows(rng: np.random.Generator, count: int) -> pd.DataFrame:
    """Candidates of 15 numbers between 0 and 1."""
    return pd.DataFrame(rng.random((count, DIMENSIONS)), columns=[f"x{number}" for number in range(DIMENSIONS)])


def fit_and_predict() -> dict[str, Any]:
    """Seconds of fits and predictions, and memory."""
    rng = np.random.default_rng(0)
    known, asked = rows(rng, KNOWN), rows(rng, ASKED)
    smooth = np.sin(3.0 * known["x0"]) + known["x1"] * known["x2"] + known.iloc[:, 3:8].mean(axis=1)
    y = pd.DataFrame({"property": smooth + 0.02 * rng.standard_normal(KNOWN)})
    before, values_before = known[:KNOWN_BEFORE], y[:KNOWN_BEFORE]
    process = GaussianProcess().fit(known, y)

    def warm_seconds() -> float:
        model = GaussianProcess(warm_start=True).fit(before, values_before)
        start = time.process_time()
        model.fit(known, y)
        return time.process_time() - start

    def in_batches() -> None:
        for start in range(0, ASKED, BATCH):
            process.predict(asked.iloc[start : start + BATCH], return_std=True)

    found = {
        "gaussian_process_fit_cold_seconds": seconds(lambda: GaussianProcess().fit(known, y)),
        "gaussian_process_fit_warm_seconds": float(np.median([warm_seconds() for _ in range(RUNS)])),
        "neural_network_fit_seconds": seconds(lambda: NeuralNetwork().fit(known, y)),
        "predict_100000_mean_seconds": seconds(lambda: process.predict(asked)),
        "predict_100000_mean_and_std_seconds": seconds(lambda: process.predict(asked, return_std=True)),
        "predict_100000_peak_megabytes": peak_megabytes(lambda: process.predict(asked, return_std=True)),
        "predict_10000_peak_megabytes": peak_megabytes(lambda: process.predict(asked[:BATCH], return_std=True)),
        "predict_100000_in_batches_of_10000_peak_megabytes": peak_megabytes(in_batches),
    }
    found = {name: float(f"{value:.3g}") for name, value in found.items()}
    print(found, flush=True)
    return found


def main() -> None:
    asked = {
        "formulas_per_second": 300_000,
        "gaussian_process_fit_cold_seconds": 0.3,
        "gaussian_process_fit_warm_seconds": 0.1,
        "predict_100000_seconds": 1.0,
    }
    payload = {
        "runs": RUNS,
        "load_average": os.getloadavg()[0],
        "asked": asked,
        "formulas": formula_speed(),
        "surrogates": fit_and_predict(),
    }
    write_result("surrogates_speed", payload, packages=PACKAGES)


if __name__ == "__main__":
    main()
