"""Two categories (50 combinations) and four numbers: regret after 60 evaluations, and the wait for a suggestion.

    python benchmarks/optimizers/mixed.py --seeds 20 --few 5

The functions are Ackley (from -1 to 1) and Hartmann-6, whose first two coordinates are categories: their values stand
at even places of the coordinate, in a shuffled order that is given to nobody. All begin with the same 18 evenly spread
candidates. Ax draws its first suggestion after them at random, by its own default. Ax and BayBE take seconds a
suggestion, so they run on fewer seeds. That each value of a category has a length scale of its own was chosen on these
functions with seeds 300 to 339.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent))

import tasks
from _record import read_result, write_result
from scipy.optimize import minimize

import invdesign as ind
from invdesign.optimizers.base import History

FIRST_SEED = 1000
PACKAGES = ("invdesign", "numpy", "botorch", "ax-platform", "baybe")
INITIAL, EVALUATIONS = 18, 60
SIZES = {"a": 5, "b": 10}
NUMBERS = tuple(f"x{place}" for place in range(4))


@dataclass(frozen=True)
class Mixed:
    """A function of six coordinates, the first two of which are categories.

    Attributes:
        values: of points of the unit cube, shape ``n x 6`` to ``n x 1``.
    """

    values: Callable[[np.ndarray], np.ndarray]

    @cached_property
    def least(self) -> float:
        """The smallest value over all combinations, by descents from twenty starts each."""
        rng = np.random.default_rng(0)
        found = []
        for places in itertools.product(*(np.arange(size) / (size - 1) for size in SIZES.values())):
            for first in rng.random((20, len(NUMBERS))):
                descent = minimize(
                    lambda x, at=places: float(self.values(np.array([[*at, *x]]))[0, 0]), first, bounds=[(0.0, 1.0)] * 4
                )
                found.append(descent.fun)
        return float(min(found))

    def __call__(self, candidates: pd.DataFrame) -> np.ndarray:
        columns = []
        for seed, (name, size) in enumerate(SIZES.items()):
            places = np.random.default_rng(seed).permutation(size) / (size - 1)
            columns.append(places[candidates[name].str[1:].astype(int)])
        return self.values(np.column_stack([*columns, candidates[list(NUMBERS)].to_numpy(dtype=float)]))[:, 0]


def space() -> ind.SearchSpace:
    categories = {name: ind.Categorical([f"{name}{place}" for place in range(size)]) for name, size in SIZES.items()}
    return ind.SearchSpace({**categories, **{name: ind.Continuous(0.0, 1.0) for name in NUMBERS}})


def start(seed: int) -> pd.DataFrame:
    empty = space().sample(0, np.random.default_rng(0))
    nothing = History(empty, pd.DataFrame({"y": []}, dtype=float), empty)
    targets = ind.Targets(ind.Minimize("y"))
    return ind.RandomOptimizer().propose(
        INITIAL, space=space(), targets=targets, history=nothing, seed=np.random.SeedSequence(seed)
    )


def ours(function: Mixed, seed: int) -> tuple[float, list[float]]:
    where, targets, optimizer = space(), ind.Targets(ind.Minimize("y")), ind.BayesianOptimizer()
    frame, seconds = start(seed), []
    while len(frame) < EVALUATIONS:
        history = History(frame, pd.DataFrame({"y": function(frame)}), frame.iloc[:0])
        began = time.perf_counter()
        asked = optimizer.propose(1, space=where, targets=targets, history=history, seed=np.random.SeedSequence(seed))
        seconds.append(time.perf_counter() - began)
        frame = pd.concat([frame, asked], ignore_index=True)
    return float(function(frame).min() - function.least), seconds


def ax(function: Mixed, seed: int) -> tuple[float, list[float]]:
    from ax.api.client import Client
    from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig

    client = Client(random_seed=seed)
    choices = [
        ChoiceParameterConfig(
            name=name, parameter_type="str", values=[f"{name}{place}" for place in range(size)], is_ordered=False
        )
        for name, size in SIZES.items()
    ]
    ranges = [RangeParameterConfig(name=name, parameter_type="float", bounds=(0.0, 1.0)) for name in NUMBERS]
    client.configure_experiment([*choices, *ranges])
    client.configure_optimization(objective="-y")
    frame, seconds = start(seed), []
    for row, value in zip(frame.to_dict("records"), function(frame), strict=True):
        client.complete_trial(trial_index=client.attach_trial(row), raw_data={"y": float(value)})
    while len(frame) < EVALUATIONS:
        began = time.perf_counter()
        ((trial, parameters),) = client.get_next_trials(max_trials=1).items()
        seconds.append(time.perf_counter() - began)
        asked = pd.DataFrame([parameters])
        client.complete_trial(trial_index=trial, raw_data={"y": float(function(asked)[0])})
        frame = pd.concat([frame, asked[list(frame)]], ignore_index=True)
    return float(function(frame).min() - function.least), seconds


def baybe(function: Mixed, seed: int) -> tuple[float, list[float]]:
    from baybe import Campaign
    from baybe.objectives import SingleTargetObjective
    from baybe.parameters import CategoricalParameter, NumericalContinuousParameter
    from baybe.recommenders import BotorchRecommender
    from baybe.searchspace import SearchSpace
    from baybe.targets import NumericalTarget

    parameters = [
        *(CategoricalParameter(name, [f"{name}{place}" for place in range(size)]) for name, size in SIZES.items()),
        *(NumericalContinuousParameter(name, (0.0, 1.0)) for name in NUMBERS),
    ]
    target = NumericalTarget("y", minimize=True)
    campaign = Campaign(SearchSpace.from_product(parameters), SingleTargetObjective(target), BotorchRecommender())
    frame, seconds = start(seed), []
    campaign.add_measurements(frame.assign(y=function(frame)))
    while len(frame) < EVALUATIONS:
        began = time.perf_counter()
        asked = campaign.recommend(1)[list(frame)]
        seconds.append(time.perf_counter() - began)
        campaign.add_measurements(asked.assign(y=function(asked)))
        frame = pd.concat([frame, asked], ignore_index=True)
    return float(function(frame).min() - function.least), seconds


def ackley(x: np.ndarray) -> np.ndarray:
    z = 2.0 * x - 1.1
    return (-20 * np.exp(-0.2 * np.sqrt((z**2).mean(1))) - np.exp(np.cos(2 * np.pi * z).mean(1)) + 20 + np.e)[:, None]


def summary(runs: list[tuple[float, list[float]]]) -> dict[str, object]:
    regrets = [regret for regret, _ in runs]
    return {
        "seeds": len(runs),
        "median_regret": float(np.median(regrets)),
        "quartiles": [float(value) for value in np.percentile(regrets, [25, 75])],
        "seconds_first": float(np.median([seconds[0] for _, seconds in runs])),
        "seconds_median": float(np.median(np.concatenate([seconds for _, seconds in runs]))),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--few", type=int, default=5, help="Seeds of Ax and BayBE; with 0 theirs are kept.")
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    result: dict[str, object] = {}
    kept = read_result("optimizers_mixed")
    runners = {"invdesign": ours, "ax": ax, "baybe": baybe}
    for name, function in {"hartmann6": Mixed(tasks.hartmann6), "ackley": Mixed(ackley)}.items():
        found: dict[str, object] = {}
        for word, runner in runners.items():
            count = given.seeds if word == "invdesign" else given.few
            if count:
                found[word] = summary([runner(function, seed) for seed in range(FIRST_SEED, FIRST_SEED + count)])
            else:
                found[word] = kept[name][word]
            print(name, word, found[word], flush=True)
        result[name] = {"initial": INITIAL, "evaluations": EVALUATIONS, **found}
        write_result("optimizers_mixed", {"lower_is_better": "regret", **result}, packages=PACKAGES)


if __name__ == "__main__":
    main()
