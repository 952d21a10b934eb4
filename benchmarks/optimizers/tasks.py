"""Test problems with known optima, on the unit cube: every optimizer gets the same function and the same budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

import invdesign as ind

Values = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Task:
    """Minimize objectives subject to ``constraints <= 0``.

    Attributes:
        name: of the problem.
        dimension: of the unit cube.
        objectives: from points ``n x d`` to losses ``n x m``.
        constraints: from points to violations ``n x c``; positive is broken.
        optimum: least loss of a single objective.
        reference: reference point of the hypervolume of several.
    """

    name: str
    dimension: int
    objectives: Values
    constraints: Values | None = None
    optimum: float = 0.0
    reference: tuple[float, ...] = ()
    objective_count: int = 1
    constraint_count: int = 0

    def space(self) -> ind.SearchSpace:
        return ind.SearchSpace({f"x{place}": ind.Continuous(0.0, 1.0) for place in range(self.dimension)})

    def targets(self, *, with_reference: bool = False) -> ind.Targets:
        given = self.reference if with_reference else (None,) * self.objective_count
        goals = [ind.Minimize(f"f{place}", reference=worst) for place, worst in enumerate(given)]
        limits = [ind.AtMost(f"g{place}", 0.0) for place in range(self.constraint_count)]
        return ind.Targets(*goals, *limits)

    def outcome(self, points: np.ndarray) -> float:
        """Final regret of one objective (feasible points only), or the hypervolume of several."""
        losses = self.objectives(points)
        if self.constraints is not None:
            losses = losses[(self.constraints(points) <= 0.0).all(axis=1)]
        if self.objective_count == 1:
            return float(losses.min() - self.optimum) if len(losses) else float("inf")
        from moocore import hypervolume

        return float(hypervolume(losses, ref=self.reference))


def branin(x: np.ndarray) -> np.ndarray:
    a, b = 15.0 * x[:, 0] - 5.0, 15.0 * x[:, 1]
    curve = b - 5.1 / (4 * np.pi**2) * a**2 + 5 / np.pi * a - 6
    return (curve**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(a) + 10)[:, None]


_HARTMANN_A = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)
_HARTMANN_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann6(x: np.ndarray) -> np.ndarray:
    far = (_HARTMANN_A[None] * (x[:, None] - _HARTMANN_P[None]) ** 2).sum(axis=-1)
    return -(np.array([1, 1.2, 3, 3.2]) * np.exp(-far)).sum(axis=1)[:, None]


def ackley(x: np.ndarray) -> np.ndarray:
    z = 65.536 * x - 27.768  # the optimum is not at the center, where some designs start
    return (-20 * np.exp(-0.2 * np.sqrt((z**2).mean(1))) - np.exp(np.cos(2 * np.pi * z).mean(1)) + 20 + np.e)[:, None]


def _between(x: np.ndarray, low: list[float], high: list[float]) -> np.ndarray:
    return np.array(low) + x * (np.array(high) - np.array(low))


def pressure_vessel(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Continuous pressure vessel; best known cost 5885.33 (Coello Coello 2000, doi:10.1016/S0166-3615(99)00046-9)."""
    shell, head, radius, length = _between(x, [0.0625, 0.0625, 10, 10], [6.1875, 6.1875, 200, 200]).T
    cost = (
        0.6224 * shell * radius * length
        + 1.7781 * head * radius**2
        + 3.1661 * shell**2 * length
        + 19.84 * shell**2 * radius
    )
    volume = np.pi * radius**2 * length + 4.0 / 3.0 * np.pi * radius**3
    limits = [0.0193 * radius - shell, 0.00954 * radius - head, (1296000 - volume) / 1296000, (length - 240) / 240]
    return cost[:, None], np.stack(limits, axis=1)


