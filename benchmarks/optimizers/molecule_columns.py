"""Three columns of molecules and two numbers: hits among the best hundredth with 60 evaluations after 10 random ones.

    INVDESIGN_DATA=... python benchmarks/optimizers/molecule_columns.py --seeds 5 --few 3 [--development]

A polar solvent, a thin one and a salt, their shares and the concentration: 10,368 electrolytes, whose conductivity at
298 K a model of all of CALiSol-23 says (see ``formulation_campaigns.py``). ``words`` are the same molecules without
their chemistry. BayBE takes them in encodings of its own, which needs scikit-fingerprints. Development is at 258 K with
seeds from 300, the report has seeds from 1000. Beware: the judge is a model.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent))

import pools
from _electrolytes import SALTS, SOLVENTS
from _record import commit, read_result, write_result
from formulation_campaigns import ROOM, Judge

import invdesign as ind

POLAR = ("EC", "PC", "FEC", "g-Butyrolactone", "Sulfolane", "DMSO", "AN", "3-Me-2-Oxazolidinone")
THIN = ("DMC", "EMC", "DEC", "DME", "EA", "MA", "THF", "DOL", "2-MeTHF", "DMM", "MOEMC", "2-Glyme")
SHARES, CONCENTRATIONS = (0.25, 0.5, 0.75), (0.5, 1.0, 1.5)
INITIAL, BUDGET = 10, 60
BEST = 0.01
FIRST_SEED, DEVELOPMENT_SEED = 1000, 300
COLD = 258.0
ENCODINGS = {"baybe, descriptors": "RDKIT2DDESCRIPTORS", "baybe, fingerprints": "ECFP", "baybe, words": None}


def electrolytes(temperature: float, *, molecules: bool) -> pools.Pool:
    """All electrolytes with their conductivities; the columns of molecules are SMILES, in the space words or not."""
    rows = list(itertools.product(POLAR, THIN, SALTS, SHARES, CONCENTRATIONS))
    texts = [
        f"{polar} {share:g} + {thin} {1 - share:g} | {salt} {amount:g} mol/l"
        for polar, thin, salt, share, amount in rows
    ]
    values = Judge()(pd.DataFrame({"electrolyte": texts, "temperature": temperature}))
    smiles = SOLVENTS | SALTS
    frame = pd.DataFrame(rows, columns=["polar", "thin", "salt", "share", "concentration"])
    names = {"polar": POLAR, "thin": THIN, "salt": tuple(SALTS)}
    parameters: dict[str, Any] = {}
    for column, chosen in names.items():
        texts = [smiles[name] for name in chosen]
        pool = ind.MoleculePool.from_smiles(texts)
        canonical = dict(zip(chosen, pool.canonical(texts), strict=True))
        frame[column] = frame[column].map(canonical)
        parameters[column] = pool if molecules else ind.Categorical(list(canonical.values()))
    parameters["share"] = ind.Continuous(SHARES[0], SHARES[-1], step=0.25)
    parameters["concentration"] = ind.Continuous(CONCENTRATIONS[0], CONCENTRATIONS[-1], step=0.5)
    targets = ind.Targets(ind.AtLeast("conductivity", float(np.quantile(values, 1.0 - BEST))))
    known = pd.DataFrame({"conductivity": values})
    return pools.Pool(frame, known, ind.SearchSpace(parameters), targets, INITIAL, BUDGET, len(frame), INITIAL + BUDGET)


def baybe(pool: pools.Pool, encoding: str | None, seed: int) -> tuple[list[int], list[float]]:
    """BayBE on the same list."""
    from baybe import Campaign
    from baybe.objectives import SingleTargetObjective
    from baybe.parameters import CategoricalParameter, NumericalDiscreteParameter, SubstanceParameter
    from baybe.recommenders import BotorchRecommender
    from baybe.searchspace import SearchSpace
    from baybe.targets import NumericalTarget

    parameters: list[Any] = []
    for name in ("polar", "thin", "salt"):
        found = sorted(pool.frame[name].unique())
        parameters.append(
            CategoricalParameter(name, found)
            if encoding is None
            else SubstanceParameter(name, dict(zip(found, found, strict=True)), encoding=encoding)
        )
    parameters.append(NumericalDiscreteParameter("share", SHARES))
    parameters.append(NumericalDiscreteParameter("concentration", CONCENTRATIONS))
    objective = SingleTargetObjective(NumericalTarget("conductivity"))
    campaign = Campaign(SearchSpace.from_product(parameters), objective, BotorchRecommender())
    return pools.baybe_rows(pool, campaign, seed)


def main() -> None:
    """Measures and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--few", type=int, default=3, help="Seeds of BayBE; with 0 its results are kept.")
    parser.add_argument("--development", action="store_true", help="At 258 K, seeds from 300; nothing is written.")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    first = DEVELOPMENT_SEED if chosen.development else FIRST_SEED
    temperature = COLD if chosen.development else ROOM
    optimizer = ind.BayesianOptimizer(design="random")
    found: dict[str, Any] = {} if chosen.development else dict(read_result("molecule_columns").get("searches", {}))
    runs: list[tuple[str, int]] = [("ours", chosen.seeds), ("ours, words", chosen.seeds)]
    runs += [(name, chosen.few) for name in ENCODINGS if chosen.few]
    for name, seeds in runs:
        pool = electrolytes(temperature, molecules=name == "ours")
        done = [
            baybe(pool, ENCODINGS[name], seed) if name in ENCODINGS else pools.ours(pool, optimizer, seed)
            for seed in range(first, first + seeds)
        ]
        hits = [int(pool.hits[rows[INITIAL : INITIAL + BUDGET]].sum()) for rows, _ in done]
        seconds = float(np.median(np.concatenate([taken for _, taken in done])))
        found[name] = {"hits": hits, "mean_hits": float(np.mean(hits)), "seconds": seconds, "commit": commit()}
        print(name, found[name], flush=True)
        if not chosen.development:
            payload = {"electrolytes": len(pool.frame), "hits": int(pool.hits.sum()), "searches": found}
            write_result("molecule_columns", payload, packages=("numpy", "rdkit", "baybe", "scikit-fingerprints"))


if __name__ == "__main__":
    main()
