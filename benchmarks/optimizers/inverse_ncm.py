"""Inverse design of NCM cathodes on a fitted surrogate, as Liow et al. (2022) did: targets of 150, 175 and 200 mAh/g.

    INVDESIGN_DATA=... python benchmarks/optimizers/inverse_ncm.py --seeds 20

A gradient-boosted model (LightGBM) is fitted on the authors' 408 imputed rows; swarm and genetic algorithm search
compositions that sum to one and process parameters within the data's bounds until the predicted capacity is within
1 mAh/g of the target. Nothing is said here of how true the model is: see surrogate_scores.py.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent))

from _record import write_result

import invdesign as ind
from invdesign.datasets import resolve

TARGETS = (150.0, 175.0, 200.0)
TOLERANCE = 1.0
MOST = 2_000
BATCH = 40


def problem() -> tuple[ind.SearchSpace, ind.SurrogateObjective]:
    table = pd.read_csv(resolve("dataset:ncm-imputed"))
    inputs = [name for name in table.columns if name not in ("total", "Dis_cap")]
    space = ind.SearchSpace(
        {name: ind.Continuous(float(table[name].min()), float(table[name].max())) for name in inputs},
        constraints=["Ni + Co + Mn == 1"],
    )
    objective = ind.SurrogateObjective(
        table, {name: name for name in inputs}, {"capacity": "Dis_cap"}, surrogate=ind.LightGBM()
    )
    return space, objective.for_columns(space.columns)


def search(
    space: ind.SearchSpace, objective: ind.SurrogateObjective, optimizer: ind.Optimizer, target: float, seed: int
) -> dict[str, float]:
    targets = ind.Targets(ind.CloseTo("capacity", target, tolerance=TOLERANCE))
    start = time.perf_counter()
    campaign = ind.Campaign(space, targets, optimizer=optimizer, seed=seed, initial=BATCH)
    count = 0
    while count < MOST and campaign.status().hits == 0:
        count += BATCH
        campaign.run(objective, evaluations=count, batch=BATCH)
    seconds = time.perf_counter() - start
    frame = campaign.frame()
    kept = bool(space.feasible(frame).all() and np.allclose(frame[["Ni", "Co", "Mn"]].sum(axis=1), 1.0))
    return {"reached": campaign.status().hits > 0, "evaluations": count, "seconds": seconds, "constraints_kept": kept}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    seeds = range(parser.parse_args().seeds)
    space, objective = problem()
    _ = objective.fitted  # fitted once: a search is what is timed
    result = {}
    for name, optimizer in (("particle-swarm", ind.ParticleSwarmOptimizer()), ("genetic", ind.GeneticOptimizer())):
        for target in TARGETS:
            runs = [search(space, objective, optimizer, target, seed) for seed in seeds]
            result[f"{name} {target:g}"] = {
                "reached": sum(run["reached"] for run in runs),
                "of": len(runs),
                "constraints_kept": all(run["constraints_kept"] for run in runs),
                "median_evaluations": float(np.median([run["evaluations"] for run in runs])),
                "median_seconds": float(np.median([run["seconds"] for run in runs])),
                "most_seconds": max(run["seconds"] for run in runs),
            }
            print(name, target, result[f"{name} {target:g}"], flush=True)
    write_result("optimizers_inverse_ncm", {"tolerance_mAh_g": TOLERANCE, **result}, packages=("invdesign", "lightgbm"))


if __name__ == "__main__":
    main()
