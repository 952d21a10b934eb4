"""Figures for notebooks and papers (matplotlib): each function returns a figure, which ``savefig`` writes."""

from invdesign.plot.materials import molecules, periodic_table, ternary
from invdesign.plot.models import calibration, importance, parity, partial_dependence
from invdesign.plot.search import convergence, front, parallel, targets

__all__ = [
    "calibration",
    "convergence",
    "front",
    "importance",
    "molecules",
    "parallel",
    "parity",
    "partial_dependence",
    "periodic_table",
    "targets",
    "ternary",
]
