"""Candidates in flight beside batches, on a simulated cluster whose evaluations take log-normal times.

    OMP_NUM_THREADS=1 python benchmarks/in_flight.py [--workers 12] [--evaluations 96] [--seeds 5]

The time of an evaluation belongs to the candidate (median 10 minutes, a standard deviation of 1 in its logarithm), so
that both ways pay the same for it; proposals take no time. A batch ends with its slowest evaluation. Hits are molecules
of the HBE table within a narrow window; seeds are from 1000.
"""

from __future__ import annotations

import argparse
import hashlib
import heapq
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
import pandas as pd
from _record import write_result

import invdesign as ind
from invdesign import datasets

FIRST_SEED = 1000
MEDIAN, SIGMA = 10.0 / 60.0, 1.0
TARGETS = ind.Targets(ind.Between("potential", 1.55, 1.60))


class SimulatedCluster(Executor):
    """Calls end in the order of a clock that stands still while candidates are proposed.

    Args:
        workers: calls that run at the same time.
        calls: number of calls that will come.
        hours: the time of a call by its candidate.
    """

    def __init__(self, workers: int, calls: int, hours: Callable[[str], float]) -> None:
        self.workers, self.now = workers, 0.0
        self._left, self._hours = calls, hours
        self._running: list[tuple[float, int, Future[Any], Any]] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        ends = self.now + self._hours(str(args[1]["molecule"].iloc[0]))
        heapq.heappush(self._running, (ends, id(future), future, lambda: fn(*args, **kwargs)))
        while self._running and len(self._running) >= min(self.workers, self._left):
            self.now, _, done, call = heapq.heappop(self._running)
            self._left -= 1
            done.set_result(call())
            if self._left >= self.workers:
                break  # the campaign proposes the next one first
        return future


def hours_of(molecule: str) -> float:
    seed = int.from_bytes(hashlib.sha256(molecule.encode()).digest()[:8], "little")
    return float(MEDIAN * np.random.default_rng(seed).lognormal(0.0, SIGMA))


def measured(seed: int, workers: int, evaluations: int, *, in_flight: bool) -> dict[str, float]:
    table = datasets.resolve("dataset:hbe")
    space = ind.SearchSpace(molecule=ind.MoleculePool.from_file(table, smiles="canonSMILES"))
    objective = ind.TableObjective(table, {"molecule": "canonSMILES"}, {"potential": "Potential"})
    campaign = ind.Campaign(space, TARGETS, seed=seed, initial=workers)
    if in_flight:
        cluster = SimulatedCluster(workers, evaluations, hours_of)
        campaign.run(objective, evaluations=evaluations, in_flight=workers, executor=cluster)
        hours = cluster.now
    else:
        campaign.run(objective, evaluations=evaluations, batch=workers)
        times = campaign.frame()["molecule"].map(hours_of).to_numpy()
        hours = float(sum(times[start : start + workers].max() for start in range(0, evaluations, workers)))
    hits = len(campaign.hits())
    return {"hours": hours, "evaluations_per_hour": evaluations / hours, "hits": hits, "hits_per_hour": hits / hours}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=12)
    parser.add_argument("--evaluations", type=int, default=96)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    runs = pd.DataFrame(
        {"way": way, "seed": seed, **measured(seed, given.workers, given.evaluations, in_flight=way == "in flight")}
        for seed in range(FIRST_SEED, FIRST_SEED + given.seeds)
        for way in ("batches", "in flight")
    )
    means = runs.groupby("way").mean().drop(columns="seed")
    print(means.to_string())
    found = {
        "workers": given.workers,
        "evaluations": given.evaluations,
        "means": means.to_dict("index"),
        "gain": (means.loc["in flight"] / means.loc["batches"]).to_dict(),
        "runs": runs.to_dict("records"),
    }
    write_result("in_flight", found, packages=("numpy", "pandas", "scikit-learn", "rdkit"))


if __name__ == "__main__":
    main()
