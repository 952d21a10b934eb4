"""A pool of a million molecules: one suggestion after 100 observations, seconds and peak memory.

    INVDESIGN_CACHE=/tmp/somewhere python benchmarks/optimizers/million.py

Fifteen components of count fingerprints are computed once for the pool and kept on disk; this is timed apart. Then a
new process suggests, as a campaign that goes on would. Each step runs in a process of its own, so that its peak memory
is its own. BayBE is tried on the same pool with the same components, given an hour of memory-limited patience: what
happens is written down.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent))

from _record import write_result
from molecule_pool import alkanes

PATIENCE_S = 600
MEMORY = 12 * 2**30


def observed(smiles: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A hundred molecules at random, with a property that any molecule has: the logarithm of its partition."""
    from rdkit import Chem
    from rdkit.Chem import Crippen

    rows = np.random.default_rng(0).choice(len(smiles), 100, replace=False)
    chosen = [smiles[row] for row in rows]
    return pd.DataFrame({"molecule": chosen}), pd.DataFrame(
        {"logp": [Crippen.MolLogP(Chem.MolFromSmiles(text)) for text in chosen]}
    )


def ours(count: int) -> dict[str, float]:
    import invdesign as ind
    from invdesign.optimizers.base import History

    start = time.perf_counter()
    pool = ind.MoleculePool(tuple(itertools.islice(alkanes(), count)))
    space = ind.SearchSpace(molecule=pool)
    read = time.perf_counter() - start
    candidates, values = observed(list(pool.smiles))
    features = ind.Features(molecules="fingerprints", components=15, formulas="compact")
    optimizer = ind.BayesianOptimizer(surrogate=ind.GaussianProcess(features=features), exhaustive=2 * count)
    targets = ind.Targets(ind.Between("logp", 2.0, 2.05))
    history = History(candidates, values, candidates.iloc[:0])
    seconds = []
    for _ in range(2):  # the first one reads or computes the pool's components
        start = time.perf_counter()
        asked = optimizer.propose(1, space=space, targets=targets, history=history, seed=np.random.SeedSequence(0))
        seconds.append(time.perf_counter() - start)
    if len(asked) != 1:
        raise RuntimeError("nothing was suggested")
    return {"seconds_to_read_pool": read, "seconds_first": seconds[0], "seconds_next": seconds[1]}


def baybe(count: int) -> dict[str, float]:
    from baybe import Campaign
    from baybe.objectives import SingleTargetObjective
    from baybe.parameters import CustomDiscreteParameter
    from baybe.recommenders import BotorchRecommender
    from baybe.searchspace import SearchSpace
    from baybe.targets import NumericalTarget

    from invdesign.surrogates.features.molecules import pool_features

    warnings.simplefilter("ignore")
    smiles = tuple(itertools.islice(alkanes(), count))
    components = pool_features(smiles, "fingerprints", 15).transform(list(smiles))
    table = pd.DataFrame(components, index=list(smiles), columns=[f"pc{place}" for place in range(15)])
    start = time.perf_counter()
    space = SearchSpace.from_product([CustomDiscreteParameter("molecule", table, decorrelate=False)])
    made = time.perf_counter() - start
    target = NumericalTarget.match_bell("logp", 2.025, 0.025)
    campaign = Campaign(space, SingleTargetObjective(target), BotorchRecommender())
    candidates, values = observed(list(smiles))
    campaign.add_measurements(pd.concat([candidates, values], axis=1))
    start = time.perf_counter()
    campaign.recommend(1)
    return {"seconds_to_make_space": made, "seconds_next": time.perf_counter() - start}


def in_a_process(who: str, count: int) -> dict[str, object]:
    command = [sys.executable, __file__, "--only", who, "--molecules", str(count)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return {"gave_up_after_s": PATIENCE_S}
    if done.returncode != 0:
        return {"failed": done.stderr.strip().splitlines()[-1][:300] if done.stderr.strip() else str(done.returncode)}
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecules", type=int, default=1_000_000)
    parser.add_argument("--only", choices=("ours", "baybe"))
    given = parser.parse_args()
    if given.only:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        found = {"ours": ours, "baybe": baybe}[given.only](given.molecules)
        found["peak_GB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(json.dumps(found))
        return
    result = {
        "first process": in_a_process("ours", given.molecules),
        "next process": in_a_process("ours", given.molecules),
    }
    print(result, flush=True)
    result["baybe"] = in_a_process("baybe", given.molecules)
    print(result["baybe"])
    write_result(
        "optimizers_million",
        {"molecules": given.molecules, **result},
        packages=("invdesign", "numpy", "rdkit", "baybe"),
    )


if __name__ == "__main__":
    main()