def welded_beam(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Welded beam; best known cost 1.7249 (Coello Coello 2000)."""
    h, length, t, b = _between(x, [0.1, 0.1, 0.1, 0.1], [2, 10, 10, 2]).T
    load, span, elastic, shear_modulus = 6000.0, 14.0, 30e6, 12e6
    cost = 1.10471 * h**2 * length + 0.04811 * t * b * (14.0 + length)
    primary = load / (np.sqrt(2.0) * h * length)
    arm = np.sqrt(length**2 / 4.0 + ((h + t) / 2.0) ** 2)
    polar = 2.0 * (np.sqrt(2.0) * h * length * (length**2 / 12.0 + ((h + t) / 2.0) ** 2))
    secondary = load * (span + length / 2.0) * arm / polar
    tau = np.sqrt(primary**2 + 2 * primary * secondary * length / (2 * arm) + secondary**2)
    sigma = 6.0 * load * span / (b * t**2)
    deflection = 4.0 * load * span**3 / (elastic * b * t**3)
    buckling = 4.013 * elastic * np.sqrt(t**2 * b**6 / 36.0) / span**2
    buckling *= 1.0 - t / (2.0 * span) * np.sqrt(elastic / (4.0 * shear_modulus))
    limits = [
        tau / 13600 - 1,
        sigma / 30000 - 1,
        (h - b) / 2,
        (0.125 - h) / 2,
        deflection / 0.25 - 1,
        1 - buckling / load,
    ]
    return cost[:, None], np.stack(limits, axis=1)


def zdt(number: int) -> Values:
    def values(x: np.ndarray) -> np.ndarray:
        first = x[:, 0]
        g = 1.0 + 9.0 * x[:, 1:].mean(axis=1)
        if number == 1:
            second = g * (1.0 - np.sqrt(first / g))
        elif number == 2:
            second = g * (1.0 - (first / g) ** 2)
        else:
            second = g * (1.0 - np.sqrt(first / g) - first / g * np.sin(10.0 * np.pi * first))
        return np.stack([first, second], axis=1)

    return values


def dtlz2(count: int) -> Values:
    def values(x: np.ndarray) -> np.ndarray:
        g = ((x[:, count - 1 :] - 0.5) ** 2).sum(axis=1)
        angles = 0.5 * np.pi * x[:, : count - 1]
        columns = []
        for place in range(count):
            value = (1.0 + g) * np.cos(angles[:, : count - 1 - place]).prod(axis=1)
            columns.append(value * np.sin(angles[:, count - 1 - place]) if place else value)
        return np.stack(columns, axis=1)

    return values


SINGLE = (
    Task("branin", 2, branin, optimum=0.39788735772973816),
    Task("hartmann6", 6, hartmann6, optimum=-3.322368011391339),
    Task("ackley-10", 10, ackley),
)
CONSTRAINED = (
    Task(
        "pressure-vessel", 4, lambda x: pressure_vessel(x)[0], lambda x: pressure_vessel(x)[1], 5885.33,
        constraint_count=4,
    ),
    Task("welded-beam", 4, lambda x: welded_beam(x)[0], lambda x: welded_beam(x)[1], 1.7249, constraint_count=6),
)  # fmt: skip
MULTI = (
    *(Task(f"zdt{number}", 30, zdt(number), reference=(1.1, 1.1), objective_count=2) for number in (1, 2, 3)),
    Task("dtlz2-2", 6, dtlz2(2), reference=(1.1, 1.1), objective_count=2),
    Task("dtlz2-4", 8, dtlz2(4), reference=(1.1,) * 4, objective_count=4),
)


def of_botorch(name: str, **settings: int) -> Task:
    """One of BoTorch's test functions, which are minimized, on the unit cube."""
    import torch
    from botorch import test_functions

    function = getattr(test_functions, name)(**settings)
    low, high = (bound.double().numpy() for bound in function.bounds)

    def values(x: np.ndarray) -> np.ndarray:
        return np.asarray(function(torch.as_tensor(low + x * (high - low))).numpy(), dtype=np.float64)[:, None]

    return Task(f"{name.lower()}-{function.dim}", function.dim, values, optimum=float(function.optimal_value))


def unseen() -> list[Task]:
    """Functions on which nothing was chosen."""
    return [
        of_botorch("Rosenbrock", dim=6),
        of_botorch("Shekel", m=10),
        of_botorch("Griewank", dim=6),
        of_botorch("StyblinskiTang", dim=5),
        of_botorch("DixonPrice", dim=5),
        of_botorch("SixHumpCamel"),
        of_botorch("Michalewicz", dim=5),
    ]


def _cube(low: float, high: float, of: Callable[[np.ndarray], np.ndarray]) -> Values:
    """A function of a cube as one of the unit cube, with losses ``n x 1``."""
    return lambda x: of(low + x * (high - low))[:, None]


def _rastrigin(z: np.ndarray) -> np.ndarray:
    return np.asarray((z**2 - 10.0 * np.cos(2 * np.pi * z) + 10.0).sum(axis=1))


def _schwefel(z: np.ndarray) -> np.ndarray:
    return np.asarray(418.9828872724339 * z.shape[1] - (z * np.sin(np.sqrt(np.abs(z)))).sum(axis=1))


def _zakharov(z: np.ndarray) -> np.ndarray:
    weighted = (0.5 * np.arange(1, z.shape[1] + 1) * z).sum(axis=1)
    return np.asarray((z**2).sum(axis=1) + weighted**2 + weighted**4)


def _trid(z: np.ndarray) -> np.ndarray:
    return np.asarray(((z - 1.0) ** 2).sum(axis=1) - (z[:, 1:] * z[:, :-1]).sum(axis=1))


def _salomon(z: np.ndarray) -> np.ndarray:
    far = np.linalg.norm(z, axis=1)
    return np.asarray(1.0 - np.cos(2 * np.pi * far) + 0.1 * far)


def _alpine(z: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(z * np.sin(z) + 0.1 * z).sum(axis=1))


def _turned_ellipsoid(z: np.ndarray) -> np.ndarray:
    dimension = z.shape[1]
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(dimension, dimension)))[0]
    return np.asarray((10.0 ** np.linspace(0.0, 6.0, dimension) * (z @ turn) ** 2).sum(axis=1))


