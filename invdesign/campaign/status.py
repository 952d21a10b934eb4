"""How far a campaign has come, in four numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Status:
    """Where a campaign stands.

    Attributes:
        evaluated: candidates with at least one value.
        failed: candidates that gave no value.
        pending: candidates proposed and not yet evaluated.
        hits: candidates that meet all targets.
    """

    evaluated: int
    failed: int
    pending: int
    hits: int
