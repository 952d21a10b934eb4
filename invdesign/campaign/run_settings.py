"""How a run shares its campaign with other processes, and what it does about failures and changes."""

from __future__ import annotations

from dataclasses import dataclass, field

from invdesign.campaign.failures import Failures
from invdesign.campaign.fingerprint import ChangedObjective
from invdesign.campaign.workers import LEASE


@dataclass(frozen=True)
class RunSettings:
    """What a run does besides searching; the defaults suit one process with an unchanged objective.

    Attributes:
        lease: seconds that candidates are kept for this process if it does not answer any more.
        wait: whether to wait until no other process runs the campaign, instead of joining it.
        objective_changed: what to do if the objective (its settings, its source, its files) differs from the one
            that gave the stored values: refuse, keep them, or evaluate their candidates again.
        failures: what to do about failed candidates: by default, the run ends after five that fail for one reason
            before any has succeeded.
    """

    lease: float = LEASE
    wait: bool = False
    objective_changed: ChangedObjective = "refuse"
    failures: Failures = field(default_factory=Failures)


RUN_SETTINGS = RunSettings()
