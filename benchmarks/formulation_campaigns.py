"""Campaigns for electrolytes on a judge: evaluations until they have found what was asked for.

    INVDESIGN_DATA=... OMP_NUM_THREADS=1 python benchmarks/formulation_campaigns.py cold|best
        [--only random genetic bayesian baybe ax] [--seeds N] [--first N] [--most N]

The judge (extremely randomized trees fitted to all of CALiSol-23) plays the laboratory. ``cold``: evaluations until ten
electrolytes of one or two solvents (by volume) and a salt (mol/l) reach 8 to 12 mS/cm at or below 253 K; of the 13,269
measured ones 15 do. ``best``: the highest conductivity at 298 K, evaluations to 99 % of the best of the whole space,
which is found by judging all of its electrolytes. All begin with the same ten random candidates of a seed.

BayBE cannot take the space and searches a list of LISTED random candidates of it (of ``cold`` at 253 K alone, where
hits are densest); Ax takes two solvents, a salt and their amounts in slots. See ``_electrolyte_peers``.

Beware: the judge is a model, and trusts what it says far from its data.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from _electrolyte_peers import UNITS, Ax, BayBE, Peer
from _electrolytes import SALTS, SOLVENTS, calisol
from _record import commit, read_result, write_result
from sklearn.ensemble import ExtraTreesRegressor

from invdesign.campaign import Campaign
from invdesign.optimizers import BayesianOptimizer, GeneticOptimizer, Optimizer, RandomOptimizer
from invdesign.space import Continuous, Mixture, SearchSpace
from invdesign.surrogates.features.mixture_text import mixture_amounts
from invdesign.targets import Between, Maximize, Targets

PACKAGES = ("invdesign", "numpy", "pandas", "scikit-learn", "rdkit", "baybe", "ax-platform", "botorch", "torch")
OPTIMIZERS: dict[str, Callable[[], Optimizer]] = {
    "random": RandomOptimizer,
    "genetic": GeneticOptimizer,
    "bayesian": BayesianOptimizer,
}
PEERS = ("baybe", "ax")
RESULT = "formulations_campaign"
INITIAL = 10
HITS = 10
NEAR = 0.99
LISTED = 20_000
COLD = 253.0
"""The greatest temperature of ``cold`` in K."""
ROOM = 298.0
"""The temperature of ``best`` in K."""


class Judge:
    """The conductivity in mS/cm of any electrolyte of the space, by trees fitted to all of CALiSol-23."""

    def __init__(self) -> None:
        table = calisol()
        self._columns = list(table.plain.columns)
        self._trees = ExtraTreesRegressor(n_estimators=100, random_state=0, n_jobs=1)
        self._trees.fit(table.plain.to_numpy(), table.y.iloc[:, 0])

    def __call__(self, candidates: pd.DataFrame) -> np.ndarray:
        amounts = pd.DataFrame(mixture_amounts(candidates["electrolyte"].tolist(), UNITS), columns=list(UNITS))
        plain = pd.DataFrame(0.0, index=range(len(candidates)), columns=self._columns)
        plain["T"] = candidates["temperature"].to_numpy(dtype=float)
        plain["concentration_unit_mol/l"] = plain["fractions_of_v"] = 1.0
        plain[list(SOLVENTS)] = amounts[list(SOLVENTS)]
        for salt in SALTS:
            plain[salt] = (amounts[salt] > 0).astype(float)
        plain["c"] = amounts[list(SALTS)].sum(axis=1)
        return np.asarray(10 ** self._trees.predict(plain.to_numpy()))


def mixture() -> Mixture:
    """One or two solvents and a salt."""
    return Mixture(
        roles={
            "solvent": {
                "components": SOLVENTS,
                "pick": [1, 2],
                "amount": [0.05, 1.0],
                "step": 0.05,
                "basis": "volume",
            },
            "salt": {"components": SALTS, "pick": 1, "amount": [0.4, 2.0], "step": 0.1, "unit": "mol/l"},
        }
    )


def electrolytes() -> SearchSpace:
    """Electrolytes of one or two solvents and a salt, at or below 253 K."""
    return SearchSpace(electrolyte=mixture(), temperature=Continuous(213, COLD, step=10, unit="K"))


@dataclass(frozen=True)
class Task:
    """What a campaign looks for.

    Attributes:
        space: of the electrolytes.
        targets: of the conductivity ``k``.
        window: of the conductivity in mS/cm; None to maximize it.
        wanted: evaluations at or above this conductivity, or in the window, count.
        enough: how many of them end a campaign.
        temperatures: of the space, in K.
    """

    space: SearchSpace
    targets: Targets
    window: tuple[float, float] | None
    wanted: float
    enough: int
    temperatures: tuple[float, ...]

    def hit(self, values: np.ndarray) -> np.ndarray:
        """Whether conductivities are what is wanted, shape ``n``."""
        return (values >= self.wanted) & (values <= (self.window[1] if self.window else np.inf))

    def judged(self, candidates: pd.DataFrame) -> pd.DataFrame:
        """Candidates with their temperature, which not every space has as a parameter."""
        return candidates if "temperature" in candidates else candidates.assign(temperature=self.temperatures[0])


def cold() -> Task:
    """Electrolytes that conduct at or below 253 K."""
    temperatures = tuple(np.arange(213.0, COLD + 1, 10.0))
    return Task(electrolytes(), Targets(Between("k", 8, 12)), (8.0, 12.0), 8.0, HITS, temperatures)


def best(highest: float) -> Task:
    """The highest conductivity at 298 K.

    Args:
        highest: of all electrolytes of the space, in mS/cm.
    """
    space = SearchSpace(electrolyte=mixture())
    return Task(space, Targets(Maximize("k")), None, NEAR * highest, 1, (ROOM,))


def highest(judge: Judge) -> float:
    """The highest conductivity of all electrolytes of the space at 298 K, in mS/cm."""
    steps = [f"{place / 20:.2f}" for place in range(1, 20)]
    names = list(SOLVENTS)
    solvents = [f"{name} 1" for name in names]
    for place, name in enumerate(names):
        solvents += [f"{name} {a} + {other} {1 - float(a):.2f}" for other in names[place + 1 :] for a in steps]
    top = 0.0
    for salt in SALTS:
        texts = [f"{one} | {salt} {tenth / 10:.1f} mol/l" for one in solvents for tenth in range(4, 21)]
        top = max(top, float(judge(pd.DataFrame({"electrolyte": texts, "temperature": ROOM})).max()))
    return top


def campaign(task: Task, judge: Judge, optimizer: Optimizer, seed: int, most: int) -> list[float]:
    """The conductivities that a campaign of ours measures, in their order."""
    found = Campaign(task.space, task.targets, optimizer=optimizer, seed=seed, initial=INITIAL)
    first = started(task, seed)
    values = judge(task.judged(first)).tolist()
    found.tell(first.assign(k=values))
    while going(task, values, most):
        batch = found.ask(1)
        measured = judge(task.judged(batch))
        found.tell(batch.assign(k=measured))
        values += measured.tolist()
    return values


def peer_campaign(task: Task, judge: Judge, peer: Peer, seed: int, most: int) -> list[float]:
    """The same of a peer."""
    first = task.judged(started(task, seed))
    values = judge(first).tolist()
    peer.tell(first, np.array(values))
    while going(task, values, most):
        batch = peer.ask()
        measured = judge(batch)
        peer.tell(batch, measured)
        values += measured.tolist()
    return values


def started(task: Task, seed: int) -> pd.DataFrame:
    """The random candidates with which the campaigns of a seed begin."""
    return task.space.sample(INITIAL, np.random.default_rng(seed))


def going(task: Task, values: list[float], most: int) -> bool:
    """Whether a campaign has neither found enough nor spent its evaluations."""
    return len(values) < most and int(task.hit(np.array(values)).sum()) < task.enough


def peer(name: str, task: Task, seed: int) -> Peer:
    """A peer at its beginning."""
    if name == "ax":
        return Ax(seed, task.window, list(task.temperatures))
    # Other random candidates than those of the start.
    listed = task.space.sample(LISTED, np.random.default_rng(1000 + seed))
    listed = listed.assign(temperature=COLD) if task.window else task.judged(listed)
    return BayBE(listed, task.window)


def run(task_name: str, names: list[str], seeds: range, most: int) -> None:
    """Runs the campaigns of some optimizers and writes each as it ends."""
    judge = Judge()
    before = read_result(RESULT).get("tasks", {})
    kept: dict[str, Any] = before.get(task_name, {"runs": {}})
    if task_name == "cold":
        task = cold()
        if "share_of_hits" not in kept:
            drawn = task.space.sample(50_000, np.random.default_rng(99))
            kept["share_of_hits"] = float(task.hit(judge(drawn)).mean())
    else:
        kept.setdefault("highest", highest(judge))
        task = best(kept["highest"])
    for seed in seeds:
        for name in names:
            start = time.perf_counter()
            if name in PEERS:
                values = peer_campaign(task, judge, peer(name, task, seed), seed, most)
            else:
                values = campaign(task, judge, OPTIMIZERS[name](), seed, most)
            hits = np.flatnonzero(task.hit(np.array(values)))
            kept["runs"].setdefault(name, {})[str(seed)] = {
                "evaluations_to_enough": int(hits[task.enough - 1]) + 1 if len(hits) >= task.enough else None,
                "hits": len(hits),
                "highest": round(max(values), 4),
                "evaluations": len(values),
                "seconds": round(time.perf_counter() - start, 1),
                "commit": commit(),
            }
            print(task_name, name, seed, kept["runs"][name][str(seed)], flush=True)
            tasks = {**read_result(RESULT).get("tasks", {}), task_name: kept}
            settings = {"initial": INITIAL, "most_evaluations": most, "hits_wanted": HITS, "near_best": NEAR}
            write_result(RESULT, {**settings, "listed_for_baybe": LISTED, "tasks": tasks}, packages=PACKAGES)


def main() -> None:
    """Runs one task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("cold", "best"))
    parser.add_argument("--only", nargs="*", default=[*OPTIMIZERS, *PEERS])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--most", type=int, default=150)
    given = parser.parse_args()
    run(given.task, given.only, range(given.first, given.first + given.seeds), given.most)


if __name__ == "__main__":
    main()
