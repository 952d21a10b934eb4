"""The peers behind one way of asking and telling: each as its own documentation shows it, with its defaults."""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

import invdesign as ind
from invdesign.optimizers.base import History
from invdesign.optimizers.initial_design import initial_design

if TYPE_CHECKING:
    from tasks import Task


class Peer(Protocol):
    """Asks for points of the unit cube and takes their losses and constraints."""

    def ask(self) -> np.ndarray: ...

    def tell(self, points: np.ndarray, losses: np.ndarray, limits: np.ndarray | None) -> None: ...


class Ours:
    """Any optimizer of invdesign, on the history alone, begun by its own initial design as a campaign is."""

    def __init__(
        self, task: Task, seed: int, *, optimizer: ind.Optimizer, initial: int, batch: int, targets: ind.Targets | None
    ) -> None:
        self.space, self.targets = task.space(), targets or task.targets()
        self.optimizer, self.initial, self.batch = optimizer, initial, batch
        self.seed = np.random.SeedSequence(seed)
        names = list(self.targets.properties)
        empty = self.space.sample(0, np.random.default_rng(0))
        self.history = History(empty, pd.DataFrame(columns=names, dtype=float), empty, given=np.empty(0, dtype=bool))

    def ask(self) -> np.ndarray:
        first = len(self.history.candidates) < self.initial
        proposer = initial_design(self.optimizer) if first else self.optimizer
        asked = proposer.propose(
            self.initial if first else self.batch,
            space=self.space,
            targets=self.targets,
            history=self.history,
            seed=self.seed,
        )
        return self.space.encode(asked)

    def tell(self, points: np.ndarray, losses: np.ndarray, limits: np.ndarray | None) -> None:
        values = losses if limits is None else np.concatenate([losses, limits], axis=1)
        measured = pd.DataFrame(values, columns=list(self.targets.properties))
        before = self.history
        given = np.full(len(points), len(before.candidates) < self.initial)
        self.history = History(
            pd.concat([before.candidates, self.space.decode(points)], ignore_index=True),
            pd.concat([before.properties, measured], ignore_index=True) if len(before.properties) else measured,
            before.pending,
            given=given if before.given is None else np.concatenate([before.given, given]),
        )


class BoTorch:
    """Plain BoTorch: a SingleTaskGP, LogEI, optimize_acqf, as in its first tutorial; Sobol at first."""

    def __init__(self, task: Task, seed: int, *, initial: int) -> None:
        import torch

        torch.manual_seed(seed)
        self.dimension, self.initial, self.seed = task.dimension, initial, seed
        self.x, self.y = np.empty((0, task.dimension)), np.empty((0, 1))

    def ask(self) -> np.ndarray:
        import torch
        from botorch.acquisition import LogExpectedImprovement
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import SingleTaskGP
        from botorch.models.transforms import Standardize
        from botorch.optim import optimize_acqf
        from botorch.utils.sampling import draw_sobol_samples
        from gpytorch.mlls import ExactMarginalLogLikelihood

        bounds = torch.stack([torch.zeros(self.dimension), torch.ones(self.dimension)]).double()
        if len(self.x) < self.initial:
            return draw_sobol_samples(bounds, n=self.initial, q=1, seed=self.seed).squeeze(1).numpy()
        y = torch.as_tensor(-self.y)
        model = SingleTaskGP(torch.as_tensor(self.x), y, outcome_transform=Standardize(m=1))
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        acquisition = LogExpectedImprovement(model, best_f=y.max())
        point, _ = optimize_acqf(acquisition, bounds, q=1, num_restarts=10, raw_samples=512)
        return point.numpy()

    def tell(self, points: np.ndarray, losses: np.ndarray, limits: np.ndarray | None) -> None:
        self.x, self.y = np.concatenate([self.x, points]), np.concatenate([self.y, losses])


