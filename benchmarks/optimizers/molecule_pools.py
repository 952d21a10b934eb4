"""Pools of molecules: hits among the best twentieth with 60 evaluations after 10 random ones, by what describes them.

    INVDESIGN_DATA=... python benchmarks/optimizers/molecule_pools.py --seeds 4

``default`` chooses the features by the known values. That there are two views, fifteen components, and that one has to
be better by a standard error were chosen on a pool of redox-chembl (subset 7), on drug-likeness (QED) and a made-up
property of ZINC molecules and on hbe, with seeds from 300; so was the third view, fingerprints beside descriptors.
Reported are other properties, another subset and seeds from 1000. Every pool has 1,400 molecules; hits are its 70
highest values.
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent))

import pools
from _record import read_result, write_result

import invdesign as ind
from invdesign.core.tables import read_table
from invdesign.datasets import resolve

SIZE, INITIAL, BUDGET = 1400, 10, 60
FIRST_SEED = 1000
VIEWS: dict[str, dict[str, Any]] = {
    "descriptors": {},
    "components": {"components": 15},
    "fingerprints": {"molecules": "fingerprints"},
}


def pool_of(smiles: list[str], values: np.ndarray) -> pools.Pool:
    """A pool whose hits are its highest twentieth."""
    pool = ind.MoleculePool.from_smiles(smiles)
    frame, known = pd.DataFrame({"molecule": list(pool.smiles)}), pd.DataFrame({"potential": values})
    targets = ind.Targets(ind.AtLeast("potential", float(np.quantile(values, 0.95))))
    return pools.Pool(frame, known, ind.SearchSpace(molecule=pool), targets, INITIAL, BUDGET, SIZE, INITIAL + BUDGET)


def zinc(value: Callable[[Any], float], seed: int) -> pools.Pool:
    """Molecules of ZINC with a computed property."""
    from rdkit import Chem

    lines = Path(resolve("dataset:zinc-valid")).read_text(encoding="utf-8").split()
    smiles = [Chem.CanonSmiles(lines[row]) for row in np.random.default_rng(seed).permutation(len(lines))[:SIZE]]
    return pool_of(smiles, np.array([value(Chem.MolFromSmiles(text)) for text in smiles], dtype=np.float64))


def chembl(seed: int) -> pools.Pool:
    """Molecules of redox-chembl with their computed reduction potentials."""
    table = read_table(resolve("dataset:redox-chembl")).frame
    table = table.dropna(subset=["SMILES", "True vals"]).drop_duplicates("SMILES")
    table = table.iloc[np.random.default_rng(seed).permutation(len(table))[:SIZE]]
    return pool_of(list(table["SMILES"]), table["True vals"].to_numpy(np.float64))


def report_pools() -> dict[str, Callable[[], pools.Pool]]:
    """Pools that nothing was chosen on."""
    from rdkit.Chem import Descriptors

    return {
        "reduction potential, subset 99": lambda: chembl(99),
        "polar surface": lambda: zinc(Descriptors.TPSA, 21),
        "complexity (Bertz)": lambda: zinc(Descriptors.BertzCT, 23),
        "logP x share of sp3 carbon": lambda: zinc(lambda m: Descriptors.MolLogP(m) * Descriptors.FractionCSP3(m), 24),
    }


def main() -> None:
    """Measures and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--only", nargs="*", choices=["default", *VIEWS], help="The others keep their results.")
    chosen = parser.parse_args()
    kept = read_result("molecule_pools")
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    result: dict[str, Any] = {"seeds": chosen.seeds, "pools": {}}
    for name, made in report_pools().items():
        pool = made()
        runs: dict[str, Callable[[int], tuple[list[int], list[float]]]] = {
            "default": lambda seed, pool=pool: pools.ours(pool, ind.BayesianOptimizer(design="random"), seed)
        }
        for view, words in VIEWS.items():
            surrogate = ind.GaussianProcess(features=ind.Features(formulas="compact", **words))
            optimizer = ind.BayesianOptimizer(surrogate=surrogate, design="random")
            runs[view] = lambda seed, pool=pool, optimizer=optimizer: pools.ours(pool, optimizer, seed)
        found = dict(kept.get("pools", {}).get(name, {})) if chosen.only else {}
        for whose in chosen.only or runs:
            run = runs[whose]
            done = [run(seed) for seed in range(FIRST_SEED, FIRST_SEED + chosen.seeds)]
            hits = [int(pool.hits[rows[INITIAL : INITIAL + BUDGET]].sum()) for rows, _ in done]
            seconds = float(np.median(np.concatenate([taken for _, taken in done])))
            found[whose] = {"hits": hits, "mean_hits": float(np.mean(hits)), "seconds_a_suggestion": seconds}
            print(name, whose, hits, round(seconds, 3), flush=True)
        result["pools"][name] = found

        write_result("molecule_pools", result, packages=("numpy", "rdkit"))


if __name__ == "__main__":
    main()
