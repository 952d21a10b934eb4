"""Speed and memory of screens, beside bare loops of the libraries that do the work.

    OMP_NUM_THREADS=1 python benchmarks/screening.py [--rows 100000] [--oxides 1000000] [PART ...]

Parts: ``smiles`` (SMILES, count fingerprints, random forest; a bare loop of RDKit and scikit-learn takes turns with our
blocks, in CPU seconds of this process), ``cores`` (the same on one and two worker processes, wall clock), ``memory``
(of a process that screens repeated ZINC molecules), ``oxides`` (five-element oxides, Magpie attributes, random forest;
matminer's featurizer on a few beside it), ``sendek`` and ``hbe`` (the examples), ``structures`` (the descriptors of
Sendek et al. 2017 from CIF files, against their table), ``active`` (passes with evaluations between them beside one
pass), ``dask`` (10 workers, of which two are killed; needs the extra ``cluster``). Other work on the machine slows the
wall clock: compare ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from _record import commit, read_result, write_result

import invdesign as ind
from invdesign import datasets
from invdesign.screening.plan import Plan, planned
from invdesign.screening.pools import MaterialStream, MoleculeStream
from invdesign.screening.running import Progress
from invdesign.space import Constraint
from invdesign.space.materials import MaterialFile
from invdesign.space.molecules.files import MoleculeFile
from invdesign.space.structure_files import structure_files
from invdesign.surrogates.features.structures import SENDEK, read_structure, sendek_descriptors

if TYPE_CHECKING:
    from invdesign.campaign.execution.dask_cluster import DaskPool

EXAMPLES = Path(__file__).parents[1] / "examples"
METALS = ("Li", "Na", "Mg", "Al", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Zr", "Nb")
TARGETS = ind.Targets(ind.Between("potential", 1.4, 1.7))
NARROW = ind.Targets(ind.Between("potential", 1.55, 1.60))
BLOCK = 2048


def learned(**more: Any) -> ind.SurrogateObjective:
    forest = ind.RandomForest(n_estimators=100, max_features=0.05, features=ind.Features(molecules="fingerprints"))
    return ind.SurrogateObjective(
        datasets.resolve("dataset:hbe"),
        {"molecule": "canonSMILES"},
        {"potential": "Potential"},
        surrogate=forest,
        **more,
    )


def repeated_zinc(path: Path, rows: int) -> MoleculeStream:
    """Drug-like molecules again and again; the row number behind each SMILES is its id."""
    lines = Path(datasets.resolve("dataset:zinc-valid")).read_text(encoding="ascii").split()
    with path.open("w", encoding="ascii") as file:
        for start in range(0, rows, len(lines)):
            part = lines[: rows - start]
            file.writelines(f"{smiles} {start + place}\n" for place, smiles in enumerate(part))
    return MoleculeStream("molecule", MoleculeFile(path))


def plan_of(pool: MoleculeStream) -> Plan:
    return planned(pool, [], learned(), TARGETS)


def bare_loop(plan: Plan) -> Callable[[list[str]], Any]:
    from rdkit import Chem
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    objective: Any = plan.steps[-1].objective
    forest = objective.fitted._learned["potential"].model.forest  # noqa: SLF001 - the same forest, without us around it

    def predict(texts: list[str]) -> Any:
        prints = [generator.GetCountFingerprintAsNumPy(Chem.MolFromSmiles(text)) for text in texts]
        return forest.predict(np.stack(prints))

    return predict


def smiles(rows: int, folder: Path) -> dict[str, float]:
    plan = plan_of(repeated_zinc(folder / "zinc.smi", min(rows, 24_000)))
    bare = bare_loop(plan)
    ours = theirs = 0.0
    blocks = list(plan.pool.blocks(BLOCK))
    # Other work fills the processor's caches and slows both: they take turns, on different molecules.
    for place, block in enumerate(blocks):
        start = time.process_time()
        if place % 2:
            plan.screened(block)
            ours += time.process_time() - start
        else:
            bare(list(block.cells or ()))
            theirs += time.process_time() - start
    counts = [sum(len(block.places) for block in blocks[first::2]) for first in (0, 1)]
    return {
        "bare_rows_per_cpu_second": round(counts[0] / theirs),
        "our_rows_per_cpu_second": round(counts[1] / ours),
        "share_of_bare": round((counts[1] / ours) / (counts[0] / theirs), 3),
    }


def cores(rows: int, folder: Path) -> dict[str, float]:
    pool = repeated_zinc(folder / "zinc.smi", rows)
    seconds = {}
    for workers in (1, 2):
        with ind.WorkerPool(workers) as executor:
            # The workers load their libraries and fit the model before the clock starts.
            ind.screen(
                repeated_zinc(folder / "few.smi", 4 * BLOCK),
                TARGETS,
                objective=learned(),
                output=folder / f"warm{workers}",
                executor=executor,
            )
            start = time.perf_counter()
            ind.screen(pool, TARGETS, objective=learned(), output=folder / f"cores{workers}", executor=executor)
            seconds[workers] = time.perf_counter() - start
    return {"rows": rows, "seconds_1": seconds[1], "seconds_2": seconds[2], "speedup": seconds[1] / seconds[2]}


def memory(rows: int, folder: Path) -> dict[str, Any]:
    """Memory of a process of its own, at ten places of the pool and at its end (the results are merged there)."""
    repeated_zinc(folder / "zinc.smi", rows)
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); import screening as s;"
        "s.growing(s.Path(sys.argv[1]), int(sys.argv[3]))"
    )
    words = [sys.executable, "-c", code, str(folder), str(Path(__file__).parent), str(rows)]
    start = time.perf_counter()
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return {"rows": rows, "seconds": time.perf_counter() - start, **json.loads(done.stdout)}


def growing(folder: Path, rows: int) -> None:
    """Screens the light molecules of a file by the model, and prints the resident memory on the way."""
    resident: dict[int, int] = {}

    def note(progress: Progress) -> None:
        place = 10 * progress.entries // rows
        if place not in resident:
            resident[place] = _resident_mb()

    ind.screen(
        MoleculeStream("molecule", MoleculeFile(folder / "zinc.smi")),
        TARGETS,
        objective=learned(),
        steps=[ind.Step("light", keep=Constraint("molecule.MolWt <= 250"))],
        output=folder / "memory",
        on_progress=note,
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(
        json.dumps({"peak_mb": peak, "resident_mb": [*resident.values(), _resident_mb()], "cpu_seconds": _cpu()})
    )


def _resident_mb() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() >> 20


def formulas(count: int) -> Iterator[str]:
    rng = np.random.default_rng(0)
    for _ in range(0, count, 10_000):
        kinds = np.argsort(rng.random((10_000, len(METALS))), axis=1)[:, :4]
        amounts = rng.integers(1, 9, (10_000, 5))
        for kind, amount in zip(kinds.tolist(), amounts.tolist(), strict=True):
            metals = "".join(f"{METALS[place]}{number}" for place, number in zip(kind, amount[:4], strict=True))
            yield f"{metals}O{amount[4] + 4}"


def oxides(rows: int, folder: Path) -> dict[str, float]:
    texts = [text for text, _ in zip(formulas(rows), range(rows), strict=False)]
    pd.DataFrame({"formula": texts, "id": np.arange(rows).astype(str)}).to_parquet(folder / "oxides.parquet")
    known = pd.DataFrame({"formula": texts[:2000]})
    known["value"] = [len(set(text)) + 0.1 * text.count("L") for text in known["formula"]]
    forest = ind.RandomForest(n_estimators=100, features=ind.Features(formulas="magpie"))
    objective = ind.SurrogateObjective(known, {"formula": "formula"}, {"value": "value"}, surrogate=forest)
    file = MaterialFile(str(folder / "oxides.parquet"), id="id", formula="formula")
    start, used = time.perf_counter(), _cpu()
    with ind.WorkerPool(2) as executor:
        ind.screen(
            MaterialStream("oxide", file),
            ind.Targets(ind.AtLeast("value", 12.0)),
            objective=objective,
            output=folder / "oxides",
            settings=ind.ScreenSettings(block=8192),
            executor=executor,
        )
    seconds = time.perf_counter() - start
    return {
        "rows": rows,
        "seconds_two_workers": seconds,
        "cpu_seconds": _cpu() - used,
        "matminer_rows_per_second": _matminer(texts[:500]),
        "rows_per_second": rows / seconds,
    }


def _matminer(texts: list[str]) -> float:
    from matminer.featurizers.composition import ElementProperty
    from pymatgen.core import Composition

    featurizer = ElementProperty.from_preset("magpie", impute_nan=True)
    start = time.process_time()
    for text in texts:
        featurizer.featurize(Composition(text))
    return len(texts) / (time.process_time() - start)


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def sendek(folder: Path) -> dict[str, Any]:
    """The whole command, imports and report included."""
    file, out = EXAMPLES / "sendek-screen.yaml", folder / "sendek"
    start, used = time.perf_counter(), _cpu()
    words = [sys.executable, "-m", "invdesign", "screen", str(file), "-o", str(out)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    seconds, used = time.perf_counter() - start, _cpu() - used
    funnel = json.loads((out / "funnel.json").read_text(encoding="utf-8"))
    counts = {one["step"]: [one["entered"], one["passed"]] for one in funnel}
    return {"seconds": seconds, "cpu_seconds": used, "entered_and_passed": counts}


def structures() -> dict[str, Any]:
    """The descriptors of Sendek et al. (2017) from the CIF files, against the published table of the same crystals."""
    table = pd.read_csv(datasets.resolve("dataset:sendek-training"))
    texts = dict(structure_files(datasets.resolve("dataset:sendek-cifs")))
    crystals = [read_structure(texts[name.removesuffix(".cif")]) for name in table["Filename"]]
    found: dict[str, Any] = {"crystals": len(crystals)}
    for images in (False, True):
        start = time.process_time()
        values = pd.DataFrame([sendek_descriptors(one, images=images) for one in crystals])
        seconds = (time.process_time() - start) / len(crystals)
        given = {name: table[name.lower()].to_numpy() for name in SENDEK}
        found["with_images" if images else "without_images"] = {
            "cpu_seconds_per_crystal": seconds,
            "largest_error": {name: float(np.abs(values[name] - given[name]).max()) for name in SENDEK},
            "r2": {
                name: 1.0
                - float(((values[name] - given[name]) ** 2).sum() / ((given[name] - given[name].mean()) ** 2).sum())
                for name in SENDEK
            },
        }
    return found


def hbe(folder: Path) -> dict[str, Any]:
    """The screen on two workers, the fit of the model included; the verification is xTB's time, and is left out."""
    start, used = time.perf_counter(), _cpu()
    setting = ind.read_screen(EXAMPLES / "hbe-screen.yaml")
    with ind.WorkerPool(2) as executor:
        done = setting.run(folder / "hbe", executor=executor)
    counts = {one.name: [one.entered, one.passed] for one in done.funnel}
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "cpu_seconds": _cpu() - used, "hits": done.hits, "entered_and_passed": counts}


