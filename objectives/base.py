"""The interface of every source of property values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Protocol, Self, runtime_checkable

import pandas as pd

from invdesign.core.columns import Column

REASON = "reason"
STD_SUFFIX = "_std"
DISTANCE = "distance"
"""Property with the distance of a candidate to the data that its predictions were learned from; the largest if several
objectives of a campaign predict."""
WRONG_RETURN = "wrong return value"
"""Begins the reason of candidates whose objective returned something other than its properties: an error of its code,
which would concern every candidate."""


@runtime_checkable
class Objective(Protocol):
    """Gives property values: a simulation, a table, a trained surrogate, a user's function, a laboratory.

    An objective of a campaign file is a frozen dataclass; its fields are its settings.
    """

    @property
    def properties(self) -> Mapping[str, str]:
        """Name of each property and its unit (empty for dimensionless)."""

    @property
    def rows_per_call(self) -> int | None:
        """Number of candidates per call, small enough to lose little if it is killed; None for any number."""

    def for_columns(self, columns: Sequence[Column]) -> Self:
        """Returns the objective with the information it needs about the columns, such as units and kinds."""

    def check(self, columns: Sequence[Column]) -> list[str]:
        """Checks the columns of candidates before anything runs.

        Returns:
            Messages that say what is wrong and what would be right; empty if there are no problems.
        """

    def evaluate(self, candidates: pd.DataFrame) -> pd.DataFrame:
        """Returns the property values of candidates.

        Args:
            candidates: one row per candidate, one column per parameter, numbers in the parameter's unit.

        Returns:
            A frame with the same index: one float column per property in its unit, optionally ``<property>_std``, and
            the column ``reason``: None, or why the candidate has no value. A candidate that fails has NaN and a
            reason; it never raises.
        """


class TravelsByFields:
    """Mixin for an objective that caches loaded data: only its settings are sent to a worker."""

    def __getstate__(self) -> dict[str, Any]:
        settings: Any = self  # a dataclass, which typing cannot say here
        return {item.name: getattr(self, item.name) for item in fields(settings)}


def valued(values: pd.DataFrame, reasons: Sequence[str | None]) -> pd.DataFrame:
    """Returns property values as an objective's result, with a reason for each row or None."""
    return values.assign(**{REASON: pd.Series(list(reasons), index=values.index, dtype=object)})


def failed(index: pd.Index, properties: Mapping[str, str], reason: str) -> pd.DataFrame:
    """Returns the result of candidates that all failed for one reason."""
    return valued(pd.DataFrame(float("nan"), index=index, columns=list(properties)), [reason] * len(index))
