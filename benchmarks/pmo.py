"""Molecules towards oracles of the PMO benchmark that need no download: our searches beside mol_ga and GP-BO.

    OMP_NUM_THREADS=1 python benchmarks/pmo.py --tasks median1 zaleplon --calls 300 --seeds 1

The oracles are written from the published definitions: GuacaMol (Brown et al. 2019, doi:10.1021/acs.jcim.8b00839), QED
(Bickerton et al. 2012, doi:10.1038/nchem.1243) and penalized logP (Gomez-Bombarelli et al. 2018,
doi:10.1021/acscentsci.7b00572; normalized as by Kusner et al. 2017, divided by ten). PMO is Gao et al. 2022
(arXiv:2206.12411): the score of a run is the area under the mean of its ten best values, over calls, from 0 to 1. Every
search begins with the same random molecules of ZINC, which are its first calls.

Features of the Bayesian search were chosen on rediscoveries, isomers, medians and zaleplon, and on ``like_...``, which
ask for another drug what sitagliptin's oracle asks for (``pmo_development.json``). Eight others are reported; that
sitagliptin's was searched badly is what the choice began with.

Of the hundred best that each ends with, the share with a structural alert (Brenk et al. 2008 or PAINS, Baell and
Holloway 2010) and the share with a synthetic accessibility of at most 4.5 are given, beside those of the seeds.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _gp_bo import gp_bo
from rdkit import Chem, RDLogger
from rdkit.Chem import QED, Crippen, rdFingerprintGenerator, rdMolDescriptors
from rdkit.Chem.FilterCatalog import FilterCatalog, FilterCatalogParams
from rdkit.DataStructs import TanimotoSimilarity

import invdesign as ind
from invdesign.datasets import fetch
from invdesign.optimizers.initial_design import initial_design
from invdesign.surrogates.features.chemists_scores import EASY, sa_score
from invdesign.surrogates.features.settings import MoleculeKind

Oracle = Callable[[Any], float]
ELEMENTS = ("C", "H", "N", "O", "F", "P", "S", "Cl", "Br")
BEST = 10
ENDED_WITH = 100

_FINGERPRINTS: Mapping[str, Any] = {
    "ECFP4": rdFingerprintGenerator.GetMorganGenerator(radius=2),
    "ECFP6": rdFingerprintGenerator.GetMorganGenerator(radius=3),
    "FCFP4": rdFingerprintGenerator.GetMorganGenerator(
        radius=2, atomInvariantsGenerator=rdFingerprintGenerator.GetMorganFeatureAtomInvGen()
    ),
    "AP": rdFingerprintGenerator.GetAtomPairGenerator(maxDistance=10),
}


def similarity(smiles: str, kind: str) -> Oracle:
    """Tanimoto similarity of count fingerprints to a molecule."""
    target = _FINGERPRINTS[kind].GetSparseCountFingerprint(Chem.MolFromSmiles(smiles))
    return lambda molecule: TanimotoSimilarity(target, _FINGERPRINTS[kind].GetSparseCountFingerprint(molecule))


def clipped(oracle: Oracle, upper: float) -> Oracle:
    return lambda molecule: min(oracle(molecule), upper) / upper


def gaussian(oracle: Oracle, mean: float, sigma: float, side: str = "both") -> Oracle:
    """A Gaussian of a number; one above (``max``) or below (``min``) its mean where only the other side counts."""

    def scored(molecule: Any) -> float:
        value = oracle(molecule)
        if (side == "max" and value > mean) or (side == "min" and value < mean):
            return 1.0
        return float(np.exp(-0.5 * ((value - mean) / sigma) ** 2))

    return scored


def geometric(*oracles: Oracle) -> Oracle:
    return lambda molecule: float(np.prod([max(0.0, one(molecule)) for one in oracles]) ** (1.0 / len(oracles)))


def isomers(**amounts: int) -> Oracle:
    """How near the formula of a molecule is to a wanted one: Gaussians of each element's count and of all atoms."""

    def count(symbol: str) -> Oracle:
        return lambda molecule: sum(atom.GetSymbol() == symbol for atom in Chem.AddHs(molecule).GetAtoms())

    parts = [gaussian(count(symbol), amount, 1.0) for symbol, amount in amounts.items()]
    total = gaussian(lambda molecule: Chem.AddHs(molecule).GetNumAtoms(), sum(amounts.values()), 2.0)
    return geometric(*parts, total)


