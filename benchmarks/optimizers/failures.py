"""Searches whose evaluations fail in a fifth of the space, or one in ten at random, or of which one property fails.

    python benchmarks/optimizers/failures.py --label now --seeds 5

The failing region is a box around the function's optimum, so that a model of the values alone points into it. Reported:
how many of the last 24 of 60 evaluations fail, and the best value found, as a share of what random search would have to
gain (0: the median of the space, 1: the best value outside of the region); with a bound as target, the number of hits.
With ``property`` it is a second property that fails in the region: the distance from the optimum, under a bound that
half of the space meets, so that both properties point into the region and the values of the first are known there.
Developed on Branin and Hartmann-6 with seeds from 300; reported are Ackley-3, Levy-4 and Rosenbrock-3, seeds from 1000.
``--label before`` with PYTHONPATH at an older tree keeps its figures beside.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent))

from _record import read_result, write_result

import invdesign as ind

INITIAL, EVALUATIONS, LAST = 10, 60, 24
FAILING, AT_RANDOM = 0.2, 0.1
DEVELOPMENT, REPORT = ("Branin-2", "Hartmann-6"), ("Ackley-3", "Levy-4", "Rosenbrock-3")
OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "bayesian": ind.BayesianOptimizer,
    "particle-swarm": ind.ParticleSwarmOptimizer,
    "genetic": ind.GeneticOptimizer,
    "portfolio": ind.PortfolioOptimizer,
    "random": ind.RandomOptimizer,
}


@dataclass(frozen=True)
class Problem:
    """A function on the unit cube and its failing box."""

    name: str

    @cached_property
    def function(self) -> Any:
        """BoTorch's, which is minimized."""
        from botorch import test_functions

        kind, dimension = self.name.split("-")
        cls = getattr(test_functions, kind)
        return cls() if kind == "Branin" else cls(dim=int(dimension))

    @property
    def dimension(self) -> int:
        """Number of parameters."""
        return int(self.function.dim)

    def values(self, points: np.ndarray) -> np.ndarray:
        """Values at points of the unit cube, shape ``n x d`` to ``n``."""
        import torch

        low, high = (bound.numpy() for bound in self.function.bounds.double())
        return np.asarray(self.function(torch.as_tensor(low + points * (high - low))).numpy(), dtype=np.float64)

    @cached_property
    def _sample(self) -> np.ndarray:
        return np.random.default_rng(0).random((200_000, self.dimension))

    @cached_property
    def _sizes(self) -> tuple[np.ndarray, float]:
        """Centre of the failing box, and half its width."""
        low, high = (bound.numpy() for bound in self.function.bounds.double())
        centre = (self.function.optimizers[0].double().numpy() - low) / (high - low)
        gaps = np.abs(self._sample - centre).max(axis=1)
        return centre, float(np.quantile(gaps, FAILING))

    def fails(self, points: np.ndarray) -> np.ndarray:
        """Whether points lie in the box."""
        centre, half = self._sizes
        return np.asarray(np.abs(points - centre).max(axis=1) < half)

    def gaps(self, points: np.ndarray) -> np.ndarray:
        """Distances from the optimum along the axes, added up."""
        return np.asarray(np.abs(points - self._sizes[0]).sum(axis=1))

    @cached_property
    def typical_gap(self) -> float:
        """The median of ``gaps``."""
        return float(np.median(self.gaps(self._sample)))

    @cached_property
    def scale(self) -> tuple[float, float, float]:
        """Median, lowest twentieth and least value outside of the box."""
        found = self.values(self._sample)
        outside = found[~self.fails(self._sample)]
        return float(np.median(found)), float(np.quantile(outside, 0.05)), float(outside.min())


def run(problem: Problem, optimizer: str, *, mode: str, bounded: bool, seed: int) -> dict[str, float]:
    """One campaign."""
    rng = np.random.default_rng(seed)
    median, bound, least = problem.scale

    def evaluate(frame: pd.DataFrame) -> pd.DataFrame:
        points = frame.to_numpy(dtype=np.float64)
        found = pd.DataFrame({"f": problem.values(points)}, index=frame.index)
        if mode == "property":
            found = found.assign(g=np.where(problem.fails(points), np.nan, problem.gaps(points)))
        elif mode != "none":
            fails = problem.fails(points) if mode == "region" else rng.random(len(points)) < AT_RANDOM
            found.loc[fails, "f"] = np.nan
        return found.assign(reason=np.where(found.isna().any(axis=1), "it fails", ""))

    space = ind.SearchSpace(**{f"x{place}": ind.Continuous(0.0, 1.0) for place in range(problem.dimension)})
    half = problem.typical_gap
    targets = [ind.AtMost("f", bound) if bounded else ind.Minimize("f")]
    targets += [ind.AtMost("g", half)] if mode == "property" else []
    campaign = ind.Campaign(space, ind.Targets(*targets), optimizer=OPTIMIZERS[optimizer](), seed=seed, initial=INITIAL)
    while len(campaign.frame()) < EVALUATIONS:
        batch = campaign.ask(1)
        campaign.tell(pd.concat([batch, evaluate(batch[list(space.names)])], axis=1))
    frame = campaign.frame()
    values = frame["f"].to_numpy()
    if mode == "property":
        values = np.where(frame["g"].isna(), np.nan, np.where(frame["g"] <= half, values, np.inf))
    return {
        "failed of the last": float(np.isnan(values[-LAST:]).sum()),
        "gained": (median - float(np.nanmin(values))) / (median - least),
        "hits": float((values <= bound).sum()),
    }


def main() -> None:
    """Measures and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--label", default="now")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--half", choices=("development", "report"), default="report")
    parser.add_argument("--optimizers", nargs="+", default=list(OPTIMIZERS))
    parser.add_argument("--functions", nargs="+", default=None)
    parser.add_argument("--modes", nargs="+", default=["region", "random", "none", "property"])
    chosen = parser.parse_args()
    first, names = (300, DEVELOPMENT) if chosen.half == "development" else (1000, REPORT)
    names = chosen.functions or names
    rows = []
    for optimizer in chosen.optimizers:
        for name in names:
            for mode in chosen.modes:
                for bounded in (False, True):
                    seeds = range(first, first + chosen.seeds)
                    runs = [run(Problem(name), optimizer, mode=mode, bounded=bounded, seed=seed) for seed in seeds]
                    mean = {key: float(np.mean([one[key] for one in runs])) for key in runs[0]}
                    target = "bound" if bounded else "minimize"
                    rows.append({"optimizer": optimizer, "function": name, "fails": mode, "target": target, **mean})
                    print(*rows[-1].values(), flush=True)
    if chosen.half == "development":
        return
    where = Path(ind.__file__).resolve().parent
    source = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=where, capture_output=True, text=True, check=True
    ).stdout.strip()
    runs_of = {**read_result("optimizers_failures").get("runs", {}), chosen.label: {"source": source, "rows": rows}}
    write_result(
        "optimizers_failures",
        {"seeds": chosen.seeds, "of the last": LAST, "runs": runs_of},
        packages=("numpy", "botorch"),
    )


if __name__ == "__main__":
    main()
