"""One ablation: every constant and default that decides quality is switched off, halved and doubled.

    INVDESIGN_DATA=... OMP_NUM_THREADS=1 python benchmarks/ablation.py
    INVDESIGN_DATA=... OMP_NUM_THREADS=1 python benchmarks/ablation.py --half report --only ELITE --seeds 12

Each change is made alone, on the panels of ``_ablation_panels.py`` that it may matter to, with the same seeds as the
default. The result is the mean difference of the loss, positive where the change is worse, and its standard error over
problems and seeds. ``verdict``:

- ``earns its place``: without it (or with every other value) the loss is larger by more than two standard errors;
- ``inert``: no change altered any candidate or score;
- ``improved``: a change is better by more than two standard errors, and worse nowhere by one;
- ``undecided``: the panels are too small to say.

Results are written after every change; those that are there already are kept, so that a run may be interrupted.
"""

from __future__ import annotations

import argparse
import logging
import math
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, make_dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from _ablation_panels import FIRST_SEED, PANELS, Half, Losses, Panel, Run
from _record import read_result, write_result

from invdesign.optimizers.bayesian.gradient_ascent import GradientAscent
from invdesign.optimizers.bayesian.optimize import GeneticSearch
from invdesign.surrogates.gaussian_process.views import MOLECULE_VIEWS

NAME = "ablation"
PACKAGES = ("invdesign", "numpy", "scipy", "scikit-learn", "cmaes", "pyswarms", "deap")
DELETED = "deleted"
"""Key of what was measured before something was deleted for it, in the same form as the rest."""
CLEAR = 2.0
"""Standard errors from which a difference is one."""
Changed = Callable[[Any], Any]
"""A changed optimizer or surrogate from the default one."""


@dataclass(frozen=True)
class Change:
    """One way to change a constant or a setting.

    Attributes:
        attributes: new values of attributes of modules, by module and name.
        changed: the optimizer or surrogate with other settings.
    """

    attributes: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    changed: Changed = lambda default: default


@dataclass(frozen=True)
class Entry:
    """What is ablated.

    Attributes:
        name: of the constant or setting.
        panels: on which.
        changes: by what is done.
    """

    name: str
    panels: tuple[str, ...]
    changes: Mapping[str, Change]


