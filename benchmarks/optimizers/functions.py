"""Test functions: final regret or hypervolume of each optimizer beside its peers of the same family, in one run.

    python benchmarks/optimizers/functions.py bayesian --seeds 10
    python benchmarks/optimizers/functions.py populations --seeds 20

Seeds start at 1000: the defaults of our swarm and genetic algorithm were chosen on some of these functions with seeds
below 100, so their figures are those of fresh seeds but not of fresh functions.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import peers
import tasks
from _record import write_result

import invdesign as ind

FIRST_SEED = 1000
PACKAGES = ("invdesign", "numpy", "botorch", "gpytorch", "ax-platform", "optuna", "pymoo", "pyswarms", "deap")
Runner = Callable[[tasks.Task, int], np.ndarray]


def asked(build: Callable[[tasks.Task, int], peers.Peer], evaluations: int) -> Runner:
    """Points that an optimizer asks for until so many are evaluated."""

    def run(task: tasks.Task, seed: int) -> np.ndarray:
        peer = build(task, seed)
        points = np.empty((0, task.dimension))
        while len(points) < evaluations:
            fresh = peer.ask()[: evaluations - len(points)]
            peer.tell(fresh, task.objectives(fresh), task.constraints(fresh) if task.constraints else None)
            points = np.concatenate([points, fresh])
        return points

    return run


def ours(optimizer: ind.Optimizer, initial: int, batch: int) -> Callable[[tasks.Task, int], peers.Peer]:
    return lambda task, seed: peers.Ours(task, seed, optimizer=optimizer, initial=initial, batch=batch)


def measured(task: tasks.Task, runners: dict[str, Runner], seeds: dict[str, int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, runner in runners.items():
        outcomes, seconds = [], []
        for seed in range(FIRST_SEED, FIRST_SEED + seeds[name]):
            start = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                points = runner(task, seed)
            seconds.append((time.perf_counter() - start) / len(points))
            outcomes.append(task.outcome(points))
        low, middle, high = np.percentile(outcomes, [25, 50, 75])
        found[name] = {
            "median": float(middle),
            "quartiles": [float(low), float(high)],
            "seeds": seeds[name],
            "seconds_per_evaluation": float(np.median(seconds)),
        }
        print(
            f"{task.name:16s} {name:24s} {middle:.4g} [{low:.4g}, {high:.4g}]  {np.median(seconds):.4f} s", flush=True
        )
    return found


def bayesian(seeds: int, few: int) -> None:
    _beside_models("optimizers_bayesian", tasks.SINGLE, seeds, few)


def constrained(seeds: int, few: int) -> None:
    _beside_models("optimizers_bayesian_constrained", tasks.CONSTRAINED, seeds, few)


def _beside_models(name: str, chosen: tuple[tasks.Task, ...], seeds: int, few: int) -> None:
    result = {}
    budgets = {
        "branin": (6, 40),
        "hartmann6": (12, 60),
        "ackley-10": (20, 80),
        "pressure-vessel": (10, 50),
        "welded-beam": (10, 50),
    }
    for task in chosen:
        initial, evaluations = budgets[task.name]
        runners = {
            "invdesign": asked(ours(ind.BayesianOptimizer(), initial, 1), evaluations),
            "optuna-gp": asked(lambda t, s: peers.Optuna(t, s, sampler="gp"), evaluations),
            "ax": asked(peers.Ax, evaluations),
        }
        if not task.constraint_count:
            runners["botorch"] = asked(lambda t, s, i=initial: peers.BoTorch(t, s, initial=i), evaluations)
        counts = {"invdesign": seeds, "optuna-gp": 2 * few, "ax": few, "botorch": 2 * few}
        result[task.name] = {"evaluations": evaluations, "initial": initial, **measured(task, runners, counts)}
        write_result(name, {"lower_is_better": "final regret", **result}, packages=PACKAGES)


def multi(seeds: int, few: int) -> None:
    result = {}
    for task, evaluations in ((tasks.MULTI[0], 60), (tasks.MULTI[3], 50), (tasks.MULTI[4], 50)):
        initial = 16
        runners = {
            "invdesign": asked(ours(ind.BayesianOptimizer(), initial, 1), evaluations),
            "ax": asked(peers.Ax, evaluations),
        }
        counts = {"invdesign": seeds, "ax": few}
        result[task.name] = {"evaluations": evaluations, "initial": initial, **measured(task, runners, counts)}
        write_result("optimizers_bayesian_fronts", {"higher_is_better": "hypervolume", **result}, packages=PACKAGES)


def populations(seeds: int, _: int) -> None:
    result = {}
    for task in (*tasks.SINGLE, *tasks.CONSTRAINED):
        size, evaluations = 40, 2000
        runners: dict[str, Runner] = {
            "invdesign-swarm": asked(ours(ind.ParticleSwarmOptimizer(particles=size), size, size), evaluations),
            "pyswarms": lambda t, s: peers.pyswarms_points(t, s, 2000, 40),
            "pymoo-pso": lambda t, s: peers.pymoo_points(t, s, 2000, 40, "pso"),
            "invdesign-genetic": asked(ours(ind.GeneticOptimizer(population=size), size, size), evaluations),
            "deap": lambda t, s: peers.deap_points(t, s, 2000, 40),
            "pymoo-ga": lambda t, s: peers.pymoo_points(t, s, 2000, 40, "ga"),
        }
        result[task.name] = {"evaluations": evaluations, **measured(task, runners, dict.fromkeys(runners, seeds))}
        write_result("optimizers_populations", {"lower_is_better": "final regret", **result}, packages=PACKAGES)


def fronts(seeds: int, _: int) -> None:
    result = {}
    for task in tasks.MULTI:
        size, evaluations = 100, 5000
        algorithm = "nsga3" if task.objective_count > 3 else "nsga2"
        runners: dict[str, Runner] = {
            "invdesign-genetic": asked(ours(ind.GeneticOptimizer(population=size), size, size), evaluations),
            "deap-nsga2": lambda t, s: peers.deap_points(t, s, 5000, 100),
            f"pymoo-{algorithm}": lambda t, s, a=algorithm: peers.pymoo_points(t, s, 5000, 100, a),
            "invdesign-swarm": asked(ours(ind.ParticleSwarmOptimizer(particles=size), size, size), evaluations),
            "pymoo-cmopso": lambda t, s: peers.pymoo_points(t, s, 5000, 100, "cmopso"),
        }
        result[task.name] = {"evaluations": evaluations, **measured(task, runners, dict.fromkeys(runners, seeds))}
        write_result("optimizers_fronts", {"higher_is_better": "hypervolume", **result}, packages=PACKAGES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = {
        "bayesian": bayesian,
        "constrained": constrained,
        "multi": multi,
        "populations": populations,
        "fronts": fronts,
    }
    parser.add_argument("part", choices=parts)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument(
        "--few",
        type=int,
        default=5,
        help="Seeds of Ax, which takes up to seconds a suggestion; of Optuna and BoTorch twice as many.",
    )
    given = parser.parse_args()
    parts[given.part](given.seeds, given.few)


if __name__ == "__main__":
    main()
