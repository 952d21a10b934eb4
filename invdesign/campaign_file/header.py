"""What a campaign file says in single values: its name, seed, store and workers, and the budget."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from invdesign.core.settings import bounded, settings

VERSION = 1
"""Version of the campaign file's format. It increases when older files would be read differently."""
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


@settings
class Budget:
    """Number of candidates: initial, total, and per batch."""

    initial: int = bounded(default=10, ge=1)
    """Number of candidates of the initial design, spread over the space before the optimizer takes over."""
    evaluations: int = bounded(default=50, ge=1)
    """Total number of candidates, including the initial ones."""
    batch: int = bounded(default=1, ge=1)
    """Number of candidates proposed at once."""
    in_flight: int | None = bounded(default=None, ge=1)
    """Number of candidates that are evaluated at the same time, such as 48. Further ones are proposed as results
    arrive, instead of batch by batch. Needs ``workers`` or an ``executor``."""
    cost: float | None = bounded(default=None, gt=0)
    """Largest total cost of all evaluations, if the objective has several fidelities."""


@settings
class Header:
    """The entries of a campaign file that are single values."""

    campaign: Annotated[str, Field(pattern=NAME_PATTERN, max_length=100)]
    """Name of the campaign: letters, digits and . _ -"""
    version: int = bounded(default=VERSION, ge=1, le=VERSION)
    """Version of the campaign file's format."""
    seed: int = bounded(default=0, ge=0)
    """Random seed; the same seed and values give the same candidates."""
    store: str | None = None
    """File or database URL; NAME.db in the working directory by default."""
    workers: int = bounded(default=1, ge=1)
    """Number of processes that evaluate candidates."""
