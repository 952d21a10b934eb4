"""Figures for notebooks and papers (matplotlib): each function returns a figure, which ``savefig`` writes."""

from invdesign.plot.cells import discharge
from invdesign.plot.materials import molecules, periodic_table, ternary
from invdesign.plot.models import calibration, importance, parity, partial_dependence
from invdesign.plot.screening import funnel
from invdesign.plot.search import convergence, front, parallel, targets

__all__ = [
    "calibration",
    "convergence",
    "discharge",
    "front",
    "funnel",
    "importance",
    "molecules",
    "parallel",
    "parity",
    "partial_dependence",
    "periodic_table",
    "targets",
    "ternary",
]