def _peaks(z: np.ndarray) -> np.ndarray:
    """Twenty-one Gaussian peaks at random places, the highest 10, the others 1.1 to 9.1 (Gallagher's, of BBOB)."""
    rng = np.random.default_rng(2)
    heights = np.array([10.0, *np.linspace(1.1, 9.1, 20)])
    centers = rng.uniform(-4.0, 4.0, (len(heights), z.shape[1]))
    widths = 10.0 ** rng.uniform(-1.0, 1.0, (len(heights), z.shape[1]))
    far = (widths[None] * (z[:, None] - centers[None]) ** 2).sum(axis=-1) / (2.0 * z.shape[1])
    return np.asarray(10.0 - (heights * np.exp(-far)).max(axis=1))


def developed() -> list[Task]:
    """Functions on which changes of the populations are tried (Jamil and Yang 2013, arXiv:1308.4008; BBOB)."""
    return [
        of_botorch("Levy", dim=6),
        of_botorch("Powell", dim=8),
        of_botorch("EggHolder"),
        # The lowest points of these three lie off the center, where some designs begin.
        Task("rastrigin-5", 5, _cube(-4.12, 6.12, _rastrigin)),
        Task("salomon-5", 5, _cube(-7.0, 13.0, _salomon)),
        Task("alpine-5", 5, _cube(-7.0, 13.0, _alpine)),
        Task("schwefel-5", 5, _cube(-500.0, 500.0, _schwefel)),
        Task("zakharov-6", 6, _cube(-5.0, 10.0, _zakharov)),
        Task("trid-6", 6, _cube(-36.0, 36.0, _trid), optimum=-50.0),
        Task("ellipsoid-8", 8, _cube(-3.0, 5.0, _turned_ellipsoid)),
        Task("peaks-5", 5, _cube(-5.0, 5.0, _peaks)),
    ]


