"""Verifies the chosen candidates of a screen by a more accurate objective; every value is kept when it comes."""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np
import pandas as pd

from invdesign.campaign.stage import Stage
from invdesign.core.tables import table_text
from invdesign.screening.pools import names_of
from invdesign.screening.running import Screening
from invdesign.screening.values_file import ValuesFile


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
    candidates = done.best.head(stage.top)[list(names_of(done.plan.pool.columns))]
    values = ValuesFile(place, stage.objective).of(candidates, executor)
    names = list(stage.objective.properties)
    targets = [target for target in done.plan.targets if target.property in names]
    met = np.ones(len(values), dtype=bool)
    for target in targets:
        met &= target.in_unit(stage.objective.properties[target.property]).met(values[target.property])
    found = pd.concat([candidates, values.assign(meets_targets=met)], axis=1)
    place.with_suffix(".csv").write_text(table_text(found), encoding="utf-8")
    return found
