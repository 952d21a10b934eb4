"""What the store and the progress cost per evaluation, and ``status`` and ``report`` of long campaigns.

An evaluation is proposed, stored, evaluated, stored and counted; the optimizer and the objective take no part, and the
little time that they take is subtracted. ``python benchmarks/store.py``
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _record import write_result

import invdesign as ind
from invdesign.campaign_file.reader import read_campaign

SIZES = (100, 3_000, 9_000, 100_000)
STEPS = 200
FILE = """\
campaign: long
seed: 1
space:
  x: {type: continuous, low: 0, high: 1}
  y: {type: continuous, low: 0, high: 1}
targets:
  - {property: f, between: [0.45, 0.4505]}
objective: {type: python, function: product.py:product, units: {f: ""}}
optimizer: {type: random}
budget: {initial: 10, evaluations: 200000, batch: 1}
"""
FUNCTION = 'def product(x, y):\n    return {"f": x * y}\n'


@dataclass
class Clock:
    """Wall and processor time of what is not the store."""

    wall: float = 0.0
    processor: float = 0.0

    def taken(self, action: Callable[[], Any]) -> Any:
        wall, processor = time.perf_counter(), time.process_time()
        result = action()
        self.wall += time.perf_counter() - wall
        self.processor += time.process_time() - processor
        return result


@dataclass(frozen=True)
class Uniform:
    """Proposes uniform candidates in no time."""

    clock: Clock = field(default_factory=Clock, repr=False)

    def propose(self, n: int, *, history: Any, **_: Any) -> pd.DataFrame:
        def drawn() -> pd.DataFrame:
            rng = np.random.default_rng(history.count)
            return pd.DataFrame({"x": rng.random(n), "y": rng.random(n)})

        return self.clock.taken(drawn)


class Timed(ind.PythonObjective):
    """An objective whose own time is measured."""

    def evaluate(self, candidates: pd.DataFrame) -> pd.DataFrame:
        return CLOCK.taken(lambda: super(Timed, self).evaluate(candidates))


CLOCK = Clock()


def filled(campaign: ind.Campaign, count: int) -> None:
    """Stores candidates with values."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"x": rng.random(count), "y": rng.random(count)})
    campaign.store.write_fact("units", {"f": ""})
    campaign.store.record([None] * count, rows, [{"f": x * y} for x, y in rows.to_numpy()], [None] * count)


def per_evaluation(size: int, place: str | Path | None) -> dict[str, float]:
    space = ind.SearchSpace(x=ind.Continuous(0, 1), y=ind.Continuous(0, 1))
    targets = ind.Targets(ind.Between("f", 0.45, 0.4505))
    campaign = ind.Campaign(space, targets, optimizer=Uniform(CLOCK), store=place, seed=1, initial=0)
    filled(campaign, size)
    objective = Timed(lambda x, y: {"f": x * y}, {"f": ""}, isolated=False)
    campaign.run(objective, evaluations=size + 5, on_progress=lambda _: None)
    CLOCK.wall = CLOCK.processor = 0.0
    wall, processor = time.perf_counter(), time.process_time()
    campaign.run(objective, evaluations=size + 5 + STEPS, on_progress=lambda _: None)
    wall, processor = time.perf_counter() - wall - CLOCK.wall, time.process_time() - processor - CLOCK.processor
    return {
        "evaluations": size,
        "ms_per_evaluation": round(1e3 * wall / STEPS, 2),
        "processor_ms_per_evaluation": round(1e3 * processor / STEPS, 2),
    }


def command(folder: Path, *words: str) -> dict[str, float]:
    """Seconds of a command, the start of Python included."""
    before, began = os.times(), time.perf_counter()
    line = [sys.executable, "-W", "ignore", "-m", "invdesign", *words]
    subprocess.run(line, cwd=folder, check=True, capture_output=True)
    after = os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return {"seconds": round(time.perf_counter() - began, 2), "processor_seconds": round(processor, 2)}


def commands(size: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "product.py").write_text(FUNCTION)
        (folder / "long.yaml").write_text(FILE)
        campaign = read_campaign(folder / "long.yaml", allow_code=True).open(folder / "long.db")
        filled(campaign, size)
        campaign.store.close()
        result = {"evaluations": size, "status": command(folder, "status", "long.yaml", "--allow-code")}
        result["report"] = command(folder, "report", "long.yaml", "--allow-code")
        result["report"]["megabytes"] = round((folder / "long.html").stat().st_size / 1e6, 2)
        result["store_megabytes"] = round((folder / "long.db").stat().st_size / 1e6, 1)
    return result


def main() -> None:
    rows = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as name:
            on_disk = per_evaluation(size, Path(name) / "long.db")
        in_memory = per_evaluation(size, None)
        rows.append({**on_disk, "ms_per_evaluation_in_memory": in_memory["ms_per_evaluation"]})
        print(rows[-1], flush=True)
    long = [commands(size) for size in (100, 100_000)]
    print(*long, sep="\n")
    payload = {
        "before": {"ms_per_evaluation": {"3000": 25, "9000": 81}, "status_10000_s": 12, "report_100000_s": 375},
        "load_average": os.getloadavg()[0],
        "steps": STEPS,
        "per_evaluation": rows,
        "commands": long,
    }
    print(write_result("store", payload, packages=("numpy", "pandas", "SQLAlchemy")))


if __name__ == "__main__":
    main()
