"""Swarms at small budgets: how far the best candidate is from the optimum after 20 evaluations, beside random search.

    python benchmarks/optimizers/small_budgets.py --seeds 20

The number of particles was chosen on Branin, Hartmann-6 and Ackley-10 (development) with the same seeds; the unseen
functions (report) were looked at once, after that. A share is that of seeds in which the swarm's best value is better
than that of the Sobol sequence with the same seed; 0.5 is chance, and ties count half.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import tasks
from _record import write_result

import invdesign as ind

BUDGETS = (20,)
FIRST_SEED = 500


def best(task: tasks.Task, optimizer: ind.Optimizer, evaluations: int, seed: int) -> float:
    """The smallest value that a campaign finds."""
    space = ind.SearchSpace({f"x{place}": ind.Continuous(0.0, 1.0) for place in range(task.dimension)})
    campaign = ind.Campaign(space, ind.Targets(ind.Minimize("f")), optimizer=optimizer, seed=seed, initial=5)

    def value(**x: float) -> dict[str, float]:
        return {"f": float(task.objectives(np.array([list(x.values())]))[0, 0])}

    campaign.run(ind.PythonObjective(value, {"f": ""}, isolated=False), evaluations=evaluations)
    return float(campaign.best(1)["f"].iloc[0])


def compared(task: tasks.Task, optimizer: ind.Optimizer, evaluations: int, seeds: int) -> dict[str, float]:
    """The medians of both, and the share of seeds in which the optimizer is better."""
    pairs = np.array(
        [
            [best(task, one, evaluations, FIRST_SEED + seed) for one in (optimizer, ind.RandomOptimizer())]
            for seed in range(seeds)
        ]
    )
    share = (pairs[:, 0] < pairs[:, 1]).mean() + 0.5 * (pairs[:, 0] == pairs[:, 1]).mean()
    swarm, random = np.median(pairs, axis=0)
    return {"swarm": round(float(swarm), 4), "random": round(float(random), 4), "share better": round(float(share), 2)}


def main() -> None:
    """Runs both halves and writes ``results/small_budgets.json``."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=int, default=20)
    arguments.add_argument("--particles", type=int, default=None, help="instead of the optimizer's own choice")
    arguments.add_argument("--half", choices=("development", "report"), default=None)
    given = arguments.parse_args()
    found: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for half, chosen in (("development", tasks.SINGLE), ("report", tuple(tasks.unseen()))):
        if given.half not in (None, half):
            continue
        for task in chosen:
            for budget in BUDGETS:
                optimizer = ind.ParticleSwarmOptimizer(particles=given.particles)
                result = compared(task, optimizer, budget, given.seeds)
                found.setdefault(half, {}).setdefault(task.name, {})[str(budget)] = result
                print(half, task.name, budget, result, flush=True)
    if given.particles is None and given.half is None:
        write_result("small_budgets", {"seeds": given.seeds, "functions": found})


if __name__ == "__main__":
    main()