def active(seeds: int = 5) -> dict[str, Any]:
    """Known hits among the best 50 of the HBE table, evaluated in four passes or all at once, with as many values."""
    table = datasets.resolve("dataset:hbe")
    pool = ind.MoleculePool.from_file(table, smiles="canonSMILES")
    truth = ind.TableObjective(table, {"molecule": "canonSMILES"}, {"potential": "Potential"})
    found: dict[str, Any] = {"budget": 100, "top": 50, "seeds": list(range(500, 500 + seeds))}
    for way, more in (("four passes", {"initial": 20, "passes": 4}), ("one pass", {"initial": 99, "passes": 1})):
        hits, seconds = [], []
        for seed in found["seeds"]:
            with tempfile.TemporaryDirectory() as name:
                start = time.perf_counter()
                done = ind.screen(
                    pool,
                    NARROW,
                    objective=truth,
                    output=Path(name) / "out",
                    settings=ind.ScreenSettings(budget=100, **more),
                    seed=seed,
                )
                seconds.append(time.perf_counter() - start)
            values = truth.evaluate(done.best[["molecule"]])
            hits.append(int(NARROW.all_met(values).sum()))
        found[way] = {"hits_among_the_best": hits, "mean": float(np.mean(hits)), "seconds": float(np.mean(seconds))}
    return found