def penalized_logp(molecule: Any) -> float:
    """LogP less synthetic accessibility and large rings, each standardized on ZINC, as Kusner et al. did."""
    rings = [len(ring) for ring in molecule.GetRingInfo().AtomRings()]
    longest = max(0, max(rings, default=0) - 6)
    logp = (Crippen.MolLogP(molecule) - 2.4570953396190123) / 1.434324401111988
    access = (-sa_score(molecule) + 3.0525811293166134) / 0.8335207024513095
    cycle = (-longest + 0.0485696876403053) / 0.2860212110245455
    return float(np.clip((logp + access + cycle) / 10.0, -1.0, 1.0))


logp: Oracle = Crippen.MolLogP
tpsa: Oracle = rdMolDescriptors.CalcTPSA
OSIMERTINIB = "COc1cc(N(C)CCN(C)C)c(NC(=O)C=C)cc1Nc2nccc(n2)c3cn(C)c4ccccc34"
FEXOFENADINE = "CC(C)(C(=O)O)c1ccc(cc1)C(O)CCCN2CCC(CC2)C(O)(c3ccccc3)c4ccccc4"
RANOLAZINE = "COc1ccccc1OCC(O)CN2CCN(CC(=O)Nc3c(C)cccc3C)CC2"
PERINDOPRIL = "O=C(OCC)C(NC(C(=O)N1C(C(=O)O)CC2CCCCC12)C)CCC"
AMLODIPINE = "Clc1ccccc1C2C(=C(/N/C(=C2/C(=O)OCC)COCCN)C)\\C(=O)OC"
SITAGLIPTIN = "Fc1cc(c(F)cc1F)CC(N)CC(=O)N3Cc2nnc(n2CC3)C(F)(F)F"
ZALEPLON = "O=C(C)N(CC)C1=CC=CC(C2=CC=NC3=C(C=NN23)C#N)=C1"
CELECOXIB = "CC1=CC=C(C=C1)C1=CC(=NN1C1=CC=C(C=C1)S(N)(=O)=O)C(F)(F)F"
TROGLITAZONE = "Cc1c(C)c2OC(C)(COc3ccc(CC4SC(=O)NC4=O)cc3)CCc2c(C)c1O"
ALBUTEROL = "CC(C)(C)NCC(O)c1ccc(O)c(CO)c1"
MESTRANOL = "COc1ccc2[C@H]3CC[C@@]4(C)[C@@H](CC[C@@]4(O)C#C)[C@@H]3CCc2c1"
CAMPHOR, MENTHOL = "CC1(C)C2CCC1(C)C(=O)C2", "CC(C)C1CCC(C)CC1O"
TADALAFIL = "O=C1N(CC(N2C1CC3=C(C2C4=CC5=C(OCO5)C=C4)NC6=C3C=CC=C6)=O)C"
SILDENAFIL = "CCCC1=NN(C2=C1N=C(NC2=O)C3=C(C=CC(=C3)S(=O)(=O)N4CCN(CC4)C)OCC)C"


