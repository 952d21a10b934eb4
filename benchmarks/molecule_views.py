"""How well a Gaussian process chooses its features of molecules: errors beside those of each view alone.

    INVDESIGN_DATA=... OMP_NUM_THREADS=1 python benchmarks/molecule_views.py --seeds 4 [--development]

Of each pool 60 or 200 molecules are learned, drawn at random, and 600 others predicted; errors are root mean squares in
the spread of the pool. The pools are those of ``optimizers/molecule_pools.py`` and hbe. That views are compared by fits
without the predicted values was decided on those for development, where it chose the better of one length scale and
many in ten of ten cases (one seed); hbe is among these. Deviations are reliable where 0.9 of the errors lie within the
90 % interval.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent / "optimizers"))

import molecule_pools
import pools
from _record import write_result

import invdesign as ind
from invdesign.surrogates.gaussian_process.views import MOLECULE_VIEWS
from invdesign.surrogates.validation import Z90

LEARNED, PREDICTED = (60, 200), 600
LABELS = ("one length scale", "many length scales", "with fingerprints", "quick descriptors and fingerprints")
SINGLE = dict(zip(LABELS, MOLECULE_VIEWS, strict=True))


def errors(pool: pools.Pool, model: ind.GaussianProcess, learned: int, seed: int) -> tuple[float, float]:
    """Root mean square error in the pool's spread, and the share of values within their 90 % intervals."""
    order = np.random.default_rng(seed).permutation(len(pool.frame))
    known, others = order[:learned], order[learned : learned + PREDICTED]
    frame, values = pool.frame.reset_index(drop=True), pool.values.reset_index(drop=True)
    model.fit(frame.iloc[known], values.iloc[known], columns=pool.space.columns)
    mean, std = model.predict(frame.iloc[others], return_std=True)
    (name,) = values.columns
    miss = np.abs(mean[name] - values[name].iloc[others])
    width = Z90 * np.hypot(std[name], model.noise_std()[name])
    return float(np.sqrt((miss**2).mean()) / values[name].std()), float((miss <= width).mean())


def main() -> None:
    """Measures and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--development", action="store_true", help="Pools for choices; nothing is kept.")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    made = (
        molecule_pools.development_pools() | {"hbe": pools.hbe} if chosen.development else molecule_pools.report_pools()
    )
    first = molecule_pools.DEVELOPMENT_SEED if chosen.development else molecule_pools.FIRST_SEED
    found: dict[str, Any] = {}
    for name, make in made.items():
        pool = make()
        for learned in LEARNED:
            row = found.setdefault(name, {}).setdefault(f"{learned} molecules", {})
            models = {"chosen": ind.GaussianProcess} | {
                label: lambda view=view: ind.GaussianProcess(features=view.features, ard=view.ard)
                for label, view in SINGLE.items()
            }
            for label, begin in models.items():
                runs = [errors(pool, begin(), learned, seed) for seed in range(first, first + chosen.seeds)]
                row[label] = {
                    "error": float(np.mean([a for a, _ in runs])),
                    "within": float(np.mean([b for _, b in runs])),
                }
            row["behind the best"] = row["chosen"]["error"] / min(row[label]["error"] for label in SINGLE) - 1.0
            print(name, learned, {k: v if isinstance(v, float) else v["error"] for k, v in row.items()}, flush=True)
    if not chosen.development:
        write_result("molecule_views", {"seeds": chosen.seeds, "pools": found}, packages=pools.PACKAGES)


if __name__ == "__main__":
    main()
