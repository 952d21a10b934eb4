"""Memory and seconds of a pool of a million molecules, and the speed of the other molecule spaces.

    OMP_NUM_THREADS=1 python benchmarks/molecule_pool.py

A million distinct SMILES of chains with four substituents are written to a SMI file, line by line. A pool is read from
it as canonical input (measured: growth of the resident memory, its peak, seconds), then looked up and decoded at
random. Canonicalisation is measured on fewer, through ``from_smiles``; so are a library's decoding and encoding, and
an open space's drawing and decoding. Everything runs in this one process on one core.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GROUPS = ("O", "N", "F", "Cl", "Br", "I", "C#N", "OC", "SC", "C=O", "C(=O)O", "C(N)=O", "C(=O)OC", "N(C)C", "CO", "CN")
EXAMPLES = Path(__file__).parents[1] / "examples"


def alkanes() -> Iterator[str]:
    """Yields SMILES of chains that bear up to four groups, no two strings alike."""
    for length in itertools.count(4):
        for first, second, third, fourth in itertools.product(GROUPS, repeat=4):
            yield f"{'C' * length}C({first})CC({second})C({third})CC({fourth})C"


def resident_mb() -> float:
    """Returns the memory that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def timed(action: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = action()
    return result, time.perf_counter() - start


def pool(molecules: int) -> dict[str, float]:
    from invdesign.space import MoleculePool

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pool.smi"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{smiles}\n" for smiles in itertools.islice(alkanes(), molecules))
        MoleculePool.from_smiles(["CCO"])  # loads RDKit, whose memory is not the pool's
        before, peak_before = resident_mb(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        read, seconds = timed(lambda: MoleculePool.from_file(path, canonical=True))
        grown, peak = resident_mb() - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        rng = np.random.default_rng(0)
        drawn, decoding = timed(lambda: read.decode(rng.random((100_000, 1))))
        _, encoding = timed(lambda: read.encode(drawn))
        return {
            "molecules": len(read.smiles),
            "file MB": round(path.stat().st_size / 1e6, 1),
            "seconds to read": round(seconds, 2),
            "memory MB": round(grown, 1),
            "peak MB of the process": round(peak, 1),
            "peak MB before": round(peak_before, 1),
            "decoded per second": round(100_000 / decoding),
            "encoded per second": round(100_000 / encoding),
        }


def canonical(molecules: int) -> dict[str, float]:
    from invdesign.space import MoleculePool

    _, seconds = timed(lambda: MoleculePool.from_smiles(itertools.islice(alkanes(), molecules)))
    return {"molecules": molecules, "canonicalised per second": round(molecules / seconds)}


def library(molecules: int) -> dict[str, float]:
    from ruamel.yaml import YAML

    from invdesign.space.molecules.library import MoleculeLibrary

    settings = YAML(typ="safe").load(EXAMPLES / "hbe-library.yaml")["space"]["molecule"]
    made, defining = timed(lambda: MoleculeLibrary(settings["scaffold"], settings["substituents"]))
    points = made.draw(molecules, np.random.default_rng(0))
    members, decoding = timed(lambda: made.decode(points))
    _, encoding = timed(lambda: made.encode(members))
    return {
        "members": made.size,
        "seconds to define": round(defining, 3),
        "decoded per second": round(molecules / decoding),
        "encoded per second": round(molecules / encoding),
    }


def graph(molecules: int) -> dict[str, float]:
    from ruamel.yaml import YAML

    from invdesign.space.molecules.graph import MoleculeGraph

    settings = YAML(typ="safe").load(EXAMPLES / "molecule-graph.yaml")["space"]["molecule"]
    del settings["type"]
    space = MoleculeGraph(**settings)
    rng = np.random.default_rng(0)
    space.decode(space.draw(2, rng))
    drawn, drawing = timed(lambda: space.decode(space.draw(molecules, rng)))
    anywhere = rng.random((molecules, space.dimension))
    decoded, decoding = timed(lambda: space.decode(anywhere))
    _, crossing = timed(lambda: [space.crossover(*drawn[[n, n - 1]], rng) for n in range(min(molecules, 200))])
    return {
        "dimension": space.dimension,
        "drawn per second": round(molecules / drawing),
        "different ones of those drawn": len(set(drawn)) / molecules,
        "random points decoded per second": round(molecules / decoding),
        "random points that fall back to a seed": sum(smiles in space.seeds for smiles in decoded) / molecules,
        "crossed per second": round(min(molecules, 200) / crossing),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecules", type=int, default=1_000_000)
    parser.add_argument("--fewer", type=int, default=2_000, help="molecules where each is built by RDKit")
    arguments = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    from _record import write_result

    payload = {
        "pool": pool(arguments.molecules),
        "canonicalisation": canonical(arguments.fewer),
        "library": library(arguments.fewer),
        "open space": graph(arguments.fewer // 4),
    }
    file = write_result("molecule_pool", payload, packages=("rdkit", "selfies", "numpy", "scipy"))
    print(json.dumps(payload, indent=2))
    print(file)


if __name__ == "__main__":
    main()
