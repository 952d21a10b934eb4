"""Objectives whose values are predictions of a model, and how good these are on data that the model did not see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class HeldOutScore:
    """The errors of a model on rows that were held out (5-fold cross-validation).

    Attributes:
        rows: number of values.
        mae: mean absolute error, in the property's unit.
        r2: share of the variance explained; NaN if all values are equal.
        coverage: share of the values within their 90 % intervals.
    """

    rows: int
    mae: float
    r2: float
    coverage: float


@runtime_checkable
class Predicting(Protocol):
    """Interface of objectives that predict their properties."""

    @property
    def properties(self) -> Mapping[str, str]:
        """See ``Objective.properties``."""

    def held_out_scores(self) -> Mapping[str, HeldOutScore | None]:
        """For each predicted property the model's score; None where there are too few rows to hold any out.

        Fits the model several times.
        """


def predicted_properties(objective: object) -> frozenset[str]:
    """Names of the properties that an objective, or one of its parts, predicts; fits nothing."""
    parts = getattr(objective, "parts", (objective,))
    return frozenset(name for part in parts if isinstance(part, Predicting) for name in part.properties)
