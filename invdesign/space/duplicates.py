"""Candidates that were not seen before."""

from __future__ import annotations

import numpy as np
import pandas as pd


def without_duplicates(candidates: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """Drops candidates that were proposed before, and duplicates among them, keeping the order of the rest."""
    names = list(candidates.columns)
    if len(names) == 1:  # a pool may hold a million
        column = candidates[names[0]]
        fresh = ~column.duplicated() & ~column.isin(seen[names[0]] if len(seen) else [])
        return candidates[fresh.to_numpy()].reset_index(drop=True)
    known = set(seen[names].itertuples(index=False, name=None)) if len(seen) else set()
    kept = []
    for row in candidates.itertuples(index=False, name=None):
        kept.append(row not in known)
        known.add(row)
    return candidates[np.array(kept, dtype=bool)].reset_index(drop=True)