def constant(module: str, name: str, *panels: str, scaled: bool = True, **others: Any) -> Entry:
    """A constant of a module: halved and doubled, whole numbers at least 1, and given other values."""
    value = getattr(import_module(f"invdesign.{module}"), name)
    values: dict[str, Any] = dict(others)
    if scaled:
        values |= {"half": max(1, value // 2) if isinstance(value, int) else value / 2, "double": value * 2}
    changes = {word: Change({(f"invdesign.{module}", name): new}) for word, new in values.items() if new != value}
    return Entry(f"{module}.{name}", panels, changes)


def setting(name: str, *panels: str, **values: Any) -> Entry:
    """A field of the optimizer or surrogate of a panel."""
    changes = {word: Change(changed=lambda one, v=value: replace(one, **{name: v})) for word, value in values.items()}
    return Entry(f"{panels[0].split(',')[0]}: {name}", panels, changes)


def code(module: str, name: str, new: Any, *panels: str, called: str) -> Entry:
    """A function or class of a module, replaced by what does nothing."""
    return Entry(called, panels, {"off": Change({(f"invdesign.{module}", name): new})})


def search(**values: Any) -> Any:
    """A GeneticSearch with other defaults."""
    fields = [(name, int, value) for name, value in values.items()]
    return make_dataclass("Changed", fields, bases=(GeneticSearch,), frozen=True)


def no_tails(targets: Any, values: Any) -> Any:
    """Neither property is warped."""
    return targets, values


BAYES, POPULATION, PROCESS = "optimizers.bayesian", "optimizers.population", "surrogates.gaussian_process"
FUNCTIONS, WINDOWS, POOLS = "bayesian, functions", "bayesian, windows", "bayesian, pools"


def entries() -> list[Entry]:
    """All that is ablated, the cheapest panels first."""
    return [*_swarm(), *_genetic(), *_cma(), *_pools(), *_continuous(), *_tables(), *_rest()]


def _swarm() -> list[Entry]:
    module = f"{POPULATION}.particle_swarm"
    here, fronts, few = "swarm, functions", "swarm, fronts", "swarm, small budgets"
    return [
        constant(module, "ELITE", fronts, off=10**6),
        constant(module, "MOVING_ON", fronts, off=1e-9),
        constant(module, "SETTLING", fronts, scaled=False, off=0.0, half=0.375, whole=1.0),
        constant(module, "STEP", here, fronts),
        constant(module, "DECADES", here, fronts, off=0.0),
        setting("turbulence", here, fronts, off=0.0, half=0.05, double=0.2),
        setting("inertia", here, off=(0.6, 0.6), half=(0.9, 0.15), double=(0.9, 0.6)),
        setting("schedule", here, half=12, double=50),
        setting("cognitive", here, off=0.0, half=0.75, double=3.0),
        setting("social", here, half=0.75, double=3.0),
        setting("velocity_limit", here, off=1.0, half=0.15, double=0.6),
        setting("stagnation", here, off=10**6, half=10, double=40),
        constant(f"{POPULATION}.swarm_state", "LEAST_PROGRESS", here, scaled=False, thousandth=1e-11, thousand=1e-5),
        Entry(
            "swarm: particles of small budgets",
            (few,),
            {
                "off": Change(changed=lambda one: replace(one, particles=30)),
                "half": Change(changed=lambda one: replace(one, particles=2)),
                "double": Change(changed=lambda one: replace(one, particles=8)),
            },
        ),
    ]


def _genetic() -> list[Entry]:
    here, fronts, pools = "genetic, functions", "genetic, fronts", "genetic, pools"
    parents = f"{POPULATION}.parents"
    return [
        setting("crossover", here, fronts, off=0.0, half=0.45, whole=1.0),
        setting("mutation", here, fronts, off=0.0, half=0.5, whole=1.0),
        setting("differential", here, off=0.0, half=0.25, whole=1.0),
        setting("step", here, fronts, half=0.015, double=0.06),
        setting("tournament", here, fronts, off=1, half=2, double=6),
        constant(f"{POPULATION}.genetic", "NEAR", fronts, off=2.0),
        constant(f"{POPULATION}.genetic", "ROUNDS", pools),
        constant("space.cube_moves", "SPREAD", here, fronts, much=20.0),
        constant(parents, "REFERENCES", fronts),
        constant(parents, "PENALTY", fronts, off=0.0),
        constant(parents, "MOST_SELECTED", fronts),
        constant("optimizers.deduplication", "STEPS", pools, scaled=False, off=(0.1,), half=(0.05, 0.05, 0.05, 0.05)),
        code(
            f"{POPULATION}.genetic",
            "crowded_winners",
            lambda losses, alone, count, size, rng: rng.integers(0, len(losses), count),
            fronts,
            called="genetic: the second parent by crowding distance",
        ),
        code(
            f"{POPULATION}.parents",
            "_far_apart",
            lambda candidates, space, rows, count: rows[-count:],
            pools,
            called="genetic: parents that are equally good are far apart",
        ),
    ]


def _cma() -> list[Entry]:
    module = f"{POPULATION}.cma_es"
    return [
        setting("step_size", "cma-es, functions", half=0.15, double=0.6),
        constant(module, "RESOLUTION", "cma-es, functions", scaled=False, less=1e-9, more=1e-3),
        constant(module, "WITHIN_VALUE", "cma-es, mixed", off=0.0),
        code(
            module,
            "mutated",
            lambda space, candidates, rng, **_: candidates,
            "cma-es, mixed",
            called="cma-es: a mutated candidate in each generation of mixed spaces",
        ),
        code(
            f"{POPULATION}.cma_es",
            "away_from_failures",
            lambda candidates, **_: candidates,
            "cma-es, mixed",
            called="cma-es: moved away from failures",
        ),
    ]


def _pools() -> list[Entry]:
    ahead = f"{BAYES}.look_ahead"
    return [
        setting("goal", POOLS, off="first-hit"),
        setting("design", POOLS, off="random"),
        constant(ahead, "SURE", POOLS, scaled=False, off=0.0, half=0.4, whole=1.0),
        constant(ahead, "NEAR", POOLS, triple=6),
        constant(ahead, "FAR", POOLS, off=2),
        constant(ahead, "FOLLOWING", POOLS),
        constant(ahead, "LATER", POOLS, scaled=False, off=1.0, half=0.475),
        constant(ahead, "OUTCOMES", POOLS),
        constant(ahead, "SHORTLIST", POOLS),
        constant(ahead, "REST", POOLS),
        constant("optimizers.initial_design", "STOOD_FOR", POOLS, scaled=False, half=0.25, off=1.0),
        constant(f"{PROCESS}.kernel_terms", "ORBITAL", "bayesian, orbitals", off=0.005),
        constant(f"{PROCESS}.views", "CLEAR", "bayesian, molecules", off=0.0),
        constant(
            f"{PROCESS}.views",
            "MOLECULE_VIEWS",
            "bayesian, molecules",
            scaled=False,
            off=MOLECULE_VIEWS[:1],
            both=MOLECULE_VIEWS[2:3],
            no_quick=MOLECULE_VIEWS[:3],
            no_fingerprints=MOLECULE_VIEWS[:2],
            no_length_scales=(MOLECULE_VIEWS[0], MOLECULE_VIEWS[2]),
            no_margin=tuple(replace(view, margin=0.0) for view in MOLECULE_VIEWS),
            twice_the_margin=tuple(replace(view, margin=2.0 * view.margin) for view in MOLECULE_VIEWS),
        ),
    ]


def _tables() -> list[Entry]:
    from invdesign.surrogates.gaussian_process.priors import Gamma, InverseGamma, LogCauchy

    here, pooled = "gaussian process", "gaussian process, pooled"
    priors, model, terms = f"{PROCESS}.priors", f"{PROCESS}.model", f"{PROCESS}.kernel_terms"
    wide, large = Gamma(2.0, 0.15), InverseGamma(1.0, 4.0)
    network, conformal = "surrogates.neural_network.model", "surrogates.conformal"
    held = "surrogates.neural_network.holding_out"
    return [
        constant(model, "CALIBRATION_ROWS", here, off=0),
        constant(model, "CALIBRATION_FOLDS", here, scaled=False, half=2, double=6),
        constant(model, "STRETCHES", here, scaled=False, off=(1.0, 1.0), half=(0.7, 1.4), double=(0.25, 4.0)),
        constant(
            priors,
            "NOISE_PRIOR",
            here,
            FUNCTIONS,
            scaled=False,
            half=LogCauchy(-5.0, 0.5),
            double=LogCauchy(-5.0, 2.0),
            lower=LogCauchy(-7.0, 1.0),
            off=LogCauchy(-5.0, 1e3),
        ),
        constant(
            priors,
            "WIDE_SCALE",
            here,
            scaled=False,
            half=Gamma(2.0, 0.075),
            double=Gamma(2.0, 0.3),
            off=Gamma(1.0, 1e-9),
        ),
        constant(
            priors,
            "LARGE_SCALE",
            here,
            FUNCTIONS,
            scaled=False,
            half=InverseGamma(1.0, 2.0),
            double=InverseGamma(1.0, 8.0),
            off=wide,
        ),
        Entry(
            f"{priors}.WIDE_SCALE of pooled length scales",
            (pooled,),
            {"off": Change({(f"invdesign.{priors}", "WIDE_SCALE"): large})},
        ),
        constant(priors, "SCALE_MODE", here),
        constant(priors, "POOLED_SPREAD", pooled),
        constant(terms, "MOST_LENGTHSCALES", here, scaled=False, half=10, off=0),
        Entry(
            "gaussian process: averaged with one length scale",
            (here,),
            {
                "off": Change({(f"invdesign.{terms}", "_few_of_one_group"): lambda blocks, *, groups: False}),
                "one alone": Change(changed=lambda one: replace(one, ard=False)),
            },
        ),
        Entry(
            "gaussian process: a second start of the likelihood",
            (here, pooled),
            {"off": Change({(f"invdesign.{PROCESS}.kernels", "Covariance.smooth"): lambda self: self})},
        ),
        constant(f"{PROCESS}.marginal_likelihood", "ENOUGH", here, scaled=False, tenth=1e-7, tenfold=1e-5),
        constant(f"{PROCESS}.marginal_likelihood", "LEAST_LENGTHSCALE", here, off=1e-4),
        setting("kernel", here, off="rbf", rougher="matern-1.5"),
        setting("calibrate", here, off=False),
        constant("surrogates.features.materials", "SPREAD", here),
        constant("surrogates.forests", "SURE_SHARE", "forest", off=1e-3),
        setting("max_features", "forest", half=0.25, double=1.0),
        constant(conformal, "FOLDS", "nearest neighbors", scaled=False, half=3, double=10),
        constant(conformal, "NEIGHBORS", "nearest neighbors"),
        constant(conformal, "NEAR_ERRORS", "nearest neighbors"),
        constant(conformal, "PRIOR_ERRORS", "nearest neighbors", off=0.0),
        constant(conformal, "FEWEST_FOR_RANKS", "nearest neighbors", off=10**6),
        constant(held, "BETA", "network", off=0.0, scaled=False, whole=1.0),
        constant(network, "PATIENCE", "network"),
        constant(held, "PARTS", "network", scaled=False, half=3, double=10),
        constant(network, "MOST_UPDATES", "network"),
        constant(held, "LEAST_SHARE", "network", off=0.0),
    ]


def _continuous() -> list[Entry]:
    transforms, optimize = f"{BAYES}.outcome_transforms", f"{BAYES}.optimize"
    chosen = (f"invdesign.{BAYES}.optimizer", "GeneticSearch")

    def of_search(name: str, *panels: str, **values: int) -> Entry:
        return Entry(
            f"{optimize}.GeneticSearch.{name}",
            panels,
            {word: Change({chosen: search(**{name: value})}) for word, value in values.items()},
        )

    return [
        constant(transforms, "LONG", WINDOWS, "bayesian, tails", off=math.inf),
        constant(transforms, "FIRST", WINDOWS, "bayesian, tails", off=10**6),
        constant(transforms, "CLEARLY", FUNCTIONS, off=math.inf),
        constant(transforms, "FEWEST", FUNCTIONS),
        constant(transforms, "POWERS", FUNCTIONS, scaled=False, half=(-1.5, 1.5), double=(-6.0, 6.0)),
        constant(f"{BAYES}.acquisition", "LIKELY", WINDOWS, never=1.0, always=1e-300),
        setting("separation", WINDOWS, off=0.0, half=0.025, double=0.1),
        code(
            "optimizers.initial_design", "_begun_at_center", lambda design, space: design, FUNCTIONS, WINDOWS,
            called="initial design: begun at the center",
        ),
        constant(f"{BAYES}.optimizer", "NEAREST", FUNCTIONS, WINDOWS, off=0),
        of_search("starts", FUNCTIONS, half=512, double=2048, eighth=128),
        of_search("elite", FUNCTIONS, half=4, double=16),
        of_search("children", FUNCTIONS, half=12, double=48, off=1),
        code(
            optimize, "GradientAscent", type("Off", (GradientAscent,), {"of": classmethod(lambda *_: None)}),
            FUNCTIONS, called="acquisition optimizer: gradient ascent",
        ),
        constant(f"{BAYES}.gradient_ascent", "MOST_STEPS", FUNCTIONS),
        constant(optimize, "STEPS", "bayesian, mixed", scaled=False, off=(0.03,), half=(0.2, 0.01)),
        constant(f"{PROCESS}.kernel_terms", "MOST_VALUES", "bayesian, mixed", scaled=False, off=1),
        constant(f"{BAYES}.hypervolume", "TRADED", "bayesian, fronts", off=0.0),
    ]  # fmt: skip


def _rest() -> list[Entry]:
    assisted, module = ("assisted", "assisted, windows"), f"{POPULATION}.surrogate_assisted"
    failing = "bayesian, failures"
    molecules, graphs = f"{BAYES}.molecule_search", "bayesian, graphs"
    return [
        constant("optimizers.success", "WORTHWHILE", failing, off=0.0),
        constant("optimizers.success", "AVOIDED", failing, off=0.0),
        constant("optimizers.success", "NEIGHBORS", "swarm, failures"),
        constant(module, "GENERATIONS", *assisted, off=1),
        constant(module, "SCATTERED", *assisted, off=0),
        constant(module, "OPTIMISM", assisted[0], off=0.0),
        constant(module, "APART", *assisted, off=0.0),
        constant(module, "LESS_LIKELY", assisted[1], scaled=False, off=1.0, double=3.0),
        constant("optimizers.portfolio", "FADING", "portfolio", scaled=False, off=1.0, double=0.96),
        setting("lag", "portfolio", half=8, double=32),
        constant(molecules, "CHILDREN", graphs),
        constant(molecules, "FIRST_GENERATIONS", graphs),
        constant(molecules, "NEXT_GENERATIONS", graphs),
        constant(molecules, "FRESH", graphs, many=20),
        constant(molecules, "KEPT", graphs),
        constant(molecules, "DECADES", graphs, off=0.0),
        constant(molecules, "MUTATED", graphs, scaled=False, off=0.0, half=0.25, whole=1.0),
        constant(molecules, "FROM_EVALUATED", graphs, scaled=False, off=0.0, half=0.25, whole=1.0),
    ]


LEFT_OUT: Mapping[str, str] = {
    "views.MOST_JUDGED": "speed", "views.FEWEST_JUDGED": "accuracy", "saving.FORMAT": "definition",
    "genetic.HALF": "setting", "views.OVERFITTING": "setting",
    "acquisition.SAMPLES": "accuracy", "acquisition.LOWEST": "range", "acquisition.TINY": "range",
    "acquisition.ROWS_AT_ONCE": "memory", "botorch_acquisition.AT_ONCE": "memory",
    "botorch_acquisition.MOST_COMBINATIONS": "size", "botorch_acquisition.MOST_STEPS": "speed",
    "botorch_acquisition.POOL": "speed", "botorch_acquisition.RESTARTS": "speed",
    "botorch_acquisition.SAMPLES": "speed",
    "botorch_acquisition.REFINED": "speed", "botorch_acquisition.RAW_SAMPLES": "speed", "cost.TRIED": "accuracy",
    "fidelity_choice.MOST_PAIRS": "speed", "fidelity_choice.OUTCOMES": "accuracy", "fidelity_choice.TINY": "range",
    "generative.KNOWN_BEST": "generator", "gradient_ascent.NUDGE": "accuracy", "hypervolume.ENTRIES_AT_ONCE": "memory",
    "initial_design.LARGEST": "size", "initial_design.LOOKED_AT": "speed", "look_ahead.TINY": "range",
    "model_fit.ALWAYS_BELOW": "speed", "model_fit.GROWTH": "speed", "model_fit.KEPT": "memory",
    "molecule_search.COMPARED": "speed", "molecule_search.MOST_SEEDS": "size", "molecule_search.REFINED": "speed",
    "optimize.SAME": "tolerance", "optimizer.FEWEST_VALUES": "definition", "optimizer.MOST_PARENTS": "size",
    "optimizer.MOST_ROWS": "size", "policy.SMOOTHED": "speed",
    "optimizer.OPEN_ENDED": "speed", "optimizer.SUGGESTED": "generator", "policy.BLIND": "accuracy",
    "policy.DISTANCE": "unmeasured", "policy.MOST_FRONTS": "speed", "cma_es.MOST_RESTARTS": "size",
    "cma_es.SMALLEST": "definition", "deap_operators.BLEND": "published", "deap_operators.EACH": "published",
    "deap_operators.ETA": "published", "parents.MOST_EQUALS": "speed", "parents.MOST_OBJECTIVES": "published",
    "pyswarms_backend.MOST_TRIANGULATED": "speed", "surrogate_assisted.AWAY": "seeding",
    "surrogate_assisted.INNER": "seeding", "surrogate_assisted.MOST_RANKED": "speed", "success.SUCCESS": "name",
    "random.BLOCK": "memory", "random.FEASIBLE_SHARE": "speed", "random.LONGEST_SEQUENCE": "size",
    "botorch.FEWEST_VALUES": "definition", "botorch.LEAST_NOISE": "tolerance", "botorch.ROWS_AT_ONCE": "memory",
    "botorch.VARIATIONAL_STEPS": "speed", "conformal.CONFIDENCE": "definition", "conformal.LEAST_SCALE": "tolerance",
    "distance.*": "shown", "features.*": "chemistry", "inducing_points.*": "size",
    "kernel_terms.BLENDED": "definition", "kernel_terms.MANY": "definition", "kernel_terms.MIXED": "definition",
    "kernel_terms.MOLECULAR": "definition", "linear.PENALTIES": "grid",
    "marginal_likelihood.LARGEST_FIT": "size", "marginal_likelihood.LEAST_NOISE": "tolerance",
    "holding_out.LEAST_VARIANCE": "tolerance", "model.LARGEST_BATCH": "unmeasured", "model.WARM_UP": "unmeasured",
    "model.SMALLEST_BATCH": "unmeasured", "model.LEAST_CYCLE": "definition", "model.LARGEST_GRADIENT": "unmeasured",
    "model.GRAPHS": "memory",
    "marginal_likelihood.MOST_STEPS": "speed", "model.JITTERS": "tolerance", "model.ROWS_AT_ONCE": "memory",
    "model.LEAST_VARIANCE": "tolerance", "classifiers.FEWEST_OF_A_CLASS": "definition", "data_checks.*": "shown",
    "estimators.FEWEST_VALUES": "definition", "estimators.FEWEST_TO_LEARN": "definition",
    "estimators.LEAST_SHARE": "tolerance", "surrogate.FEWEST_VALUES": "definition",
    "surrogate.FEWEST_MEMBERS": "definition", "kernel_machines.INVERSE_WIDTHS": "grid",
    "kernel_machines.COSTS": "grid", "kernel_machines.PENALTIES": "grid", "transforms.*": "unmeasured",
    "particle_swarm.PARTICLES": "together", "particle_swarm.SMALL_BUDGET": "together",
    "particle_swarm.GENERATIONS": "together", "particle_swarm.FEWEST": "together",
    "noise.MODEL_ERROR": "unmeasured", "noise.MOST_ROWS": "speed", "priors.FACTOR_PRIOR": "unmeasured",
    "selection.CHOICE": "name", "splits.CLUSTERS_PER_FOLD": "validation", "splits.SAME": "tolerance",
    "stacked.BOOTSTRAP_SAMPLES": "accuracy",
    "stacked.FEWEST_VALUES": "definition", "tuning.FOLDS": "validation", "tuning.LARGEST": "speed",
    "validation.Z90": "definition", "views.COMPACT": "definition", "views.LARGEST_POOL": "memory",
    "weighted_neighbors.LEAST_DISTANCE": "tolerance",
}  # fmt: skip
"""Constants that decide no quality, or that no panel here can judge, with one word why; those that say
``together`` are measured as one setting."""


@contextmanager
def changed(change: Change) -> Iterator[None]:
    """Attributes of modules have other values, also where other modules have imported them."""
    with ExitStack() as stack:
        for (module, name), value in change.attributes.items():
            owner: Any = import_module(module)
            *classes, last = name.split(".")
            for one in classes:
                owner = getattr(owner, one)
            original = getattr(owner, last)
            for holder in _holders(module, last, original) if last.isupper() else [owner]:
                stack.callback(setattr, holder, last, original)
                setattr(holder, last, value)
        yield


def _holders(module: str, name: str, original: Any) -> list[Any]:
    """The module, and those that import the name from it."""
    line = re.compile(rf"^{name}\b|^[A-Z_, ]*\b{name}\b[A-Z_, ]* = ", re.MULTILINE)
    found = [sys.modules[module]]
    for other, holder in list(sys.modules.items()):
        if other.startswith("invdesign.") and other != module and vars(holder).get(name) is original:
            source = Path(holder.__file__ or "").read_text(encoding="utf-8")
            if not line.search(source):
                found.append(holder)
    return found


@cache
def problems(panel: str, half: Half) -> Mapping[str, Run]:
    return PANELS[panel].problems[half]()


def losses(panel: str, half: Half, change: Change, count: int | None) -> dict[str, list[Losses]]:
    """Losses of every problem, seed by seed; the panel's number of seeds if none is given."""
    one: Panel = PANELS[panel]
    found = {}
    for name, run in problems(panel, half).items():
        seeds = range(FIRST_SEED[half], FIRST_SEED[half] + (count or one.seeds))
        with changed(change):
            found[name] = [run(change.changed(one.build()), seed) for seed in seeds]
    return found


def difference(panel: str, default: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Mean paired difference of the losses, and its standard error."""
    pairs = np.concatenate([np.array(other[name]) - np.array(default[name]) for name in default])
    mean = pairs.mean(axis=0)
    error = float(pairs[:, 0].std(ddof=1) / np.sqrt(len(pairs)))
    beside = dict(zip(PANELS[panel].beside, (round(float(value), 4) for value in mean[1:]), strict=True))
    worst = max(default, key=lambda name: float(np.mean(np.array(other[name])[:, 0] - np.array(default[name])[:, 0])))
    found = {"difference": round(float(mean[0]), 4), "standard error": round(error, 4), "pairs": len(pairs)}
    same = not np.any(pairs[:, 0])
    return {**found, **beside, **({"inert": True} if same else {"worst on": worst})}


def verdict(entry: Mapping[str, Any]) -> str:
    """What the differences say; see the module."""
    changes: Mapping[str, Mapping[str, Any]] = entry["changes"]
    if all("inert" in row for panels in changes.values() for row in panels.values()):
        return "inert"

    def clear(word: str) -> list[float]:
        """Differences in standard errors, panel by panel."""
        rows = changes[word].values()
        return [row["difference"] / row["standard error"] if row["standard error"] else 0.0 for row in rows]

    if any(min(clear(word)) < -CLEAR and max(clear(word)) < 1.0 for word in changes):
        return "improved"
    asked = ["off"] if "off" in changes else list(changes)
    return "earns its place" if all(max(clear(word)) > CLEAR for word in asked) else "undecided"


def main() -> None:
    """Measures what is not measured yet, and writes after every constant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=get_args(Half), default="development")
    parser.add_argument("--only", nargs="*", help="Entries whose name ends so.")
    parser.add_argument("--changes", nargs="*", help="Only these changes.")
    parser.add_argument("--seeds", type=int, help="Of each problem; kept beside the results of fewer.")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    kept = (*get_args(Half), DELETED)
    result = {key: value for key, value in read_result(NAME).items() if key.startswith(kept)}
    part = given.half if given.seeds is None else f"{given.half}, {given.seeds} seeds"
    found: dict[str, Any] = result.setdefault(part, {"default": {}, "entries": {}})
    # First everything is switched off, which says most; then it is halved and doubled.
    wanted = [(entry, word) for entry in entries() for word in entry.changes]
    for entry, word in sorted(wanted, key=lambda pair: pair[1] != "off"):
        if given.only and not any(entry.name.endswith(name) for name in given.only):
            continue
        row = found["entries"].get(entry.name, {"unit": PANELS[entry.panels[0]].unit, "changes": {}})
        if word in row["changes"] or (given.changes and word not in given.changes):
            continue
        start, measured = time.process_time(), {}
        for panel in entry.panels:
            if panel not in found["default"]:
                found["default"][panel] = losses(panel, given.half, Change(), given.seeds)
            changed_losses = losses(panel, given.half, entry.changes[word], given.seeds)
            measured[panel] = difference(panel, found["default"][panel], changed_losses)
        row["changes"][word] = measured
        row["verdict"] = verdict(row)
        found["entries"][entry.name] = row
        print(f"{entry.name}, {word}: {row['verdict']}, {time.process_time() - start:.0f} s", measured, flush=True)
        write_result(NAME, {**result, "left out": LEFT_OUT}, packages=PACKAGES)


if __name__ == "__main__":
    main()
