"""Batches of 4 and 8 beside one candidate at a time, and noisy values: hits with 60 evaluations after 10 random ones.

    INVDESIGN_DATA=... python benchmarks/optimizers/batches.py --seeds 8 [--development]

All kinds of a pool spend the same evaluations. Hits are judged by the exact values, while the optimizer is given values
with normal noise of a tenth of their spread. Pools: ``hbe`` (see ``pools.py``) and two of ``molecule_pools.py``.
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import molecule_pools
import pools
from _record import commit, write_result

import invdesign as ind

BATCHES, NOISES = (1, 4, 8), (0.0, 0.1)
REPORTED = ("reduction potential, subset 99", "polar surface")
DEVELOPED = ("reduction potential, subset 7", "molar refractivity over mass")


def main() -> None:
    """Measures and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--development", action="store_true", help="Other pools, seeds from 300; nothing is kept.")
    parser.add_argument("--noises", nargs="*", type=float, default=NOISES)
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    first = molecule_pools.DEVELOPMENT_SEED if given.development else molecule_pools.FIRST_SEED
    made = molecule_pools.development_pools() if given.development else molecule_pools.report_pools()
    result: dict[str, Any] = {"seeds": given.seeds, "commit": commit(), "pools": {}}
    for name in ("hbe", *(DEVELOPED if given.development else REPORTED)):
        pool = pools.hbe() if name == "hbe" else made[name]()
        pool = replace(pool, most=pool.initial + pool.budget, wanted=len(pool.frame))
        for noise in given.noises:
            found: dict[str, Any] = {}
            for batch in BATCHES:
                optimizer = ind.BayesianOptimizer(design="random")
                seeds = range(first, first + given.seeds)
                runs = [pools.ours(pool, optimizer, seed, batch=batch, noise=noise)[0] for seed in seeds]
                hits = [int(pool.hits[rows[pool.initial :]].sum()) for rows in runs]
                error = float(np.std(hits, ddof=1) / np.sqrt(len(hits)))
                found[str(batch)] = {"hits": hits, "mean_hits": float(np.mean(hits)), "standard_error": error}
                print(name, noise, batch, hits, round(float(np.mean(hits)), 1), flush=True)
            result["pools"].setdefault(name, {})[f"noise {noise:g}"] = found
        if not given.development:
            write_result("optimizers_batches", result, packages=("invdesign", "numpy", "rdkit"))


if __name__ == "__main__":
    main()