class Optuna:
    """Optuna's ask and tell, with a sampler by name (gp, tpe, nsga2)."""

    def __init__(self, task: Task, seed: int, *, sampler: str) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore")
        self.task = task
        self.pending: list[optuna.trial.Trial] = []
        limits = task.constraint_count > 0
        constraints = {"constraints_func": lambda trial: trial.user_attrs.get("limits", [])} if limits else {}
        samplers = {
            "gp": lambda: optuna.samplers.GPSampler(seed=seed, **constraints),
            "tpe": lambda: optuna.samplers.TPESampler(seed=seed, **constraints),
            "nsga2": lambda: optuna.samplers.NSGAIISampler(seed=seed, population_size=50, **constraints),
        }
        self.study = optuna.create_study(directions=["minimize"] * task.objective_count, sampler=samplers[sampler]())

    def ask(self) -> np.ndarray:
        trial = self.study.ask()
        self.pending = [trial]
        return np.array([[trial.suggest_float(f"x{place}", 0.0, 1.0) for place in range(self.task.dimension)]])

    def tell(self, points: np.ndarray, losses: np.ndarray, limits: np.ndarray | None) -> None:
        (trial,) = self.pending
        if limits is not None:
            trial.set_user_attr("limits", limits[0].tolist())
        self.study.tell(trial, losses[0].tolist())


class Ax:
    """Ax's Client, with its default generation strategy."""

    def __init__(self, task: Task, seed: int) -> None:
        import logging

        from ax.api.client import Client
        from ax.api.configs import RangeParameterConfig

        logging.disable(logging.WARNING)
        warnings.simplefilter("ignore")
        self.client = Client(random_seed=seed)
        self.names = [f"x{place}" for place in range(task.dimension)]
        self.client.configure_experiment(
            [RangeParameterConfig(name=name, parameter_type="float", bounds=(0.0, 1.0)) for name in self.names]
        )
        objective = ", ".join(f"-f{place}" for place in range(task.objective_count))
        limits = [f"g{place} <= 0" for place in range(task.constraint_count)]
        self.client.configure_optimization(objective=objective, outcome_constraints=limits)
        self.trial = 0

    def ask(self) -> np.ndarray:
        ((self.trial, parameters),) = self.client.get_next_trials(max_trials=1).items()
        return np.array([[parameters[name] for name in self.names]])

    def tell(self, points: np.ndarray, losses: np.ndarray, limits: np.ndarray | None) -> None:
        raw = {f"f{place}": float(value) for place, value in enumerate(losses[0])}
        if limits is not None:
            raw |= {f"g{place}": float(value) for place, value in enumerate(limits[0])}
        self.client.complete_trial(trial_index=self.trial, raw_data=raw)