def tasks() -> dict[str, Oracle]:
    """The oracles by the names that PMO gives them; each takes an RDKit molecule."""
    return {
        "qed": QED.qed,
        "plogp": penalized_logp,
        "albuterol_similarity": clipped(similarity(ALBUTEROL, "FCFP4"), 0.75),
        "mestranol_similarity": clipped(similarity(MESTRANOL, "AP"), 0.75),
        "celecoxib_rediscovery": similarity(CELECOXIB, "ECFP4"),
        "troglitazone_rediscovery": similarity(TROGLITAZONE, "ECFP4"),
        "isomers_c7h8n2o2": isomers(C=7, H=8, N=2, O=2),
        "isomers_c9h10n2o2pf2cl": isomers(C=9, H=10, N=2, O=2, P=1, F=2, Cl=1),
        "median1": geometric(similarity(CAMPHOR, "ECFP4"), similarity(MENTHOL, "ECFP4")),
        "median2": geometric(similarity(TADALAFIL, "ECFP6"), similarity(SILDENAFIL, "ECFP6")),
        "osimertinib": geometric(
            clipped(similarity(OSIMERTINIB, "FCFP4"), 0.8),
            gaussian(similarity(OSIMERTINIB, "ECFP6"), 0.85, 0.1, "min"),
            gaussian(tpsa, 100.0, 10.0, "max"),
            gaussian(logp, 1.0, 1.0, "min"),
        ),
        "fexofenadine": geometric(
            clipped(similarity(FEXOFENADINE, "AP"), 0.8),
            gaussian(tpsa, 90.0, 10.0, "max"),
            gaussian(logp, 4.0, 1.0, "min"),
        ),
        "ranolazine": geometric(
            clipped(similarity(RANOLAZINE, "AP"), 0.7),
            gaussian(logp, 7.0, 1.0, "max"),
            gaussian(tpsa, 95.0, 20.0, "max"),
            gaussian(lambda molecule: sum(atom.GetSymbol() == "F" for atom in molecule.GetAtoms()), 1.0, 1.0),
        ),
        "perindopril": geometric(
            similarity(PERINDOPRIL, "ECFP4"), gaussian(rdMolDescriptors.CalcNumAromaticRings, 2.0, 0.5)
        ),
        "amlodipine": geometric(similarity(AMLODIPINE, "ECFP4"), gaussian(rdMolDescriptors.CalcNumRings, 3.0, 0.5)),
        "sitagliptin": isomer_unlike(SITAGLIPTIN),
        "zaleplon": geometric(similarity(ZALEPLON, "ECFP4"), isomers(C=19, H=17, N=3, O=2)),
    }


DRUGS = {
    "fluconazole": "OC(Cn1cncn1)(Cn1cncn1)c1ccc(F)cc1F",
    "celecoxib": CELECOXIB,
    "flecainide": "O=C(NCC1CCCCN1)c1cc(OCC(F)(F)F)ccc1OCC(F)(F)F",
    "troglitazone": TROGLITAZONE,
}


def isomer_unlike(smiles: str) -> Oracle:
    """A molecule of the formula, logP and polar surface of another, but unlike it, as sitagliptin's oracle asks for."""
    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    counts = Counter(atom.GetSymbol() for atom in molecule.GetAtoms())
    return geometric(
        gaussian(similarity(smiles, "ECFP4"), 0.0, 0.1),
        gaussian(logp, logp(molecule), 0.2),
        gaussian(tpsa, tpsa(molecule), 5.0),
        isomers(**counts),
    )


def oracles() -> dict[str, Oracle]:
    """All oracles by name: those of PMO, and further ones for development."""
    return tasks() | {f"like_{name}": isomer_unlike(smiles) for name, smiles in DRUGS.items()}


def seed_molecules(count: int, seed: int, max_atoms: int) -> list[str]:
    """Random neutral molecules of ZINC that fit the space."""
    lines = Path(fetch("zinc-valid")).read_text(encoding="utf-8").split()
    found: list[str] = []
    for place in np.random.default_rng(seed).permutation(len(lines)).tolist():
        molecule = Chem.MolFromSmiles(lines[place])
        if molecule is not None and molecule.GetNumHeavyAtoms() <= max_atoms and _is_plain(molecule):
            Chem.RemoveStereochemistry(molecule)
            found.append(Chem.MolToSmiles(molecule))
        if len(found) == count:
            break
    return found


def _is_plain(molecule: Any) -> bool:
    return all(atom.GetSymbol() in ELEMENTS and not atom.GetFormalCharge() for atom in molecule.GetAtoms())


class CallsUsedError(Exception):
    """An oracle is asked for another molecule after its last call."""


