"""The passes of an active screen: what each led to, for the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from invdesign.screening.funnel import StepCount
from invdesign.targets import Targets


@dataclass(frozen=True)
class Pass:
    """One pass over the pool, and the candidates that were evaluated because of it.

    Attributes:
        evaluated: the candidates with the objective's properties and the reason of each that failed, indexed by their
            places in the pool.
        met: whether each meets the targets on the objective's properties.
        funnel: how many candidates entered and left each step; empty for the first candidates, which are random.
        likely: number of candidates in the pool that were likely to meet all targets, by the values before; None for
            the first ones.
    """

    evaluated: pd.DataFrame
    met: np.ndarray
    funnel: tuple[StepCount, ...] = ()
    likely: int | None = None


@dataclass(frozen=True)
class Chosen:
    """Candidates that a pass chose.

    Attributes:
        rows: the candidates, indexed by their places.
        funnel: see ``Pass``.
        likely: see ``Pass``.
    """

    rows: pd.DataFrame
    funnel: tuple[StepCount, ...] = ()
    likely: int | None = None


def passes_of(chosen: Sequence[Chosen], known: pd.DataFrame, targets: Targets) -> tuple[Pass, ...]:
    """What each pass led to.

    Args:
        chosen: by each pass, in order.
        known: all of these candidates with their values, in the same order.
        targets: those on the objective's properties.
    """
    met, found, start = targets.all_met(known), [], 0
    for one in chosen:
        part = slice(start, start := start + len(one.rows))
        found.append(Pass(known.iloc[part], met[part], one.funnel, one.likely))
    return tuple(found)
