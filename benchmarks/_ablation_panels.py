"""The problems of ``ablation.py``: each gives a loss for an optimizer or a surrogate and a seed.

A panel is a family of problems with one unit of loss, so that differences can be averaged over problems and seeds:

- functions: logarithm (base 10) of the final regret in standard deviations of the function, at least 1e-4 of one;
- fronts: one minus the hypervolume as a share of the best known one;
- windows, pools: minus the share of the evaluations after the initial design that meet all targets;
- failures: minus what was gained (0: median of the space, 1: best value that can be measured);
- tables: negative log density of a held-out value, in spreads of the property; RMSE and coverage beside.

``development`` are the problems on which defaults were chosen before, with seeds below 1000; ``report`` are those of
the same kinds that the other benchmarks keep for the report, with seeds from 1000.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent / "optimizers"))

import failures
import functions
import mixed
import molecule_pools
import pmo
import pools
import small_tables
import tasks

import invdesign as ind
from invdesign.surrogates.validation import held_out_predictions, scores

Half = Literal["development", "report"]
Losses = tuple[float, ...]
"""The deciding loss, and what is reported beside it."""
Run = Callable[[Any, int], Losses]
FIRST_SEED: Mapping[Half, int] = {"development": 300, "report": 1000}
LEAST_REGRET = 1e-4


@dataclass(frozen=True)
class Panel:
    """Problems on which a changed optimizer or surrogate is compared with the default one.

    Attributes:
        build: the default.
        problems: by half and name, made when they are needed.
        unit: of the loss.
        seeds: of each problem.
        beside: names of the further losses.
    """

    build: Callable[[], Any]
    problems: Mapping[Half, Callable[[], Mapping[str, Run]]]
    unit: str
    seeds: int
    beside: tuple[str, ...] = field(default=())


# Functions


@cache
def _spread(task: tasks.Task) -> float:
    return float(task.objectives(np.random.default_rng(0).random((2000, task.dimension))).std())


def _points(task: tasks.Task, optimizer: Any, seed: int, sizes: tuple[int, int, int]) -> np.ndarray:
    initial, batch, evaluations = sizes
    return functions.asked(functions.ours(optimizer, initial, batch), evaluations)(task, seed)


def regret(task: tasks.Task, sizes: tuple[int, int, int]) -> Run:
    """Final regret of one objective; ten spreads where nothing met the constraints."""

    def run(optimizer: Any, seed: int) -> Losses:
        found = task.outcome(_points(task, optimizer, seed, sizes)) / _spread(task)
        return (float(np.log10(min(max(found, 0.0), 10.0) + LEAST_REGRET)),)

    return run


def front(task: tasks.Task, sizes: tuple[int, int, int]) -> Run:
    """Hypervolume of several objectives."""
    most = _best_hypervolume(task)
    return lambda optimizer, seed: (1.0 - task.outcome(_points(task, optimizer, seed, sizes)) / most,)


@cache
def _best_hypervolume(task: tasks.Task) -> float:
    """That of many points whose position parameters are spread and whose distance parameters are optimal."""
    count = task.objective_count
    points = np.random.default_rng(0).random((20_000, task.dimension))
    points[:, max(1, count - 1) :] = 0.5 if task.name.startswith("dtlz2") else 0.0
    return task.outcome(points)


@cache
def single(half: Half) -> tuple[tasks.Task, ...]:
    """Cheap functions of one objective."""
    if half == "report":
        return tuple(tasks.unseen())
    more = (tasks.of_botorch("Rosenbrock", dim=4), tasks.of_botorch("Levy", dim=5), tasks.of_botorch("Powell", dim=4))
    return (*tasks.SINGLE, *more)


@cache
def multi(half: Half) -> tuple[tasks.Task, ...]:
    """Fronts; those of the report are of other dimensions and shapes."""
    if half == "report":
        return (
            tasks.Task("zdt2", 6, tasks.zdt(2), reference=(1.1, 1.1), objective_count=2),
            tasks.Task("dtlz2-3", 7, tasks.dtlz2(3), reference=(1.1,) * 3, objective_count=3),
        )
    return (
        tasks.Task("zdt1", 6, tasks.zdt(1), reference=(1.1, 1.1), objective_count=2),
        tasks.Task("zdt3", 8, tasks.zdt(3), reference=(1.1, 1.1), objective_count=2),
        tasks.Task("dtlz2-2", 6, tasks.dtlz2(2), reference=(1.1, 1.1), objective_count=2),
        tasks.MULTI[4],
    )


def of_functions(sizes: tuple[int, int, int]) -> Mapping[Half, Callable[[], Mapping[str, Run]]]:
    """Functions with one objective; in development two of them have constraints."""
    return {
        "development": lambda: {one.name: regret(one, sizes) for one in (*single("development"), *tasks.CONSTRAINED)},
        "report": lambda: {one.name: regret(one, sizes) for one in single("report")},
    }


def of_fronts(sizes: tuple[int, int, int], *, most: int = 4) -> Mapping[Half, Callable[[], Mapping[str, Run]]]:
    """Fronts of at most so many objectives."""
    return {
        "development": lambda: {
            one.name: front(one, sizes) for one in multi("development") if one.objective_count <= most
        },
        "report": lambda: {one.name: front(one, sizes) for one in multi("report")},
    }


# Windows and pools


@dataclass(frozen=True)
class Window(tasks.Task):
    """A function whose values are wanted between two of its quantiles.

    Attributes:
        share: lower and upper one; 0 for an open end.
    """

    share: tuple[float, float] = (0.0, 0.01)

    @cached_property
    def _bounds(self) -> np.ndarray:
        values = self.objectives(np.random.default_rng(0).random((20_000, self.dimension)))
        return np.quantile(values, self.share)

    def targets(self, *, with_reference: bool = False) -> ind.Targets:
        low, high = (float(bound) for bound in self._bounds)
        return ind.Targets(ind.Between("f0", low, high) if self.share[0] else ind.AtMost("f0", high))

    def hit(self, points: np.ndarray) -> np.ndarray:
        return self.targets().all_met(pd.DataFrame({"f0": self.objectives(points)[:, 0]}))


def hits(task: Window, sizes: tuple[int, int, int]) -> Run:
    """Share of the evaluations after the initial design that are hits."""
    return lambda optimizer, seed: (-float(task.hit(_points(task, optimizer, seed, sizes)[sizes[0] :]).mean()),)


def tails(sizes: tuple[int, int, int]) -> Mapping[Half, Callable[[], Mapping[str, Run]]]:
    """One bound on functions whose values span orders of magnitude."""
    names: Mapping[Half, tuple[str, ...]] = {
        "development": ("rosenbrock-4", "powell-4", "levy-5"),
        "report": ("rosenbrock-6", "dixonprice-5"),
    }

    def made(half: Half) -> Mapping[str, Run]:
        chosen = [task for task in single(half) if task.name in names[half]]
        return {one.name: hits(Window(one.name, one.dimension, one.objectives), sizes) for one in chosen}

    return {"development": lambda: made("development"), "report": lambda: made("report")}


def windows(sizes: tuple[int, int, int]) -> Mapping[Half, Callable[[], Mapping[str, Run]]]:
    """Bounded targets on functions: half of them wide, half of them near the least value."""

    def made(half: Half) -> Mapping[str, Run]:
        found = {}
        for place, task in enumerate(single(half)):
            share = ((0.0, 0.01), (0.03, 0.06))[place % 2]
            wanted = Window(task.name, task.dimension, task.objectives, share=share)
            found[task.name] = hits(wanted, sizes)
        return found

    return {"development": lambda: made("development"), "report": lambda: made("report")}


@cache
def _pool(name: str) -> pools.Pool:
    from rdkit.Chem import QED, Descriptors

    molecule_pools.SIZE = 500
    made: dict[str, Callable[[], pools.Pool]] = {
        "hbe": pools.hbe,
        "mxene": pools.mxene,
        "reduction potential, subset 7": lambda: molecule_pools.chembl(7),
        "drug-likeness": lambda: molecule_pools.zinc(QED.qed, 20),
        "reduction potential, subset 99": lambda: molecule_pools.chembl(99),
        "polar surface": lambda: molecule_pools.zinc(Descriptors.TPSA, 21),
    }
    return made[name]()


def pool_hits(name: str, budget: int) -> Run:
    """Share of the evaluations after the initial design that are hits."""

    def run(optimizer: Any, seed: int) -> Losses:
        pool = replace(_pool(name), most=budget)
        rows, _ = pools.ours(replace(pool, wanted=len(pool.frame)), optimizer, seed)
        return (-float(pool.hits[rows[pool.initial :]].mean()),)

    return run


def of_pools(
    budget: int, development: tuple[str, ...], report: tuple[str, ...]
) -> Mapping[Half, Callable[[], Mapping[str, Run]]]:
    return {
        "development": lambda: {name: pool_hits(name, budget) for name in development},
        "report": lambda: {name: pool_hits(name, budget) for name in report},
    }


def of_mixed(evaluations: int) -> Mapping[Half, Callable[[], Mapping[str, Run]]]:
    """Two categories and four numbers."""

    def run_of(function: mixed.Mixed) -> Run:
        def run(optimizer: Any, seed: int) -> Losses:
            where, targets, frame = mixed.space(), ind.Targets(ind.Minimize("y")), mixed.start(seed)
            spread = float(function(where.sample(2000, np.random.default_rng(0))).std())
            while len(frame) < evaluations:
                history = ind.History(frame, pd.DataFrame({"y": function(frame)}), frame.iloc[:0])
                asked = optimizer.propose(
                    4, space=where, targets=targets, history=history, seed=np.random.SeedSequence(seed)
                )
                frame = pd.concat([frame, asked], ignore_index=True)
            found = float(function(frame).min() - function.least) / spread
            return (float(np.log10(max(found, 0.0) + LEAST_REGRET)),)

        return run

    def ackley(x: np.ndarray) -> np.ndarray:
        return tasks.ackley((2.0 * x - 1.0 + 27.768) / 65.536)

    return {
        "development": lambda: {
            "ackley": run_of(mixed.Mixed(ackley)),
            "hartmann6": run_of(mixed.Mixed(tasks.hartmann6)),
        },
        "report": lambda: {"griewank": run_of(mixed.Mixed(single("report")[2].objectives))},
    }


# Failures and molecules


def of_failures(evaluations: int) -> Mapping[Half, Callable[[], Mapping[str, Run]]]:
    """A box around the optimum fails, or one evaluation in ten."""

    def run_of(name: str, mode: str) -> Run:
        problem = failures.Problem(name)

        def run(optimizer: Any, seed: int) -> Losses:
            failures.OPTIMIZERS["changed"] = lambda: optimizer
            failures.EVALUATIONS = evaluations
            found = failures.run(problem, "changed", mode=mode, bounded=False, seed=seed)
            return -found["gained"], found["failed of the last"]

        return run

    def made(names: tuple[str, ...]) -> Mapping[str, Run]:
        return {f"{name}, {mode}": run_of(name, mode) for name in names for mode in ("region", "random")}

    return {"development": lambda: made(failures.DEVELOPMENT), "report": lambda: made(failures.REPORT)}


def of_graphs(calls: int) -> Mapping[Half, Callable[[], Mapping[str, Run]]]:
    """Molecules that are built, towards oracles of PMO; minus the area under the ten best."""

    def run_of(task: str) -> Run:
        def run(optimizer: Any, seed: int) -> Losses:
            oracle = pmo.Counted(pmo.tasks()[task], calls)
            seeds = pmo.seed_molecules(50, seed, 50)
            pmo.ours(optimizer, oracle, seeds, initial=50, batch=5, seed=seed)
            return (-oracle.area(),)

        return run

    return {
        "development": lambda: {name: run_of(name) for name in ("median1", "isomers_c7h8n2o2")},
        "report": lambda: {name: run_of(name) for name in ("albuterol_similarity",)},
    }


# Tables


def table_scores(name: str, half: Half) -> Run:
    """Held-out scores by five folds."""

    def run(surrogate: Any, seed: int) -> Losses:
        table = _table(name, half)
        held = held_out_predictions(
            surrogate, table.frame, table.y, columns=table.columns, folds=5, rng=np.random.default_rng(seed)
        )
        found = scores(held).iloc[0]
        spread = float(table.y.iloc[:, 0].std(ddof=0))
        return float(found["nll"] - np.log(spread)), float(found["rmse"] / spread), float(found["coverage"])

    return run


@cache
def _table(name: str, half: Half) -> Any:
    return small_tables.PARTS[half][name]()


def of_tables(*, without: tuple[str, ...] = ()) -> Mapping[Half, Callable[[], Mapping[str, Run]]]:
    def made(half: Half) -> Mapping[str, Run]:
        return {name: table_scores(name, half) for name in small_tables.PARTS[half] if name not in without}

    return {"development": lambda: made("development"), "report": lambda: made("report")}


REGRET, SHARE, VOLUME, DENSITY = "decades of regret", "share of hits", "share of hypervolume", "nll of a value"
LARGE = ("doped-nmc, IC", "lithium-ce", "electrode-voltages, Rb", "polymer-electrolytes, 160 rows")
"""Tables on which slow families take too long."""

PANELS: Mapping[str, Panel] = {
    "bayesian, functions": Panel(ind.BayesianOptimizer, of_functions((6, 1, 36)), REGRET, 2),
    "bayesian, fronts": Panel(ind.BayesianOptimizer, of_fronts((6, 1, 36), most=2), VOLUME, 2),
    "bayesian, windows": Panel(ind.BayesianOptimizer, windows((6, 1, 36)), SHARE, 2),
    "bayesian, tails": Panel(ind.BayesianOptimizer, tails((6, 1, 36)), SHARE, 4),
    "bayesian, pools": Panel(
        ind.BayesianOptimizer, of_pools(50, ("hbe", "mxene"), ("reduction potential, subset 99",)), SHARE, 4
    ),
    "bayesian, molecules": Panel(
        ind.BayesianOptimizer,
        of_pools(
            35,
            ("reduction potential, subset 7", "drug-likeness"),
            ("reduction potential, subset 99", "polar surface"),
        ),
        SHARE,
        2,
    ),
    "bayesian, orbitals": Panel(
        lambda: ind.BayesianOptimizer(
            surrogate=ind.GaussianProcess(features=ind.Features(formulas="compact", orbitals=True))
        ),
        of_pools(50, ("hbe",), ("hbe",)),
        SHARE,
        4,
    ),
    "bayesian, mixed": Panel(ind.BayesianOptimizer, of_mixed(42), REGRET, 3),
    "bayesian, failures": Panel(ind.BayesianOptimizer, of_failures(36), "share gained", 2, ("failed of the last",)),
    "bayesian, graphs": Panel(ind.BayesianOptimizer, of_graphs(120), "area", 2),
    "swarm, functions": Panel(ind.ParticleSwarmOptimizer, of_functions((30, 30, 750)), REGRET, 4),
    "swarm, fronts": Panel(lambda: ind.ParticleSwarmOptimizer(particles=60), of_fronts((60, 60, 1800)), VOLUME, 4),
    "swarm, small budgets": Panel(
        lambda: ind.ParticleSwarmOptimizer().for_budget(24), of_functions((5, 5, 25)), REGRET, 12
    ),
    "swarm, failures": Panel(ind.ParticleSwarmOptimizer, of_failures(60), "share gained", 4, ("failed of the last",)),
    "genetic, functions": Panel(ind.GeneticOptimizer, of_functions((30, 30, 750)), REGRET, 4),
    "genetic, fronts": Panel(lambda: ind.GeneticOptimizer(population=60), of_fronts((60, 60, 1800)), VOLUME, 4),
    "genetic, pools": Panel(ind.GeneticOptimizer, of_pools(70, ("mxene",), ("hbe",)), SHARE, 6),
    "cma-es, functions": Panel(ind.CmaEsOptimizer, of_functions((10, 10, 600)), REGRET, 3),
    "cma-es, mixed": Panel(ind.CmaEsOptimizer, of_mixed(98), REGRET, 5),
    "assisted": Panel(
        lambda: ind.GeneticOptimizer(surrogate_assisted=True),
        {
            "development": lambda: {one.name: regret(one, (10, 5, 30)) for one in single("development")},
            "report": lambda: {one.name: regret(one, (10, 5, 30)) for one in single("report")},
        },
        REGRET,
        2,
    ),
    "assisted, windows": Panel(lambda: ind.GeneticOptimizer(surrogate_assisted=True), windows((10, 5, 30)), SHARE, 2),
    "portfolio": Panel(ind.PortfolioOptimizer, of_functions((6, 1, 66)), REGRET, 1),
    "gaussian process": Panel(ind.GaussianProcess, of_tables(without=LARGE), DENSITY, 2, ("rmse", "coverage")),
    "gaussian process, pooled": Panel(
        lambda: ind.GaussianProcess(ard=True, features=ind.Features()),
        of_tables(without=LARGE),
        DENSITY,
        1,
        ("rmse", "coverage"),
    ),
    "forest": Panel(
        lambda: ind.RandomForest(n_estimators=100), of_tables(without=LARGE), DENSITY, 1, ("rmse", "coverage")
    ),
    "nearest neighbors": Panel(ind.KNearestNeighbors, of_tables(), DENSITY, 2, ("rmse", "coverage")),
    "network": Panel(ind.NeuralNetwork, of_tables(without=LARGE), DENSITY, 1, ("rmse", "coverage")),
}
