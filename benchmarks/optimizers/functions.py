"""Test functions: final regret or hypervolume of each optimizer beside its peers of the same family, in one run.

    python benchmarks/optimizers/functions.py bayesian --seeds 10
    python benchmarks/optimizers/functions.py populations --seeds 20
    python benchmarks/optimizers/functions.py bayesian --only ax --seeds 20

A peer takes up to seconds a suggestion, so its runs are kept: where the results already hold some of the same version,
only the seeds that are missing are run. Ours are always run again, unless ``--only`` names others.

Seeds start at 1000: the defaults of ours were chosen on some of these functions with seeds below 400, so their figures
are those of fresh seeds but not of fresh functions. ``unseen`` are functions on which nothing was chosen; the warping
of maximized and minimized properties was developed on Rosenbrock-4, Levy-5 and Powell-4, seeds from 300. Changes of
CMA-ES are tried on ``developed`` ones, seeds from 300 as well: Levy-6, Powell-8, Eggholder, Rastrigin-5, Salomon-5,
Alpine-5, Schwefel-5, Zakharov-6, Trid-6, an ellipsoid, and peaks. The crossover for fronts was chosen on those of
``tasks.FRONTS["development"]``, ZDT1 to 3 and DTLZ2.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import peers
import tasks
from _record import commit, read_result, versions, write_result

import invdesign as ind

FIRST_SEED = 1000
INITIAL = 6
"""Candidates of ours before there is a model, as many as Ax takes; Optuna takes ten."""
PACKAGES = (
    "invdesign",
    "numpy",
    "botorch",
    "gpytorch",
    "ax-platform",
    "optuna",
    "pymoo",
    "pyswarms",
    "deap",
    "cma",
    "cmaes",
    "scipy",
)
Runner = Callable[[tasks.Task, int], np.ndarray]
ALL = {task.name for task in (*tasks.SINGLE, *tasks.CONSTRAINED, *tasks.MULTI, *tasks.unseen(), *tasks.developed())}
ALL |= {*tasks.FRONTS["development"], *tasks.FRONTS["report"], "vehicle-safety"}


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


def ours(
    optimizer: ind.Optimizer, initial: int, batch: int, targets: ind.Targets | None = None
) -> Callable[[tasks.Task, int], peers.Peer]:
    return lambda task, seed: peers.Ours(task, seed, optimizer=optimizer, initial=initial, batch=batch, targets=targets)


@dataclass(frozen=True)
class Comparison:
    """Runs optimizers on tasks and adds what they reached to a results file.

    Attributes:
        name: of the results file.
        better: which key of the file says what is better, and what is measured.
        seeds: of every runner.
        only: runners that are run; the others keep what they have.
    """

    name: str
    better: dict[str, str]
    seeds: int
    only: tuple[str, ...] = ()

    def add(self, task: tasks.Task, runners: dict[str, Runner], **settings: int) -> None:
        kept = read_result(self.name)
        found = dict(kept.get(task.name, {})) if _settings(kept.get(task.name, {})) == settings else {}
        unknown = set(self.only) - set(runners)
        for name in [name for name in runners if not self.only or name in self.only]:
            found[name] = self._measured(task, name, runners[name], found.get(name, {}))
            tasks_so_far = {key: value for key, value in read_result(self.name).items() if key in ALL}
            ordered = {key: found[key] for key in runners if key in found}
            entry = {task.name: {**settings, **ordered}}
            write_result(self.name, {**self.better, **tasks_so_far, **entry}, packages=PACKAGES)
        if unknown:
            print(f"{task.name}: no {', '.join(sorted(unknown))} here", flush=True)

    def _measured(self, task: tasks.Task, name: str, runner: Runner, before: dict[str, Any]) -> dict[str, Any]:
        package = name.split("-", maxsplit=1)[0]
        packages = versions([{"ax": "ax-platform", "pycma": "cma"}.get(package, package)])
        same = package != "invdesign" and before.get("version") == packages
        outcomes, seconds = (list(before["outcomes"]), list(before["seconds"])) if same else ([], [])
        for seed in range(FIRST_SEED + len(outcomes), FIRST_SEED + self.seeds):
            start = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                points = runner(task, seed)
            seconds.append((time.perf_counter() - start) / len(points))
            outcomes.append(task.outcome(points))
        low, middle, high = np.percentile(outcomes, [25, 50, 75])
        print(f"{task.name:16s} {name:24s} {middle:.4g} [{low:.4g}, {high:.4g}]", flush=True)
        return {
            "median": float(middle),
            "quartiles": [float(low), float(high)],
            "seeds": len(outcomes),
            "seconds_per_evaluation": float(np.median(seconds)),
            "commit": before["commit"] if len(before.get("outcomes", [])) == len(outcomes) and same else commit(),
            "version": packages,
            "outcomes": [float(value) for value in outcomes],
            "seconds": [round(value, 5) for value in seconds],
        }


def _settings(entry: dict[str, Any]) -> dict[str, int]:
    return {key: value for key, value in entry.items() if isinstance(value, int)}


REGRET = {"lower_is_better": "final regret"}
HYPERVOLUME = {"higher_is_better": "hypervolume"}


def bayesian(seeds: int, only: tuple[str, ...]) -> None:
    comparison = Comparison("optimizers_bayesian", REGRET, seeds, only)
    for task, initial, evaluations in zip(tasks.SINGLE, (6, 12, 20), (40, 60, 80), strict=True):
        runners = _beside_models(evaluations)
        runners["botorch"] = asked(lambda t, s, i=initial: peers.BoTorch(t, s, initial=i), evaluations)
        comparison.add(task, runners, evaluations=evaluations)


def unseen(seeds: int, only: tuple[str, ...]) -> None:
    comparison, evaluations = Comparison("optimizers_unseen", REGRET, seeds, only), 60
    for task in tasks.unseen():
        runners = _beside_models(evaluations)
        runners["botorch"] = asked(lambda t, s: peers.BoTorch(t, s, initial=2 * t.dimension), evaluations)
        comparison.add(task, runners, evaluations=evaluations)


def constrained(seeds: int, only: tuple[str, ...]) -> None:
    comparison = Comparison("optimizers_bayesian_constrained", REGRET, seeds, only)
    for task in tasks.CONSTRAINED:
        comparison.add(task, _beside_models(50), evaluations=50)


def _beside_models(evaluations: int) -> dict[str, Runner]:
    return {
        "invdesign": asked(ours(ind.BayesianOptimizer(), INITIAL, 1), evaluations),
        "optuna-gp": asked(lambda t, s: peers.Optuna(t, s, sampler="gp"), evaluations),
        "ax": asked(peers.Ax, evaluations),
    }


def multi(seeds: int, only: tuple[str, ...]) -> None:
    comparison = Comparison("optimizers_bayesian_fronts", HYPERVOLUME, seeds, only)
    for task, evaluations in zip(tasks.MULTI, (60, 60, 60, 50, 50), strict=True):
        comparison.add(task, _beside_models(evaluations), evaluations=evaluations)


def vehicle(seeds: int, only: tuple[str, ...]) -> None:
    """Three objectives, with the reference point of the hypervolume given to us and without."""
    task, evaluations = tasks.vehicle_safety(), 60
    runners = _beside_models(evaluations)
    targets = task.targets(with_reference=True)
    runners["invdesign-reference"] = asked(ours(ind.BayesianOptimizer(), INITIAL, 1, targets), evaluations)
    Comparison("optimizers_bayesian_fronts", HYPERVOLUME, seeds, only).add(task, runners, evaluations=evaluations)


def populations(seeds: int, only: tuple[str, ...]) -> None:
    comparison = Comparison("optimizers_populations", REGRET, seeds, only)
    for task in (*tasks.SINGLE, *tasks.CONSTRAINED):
        comparison.add(task, _populations(task), evaluations=2000)


def unseen_populations(seeds: int, only: tuple[str, ...]) -> None:
    comparison = Comparison("optimizers_unseen_populations", REGRET, seeds, only)
    for task in tasks.unseen():
        comparison.add(task, _populations(task), evaluations=2000)


def developed_populations(seeds: int, only: tuple[str, ...]) -> None:
    comparison = Comparison("optimizers_developed_populations", REGRET, seeds, only)
    for task in tasks.developed():
        comparison.add(task, _populations(task), evaluations=2000)


def _populations(task: tasks.Task) -> dict[str, Runner]:
    size, evaluations = 40, 2000
    generation = 4 + int(3 * np.log(task.dimension))  # Hansen's default, of both libraries
    return {
        "invdesign-swarm": asked(ours(ind.ParticleSwarmOptimizer(particles=size), size, size), evaluations),
        "pyswarms": lambda t, s: peers.pyswarms_points(t, s, 2000, 40),
        "pymoo-pso": lambda t, s: peers.pymoo_points(t, s, 2000, 40, "pso"),
        "invdesign-genetic": asked(ours(ind.GeneticOptimizer(population=size), size, size), evaluations),
        "deap": lambda t, s: peers.deap_points(t, s, 2000, 40),
        "pymoo-ga": lambda t, s: peers.pymoo_points(t, s, 2000, 40, "ga"),
        "scipy-de": lambda t, s: peers.scipy_points(t, s, 2000, 40),
        "invdesign-cma-es": asked(ours(ind.CmaEsOptimizer(), 10, generation), evaluations),
        "pycma": lambda t, s: peers.cma_points(t, s, 2000, 40),
    }


def fronts(seeds: int, only: tuple[str, ...]) -> None:
    _fronts("optimizers_fronts", tasks.MULTI, seeds, only)


def unseen_fronts(seeds: int, only: tuple[str, ...]) -> None:
    """Fronts on which nothing was chosen; the genetic algorithm was developed on the others of ``tasks.FRONTS``."""
    _fronts("optimizers_fronts", tasks.fronts_of_pymoo("report"), seeds, only)


def developed_fronts(seeds: int, only: tuple[str, ...]) -> None:
    _fronts("optimizers_developed_fronts", tasks.fronts_of_pymoo("development"), seeds, only)


def _fronts(name: str, chosen: Iterable[tasks.Task], seeds: int, only: tuple[str, ...]) -> None:
    comparison, size, evaluations = Comparison(name, HYPERVOLUME, seeds, only), 100, 5000
    for task in chosen:
        algorithm = "nsga3" if task.objective_count > 3 else "nsga2"
        runners: dict[str, Runner] = {
            "invdesign-genetic": asked(ours(ind.GeneticOptimizer(population=size), size, size), evaluations),
            "deap-nsga2": lambda t, s: peers.deap_points(t, s, 5000, 100),
            f"pymoo-{algorithm}": lambda t, s, a=algorithm: peers.pymoo_points(t, s, 5000, 100, a),
            "invdesign-swarm": asked(ours(ind.ParticleSwarmOptimizer(particles=size), size, size), evaluations),
            "pymoo-cmopso": lambda t, s: peers.pymoo_points(t, s, 5000, 100, "cmopso"),
        }
        comparison.add(task, runners, evaluations=evaluations)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = {
        "bayesian": bayesian,
        "unseen": unseen,
        "constrained": constrained,
        "multi": multi,
        "vehicle": vehicle,
        "populations": populations,
        "unseen-populations": unseen_populations,
        "fronts": fronts,
        "unseen-fronts": unseen_fronts,
        "developed-populations": developed_populations,
        "developed-fronts": developed_fronts,
    }
    parser.add_argument("part", choices=parts)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--only", nargs="*", default=(), help="Optimizers that are run; the others keep their results.")
    given = parser.parse_args()
    parts[given.part](given.seeds, tuple(given.only))


if __name__ == "__main__":
    main()
