"""Homobenzylic ethers in a redox window: hits in 60 evaluations after 10 random ones, as Doan et al. (2020) counted.

    INVDESIGN_DATA=... python benchmarks/hbe_window.py --seeds 10

Runs examples/hbe-window.yaml with several seeds, once with its Bayesian optimizer and once with the random baseline,
and counts the molecules in 1.40-1.70 V among the 60 evaluations that follow the initial 10.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from _record import write_result

import invdesign as ind

FILE = Path(__file__).parent.parent / "examples" / "hbe-window.yaml"
PACKAGES = ("invdesign", "numpy", "torch", "gpytorch", "botorch", "rdkit")


def hits(setting: ind.CampaignFile, optimizer: ind.Optimizer, *, seed: int) -> tuple[int, float]:
    """Hits among the evaluations after the initial ones, and the seconds that a suggestion took."""
    campaign = ind.Campaign(
        setting.space, setting.targets, optimizer=optimizer, seed=seed, initial=setting.budget.initial
    )
    campaign.run(setting.objective, evaluations=setting.budget.initial)
    start = time.perf_counter()
    campaign.run(setting.objective, evaluations=setting.budget.evaluations)
    searched = setting.budget.evaluations - setting.budget.initial
    found = int((campaign.hits().index >= setting.budget.initial).sum())
    return found, (time.perf_counter() - start) / searched


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    seeds = range(parser.parse_args().seeds)
    setting = ind.read_campaign(FILE)
    summary = {}
    for name, optimizer in (("bayesian", setting.optimizer), ("random", ind.RandomOptimizer())):
        runs = [hits(setting, optimizer, seed=seed) for seed in seeds]
        found = [count for count, _ in runs]
        summary[name] = {
            "hits": found,
            "mean_hits": float(np.mean(found)),
            "quartiles": np.percentile(found, [25, 50, 75]).tolist(),
            "median_seconds_per_suggestion": float(np.median([seconds for _, seconds in runs])),
        }
        print(name, summary[name])
    published = {"bayesian": 30, "source": "Doan et al. 2020, doi:10.1021/acs.chemmater.0c00768"}
    write_result(
        "hbe_window", {"seeds": len(seeds), "evaluations": 60, **summary, "published": published}, packages=PACKAGES
    )


if __name__ == "__main__":
    main()
