"""Mutated campaign files, altered databases and hostile texts: each is right or refused in words.

``python benchmarks/reliability.py fuzz`` writes the counts; ``tests/benchmarks/test_fuzz.py`` runs a few hundred.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _fuzz_campaign_files import campaign_files
from _fuzz_cases import Case, outcomes
from _fuzz_texts import TEXTS

import invdesign as ind
from invdesign.core.trust import VARIABLE


def databases(folder: Path) -> Case:
    """The case of a store with altered bytes: opened through its campaign file, its status and values read."""
    path = folder / "c.yaml"
    path.write_text(
        "campaign: parabola\nseed: 1\nspace: {x: {type: continuous, low: 0, high: 1}}\n"
        "targets: [{property: f, at_least: 0.5}]\noptimizer: {type: random}\n"
    )
    whole = folder / "whole.db"
    campaign = ind.read_campaign(path, store=str(whole)).open()
    objective = ind.PythonObjective(lambda x: {"f": x * x}, {"f": ""})
    campaign.run(objective, evaluations=60)
    campaign.verify(objective, stage="again", top=5)
    right = campaign.frame(), campaign.verified(), campaign.status()
    campaign.store.close()
    content = whole.read_bytes()

    def case(seed: int) -> str:
        rng = np.random.default_rng(seed)
        changed = bytearray(content)
        for place in rng.integers(0, len(content), size=1 + seed % 40):
            changed[place] = int(rng.integers(0, 256))
        store = folder / "copy.db"
        for ending in ("", "-wal", "-shm"):
            Path(f"{store}{ending}").unlink(missing_ok=True)
        store.write_bytes(changed[: int(rng.integers(len(content)))] if seed % 7 == 0 else changed)
        found = ind.read_campaign(path, store=str(store)).open()
        same = found.frame().equals(right[0]) and found.verified().equals(right[1]) and found.status() == right[2]
        return "the same values" if same else "OTHER VALUES"

    return case


def fuzz(
    *,
    files: int = 10_000,
    stores: int = 1_000,
    words: int = 1_000,
    report: Callable[[str, int, str], None] | None = None,
) -> dict[str, dict[str, int]]:
    """Counts of outcomes of each kind of case.

    Args:
        files: number of mutated campaign files.
        stores: number of altered databases.
        words: number of SMILES, of formulas, of expressions and of units.
        report: gets the kind, seed and outcome of each case that is neither right nor refused in words.
    """
    found: dict[str, dict[str, int]] = {}

    def add(kind: str, case: Case, count: int) -> None:
        counts = outcomes(case, range(count), report=report and (lambda seed, outcome: report(kind, seed, outcome)))
        found[kind] = dict(counts)

    before = os.environ.get(VARIABLE), Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ[VARIABLE] = str(folder / "trust.json")
        try:
            (folder / "files").mkdir()
            add("campaign files", campaign_files(folder / "files"), files)
            add("databases", databases(folder), stores)
            for kind, texts in TEXTS.items():
                add(kind, texts.case, words)
        finally:
            os.environ.pop(VARIABLE) if before[0] is None else os.environ.update({VARIABLE: before[0]})
            os.chdir(before[1])
    return found


if __name__ == "__main__":
    numbers = dict(zip(("files", "stores", "words"), map(int, sys.argv[1:]), strict=False))
    print(json.dumps(fuzz(**numbers, report=lambda *found: print(*found, file=sys.stderr, flush=True)), indent=2))
