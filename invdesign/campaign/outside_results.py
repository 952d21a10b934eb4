"""Which results of a laboratory are outside of the space, judged once each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from invdesign.space.outside import outside_reasons

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.campaign.columns import Evaluations
    from invdesign.space import SearchSpace

NEVER = -1


class OutsideResults:
    """Judges results when they are new or were written again, so that a step costs the same in a long campaign.

    Args:
        space: of the candidates.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._columns: Evaluations | None = None
        self._writes = 0
        self._judged = np.empty(0, dtype=np.int64)
        self._outside = self._found = np.empty(0, dtype=bool)
        self._reasons: dict[int, str] = {}

    def array(self, columns: Evaluations) -> NDArray[np.bool_]:
        """Which candidates have a result of a laboratory that is outside of the space."""
        if columns is self._columns and columns.writes == self._writes:
            return self._found
        if columns is not self._columns:
            self._columns, self._reasons = columns, {}
            self._judged, self._outside = np.empty(0, dtype=np.int64), np.empty(0, dtype=bool)
        self._writes = columns.writes
        more = len(columns) - len(self._judged)
        if more > 0:
            self._judged = np.concatenate([self._judged, np.full(more, NEVER)])
            self._outside = np.concatenate([self._outside[: len(columns) - more], np.zeros(more, dtype=bool)])
        measured, written = columns.measured(), columns.written()
        new = np.flatnonzero(measured & (self._judged != written))
        if new.size:
            rows = pd.DataFrame([columns.parameters[number] for number in new], columns=list(self._space.names))
            reasons = outside_reasons(self._space, rows)
            self._outside[new] = [reason != "" for reason in reasons]
            self._judged[new] = written[new]
            self._reasons |= zip(new.tolist(), reasons, strict=True)
        self._found = self._outside & measured
        return self._found

    def reasons(self, columns: Evaluations) -> dict[int, str]:
        """Why results are outside of the space, by candidate."""
        return {number: self._reasons[number] for number in np.flatnonzero(self.array(columns)).tolist()}