FRONTS: Mapping[str, Mapping[str, tuple[str, tuple[float, ...], dict[str, int]]]] = {
    "development": {
        "bnh": ("bnh", (150.0, 55.0), {}),
        "srn": ("srn", (240.0, 20.0), {}),
        "tnk": ("tnk", (1.2, 1.2), {}),
        "welded-beam-2": ("welded_beam", (40.0, 0.015), {}),
        "dtlz1-3": ("dtlz1", (60.0, 60.0, 60.0), {"n_var": 7, "n_obj": 3}),
        "dtlz4-3": ("dtlz4", (1.1, 1.1, 1.1), {"n_var": 12, "n_obj": 3}),
        "dtlz5-3": ("dtlz5", (1.1, 1.1, 1.1), {"n_var": 12, "n_obj": 3}),
        "dtlz6-3": ("dtlz6", (2.0, 2.0, 8.0), {"n_var": 12, "n_obj": 3}),
        "wfg1-3": ("wfg1", (3.2, 5.4, 7.6), {"n_var": 12, "n_obj": 3}),
        **{f"wfg{number}-3": (f"wfg{number}", (2.2, 4.4, 6.6), {"n_var": 12, "n_obj": 3}) for number in (2, 5, 9)},
        **{
            f"wfg{number}": (f"wfg{number}", (2.2, 4.4), {"n_var": 10, "n_obj": 2})
            for number in (1, 2, 3, 5, 6, 7, 8, 9)
        },
        "zdt4": ("zdt4", (1.1, 20.0), {}),
        "zdt6": ("zdt6", (1.1, 8.0), {}),
        "kursawe": ("kursawe", (-14.0, 1.0), {}),
    },
    "report": {
        "osy": ("osy", (-41.0, 84.0), {}),
        "wfg4": ("wfg4", (2.2, 4.4), {"n_var": 10, "n_obj": 2}),
        "dtlz7-3": ("dtlz7", (1.1, 1.1, 7.0), {"n_var": 22, "n_obj": 3}),
    },
}
"""Fronts of pymoo's problems by half: their name there, the reference point of the hypervolume, and their sizes."""


def fronts_of_pymoo(half: Literal["development", "report"]) -> list[Task]:
    """Fronts of one half; the report has BoTorch's vehicle safety (Tanabe and Ishibuchi 2020) as well."""
    from pymoo.problems import get_problem

    found = []
    for name, (known_as, reference, sizes) in FRONTS[half].items():
        problem = get_problem(known_as, **sizes)
        low, high = problem.bounds()

        def values(x: np.ndarray, word: str, of: Any = problem, low: Any = low, high: Any = high) -> np.ndarray:
            return np.asarray(of.evaluate(low + x * (high - low), return_values_of=[word]), dtype=np.float64)

        limits = problem.n_ieq_constr
        found.append(
            Task(
                name, problem.n_var, partial(values, word="F"), partial(values, word="G") if limits else None,
                reference=reference, objective_count=problem.n_obj, constraint_count=limits,
            )
        )  # fmt: skip
    return found if half == "development" else [*found, vehicle_safety()]


def vehicle_safety() -> Task:
    """Mass, acceleration and intrusion of a vehicle in a crash; the reference point is BoTorch's."""
    import torch
    from botorch.test_functions.multi_objective import VehicleSafety

    function = VehicleSafety()
    low, high = (bound.double().numpy() for bound in function.bounds)

    def values(x: np.ndarray) -> np.ndarray:
        return np.asarray(function(torch.as_tensor(low + x * (high - low))).numpy(), dtype=np.float64)

    reference = (1864.72022, 11.81993945, 0.2903999384)
    return Task("vehicle-safety", 5, values, reference=reference, objective_count=3)