class Counted:
    """An oracle that counts calls: a molecule that was asked before costs none.

    Args:
        oracle: of molecules.
        calls: how many different molecules may be asked; a further one raises ``CallsUsedError``.
    """

    def __init__(self, oracle: Oracle, calls: int) -> None:
        self.oracle, self.calls = oracle, calls
        self.values: dict[str, float] = {}

    def __call__(self, smiles: Sequence[str]) -> list[float]:
        return [self._one(text) for text in smiles]

    def _one(self, smiles: str) -> float:
        if smiles not in self.values:
            molecule = Chem.MolFromSmiles(smiles)
            if molecule is None:
                return 0.0
            if len(self.values) >= self.calls:
                raise CallsUsedError
            self.values[smiles] = float(self.oracle(molecule))
        return self.values[smiles]

    def area(self, calls: int | None = None) -> float:
        """Area under the mean of the ten best values, over calls; calls that were not used keep the last mean.

        Args:
            calls: over how many of the first calls; None for all that were allowed.
        """
        counted = self.calls if calls is None else calls
        best: list[float] = []
        means = []
        for value in list(self.values.values())[:counted]:
            best = sorted([*best, value], reverse=True)[:BEST]
            means.append(sum(best) / BEST)
        means += means[-1:] * (counted - len(means))
        return float(np.mean(means))

    def ended_with(self) -> list[str]:
        return sorted(self.values, key=self.values.__getitem__, reverse=True)[:ENDED_WITH]


