"""Targets on properties, and how values and predictions compare with them."""

from invdesign.targets.pareto import hypervolume, pareto_rank
from invdesign.targets.target import AtLeast, AtMost, Between, CloseTo, Equals, Maximize, Minimize, Target
from invdesign.targets.targets import Targets

__all__ = [
    "AtLeast",
    "AtMost",
    "Between",
    "CloseTo",
    "Equals",
    "Maximize",
    "Minimize",
    "Target",
    "Targets",
    "hypervolume",
    "pareto_rank",
]