def pyswarms_points(task: Task, seed: int, evaluations: int, particles: int) -> np.ndarray:
    """All points that a plain pyswarms GlobalBestPSO evaluates; constraints by the usual penalty."""
    import pyswarms

    np.random.seed(seed)  # noqa: NPY002 - pyswarms draws from the global state
    seen: list[np.ndarray] = []

    def penalized(points: np.ndarray) -> np.ndarray:
        seen.append(points.copy())
        return _penalized(task, points)

    options = {"c1": 1.49618, "c2": 1.49618, "w": 0.7298}  # Clerc and Kennedy 2002; the documentation's do worse
    box = (np.zeros(task.dimension), np.ones(task.dimension))
    swarm = pyswarms.single.GlobalBestPSO(particles, task.dimension, options, bounds=box)
    swarm.optimize(penalized, iters=evaluations // particles, verbose=False)
    return np.concatenate(seen)


def pymoo_points(task: Task, seed: int, evaluations: int, population: int, algorithm: str) -> np.ndarray:
    """All points that pymoo's GA, PSO, NSGA2, NSGA3 or CMOPSO evaluates, with its defaults."""
    from pymoo.algorithms.moo.cmopso import CMOPSO
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.algorithms.moo.nsga3 import NSGA3
    from pymoo.algorithms.soo.nonconvex.ga import GA
    from pymoo.algorithms.soo.nonconvex.pso import PSO
    from pymoo.core.problem import Problem
    from pymoo.optimize import minimize
    from pymoo.util.ref_dirs import get_reference_directions

    seen: list[np.ndarray] = []

    class Wrapped(Problem):
        def __init__(self) -> None:
            super().__init__(
                n_var=task.dimension, n_obj=task.objective_count, n_ieq_constr=task.constraint_count, xl=0.0, xu=1.0
            )

        def _evaluate(self, x: np.ndarray, out: dict, *_: object, **__: object) -> None:
            seen.append(x.copy())
            out["F"] = task.objectives(x)
            if task.constraints is not None:
                out["G"] = task.constraints(x)

    built = {
        "ga": lambda: GA(pop_size=population),
        "pso": lambda: PSO(pop_size=population),
        "cmopso": lambda: CMOPSO(pop_size=population),
        "nsga2": lambda: NSGA2(pop_size=population),
        "nsga3": lambda: NSGA3(
            pop_size=population, ref_dirs=get_reference_directions("energy", task.objective_count, population, seed=1)
        ),
    }[algorithm]()
    minimize(Wrapped(), built, ("n_eval", evaluations), seed=seed, verbose=False)
    return np.concatenate(seen)[:evaluations]


def cma_points(task: Task, seed: int, evaluations: int, population: int) -> np.ndarray:
    """All points that pycma evaluates with its defaults and restarts; constraints by its augmented Lagrangian."""
    import cma

    seen: list[np.ndarray] = []

    def loss(point: np.ndarray) -> float:
        seen.append(np.asarray(point).copy())
        return float(task.objectives(seen[-1][None])[0, 0])

    options = {"bounds": [0.0, 1.0], "seed": seed, "verbose": -9, "maxfevals": evaluations}
    rng = np.random.default_rng(seed)
    if task.constraints is None:
        cma.fmin2(loss, lambda: rng.random(task.dimension), 0.3, options, restarts=9, bipop=False)
    else:
        broken = task.constraints
        cma.fmin_con2(
            loss,
            rng.random(task.dimension),
            0.3,
            constraints=lambda point: broken(np.asarray(point)[None])[0],
            options=options,
        )
    return np.array(seen[:evaluations])


def scipy_points(task: Task, seed: int, evaluations: int, population: int) -> np.ndarray:
    """All points that SciPy's differential evolution evaluates with its defaults, without its final descent."""
    from scipy.optimize import NonlinearConstraint, differential_evolution

    seen: list[np.ndarray] = []

    def loss(point: np.ndarray) -> float:
        if len(seen) >= evaluations:
            raise StopIteration
        seen.append(point.copy())
        return float(task.objectives(point[None])[0, 0])

    limits = []
    if task.constraints is not None:
        broken = task.constraints
        limits = [NonlinearConstraint(lambda point: broken(point[None])[0], -np.inf, 0.0)]
    with suppress(StopIteration, RuntimeError):
        differential_evolution(
            loss, [(0.0, 1.0)] * task.dimension, rng=seed, maxiter=10**6, tol=0.0, polish=False, constraints=limits
        )
    return np.array(seen)


def deap_points(task: Task, seed: int, evaluations: int, population: int) -> np.ndarray:
    """All points of plain DEAP: simulated binary crossover, polynomial mutation; NSGA-II where objectives compete."""
    import random

    from deap import base, tools

    random.seed(seed)
    weights = (-1.0,) * task.objective_count
    fitness = type("Fitness", (base.Fitness,), {"weights": weights})
    individual = type(
        "Individual",
        (list,),
        {"__init__": lambda self, values: (list.__init__(self, values), setattr(self, "fitness", fitness()))[0]},
    )
    low, high = [0.0] * task.dimension, [1.0] * task.dimension
    seen: list[np.ndarray] = []

    def evaluate(people: list) -> None:
        points = np.array([list(person) for person in people])
        seen.append(points)
        losses = task.objectives(points) if task.objective_count > 1 else _penalized(task, points)[:, None]
        for person, loss in zip(people, losses, strict=True):
            person.fitness.values = tuple(loss)

    people = [individual([random.random() for _ in range(task.dimension)]) for _ in range(population)]
    evaluate(people)
    many = task.objective_count > 1
    if many:
        people = tools.selNSGA2(people, len(people))
    while sum(map(len, seen)) < evaluations:
        parents = tools.selTournamentDCD(people, len(people)) if many else tools.selTournament(people, len(people), 3)
        children = [individual(list(parent)) for parent in parents]
        for first, second in zip(children[::2], children[1::2], strict=False):
            if random.random() <= 0.9:
                tools.cxSimulatedBinaryBounded(first, second, eta=20.0, low=low, up=high)
        for child in children:
            tools.mutPolynomialBounded(child, eta=20.0, low=low, up=high, indpb=1.0 / task.dimension)
        evaluate(children)
        people = tools.selNSGA2(people + children, population) if many else children
    return np.concatenate(seen)[:evaluations]


def _penalized(task: Task, points: np.ndarray) -> np.ndarray:
    losses = task.objectives(points)[:, 0]
    if task.constraints is None:
        return losses
    return losses + 1e6 * np.maximum(task.constraints(points), 0.0).sum(axis=1)