def ours(
    optimizer: Any,
    oracle: Counted,
    seeds: Sequence[str],
    *,
    calls: int,
    initial: int,
    batch: int,
    seed: int,
    max_sa_score: float | None = None,
) -> float:
    """Runs one of our optimizers for so many calls; returns the mean seconds of a proposal."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "seeds.smi"
        file.write_text("\n".join(seeds))
        graph = ind.MoleculeGraph(str(file), elements=ELEMENTS, max_atoms=50, max_rings=8, max_sa_score=max_sa_score)
    space = ind.SearchSpace(molecule=graph)
    targets = ind.Targets(ind.Maximize("score"))
    candidates = space.sample(0, np.random.default_rng(0))
    values = pd.DataFrame({"score": []}, dtype=float)
    elapsed, asked = 0.0, 0
    while len(candidates) < calls:
        begun = len(candidates) >= initial
        count = min(batch if begun else initial - len(candidates), calls - len(candidates))
        history = ind.History(candidates, values, candidates.iloc[:0])
        start = time.process_time()
        chosen = optimizer if begun else initial_design(optimizer)
        new = chosen.propose(count, space=space, targets=targets, history=history, seed=np.random.SeedSequence(seed))
        if begun:
            elapsed, asked = elapsed + time.process_time() - start, asked + len(new)
        if new.empty:
            break
        scores = pd.DataFrame({"score": oracle(new["molecule"].tolist())})
        candidates = pd.concat([candidates, new], ignore_index=True) if len(candidates) else new
        values = pd.concat([values, scores], ignore_index=True) if len(values) else scores
    return elapsed / max(1, asked)


def mol_ga(oracle: Counted, seeds: Sequence[str], *, seed: int) -> None:
    """Runs mol_ga (Tripp and Hernandez-Lobato 2023) with its defaults until the calls are used."""
    from mol_ga.preconfigured_gas import default_ga

    generator = random.Random(seed)
    with suppress(CallsUsedError):  # most generations repeat molecules: how many are needed is not known before
        default_ga(
            starting_population_smiles=set(seeds),
            scoring_function=oracle,
            max_generations=oracle.calls,
            offspring_size=5,
            rng=generator,
        )


@cache
def _catalog() -> Any:
    parameters = FilterCatalogParams(FilterCatalogParams.FilterCatalogs.BRENK)
    parameters.AddCatalog(FilterCatalogParams.FilterCatalogs.PAINS)
    return FilterCatalog(parameters)


def shares(smiles: Sequence[str]) -> dict[str, float]:
    """Which shares of molecules carry an alert and are easy to make."""
    molecules = [Chem.MolFromSmiles(text) for text in smiles]
    return {
        "alerts": float(np.mean([_catalog().HasMatch(molecule) for molecule in molecules])),
        "accessible": float(np.mean([sa_score(molecule) <= EASY for molecule in molecules])),
    }


def _learning_from(kind: MoleculeKind) -> ind.BayesianOptimizer:
    """A Bayesian search whose features have one length scale."""
    return ind.BayesianOptimizer(
        surrogate=ind.GaussianProcess(features=ind.Features(molecules=kind, formulas="compact"))
    )


OURS: Mapping[str, Callable[[], Any]] = {
    "genetic": ind.GeneticOptimizer,
    "bayesian, then genetic": ind.SequenceOptimizer,
    "bayesian": ind.BayesianOptimizer,
    "bayesian, fingerprints": partial(_learning_from, "fingerprints"),
    "bayesian, quick": partial(_learning_from, "quick"),
    "random": ind.RandomOptimizer,
}


def run(name: str, task: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    oracle = Counted(oracles()[task], arguments.calls)
    seeds = seed_molecules(arguments.molecules, seed, 50)
    start = time.process_time()
    seconds: float | None = None
    if name == "mol_ga":
        mol_ga(oracle, seeds, seed=seed)
    elif name == "gp_bo":
        gp_bo(oracle, oracle.values, calls=arguments.calls, seeds=seeds, seed=seed)
    else:
        steps = {"calls": arguments.stop or arguments.calls, "initial": arguments.initial, "batch": arguments.batch}
        seconds = ours(OURS[name](), oracle, seeds, seed=seed, max_sa_score=arguments.max_sa_score, **steps)
    return {
        "search": name,
        "task": task,
        "seed": seed,
        "area": round(oracle.area(), 4),
        **{f"area of {calls}": round(oracle.area(calls), 4) for calls in arguments.also},
        "best": round(max(oracle.values.values()), 4),
        "calls": len(oracle.values),
        "seconds a proposal": None if seconds is None else round(seconds, 3),
        "seconds": round(time.process_time() - start, 1),
        **{key: round(value, 3) for key, value in shares(oracle.ended_with()).items()},
        "seeds": {key: round(value, 3) for key, value in shares(seeds).items()},
    }


def summary(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Per search: the sum over tasks of the mean area, and the mean shares of the hundred best."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(one["search"] for one in runs):
        own = [one for one in runs if one["search"] == name]
        by_task = {
            task: round(statistics.mean(one["area"] for one in own if one["task"] == task), 4)
            for task in dict.fromkeys(one["task"] for one in own)
        }
        found[name] = {
            "sum of areas": round(sum(by_task.values()), 4),
            "areas": by_task,
            **{key: round(statistics.mean(one[key] for one in own), 3) for key in ("alerts", "accessible")},
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", choices=sorted(oracles()), default=sorted(tasks()))
    parser.add_argument("--searches", nargs="+", default=["genetic", "bayesian", "mol_ga", "gp_bo"])
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3, help="runs per task")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--molecules", type=int, default=100, help="molecules of ZINC to begin with")
    parser.add_argument("--initial", type=int, default=100, help="of these, evaluated before the search takes over")
    parser.add_argument("--batch", type=int, default=5)
    parser.add_argument("--stop", type=int, help="calls after which our searches stop; the area counts all the same")
    parser.add_argument(
        "--also", type=int, nargs="*", default=[], help="further numbers of first calls to give areas of"
    )
    parser.add_argument("--max-sa-score", type=float, help="of our molecules; 10 turns the limit off")
    parser.add_argument("--name", default="pmo", help="of the file of results; none is written if empty")
    arguments = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    from _record import write_result

    RDLogger.DisableLog("rdApp.*")
    settings = {key: value for key, value in vars(arguments).items() if key != "name"}
    runs: list[dict[str, Any]] = []
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    for task, seed, name in itertools.product(arguments.tasks, seeds, arguments.searches):
        runs.append(run(name, task, seed, arguments))
        print(runs[-1], flush=True)
        if arguments.name:
            payload = {"settings": settings, "summary": summary(runs), "runs": runs}
            write_result(arguments.name, payload, packages=("numpy", "pandas", "scipy", "rdkit", "mol_ga"))
    for name, found in summary(runs).items():
        print(name, found)


if __name__ == "__main__":
    main()
