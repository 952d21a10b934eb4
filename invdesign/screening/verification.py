"""Verifies the chosen candidates of a screen by a more accurate objective; every value is kept when it comes."""

from __future__ import annotations

import json
import os
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

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
    candidates = done.best.head(stage.top)[list(names_of(done.plan.pool.columns))]
    left = candidates.loc[[number for number in candidates.index if int(number) not in known]]
    with place.open("a", encoding="utf-8") as file:
        for result in evaluate_all(stage.objective, left, executor) if len(left) else ():
            for number, values in result.values.astype(object).where(result.values.notna(), None).iterrows():
                known[int(str(number))] = values.to_dict()
                file.write(json.dumps({"digest": digest, "place": int(str(number)), "values": values.to_dict()}) + "\n")
            file.flush()
            os.fsync(file.fileno())
    values = pd.DataFrame([known[int(number)] for number in candidates.index], index=candidates.index)
    names = list(stage.objective.properties)
    values = values.reindex(columns=[*names, REASON]).astype(dict.fromkeys(names, float))
    targets = [target for target in done.plan.targets if target.property in names]
    met = pd.Series(True, index=values.index)
    for target in targets:
        met &= target.in_unit(stage.objective.properties[target.property]).met(values[target.property])
    found = pd.concat([candidates, values.assign(meets_targets=met)], axis=1)
    place.with_suffix(".csv").write_text(table_text(found), encoding="utf-8")
    return found


def _known(place: Path, digest: str) -> dict[int, dict[str, Any]]:
    """The values of an earlier call with an objective of the same digest; a line cut by an interruption is left out."""
    if not place.exists():
        return {}
    lines = place.read_text(encoding="utf-8").split("\n")
    whole = [json.loads(line) for line in lines[:-1] if line]
    return {one["place"]: one["values"] for one in whole if one["digest"] == digest}
