"""How far the best candidates of a screen are from the data of the models that judge them.

Computed for each candidate of a pool this would cost as much as the prediction, so that it is left to those that are
chosen, unless a target or a step needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from invdesign.objectives.base import DISTANCE, Objective
from invdesign.objectives.combined import CombinedObjective
from invdesign.objectives.surrogate import SurrogateObjective


def without_distance(objective: Objective) -> Objective:
    """The objective without the property ``distance`` of its models."""
    if isinstance(objective, CombinedObjective):
        return replace(objective, parts=tuple(map(without_distance, objective.parts)))
    return replace(objective, distance=False) if isinstance(objective, SurrogateObjective) else objective


def with_distance(rows: pd.DataFrame, objectives: Iterable[Objective]) -> pd.DataFrame:
    """Rows with the property ``distance``: to the data of the model that is farthest from its data.

    Args:
        rows: candidates with the columns that the models read.
        objectives: of a screen; without any model the rows stay as they are.
    """
    found = [
        model.training_distance.of(rows[list(model.key)]) for objective in objectives for model in _models(objective)
    ]
    return rows.assign(**{DISTANCE: np.maximum.reduce(found)}) if found else rows


def _models(objective: Objective) -> Iterator[SurrogateObjective]:
    if isinstance(objective, CombinedObjective):
        for part in objective.parts:
            yield from _models(part)
    elif isinstance(objective, SurrogateObjective):
        yield objective
