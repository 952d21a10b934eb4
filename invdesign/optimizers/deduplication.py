"""Deduplication of proposals: duplicates are replaced by mutated ones, missing candidates are drawn at random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from invdesign.optimizers.base import History
from invdesign.optimizers.random import RandomOptimizer
from invdesign.space import SearchSpace
from invdesign.space.parameters import is_smooth
from invdesign.space.variation import mutated
from invdesign.targets import Targets

STEPS = (0.05, 0.1, 0.2, 0.4)
"""Mean sizes of the mutations that replace duplicates, one attempt after the other."""


class Deduplication:
    """Finds candidates that were proposed before, and replaces them.

    Args:
        space: what is searched.
        seen: all proposed candidates.
    """

    def __init__(self, space: SearchSpace, seen: pd.DataFrame) -> None:
        self.space = space
        self._known = set(_rows(space, seen))

    def is_new(self, candidates: pd.DataFrame) -> np.ndarray:
        """Which candidates were neither proposed before nor appear earlier in the frame, shape ``n``."""
        here: set[tuple[object, ...]] = set()
        new = np.zeros(len(candidates), dtype=bool)
        for place, row in enumerate(_rows(self.space, candidates)):
            new[place] = row not in self._known and row not in here
            here.add(row)
        return new

    def renewed(self, candidates: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """The candidates in order, with duplicates mutated until they are new, or left out if that fails."""
        frame = candidates[list(self.space.names)].reset_index(drop=True)
        new = self.is_new(frame)
        for step in STEPS:
            if new.all():
                break
            children = mutated(self.space, frame[~new], rng, step=step)
            frame = with_rows(frame, np.flatnonzero(~new), children)
            new = self.is_new(frame)
        return frame[new].reset_index(drop=True)


def apart(space: SearchSpace, candidates: pd.DataFrame, history: History, seed: int) -> pd.DataFrame:
    """Candidates that a laboratory can tell apart from earlier ones and from each other.

    One that is too near to another is mutated until it is not. It stays as it is if that fails: the space is full.

    Args:
        space: of the candidates.
        candidates: one row each.
        history: with its ``resolution``, in each coordinate of the unit cube.
        seed: of the campaign.
    """
    if history.resolution is None or candidates.empty or not any(map(is_smooth, space.parameters.values())):
        return candidates
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(history.count, 1)))
    taken = space.encode(history.proposed) if history.count else np.empty((0, space.dimension))
    rows = []
    for place in range(len(candidates)):
        row = candidates.iloc[[place]]
        for step in (None, *STEPS):
            tried = row if step is None else mutated(space, row, rng, step=step)
            point = space.encode(tried)
            if not len(taken) or np.abs(taken - point).max(axis=1).min() > history.resolution:
                break
        else:
            tried, point = row, space.encode(row)
        rows.append(tried)
        taken = np.concatenate([taken, point])
    return pd.concat(rows, ignore_index=True).set_axis(candidates.index)


def completed(
    n: int,
    candidates: pd.DataFrame,
    *,
    space: SearchSpace,
    targets: Targets,
    history: History,
    seed: np.random.SeedSequence,
) -> pd.DataFrame:
    """Fills proposals up to ``n`` with random ones, as far as the space has more; arguments as for ``propose``."""
    if len(candidates) >= n:
        return candidates.head(n)
    known = replace(history, pending=joined(history.pending, candidates))
    rest = RandomOptimizer().propose(n - len(candidates), space=space, targets=targets, history=known, seed=seed)
    return joined(candidates, rest)


def with_rows(frame: pd.DataFrame, rows: np.ndarray, others: pd.DataFrame) -> pd.DataFrame:
    """A frame with some rows replaced by those of another frame with the same columns.

    Args:
        frame: shape ``n x d``.
        rows: places of the rows to replace, shape ``k``.
        others: the rows that take their places, shape ``k x d``.
    """
    columns = {name: frame[name].to_numpy(copy=True) for name in frame}
    for name, column in columns.items():
        column[rows] = others[name].to_numpy()
    return pd.DataFrame(columns)


def joined(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Concatenates two frames; an empty one does not affect the column types."""
    frames = [frame for frame in (first, second) if len(frame)]
    return pd.concat(frames, ignore_index=True) if frames else first.reset_index(drop=True)


def _rows(space: SearchSpace, candidates: pd.DataFrame) -> zip[tuple[object, ...]]:
    return zip(*(candidates[name].tolist() for name in space.names), strict=True)
