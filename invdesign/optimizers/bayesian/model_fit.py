"""Fits the surrogate to a campaign's history; hyperparameters only when new values may move them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from invdesign.surrogates.base import ConditionalSurrogate, Surrogate, noise_argument

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.core.columns import Column
    from invdesign.targets import Targets

ALWAYS_BELOW = 60
"""Rows up to which every new value leads to a new fit."""
GROWTH = 1.1
"""From there on, by how much the rows have to grow."""
KEPT = 4


def rows_to_fit(count: int) -> int:
    """How many of the first rows hyperparameters are fitted on; the model is only conditioned on the rest.

    A function of the number of rows alone, so that a campaign that was killed and resumed has the same models.
    """
    rows = ALWAYS_BELOW
    while rows * GROWTH <= count:
        rows = int(rows * GROWTH)
    return count if count < ALWAYS_BELOW else rows


def rows_to_learn(targets: Targets, values: pd.DataFrame, most: int) -> NDArray[np.int64]:
    """Rows a model is fitted to, in order: all up to ``most``; of more, the best half and some of the rest, evenly.

    The choice changes only when hyperparameters are fitted again; until then further rows join it. So it depends on the
    values alone, and few fits are made.

    Args:
        targets: by which rows are better than others.
        values: of all rows.
        most: how many rows are chosen where there are more.
    """
    first = rows_to_fit(len(values))
    if first <= most:
        return np.arange(len(values))
    early = values.iloc[:first].reset_index(drop=True)
    known = np.flatnonzero(early.notna().all(axis=1))
    best = known[np.argsort(targets.pareto_rank(early.iloc[known]), kind="stable")][: most // 2]
    rest = np.setdiff1d(np.arange(first), best)
    even = rest[np.linspace(0, len(rest) - 1, most - len(best)).astype(np.int64)]
    return np.concatenate([np.sort(np.concatenate([best, even])), np.arange(first, len(values))])


class ModelFits:
    """Fits of one surrogate's settings, the last few of which are kept.

    What it returns depends on its arguments alone: keeping fits saves time and changes nothing.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], tuple[Sequence[Column], ConditionalSurrogate]] = OrderedDict()

    def fitted(
        self,
        surrogate: Surrogate,
        candidates: pd.DataFrame,
        values: pd.DataFrame,
        columns: Sequence[Column],
        noise_std: pd.DataFrame | None = None,
    ) -> Surrogate:
        """A copy of the surrogate that knows all values.

        Args:
            surrogate: its settings are used.
            candidates: one row each, in the order of proposal.
            values: their properties; NaN where one is missing.
            columns: what the columns of ``candidates`` are.
            noise_std: known standard deviations of the values; see ``Surrogate.fit``.
        """
        settings: Any = surrogate  # by the Surrogate protocol a dataclass, which typing cannot say
        fresh: Surrogate = replace(settings)
        first = rows_to_fit(len(candidates))
        scarce = bool((values.iloc[:first].notna().sum() < ALWAYS_BELOW // 4).any())
        if not isinstance(fresh, ConditionalSurrogate) or first == len(candidates) or scarce:
            return fresh.fit(candidates, values, columns=columns, **noise_argument(noise_std))
        early, late = (
            noise_argument(None if noise_std is None else noise_std.iloc[part])
            for part in (slice(None, first), slice(first, None))
        )
        basis = self._basis(fresh, candidates.iloc[:first], values.iloc[:first], columns, early)
        return basis.condition_on(candidates.iloc[first:], values.iloc[first:], **late)

    def _basis(
        self,
        fresh: ConditionalSurrogate,
        candidates: pd.DataFrame,
        values: pd.DataFrame,
        columns: Sequence[Column],
        noise: dict[str, pd.DataFrame],
    ) -> ConditionalSurrogate:
        content = pd.util.hash_pandas_object(candidates, index=False).to_numpy().tobytes()
        plain = tuple((column.name, column.kind, column.bounds, id(column.values)) for column in columns)
        known = tuple(frame.to_numpy().tobytes() for frame in noise.values())
        key = (repr(fresh), plain, content, values.to_numpy().tobytes(), known)
        if key not in self._kept:
            # The columns are kept along, so that no other list of values takes the place in memory that names them.
            self._kept[key] = (tuple(columns), fresh.fit(candidates, values, columns=columns, **noise))
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[key][1]