def dask(evaluations: int) -> dict[str, Any]:
    from invdesign.campaign.execution.dask_cluster import DaskCluster

    def wait(x: float) -> dict[str, float]:
        time.sleep(0.05)
        return {"f": float(x)}

    space = ind.SearchSpace(x=ind.Integer(0, 10_000_000))
    targets = ind.Targets(ind.AtLeast("f", 0.0))
    campaign = ind.Campaign(space, targets, optimizer=ind.RandomOptimizer(), initial=evaluations)
    killed: list[int] = []
    with DaskCluster(workers=10).started("benchmark") as executor:
        client = cast("DaskPool", executor).client
        workers = list(client.run(os.getpid).values())
        list(executor.map(abs, range(100)))
        start = time.perf_counter()
        client.gather(client.map(wait, range(evaluations), pure=False))
        bare = time.perf_counter() - start

        def kill(status: ind.Status) -> None:
            for place, due in enumerate((evaluations // 4, evaluations // 2)):
                if status.evaluated >= due and len(killed) == place:
                    killed.append(workers[place])
                    os.kill(workers[place], signal.SIGKILL)

        start = time.perf_counter()
        campaign.run(
            ind.PythonObjective(wait, {"f": ""}, isolated=False),
            evaluations=evaluations,
            executor=executor,
            on_progress=kill,
        )
        seconds = time.perf_counter() - start
    found = campaign.frame()
    ideal = evaluations * 0.05 / 10
    return {
        "evaluations": len(found),
        "right": int((found["f"] == found["x"].astype(float)).sum()),
        "killed": len(killed),
        "seconds": seconds,
        "ideal_seconds": ideal,
        "bare_dask_seconds_without_kills": bare,
        "overhead": seconds / ideal - 1.0,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["smiles", "cores", "memory", "oxides", "sendek", "hbe", "dask"])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--oxides", type=int, default=1_000_000)
    given = parser.parse_args()
    found = read_result("screening")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "smiles": lambda: smiles(given.rows, folder),
            "cores": lambda: cores(given.rows, folder),
            "memory": lambda: memory(given.rows, folder),
            "oxides": lambda: oxides(given.oxides, folder),
            "sendek": lambda: sendek(folder),
            "structures": structures,
            "hbe": lambda: hbe(folder),
            "active": active,
            "dask": lambda: dask(2000),
        }
        measured = {part: found[part] for part in parts if part in found}
        for part in given.parts:
            measured[part] = {**parts[part](), "load": os.getloadavg()[0], "commit": commit()}
            print(part, json.dumps(measured[part], indent=1), flush=True)
            write_result("screening", measured, packages=("numpy", "pandas", "scikit-learn", "rdkit", "distributed"))


if __name__ == "__main__":
    main()
