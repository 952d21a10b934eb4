"""The progress of a campaign in four numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Status:
    """The progress of a campaign.

    Attributes:
        evaluated: number of candidates with at least one value.
        failed: number of candidates without a value.
        pending: number of candidates that are proposed but not evaluated yet.
        hits: number of candidates that meet all targets.
        outside: number of results outside of the space; they are data for the model, but not hits.
    """

    evaluated: int
    failed: int
    pending: int
    hits: int
    outside: int = 0
