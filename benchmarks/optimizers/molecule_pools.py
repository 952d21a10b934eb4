"""Pools of molecules: hits among the best twentieth with 60 evaluations after 10 random ones, by what describes them.

    INVDESIGN_DATA=... python benchmarks/optimizers/molecule_pools.py --seeds 4 [--development] [--only default minmax]

``default`` chooses the features by the known values. The views that it chooses from, that one has to be better by a
standard error, and length scales of their own by a margin (see ``views.OVERFITTING``), were chosen on the pools under
``development_pools``, with seeds from 300, on other properties of ZINC and subsets of redox-chembl, and on hbe.
Reported are other properties, another subset and seeds from 1000. Beware: that length scales of their own stayed, and
that drug-likeness and complexity are among the descriptors, was decided when these were known. Every pool has 1,400
molecules; hits are its 70 highest values. Drug-likeness, polar surface and complexity are descriptors themselves, of
BayBE as of ours.

Beside them: a Gaussian process of thirty lines (``minmax.py``) and BayBE with encodings of its own. These need
scikit-fingerprints, which pins an older RDKit: install it with ``--no-deps``, and what it imports.
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent))

import pools
from _record import commit, read_result, write_result
from minmax import minmax, similarities

import invdesign as ind
from invdesign.core.tables import read_table
from invdesign.datasets import resolve

SIZE, INITIAL, BUDGET = 1400, 10, 60
FIRST_SEED, DEVELOPMENT_SEED = 1000, 300
VIEWS: dict[str, dict[str, Any]] = {
    "descriptors": {},
    "components": {"components": 15},
    "fingerprints": {"molecules": "fingerprints"},
}
ENCODINGS = {"baybe, descriptors": "RDKIT2DDESCRIPTORS", "baybe, fingerprints": "ECFP"}
Run = Callable[[int], tuple[list[int], list[float]]]


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


def baybe(pool: pools.Pool, encoding: str) -> Run:
    """BayBE with an encoding of its own, which needs scikit-fingerprints; the space is computed once."""
    from baybe import Campaign
    from baybe.objectives import SingleTargetObjective
    from baybe.parameters import SubstanceParameter
    from baybe.recommenders import BotorchRecommender
    from baybe.searchspace import SearchSpace
    from baybe.targets import NumericalTarget

    smiles = pool.frame["molecule"].tolist()
    parameter = SubstanceParameter("molecule", dict(zip(smiles, smiles, strict=True)), encoding=encoding)
    space, objective = SearchSpace.from_product([parameter]), SingleTargetObjective(NumericalTarget("potential"))
    return lambda seed: pools.baybe_rows(pool, Campaign(space, objective, BotorchRecommender()), seed)


def development_pools() -> dict[str, Callable[[], pools.Pool]]:
    """Pools on which views may be chosen."""
    from rdkit.Chem import QED, Descriptors

    return {
        "reduction potential, subset 7": lambda: chembl(7),
        "reduction potential, subset 8": lambda: chembl(8),
        "drug-likeness (QED)": lambda: zinc(QED.qed, 3),
        "molar refractivity over mass": lambda: zinc(lambda m: Descriptors.MolMR(m) / Descriptors.MolWt(m), 31),
        "flexibility times polar surface": lambda: zinc(
            lambda m: Descriptors.NumRotatableBonds(m) * Descriptors.TPSA(m), 32
        ),
    }


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
    parser.add_argument(
        "--only", nargs="*", choices=["default", *VIEWS, "minmax", *ENCODINGS], help="Keeps the others."
    )
    parser.add_argument(
        "--development", action="store_true", help="Pools for choices, seeds from 300; nothing is kept."
    )
    chosen = parser.parse_args()
    kept = read_result("molecule_pools")
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    result: dict[str, Any] = {"seeds": chosen.seeds, "pools": {}}
    first = DEVELOPMENT_SEED if chosen.development else FIRST_SEED
    for name, made in (development_pools() if chosen.development else report_pools()).items():
        pool = made()
        found = dict(kept.get("pools", {}).get(name, {})) if chosen.only else {}
        for whose, begin in searches(pool).items():
            if chosen.only and whose not in chosen.only:
                continue
            run = begin()
            done = [run(seed) for seed in range(first, first + chosen.seeds)]
            hits = [int(pool.hits[rows[INITIAL : INITIAL + BUDGET]].sum()) for rows, _ in done]
            seconds = float(np.median(np.concatenate([taken for _, taken in done])))
            found[whose] = {
                "hits": hits,
                "mean_hits": float(np.mean(hits)),
                "seconds_a_suggestion": seconds,
                "commit": commit(),
            }
            print(name, whose, hits, round(seconds, 3), flush=True)
        result["pools"][name] = found
        if not chosen.development:
            write_result("molecule_pools", result, packages=("numpy", "rdkit", "baybe", "scikit-fingerprints"))


def searches(pool: pools.Pool) -> dict[str, Callable[[], Run]]:
    """What is compared, by name: each begins a search of the pool, which a seed runs."""

    def own(surrogate: ind.GaussianProcess) -> Run:
        optimizer = ind.BayesianOptimizer(surrogate=surrogate, design="random")
        return lambda seed: pools.ours(pool, optimizer, seed)

    def plain() -> Run:
        kernel = similarities(pool.frame["molecule"].tolist())
        threshold = float(np.quantile(pool.values["potential"], 0.95))
        return lambda seed: minmax(pool, kernel, threshold, seed)

    views = {name: ind.Features(formulas="compact", **words) for name, words in VIEWS.items()}
    return {
        "default": lambda: own(ind.GaussianProcess()),
        **{name: partial(own, ind.GaussianProcess(features=view)) for name, view in views.items()},
        "minmax": plain,
        **{name: partial(baybe, pool, encoding) for name, encoding in ENCODINGS.items()},
    }


if __name__ == "__main__":
    main()
