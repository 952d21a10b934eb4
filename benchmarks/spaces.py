"""Seconds and memory of search spaces of formulas, and of one with 20^10 combinations.

    OMP_NUM_THREADS=1 python benchmarks/spaces.py

Four questions: how long 10,000 feasible samples of an 8-element, at-most-4, sum-to-one composition take; how many
formulas a second are encoded and decoded; what it costs to define and sample ten categories of twenty words; and how
many candidates a second are crossed and mutated together, as genetic algorithms do. All but the third are taken after a
warm-up that loads the elements; the third includes everything but the imports. For the third, BayBE's documentation
states that its full table would take 745 TB; that is quoted, not measured.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from invdesign.space import Categorical, Continuous, Integer, SearchSpace
from invdesign.space.composition.composition import Composition
from invdesign.space.variation import crossed, mutated
from invdesign.surrogates.features.formulas import FormulaFeatures

if TYPE_CHECKING:
    from collections.abc import Callable

EIGHT = ("Ni", "Mn", "Co", "Al", "Mg", "Ti", "Fe", "Cr")
SAMPLES = 10_000
FORMULAS = 100_000
VARIED = 1_000
STATED_BY_BAYBE = "745 TB (BayBE's documentation, quoted)"


def seconds(action: Callable[[], Any]) -> float:
    """Returns how long one run takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def compositions() -> dict[str, Composition]:
    def one_site(elements: tuple[str, ...], **more: Any) -> Composition:
        return Composition(sites={"M": {"elements": list(elements), "amount": 1, **more}})

    return {
        "8 elements, at most 4": one_site(EIGHT, max_elements=4),
        "8 elements, at most 4, steps of 0.01": one_site(EIGHT, max_elements=4, step=0.01),
        "8 elements": one_site(EIGHT),
        "4 elements": one_site(EIGHT[:4]),
        "4 elements, steps of 0.01": one_site(EIGHT[:4], step=0.01),
        # A rule across sites: points that break it are moved to the nearest formula that does not.
        "charge-balanced NMC with dopants": Composition(
            sites={
                "A": {"elements": ["Li"], "amount": 1},
                "M": {
                    "elements": list(EIGHT[:5]),
                    "amount": 1,
                    "range": {"Ni": [0.3, 0.9]},
                    "max_elements": 4,
                    "step": 0.01,
                },
                "O": {"elements": ["O"], "amount": 2},
            },
            charge_balanced=True,
        ),
    }


def formulas_drawn(composition: Composition, seed: int) -> None:
    found = composition.decode(composition.draw(SAMPLES, np.random.default_rng(seed)))
    if len(found) != SAMPLES:
        raise AssertionError("too few samples")


def rates(composition: Composition, seed: int) -> dict[str, float]:
    """Returns formulas a second."""
    rng = np.random.default_rng(seed)
    points = rng.random((FORMULAS, composition.dimension))
    drawn = composition.draw(FORMULAS, rng)
    formulas = composition.decode(drawn)
    features = FormulaFeatures(composition.elements)
    return {
        "decode points of the cube": FORMULAS / seconds(lambda: composition.decode(points)),
        "decode samples": FORMULAS / seconds(lambda: composition.decode(drawn)),
        "encode": FORMULAS / seconds(lambda: composition.encode(formulas)),
        "features": FORMULAS / seconds(lambda: features.transform(list(formulas))),
    }


def product(seed: int) -> dict[str, float]:
    """Defines a space of 20^10 combinations and samples it; time and memory apart, since tracing takes time itself."""

    def define_and_sample() -> None:
        words = tuple(f"word{number}" for number in range(20))
        space = SearchSpace({f"x{number}": Categorical(words) for number in range(10)})
        if len(space.sample(SAMPLES, np.random.default_rng(seed))) != SAMPLES:
            raise AssertionError("too few samples")

    elapsed = seconds(define_and_sample)
    tracemalloc.start()
    define_and_sample()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"seconds": elapsed, "peak_MB": peak / 1e6}


def varied(space: SearchSpace, seed: int) -> dict[str, float]:
    """Returns candidates a second."""
    rng = np.random.default_rng(seed)
    parents = space.sample(VARIED, rng)
    others = parents[::-1].reset_index(drop=True)
    return {"crossed and mutated": VARIED / seconds(lambda: mutated(space, crossed(space, parents, others, rng), rng))}


def median(runs: list[dict[str, float]]) -> dict[str, float]:
    return {key: float(f"{statistics.median(run[key] for run in runs):.4g}") for key in runs[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    seeds = list(range(arguments.repeats))
    sys.path.insert(0, str(Path(__file__).parent))
    from _record import write_result

    spaces = compositions()
    eight = spaces["8 elements, at most 4"]
    formulas_drawn(eight, 0)
    sampling = [{"seconds": seconds(lambda seed=seed: formulas_drawn(eight, seed))} for seed in seeds]
    speed: dict[str, list[dict[str, float]]] = {}
    for name, composition in spaces.items():
        rates(composition, 0)
        speed[name] = [rates(composition, seed) for seed in seeds]
    products = [product(seed) for seed in seeds]
    bred = {
        "three numbers": SearchSpace(a=Continuous(1, 5), b=Continuous(1e-4, 1, log=True), k=Integer(-3, 12)),
        "a formula and a number": SearchSpace(
            cathode=spaces["charge-balanced NMC with dopants"], temperature=Continuous(700, 900)
        ),
    }
    breeding: dict[str, list[dict[str, float]]] = {}
    for name, space in bred.items():
        varied(space, 0)
        breeding[name] = [varied(space, seed) for seed in seeds]
    payload = {
        "unit": "one core; seconds, formulas a second, MB of traced memory",
        "repeats": arguments.repeats,
        "median": {
            f"{SAMPLES} samples of 8 elements, at most 4": median(sampling),
            "formulas a second": {name: median(runs) for name, runs in speed.items()},
            "candidates a second": {name: median(runs) for name, runs in breeding.items()},
            f"20^10 combinations, defined and sampled {SAMPLES} times": {
                **median(products),
                "a full table": STATED_BY_BAYBE,
            },
        },
        "runs": {"samples": sampling, "formulas a second": speed, "candidates a second": breeding, "20^10": products},
    }
    file = write_result("spaces", payload, packages=("numpy", "scipy", "pandas", "pymatgen", "smact"))
    print(json.dumps(payload["median"], indent=2))
    print(file)


if __name__ == "__main__":
    main()
