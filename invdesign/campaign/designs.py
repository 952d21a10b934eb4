"""When two candidates are the same design, for choosing those that a costly verification should try."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

import numpy as np

from invdesign.surrogates.features.formulas import elements_of

if TYPE_CHECKING:
    import pandas as pd

    from invdesign.space import SearchSpace

ALIKE = 0.05
"""Largest difference of two points of the unit cube, in any coordinate, below which they are alike."""
AMONG = 10
"""Candidates among which each one is chosen, where a different design may be a worse one."""
AMOUNTS = ("number", "mixture")
"""Kinds of columns whose values differ by degrees, which the unit cube measures."""


def unlike(space: SearchSpace, candidates: pd.DataFrame, most: int) -> list[int]:
    """Places of candidates that are different designs, the first of each, in their order.

    Args:
        space: of the candidates.
        candidates: one row each, best first.
        most: largest number.
    """
    kinds, points = _kinds(space, candidates), space.encode(candidates)
    chosen: list[int] = []
    for place in range(len(candidates)):
        if len(chosen) >= most:
            break
        same = [other for other in chosen if kinds[other] == kinds[place]]
        if not same or np.abs(points[same] - points[place]).max(axis=1).min() >= ALIKE:
            chosen.append(place)
    return chosen


def _kinds(space: SearchSpace, candidates: pd.DataFrame) -> list[tuple[Hashable, ...]]:
    """What of each candidate differs altogether or not at all: molecules, categories, the elements of a formula."""
    parts: list[list[Hashable]] = []
    for column in space.columns:
        values = candidates[column.name].tolist()
        if column.kind == "formula":
            parts.append([frozenset(elements_of([value])) for value in values])
        elif column.kind not in AMOUNTS:
            parts.append(values)
    return list(zip(*parts, strict=True)) if parts else [()] * len(candidates)
