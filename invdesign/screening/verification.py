"""Verifies the chosen candidates of a screen by a more accurate objective; every value is kept when it comes."""

from __future__ import annotations

import json
import os
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from invdesign.campaign.execution.executor import evaluate_all
from invdesign.campaign.fingerprint import digest_of, parts_of
from invdesign.campaign.stage import Stage
from invdesign.core.tables import table_text
from invdesign.objectives.base import REASON
from invdesign.screening.pools import names_of
from invdesign.screening.screen import Screening


def verified(done: Screening, stage: Stage, executor: Executor | None = None) -> pd.DataFrame:
    """Evaluates the first ``stage.top`` of the chosen candidates, and writes ``verified-STAGE.csv`` to the output.

    Values that an earlier call has given are not computed again.

    Args:
        done: the screen.
        stage: the objective, bound to the pool's columns, and how many candidates.
        executor: where evaluations run; None for this process.

    Returns:
        One row per candidate, indexed by its place in the pool: its columns, the stage's properties, the reason if it
        failed, and whether its values meet all targets on the stage's properties.
    """
    folder = done.checkpoints.folder
    place = folder / f"verified-{stage.name.replace('/', '-')}.jsonl"
    digest = digest_of(parts_of(stage.objective))
    known = _known(place, digest)
    cut = place.exists() and not place.read_bytes().endswith(b"\n")
    candidates = done.best.head(stage.top)[list(names_of(done.plan.pool.columns))]
    left = candidates.loc[[number for number in candidates.index if int(number) not in known]]
    with place.open("a", encoding="utf-8") as file:
        file.write("\n" if cut else "")
        for result in evaluate_all(stage.objective, left, executor) if len(left) else ():
            for number, row in result.values.astype(object).where(result.values.notna(), None).iterrows():
                given: Any = row.to_dict()
                known[int(str(number))] = given
                file.write(json.dumps({"digest": digest, "place": int(str(number)), "values": given}) + "\n")
            file.flush()
            os.fsync(file.fileno())
    names = list(stage.objective.properties)
    rows = [known[int(number)] for number in candidates.index]
    values = pd.DataFrame(
        {
            **{name: pd.Series([row.get(name) for row in rows], candidates.index, dtype=float) for name in names},
            REASON: pd.Series([row.get(REASON) for row in rows], candidates.index, dtype=object),
        }
    )
    targets = [target for target in done.plan.targets if target.property in names]
    met = np.ones(len(values), dtype=bool)
    for target in targets:
        met &= target.in_unit(stage.objective.properties[target.property]).met(values[target.property])
    found = pd.concat([candidates, values.assign(meets_targets=met)], axis=1)
    place.with_suffix(".csv").write_text(table_text(found), encoding="utf-8")
    return found


def _known(place: Path, digest: str) -> dict[int, dict[str, Any]]:
    """The values of an earlier call with an objective of the same digest; a line cut by an interruption is left out."""
    if not place.exists():
        return {}
    known: dict[int, dict[str, Any]] = {}
    for line in place.read_text(encoding="utf-8").splitlines():
        try:
            one = json.loads(line)
        except ValueError:
            continue
        if one["digest"] == digest:
            known[one["place"]] = one["values"]
    return known
